/*
 * What a commit brings: its own bytes, and the entries of its tree that none
 * of its parents has at the same path. Hands paths and files on; a tree that
 * was met before, in the same place, brings nothing.
 */
#include "walk-internal.h"

#include <string.h>

/* Of an entry, on average, about: what a tree costs is counted so. */
#define ENTRY_BYTES 32

/* By the place and what it is compared with: rules look at paths. */
static int was_here(struct walk *w, const struct oid *tree,
		    const struct oid *older, size_t nr, const char *path)
{
	struct oid all[HISTORY_PARENTS_MAX + 1];

	all[0] = *tree;
	if (nr)
		memcpy(&all[1], older, nr * sizeof(*older));
	/* the number of them tells the bytes from those of the path */
	return !walk_first_place(w, &w->again, (char)nr, all,
				 (nr + 1) * sizeof(*all), path, strlen(path));
}

static int enter(void *arg, const struct oid *tree, size_t len,
		 const struct oid *older, size_t nr, const char *path)
{
	struct walk *w = arg;
	int first;

	walk_later_look(w);
	if (walk_late(w))
		return 0;
	oids_put(&w->seen, tree, &first);
	if (!first && was_here(w, tree, older, nr, path))
		return 0;
	return walk_may(w, first, len / ENTRY_BYTES + 1);
}

void walk_commit_change(struct walk *w, const struct history_change *c)
{
	if (c->is_new)
		walk_scan_path(w, c->path, c->path_len);
	/* the objects of a submodule are not of this repository */
	if (c->entry->type == ODB_BLOB)
		walk_scan_blob(w, c);
}

static void change(void *arg, const struct history_change *c)
{
	struct walk *w = arg;

	if (!walk_later_change(w, c))
		walk_commit_change(w, c);
}

void walk_commit_bad(struct walk *w, const struct oid *tree, const char *why)
{
	if (!walk_is_old(w, tree))
		walk_note_unreadable(w, tree, why);
}

static void bad(void *arg, const struct oid *tree, const char *why)
{
	struct walk *w = arg;

	if (!walk_later_bad(w, tree, why))
		walk_commit_bad(w, tree, why);
}

static const struct history_diff diff = { enter, change, bad, NULL };

static void compare(struct walk *w, const struct oid *tree,
		    const struct oid *older, size_t nr)
{
	struct history_diff d = diff;

	d.arg = w;
	history_tree(w->h, tree, older, nr, &d);
}

void walk_tree(struct walk *w, const struct oid *tree)
{
	compare(w, tree, NULL, 0);
}

void walk_commit_begin(struct walk *w, uint32_t number)
{
	w->commit = history_commits_id(w->commits, number);
	w->tree = history_commits_tree(w->commits, number);
	w->older = w->parents;
	w->nr_older = history_commits_older(w->commits, number, w->parents,
					    HISTORY_PARENTS_MAX);
	walk_scan_raw(w, w->commit, ODB_COMMIT);
}

void walk_commit_end(struct walk *w, size_t place)
{
	walk_gone_clear(w);
	w->commit = w->tree = w->older = NULL;
	w->nr_older = 0;
	if (w->progress)
		w->progress(w->progress_arg, place + 1, w->nr_commits);
}

void walk_commit(struct walk *w, uint32_t number, size_t place)
{
	struct oid older[HISTORY_PARENTS_MAX];
	size_t nr = history_commits_older(w->commits, number, older,
					  HISTORY_PARENTS_MAX);

	if (!walk_later_commit(w, number))
		walk_commit_begin(w, number);
	compare(w, history_commits_tree(w->commits, number), older, nr);
	if (!walk_later_end(w, place))
		walk_commit_end(w, place);
}
