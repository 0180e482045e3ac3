/*
 * An earlier report, to compare with: takes a JSON file, says which findings
 * are in it. Keeps hashes of the secrets that gitleaks writes into its
 * reports, and wipes the text.
 */
#include "baseline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "findings.h"
#include "json.h"
#include "log.h"
#include "mem.h"

/* What may stand before it, a byte order mark as well. */
#define BLANKS " \t\r\n\xef\xbb\xbf"
/* Bytes; a report of a hundred thousand findings. */
#define BASELINE_MAX ((size_t)256 << 20)

struct baseline {
	char **list; /* keys, sorted: see add_keys */
	size_t nr, alloc;
	size_t count;
};

/* The finding that is being read. */
enum field { RULE, FILE_NAME, COMMIT, SECRET, PRINT, LINE, NR_FIELDS };

static const char *const fields[NR_FIELDS] = {
	[RULE] = "RuleID",	[FILE_NAME] = "File", [COMMIT] = "Commit",
	[SECRET] = "Secret",	[PRINT] = "Fingerprint",
	[LINE] = "StartLine",
};

struct reading {
	struct baseline *b;
	const char *file;
	struct buf values[NR_FIELDS];
	unsigned seen; /* bits of the above */
};

static void add(struct baseline *b, char *key)
{
	MEM_GROW(b->list, b->nr, b->alloc);
	b->list[b->nr++] = key;
}

/* As gitleaks redacts, wholly or in part, and as text_redact does. */
static int is_redacted(const struct buf *secret)
{
	static const char *const ends[] = { "REDACTED", "...", " bytes)" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t n = strlen(ends[i]);
		if (secret->len >= n &&
		    !memcmp(secret->data + secret->len - n, ends[i], n))
			return 1;
	}
	return !secret->len;
}

/* No rule: the same secret may have another there. */
static char *secret_key(const char *path, const char *secret, size_t len)
{
	char print[41];

	findings_fingerprint("", path, secret, len, print);
	return mem_strdup(print);
}

static char *place_key(const char *rule, const char *path, const char *line,
		       const char *commit)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s:%s:%s:%s", commit, path, rule, line);
	return buf_take(&b);
}

/* One finding's key: what tells it from others best. */
static void end_finding(struct reading *r)
{
	const struct buf *v = r->values;

	for (char *p = v[FILE_NAME].data; p && *p; p++)
		if (*p == '\\')
			*p = '/';
	r->b->count++;
	if (v[PRINT].len == 40 &&
	    strspn(v[PRINT].data, "0123456789abcdef") == 40)
		add(r->b, mem_strdup(v[PRINT].data));
	else if (!is_redacted(&v[SECRET]))
		add(r->b, secret_key(v[FILE_NAME].data, v[SECRET].data,
				     v[SECRET].len));
	else
		add(r->b, place_key(v[RULE].data, v[FILE_NAME].data,
				    v[LINE].data, v[COMMIT].data));
}

static void begin_finding(struct reading *r)
{
	r->seen = 0;
	for (size_t i = 0; i < NR_FIELDS; i++) {
		mem_wipe(r->values[i].data, r->values[i].len);
		buf_reset(&r->values[i]);
		buf_add(&r->values[i], "", 0);
	}
}

static void take(struct reading *r, const struct json_event *e)
{
	for (size_t i = 0; i < NR_FIELDS; i++) {
		if (strcmp(e->key, fields[i]) != 0)
			continue;
		r->seen |= 1u << i;
		buf_reset(&r->values[i]);
		buf_add(&r->values[i], e->text ? e->text : "", e->len);
	}
}

static int no_report(const struct reading *r, int line, const char *what)
{
	log_error("%s:%d: %s; name a JSON report, of git-gate scan --format "
		  "json or of gitleaks", r->file, line, what);
	return -1;
}

/* An array of objects, whose members count where they are plain values. */
static int event(void *arg, const struct json_event *e)
{
	const unsigned needed = 1u << RULE | 1u << FILE_NAME | 1u << LINE;
	struct reading *r = arg;

	if (e->depth == 0 && e->type != JSON_ARRAY && e->type != JSON_END)
		return no_report(r, e->line, "not an array of findings");
	if (e->depth == 1 && e->type == JSON_OBJECT)
		begin_finding(r);
	else if (e->depth == 1 && e->type != JSON_END)
		return no_report(r, e->line, "not a finding");
	else if (e->depth == 1 && (r->seen & needed) != needed)
		return no_report(r, e->line, "a finding without RuleID, File "
					     "or StartLine");
	else if (e->depth == 1)
		end_finding(r);
	else if (e->depth == 2 && e->key)
		take(r, e);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct baseline *baseline_load(const char *file)
{
	struct reading r = { .b = mem_zalloc(sizeof(*r.b)), .file = file };
	struct buf text = BUF_INIT;
	int bad = buf_read_file(&text, file, BASELINE_MAX);

	buf_add(&text, "", 0);
	if (bad)
		log_error("%s: cannot be read: %s; name a JSON report", file,
			  strerror(errno));
	else if (!strchr("[{", text.data[strspn(text.data, BLANKS)]))
		bad = no_report(&r, 1, "not JSON");
	else
		bad = json_read(file, text.data ? text.data : "", text.len,
				event, &r);
	begin_finding(&r);
	for (size_t i = 0; i < NR_FIELDS; i++)
		buf_clear(&r.values[i]);
	mem_wipe(text.data, text.len);
	buf_clear(&text);
	if (bad) {
		baseline_free(r.b);
		return NULL;
	}
	if (r.b->nr)
		qsort(r.b->list, r.b->nr, sizeof(*r.b->list), by_text);
	return r.b;
}

void baseline_free(struct baseline *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->nr; i++)
		free(b->list[i]);
	free(b->list);
	free(b);
}

size_t baseline_count(const struct baseline *b)
{
	return b->count;
}

static int has(const struct baseline *b, const char *key)
{
	return b->nr && bsearch(&key, b->list, b->nr, sizeof(*b->list),
				by_text) != NULL;
}

int baseline_has(const struct baseline *b, const struct finding *f,
		 const char *secret, size_t len)
{
	char line[16], *key;
	int found = has(b, f->fingerprint);

	if (found)
		return 1;
	key = secret_key(f->path, secret, len);
	found = has(b, key);
	free(key);
	if (found)
		return 1;
	snprintf(line, sizeof(line), "%u", f->line);
	key = place_key(f->rule, f->path, line, f->commit);
	found = has(b, key);
	free(key);
	return found;
}
