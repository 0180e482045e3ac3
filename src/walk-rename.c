/*
 * Files that a commit took away: what is found in a file that is new by its
 * path is no news when it was in one of them, and that was much the same
 * file. Asked only for findings; bounded, and what is not compared drops
 * nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "walk-internal.h"

/* Files taken away by one commit, and of them those read, and their bytes. */
#define GONE_MAX 100000
#define ENTRIES_MAX 4000000
#define ENTRY_BYTES 32
#define READ_MAX 1000
#define BYTES_MAX ((size_t)256 << 20)
/* Larger ones are compared by their id alone. */
#define FILE_MAX ((size_t)16 << 20)
/* Percent of the larger that both have; the number is git's (diffcore.h). */
#define ALIKE 50

struct walk_gone {
	struct gone {
		struct oid id;
		char *path;
	} *list;
	size_t nr, alloc;
	size_t entries, reads, bytes; /* looked at for this commit */
};

static int enter(void *arg, const struct oid *tree, size_t len,
		 const struct oid *older, size_t nr, const char *path)
{
	struct walk *w = arg;

	(void)tree;
	(void)older;
	(void)nr;
	(void)path;
	w->gone->entries += len / ENTRY_BYTES + 1;
	return w->gone->nr < GONE_MAX && w->gone->entries < ENTRIES_MAX;
}

static void collect(void *arg, const struct history_change *c)
{
	struct walk *w = arg;
	struct walk_gone *gone = w->gone;

	if (!c->is_new || c->entry->type != ODB_BLOB || gone->nr >= GONE_MAX)
		return;
	if (w->staged && walk_staged_has(w->staged, c->path))
		return;
	MEM_GROW(gone->list, gone->nr, gone->alloc);
	gone->list[gone->nr++] =
		(struct gone){ c->id, mem_strndup(c->path, c->path_len) };
}

static void ignore(void *arg, const struct oid *tree, const char *why)
{
	(void)arg;
	(void)tree;
	(void)why;
}

/* What each parent's tree has and the commit's has not. */
static void find_gone(struct walk *w)
{
	const struct history_diff d = { enter, collect, ignore, w };
	size_t i;

	w->gone = mem_zalloc(sizeof(*w->gone));
	for (i = 0; i < w->nr_older; i++)
		history_tree(w->h, &w->older[i], w->tree, !!w->tree, &d);
}

void walk_gone_clear(struct walk *w)
{
	size_t i;

	if (!w->gone)
		return;
	for (i = 0; i < w->gone->nr; i++)
		free(w->gone->list[i].path);
	free(w->gone->list);
	free(w->gone);
	w->gone = NULL;
}

static int has_any(const struct odb_object *o, const struct walk_hits *h)
{
	size_t i;

	for (i = 0; i < h->nr; i++)
		if (memmem(o->data, o->len, h->list[i].f.secret,
			   h->list[i].f.secret_len) || *h->list[i].f.encodings)
			return 1;
	return 0;
}

/* Is it, by its bytes, the file that t was before? */
static int is_before(const struct walk_text *t, const struct odb_object *o)
{
	size_t more = t->len > o->len ? t->len : o->len;

	if (more > FILE_MAX)
		return 0;
	if (t->len >= o->len)
		return walk_like(t->data, t->len, o->data, o->len) >= ALIKE;
	return walk_like(o->data, o->len, t->data, t->len) >= ALIKE;
}

static void drop(struct walk *w, struct walk_hits *h, const struct gone *g,
		 const struct odb_object *o)
{
	struct walk_text old = { .data = o->data, .len = o->len,
				 .path = g->path, .label = g->path,
				 .is_file = 1, .is_old = 1 };
	struct walk_hits was = WALK_HITS_INIT;
	const char *why;

	walk_look(w->scanner, w->limits, &old, &was, &why);
	walk_hits_drop(h, &was);
	walk_hits_clear(&was);
}

static void try(struct walk *w, const struct walk_text *t,
		struct walk_hits *h, const struct gone *g, int equal)
{
	struct walk_gone *gone = w->gone;
	struct odb_object o;

	if (gone->reads >= READ_MAX || gone->bytes >= BYTES_MAX ||
	    walk_late(w) || history_read(w->h, &g->id, ODB_BLOB, &o))
		return;
	gone->reads++;
	gone->bytes += o.len;
	if (equal || (has_any(&o, h) && is_before(t, &o)))
		drop(w, h, g, &o);
	odb_release(w->h->reader, &o);
}

void walk_drop_renamed(struct walk *w, const struct walk_text *t,
		       struct walk_hits *h, const struct oid *id)
{
	size_t i;

	if (!w->tree && !w->staged)
		return;
	if (!w->gone)
		find_gone(w);
	for (i = 0; i < w->gone->nr && h->nr; i++)
		if (oid_equal(&w->gone->list[i].id, id))
			try(w, t, h, &w->gone->list[i], 1);
	for (i = 0; i < w->gone->nr && h->nr; i++)
		if (!oid_equal(&w->gone->list[i].id, id))
			try(w, t, h, &w->gone->list[i], 0);
}
