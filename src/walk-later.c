/*
 * What a walk came to while its sweep was under way: tips, commits and what is
 * new in them, kept in the order in which they were met, and judged in that
 * order once the sweep has ended. Takes what walk-commit.c would judge, gives
 * it back later; judges nothing.
 */
#include <string.h>

#include "walk-internal.h"

enum kind { TIP, COMMIT, CHANGE, BAD, END };

/* Behind it: nr_older ids, and path_len bytes with a NUL. */
struct record {
	enum kind kind;
	enum odb_type type;   /* of CHANGE */
	unsigned is_new : 1, nr_older : 31;
	uint32_t number;      /* of COMMIT; its place in the list, of END */
	size_t path_len;
	const char *why;      /* of BAD, a constant */
	unsigned char id[OID_SHA256];
};

void walk_later_look(struct walk *w)
{
	if (w->beside && (walk_sweep_ended(w) ||
			  w->later.alloc + walk_places_size(w) > w->later_max))
		walk_settle(w);
}

static int keep(struct walk *w, const struct record *r)
{
	walk_later_look(w);
	if (!w->beside)
		return 0;
	buf_add(&w->later, r, sizeof(*r));
	return 1;
}

static struct record of_id(enum kind kind, const struct oid *id)
{
	struct record r = { .kind = kind };

	memcpy(r.id, id->raw, sizeof(r.id));
	return r;
}

int walk_later_tip(struct walk *w, const struct oid *id)
{
	const struct record r = of_id(TIP, id);

	return keep(w, &r);
}

int walk_later_commit(struct walk *w, uint32_t number)
{
	const struct record r = { .kind = COMMIT, .number = number };

	return keep(w, &r);
}

int walk_later_change(struct walk *w, const struct history_change *c)
{
	struct record r = of_id(CHANGE, &c->id);
	size_t i;

	/* a directory that was there before brings no name */
	if (!c->is_new && c->entry->type != ODB_BLOB)
		return 1;
	r.type = c->entry->type;
	r.is_new = !!c->is_new;
	r.nr_older = (unsigned)c->nr_older & INT32_MAX;
	r.path_len = c->path_len;
	if (!keep(w, &r))
		return 0;
	for (i = 0; i < c->nr_older; i++)
		buf_add(&w->later, c->older[i].raw, w->h->raw_len);
	buf_add(&w->later, c->path, c->path_len + 1);
	return 1;
}

int walk_later_bad(struct walk *w, const struct oid *tree, const char *why)
{
	struct record r = of_id(BAD, tree);

	r.why = why;
	return keep(w, &r);
}

int walk_later_end(struct walk *w, size_t place)
{
	const struct record r = { .kind = END, .number = (uint32_t)place };

	return keep(w, &r);
}

/* A change, from what is behind its record. Returns what comes next. */
static const char *do_change(struct walk *w, const struct record *r,
			     const char *at)
{
	const struct history_entry entry = { .type = r->type };
	struct oid older[HISTORY_PARENTS_MAX] = { 0 };
	struct history_change c = { .entry = &entry, .path_len = r->path_len,
				    .is_new = r->is_new, .older = older,
				    .nr_older = r->nr_older };
	size_t i;

	memcpy(c.id.raw, r->id, sizeof(r->id));
	for (i = 0; i < r->nr_older; i++, at += w->h->raw_len)
		memcpy(older[i].raw, at, w->h->raw_len);
	c.path = at;
	if (!walk_late(w))
		walk_commit_change(w, &c);
	return at + r->path_len + 1;
}

static const char *do_one(struct walk *w, const struct record *r,
			  const char *at)
{
	struct oid id;

	memcpy(id.raw, r->id, sizeof(r->id));
	switch (r->kind) {
	case TIP:
		walk_scan_tip(w, &id);
		break;
	case COMMIT:
		walk_commit_begin(w, r->number);
		break;
	case CHANGE:
		return do_change(w, r, at);
	case BAD:
		walk_commit_bad(w, &id, r->why);
		break;
	case END:
		walk_commit_end(w, r->number);
		break;
	}
	return at;
}

void walk_later_do(struct walk *w)
{
	const char *at = w->later.data, *end = at + w->later.len;
	struct record r;

	/* past the time, what is left is not judged: that is noted */
	while (at < end && !walk_late(w)) {
		memcpy(&r, at, sizeof(r));
		at = do_one(w, &r, at + sizeof(r));
	}
	buf_clear(&w->later);
}
