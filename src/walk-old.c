/*
 * What the references reached before the push. Asked only about an object
 * that the store has and that was found to hold a secret, or could not be
 * scanned: finding out means to visit the whole history, once.
 */
#include <string.h>

#include "walk-internal.h"

/* Objects to remember; an answer that needs more is "not old". */
#define OBJECTS_MAX 8000000

static void add_tree(struct walk *w, const git_oid *id, struct oidset *todo)
{
	git_tree *t = walk_read_tree(w, id, 1);
	const git_tree_entry *e;
	size_t i;

	for (i = 0; t && i < git_tree_entrycount(t); i++) {
		e = git_tree_entry_byindex(t, i);
		if (git_tree_entry_type(e) == GIT_OBJECT_BLOB)
			oidset_put(&w->old, git_tree_entry_id(e), NULL);
		else if (git_tree_entry_type(e) == GIT_OBJECT_TREE)
			oidset_put(todo, git_tree_entry_id(e), NULL);
	}
	git_tree_free(t);
}

static void add_commit(struct walk *w, const git_oid *id, struct oidset *todo)
{
	git_commit *c = walk_read_commit(w, id, 1);
	unsigned i;

	if (!c)
		return;
	oidset_put(todo, git_commit_tree_id(c), NULL);
	for (i = 0; i < git_commit_parentcount(c); i++)
		oidset_put(todo, git_commit_parent_id(c, i), NULL);
	git_commit_free(c);
}

static void add_object(struct walk *w, const git_oid *id, struct oidset *todo)
{
	git_object_t type;
	size_t len;

	if (git_odb_read_header(&len, &type, w->odb, id))
		return;
	if (type == GIT_OBJECT_COMMIT)
		add_commit(w, id, todo);
	else if (type == GIT_OBJECT_TREE)
		add_tree(w, id, todo);
	else if (type == GIT_OBJECT_BLOB)
		oidset_put(&w->old, id, NULL);
}

/* All blobs of the history into w->old. Returns 0, or -1: not all. */
static int collect(struct walk *w)
{
	struct oidset todo = OIDSET_INIT;
	git_object_t type;
	git_oid id;
	size_t i;
	int ret = 0;

	for (i = 0; i < w->refs.nr; i++)
		if (!walk_peel(w, &w->refs.list[i].id, &id, &type))
			oidset_put(&todo, &id, NULL);
	for (i = 0; i < todo.nr && !ret; i++) {
		/* a copy: the list moves when it grows */
		id = todo.list[i];
		add_object(w, &id, &todo);
		if (todo.nr + w->old.nr > OBJECTS_MAX || walk_late(w))
			ret = -1;
	}
	oidset_clear(&todo);
	return ret;
}

int walk_is_old(struct walk *w, const git_oid *id)
{
	if (!w->store ||
	    !git_odb_exists_ext(w->store, id, GIT_ODB_LOOKUP_NO_REFRESH))
		return 0;
	if (!w->old_state)
		w->old_state = collect(w) ? -1 : 1;
	return oidset_find(&w->old, id) >= 0;
}
