/*
 * Shows what the room odb reads, for t/31-odb.t to hold against git:
 *   odb-drive OBJECTS RAW-LEN list          every id
 *   odb-drive OBJECTS RAW-LEN read CACHE    as `git cat-file --batch` does for
 *                                           the ids on standard input
 *   odb-drive OBJECTS RAW-LEN short HEX...  ids by their first digits
 *   odb-drive OBJECTS RAW-LEN has HEX...    are they there
 *   odb-drive OBJECTS RAW-LEN sweep THREADS MEMORY MAX TYPES
 *       "ID TYPE SIZE" for every object, or what is wrong with it; each text
 *       is held against that of odb_read, each copy against the base
 *   odb-drive OBJECTS RAW-LEN helped THREADS MEMORY MAX TYPES
 *       the same, with a last thread that comes from elsewhere
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"
#include "odb.h"

#define THREADS_MAX 16

static const char *const types[] = { "none", "commit", "tree", "blob", "tag" };
static size_t raw_len;
static int wrong;

static int print_id(void *arg, const struct oid *id)
{
	char hex[OID_HEX_MAX + 1];

	(void)arg;
	puts(oid_hex(id, raw_len, hex));
	return 0;
}

static int read_one(struct odb_reader *r, const char *hex)
{
	struct odb_object object;
	enum odb_status status;
	enum odb_type type;
	struct oid id;
	size_t len;

	if (oid_parse(&id, hex, raw_len))
		return -1;
	status = odb_read(r, &id, 0, &object);
	if (status == ODB_MISSING) {
		printf("%s missing\n", hex);
		return 0;
	}
	if (status != ODB_OK) {
		printf("%s: %s\n", hex, odb_why(r));
		return 0;
	}
	if (odb_header(r, &id, &type, &len) != ODB_OK ||
	    type != object.type || len != object.len || object.data[len])
		printf("%s: the header is another\n", hex);
	printf("%s %s %zu\n", hex, types[object.type], object.len);
	fwrite(object.data, 1, object.len, stdout);
	putchar('\n');
	fflush(stdout);
	odb_release(r, &object);
	return 0;
}

static int read_all(const struct odb *o, size_t cache)
{
	struct odb_reader *r = odb_reader_new(o, NULL, cache);
	char line[OID_HEX_MAX + 2];
	int rc = 0;

	while (!rc && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		rc = read_one(r, line);
	}
	odb_reader_free(r);
	return rc;
}

static void abbreviated(const struct odb *o, const char *hex)
{
	char full[OID_HEX_MAX + 1];
	struct oid id;
	int rc = odb_abbreviated(o, hex, strlen(hex), &id);

	printf("%s %d %s\n", hex, rc,
	       rc == 1 ? oid_hex(&id, raw_len, full) : "");
}

static void has(const struct odb *o, const char *hex)
{
	struct oid id;

	printf("%s %d\n", hex,
	       oid_parse(&id, hex, raw_len) ? -1 : odb_has(o, &id));
}

/* --- sweep ------------------------------------------------------------------- */

struct kept {
	size_t len;
	char data[];
};

static _Atomic long kept_now;

static void complain(const struct odb_version *v, const char *what)
{
	char hex[OID_HEX_MAX + 1];

	printf("%s: %s\n", oid_hex(&v->id, raw_len, hex), what);
	wrong = 1;
}

/* Is there an empty fresh span at this place? */
static int is_seam(const struct odb_version *v, size_t at)
{
	size_t i;

	for (i = 0; i < v->nr_fresh; i++)
		if (v->fresh[i].start == at && v->fresh[i].end == at)
			return 1;
	return 0;
}

/* Two copies that meet, or a copy and an end of the version. */
static void check_meeting(const struct odb_version *v, size_t i, size_t base)
{
	const struct odb_copy *c = &v->copies[i], *p = c - 1;
	size_t end = c->to + c->len;

	if (!i && !c->to && !c->from != !is_seam(v, 0))
		complain(v, "the start is not marked as it is");
	if (i + 1 == v->nr_copies && end == v->len &&
	    (c->from + c->len == base) == is_seam(v, end))
		complain(v, "the end is not marked as it is");
	if (i && p->to + p->len == c->to &&
	    (p->from + p->len == c->from || !is_seam(v, c->to)))
		complain(v, "two copies meet without a seam");
}

