/*
 * "status": what the responder is doing, as text for people: sessions, the
 * mirrors with their ages and what went wrong last, and what is parked.
 */
#include "desk-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "config.h"
#include "mirror-keep.h"
#include "packs.h"
#include "park.h"
#include "session.h"
#include "text.h"

/* control_ask takes 1 MiB. */
#define ROWS_BYTES 900000

struct table {
	const struct config *c;
	struct buf rows;
	unsigned mirrors, left_out;
};

/* "17s", "5m", "3h", "12d"; "-" for never */
static const char *age(int64_t ms, char out[24])
{
	static const struct {
		int64_t ms;
		char unit;
	} units[] = { { 86400000, 'd' }, { 3600000, 'h' }, { 60000, 'm' },
		      { 1000, 's' } };
	size_t i = 0;

	while (i < 3 && ms < units[i].ms)
		i++;
	if (ms < 0)
		snprintf(out, 24, "-");
	else
		snprintf(out, 24, "%" PRId64 "%c", ms / units[i].ms,
			 units[i].unit);
	return out;
}

/* "NAME (UPSTREAM)", or where it lies when nobody asks for it by a name. */
static void add_name(const struct config *c, const char *path, struct buf *out)
{
	char name[ROUTE_NAME_MAX + 1];
	const struct config_repo *r = mirror_name(c, path, name);

	if (r) {
		text_clean(out, name, strlen(name));
		buf_adds(out, " (");
		text_clean(out, r->upstream->name, strlen(r->upstream->name));
		buf_adds(out, ")");
	} else {
		text_clean(out, path, strlen(path));
	}
	buf_addc(out, '\n');
}

static int has_room(struct table *t)
{
	if (t->rows.len < ROWS_BYTES)
		return 1;
	t->left_out++;
	return 0;
}

static int add_mirror(void *arg, const char *path)
{
	struct table *t = arg;
	struct mirror_look look;
	struct buf error = BUF_INIT;
	char asked[24], used[24], ago[24];

	t->mirrors++;
	if (!has_room(t))
		return 0;
	mirror_look(path, &look, &error);
	if (error.len)
		buf_addf(&error, "/%s", age(look.error_ms, ago));
	buf_addf(&t->rows, "%-7s %-7s %13" PRIu64 " %6u %-24s ",
		 age(look.asked_ms, asked), age(look.used_ms, used),
		 look.bytes, look.packs, error.len ? error.data : "-");
	add_name(t->c, path, &t->rows);
	buf_clear(&error);
	return 0;
}

/* The upstream has never answered for it. */
static void add_failed(void *arg, const char *path, const char *code,
		       int64_t ago_ms)
{
	struct table *t = arg;
	struct buf error = BUF_INIT;
	char ago[24];

	if (!has_room(t))
		return;
	buf_addf(&error, "%s/%s", code, age(ago_ms, ago));
	buf_addf(&t->rows, "%-7s %-7s %13s %6s %-24s ", "-", "-", "-", "-",
		 error.data);
	add_name(t->c, path, &t->rows);
	buf_clear(&error);
}

static void print_mirrors(const struct config *c, struct buf *out)
{
	struct table t = { .c = c };

	mirror_each(c, add_mirror, &t);
	mirror_error_each(add_failed, &t);
	buf_addf(out, "%u mirror%s\n", t.mirrors, t.mirrors == 1 ? "" : "s");
	if (t.rows.len) {
		buf_addf(out, "%-7s %-7s %13s %6s %-24s %s\n", "ASKED", "USED",
			 "PACKED", "PACKS", "ERROR", "REPOSITORY");
		buf_add(out, t.rows.data, t.rows.len);
	}
	if (t.left_out)
		buf_addf(out, "and %u more\n", t.left_out);
	buf_clear(&t.rows);
}

/* As `git-gate deliver' sees it: what it would send, and what it cannot. */
static void print_parked(const struct config *c, struct buf *out)
{
	struct park_list l = PARK_LIST_INIT;
	unsigned notes;
	uint64_t bytes;

	if (park_list(c, &l) || park_count(c, &notes, &bytes)) {
		buf_addf(out, "parked: cannot be read: %s\n",
			 strerror(errno));
		park_list_clear(&l);
		return;
	}
	buf_addf(out, "parked: %zu push%s, %" PRIu64 " bytes", l.nr,
		 l.nr == 1 ? "" : "es", bytes);
	if (l.nr_damaged)
		buf_addf(out, ", and %zu damaged; `git-gate deliver --list' "
			 "names them", l.nr_damaged);
	buf_addc(out, '\n');
	park_list_clear(&l);
}

static void print_packs(const struct config *c, struct buf *out)
{
	uint64_t bytes;
	size_t nr;

	if (!packs_count(c, &nr, &bytes))
		buf_addf(out, "packs kept: %zu, %" PRIu64 " bytes; given "
			 "without git: %" PRIu64 "\n", nr, bytes,
			 packs_kept_opened());
}

void desk_status(struct desk_request *r)
{
	session_print(r->out);
	print_mirrors(r->c, r->out);
	if (r->c->packs > 0)
		print_packs(r->c, r->out);
	if (r->c->park)
		print_parked(r->c, r->out);
}