/* Copies and fresh spans are all of it, once; copies are as in the base. */
static void check_spans(const struct odb_version *v, const struct kept *base)
{
	size_t at = 0, f = 0, c = 0;

	while (f < v->nr_fresh || c < v->nr_copies) {
		if (f < v->nr_fresh && v->fresh[f].start == at &&
		    v->fresh[f].end >= at) {
			at = v->fresh[f++].end;
			continue;
		}
		if (c >= v->nr_copies || v->copies[c].to != at)
			break;
		if (!base || v->copies[c].from > base->len ||
		    v->copies[c].len > base->len - v->copies[c].from ||
		    memcmp(v->data + at, base->data + v->copies[c].from,
			   v->copies[c].len)) {
			complain(v, "a copy is not of the base");
			return;
		}
		check_meeting(v, c, base->len);
		at += v->copies[c++].len;
	}
	if (at != v->len || f < v->nr_fresh || c < v->nr_copies)
		complain(v, "the spans are not the whole");
}

static void check_text(struct odb_reader *r, const struct odb_version *v)
{
	struct odb_object object;

	if (odb_read(r, &v->id, 0, &object) != ODB_OK) {
		complain(v, "odb_read does not read it");
		return;
	}
	if (object.type != v->type || object.len != v->len ||
	    memcmp(object.data, v->data, v->len))
		complain(v, "odb_read gives another text");
	odb_release(r, &object);
}

static void *visit(void *arg, const struct odb_version *v)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	char hex[OID_HEX_MAX + 1];
	struct kept *kept = NULL;

	pthread_mutex_lock(&lock);
	oid_hex(&v->id, raw_len, hex);
	if (v->status == ODB_OK) {
		printf("%s %s %zu\n", hex, types[v->type], v->len);
		check_text(arg, v);
		check_spans(v, v->base);
	} else {
		printf("%s %s: %s\n", hex,
		       v->status == ODB_TOO_LARGE ? "too large" : "broken",
		       v->why);
	}
	if (v->status == ODB_OK && v->has_deltas) {
		kept = mem_zalloc(sizeof(*kept) + v->len);
		kept->len = v->len;
		memcpy(kept->data, v->data, v->len);
		kept_now++;
	}
	pthread_mutex_unlock(&lock);
	return kept;
}

static void forget(void *kept)
{
	kept_now--;
	free(kept);
}

static void *help(void *arg)
{
	odb_help(arg);
	return NULL;
}

/* odb_sweep, whose last thread comes when it wants to. */
static int sweep_with_help(const struct odb *o, struct odb_sweep *s)
{
	pthread_t thread;
	int rc;

	s->help = odb_help_new();
	if (pthread_create(&thread, NULL, help, s->help))
		return -1;
	rc = odb_sweep(o, s);
	odb_help_end(s->help);
	pthread_join(thread, NULL);
	odb_help_free(s->help);
	return rc;
}

static int sweep_all(const struct odb *o, char **args, int helped)
{
	void *readers[THREADS_MAX];
	struct odb_sweep s = {
		.threads = (unsigned)strtoul(args[0], NULL, 10),
		.memory = strtoul(args[1], NULL, 10),
		.max_object = strtoul(args[2], NULL, 10),
		.types = (unsigned)strtoul(args[3], NULL, 10),
		.visit = visit,
		.forget = forget,
		.args = readers,
	};
	int rc;
	size_t i;

	if (s.threads > THREADS_MAX)
		return -1;
	for (i = 0; i < THREADS_MAX; i++)
		readers[i] = odb_reader_new(o, NULL, 1 << 20);
	rc = helped ? sweep_with_help(o, &s) : odb_sweep(o, &s);
	if (kept_now)
		printf("%ld are not forgotten\n", (long)kept_now);
	for (i = 0; i < THREADS_MAX; i++)
		odb_reader_free(readers[i]);
	return rc || kept_now || wrong;
}

int main(int argc, char **argv)
{
	struct odb *o;
	int i, rc = 0;

	log_init("odb-drive", LOG_PLAIN);
	if (argc < 4)
		return 2;
	raw_len = strtoul(argv[2], NULL, 10);
	o = odb_open(argv[1], raw_len, 1);
	if (!o)
		return 1;
	if (!strcmp(argv[3], "list"))
		rc = odb_each(o, print_id, NULL);
	else if (!strcmp(argv[3], "read") && argc == 5)
		rc = read_all(o, strtoul(argv[4], NULL, 10));
	else if (!strcmp(argv[3], "sweep") && argc == 8)
		rc = sweep_all(o, argv + 4, 0);
	else if (!strcmp(argv[3], "helped") && argc == 8)
		rc = sweep_all(o, argv + 4, 1);
	else if (!strcmp(argv[3], "short") || !strcmp(argv[3], "has"))
		for (i = 4; i < argc; i++)
			(*argv[3] == 's' ? abbreviated : has)(o, argv[i]);
	else
		rc = 2;
	odb_close(o);
	return rc ? 1 : 0;
}
