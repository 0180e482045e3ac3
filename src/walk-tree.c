/*
 * What a commit brings: the entries of its tree that none of its parents has
 * at the same path. Equal subtrees are not entered. Takes trees, hands names
 * and blobs to walk-object.c.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "walk-internal.h"

/*
 * Of a merge with more parents the rest are not compared: more is scanned
 * then, not less.
 */
#define PARENTS_MAX 16
/* Deeper directories, or longer paths, than any system could check out. */
#define DEPTH_MAX 512
#define PATH_MAX_BYTES 8192

struct level {
	git_tree *tree;
	git_tree *const *older;
	size_t nr_older;
	unsigned depth;
};

static void compare(struct walk *w, const struct level *l, struct buf *path);

/* The same entry of the older trees. Returns their number, or -1: equal. */
static int find_older(const struct level *l, const git_tree_entry *e,
		      const git_tree_entry *out[PARENTS_MAX])
{
	const git_tree_entry *o;
	size_t i;
	int nr = 0;

	for (i = 0; i < l->nr_older; i++) {
		o = git_tree_entry_byname(l->older[i], git_tree_entry_name(e));
		if (!o)
			continue;
		if (git_oid_equal(git_tree_entry_id(o), git_tree_entry_id(e)) &&
		    git_tree_entry_type(o) == git_tree_entry_type(e))
			return -1;
		out[nr++] = o;
	}
	return nr;
}

static void enter(struct walk *w, const struct level *l,
		  const git_tree_entry *e, const git_tree_entry *const *same,
		  int nr_same, struct buf *path)
{
	git_tree *older[PARENTS_MAX] = { NULL };
	struct level next = { .older = older, .depth = l->depth + 1 };
	git_tree *t;
	int i;

	if (l->depth >= DEPTH_MAX || path->len > PATH_MAX_BYTES) {
		findings_unknown(w->out, "a path is too long or too deep");
		return;
	}
	next.tree = walk_read_tree(w, git_tree_entry_id(e), 0);
	if (!next.tree)
		return;
	for (i = 0; i < nr_same; i++) {
		if (git_tree_entry_type(same[i]) != GIT_OBJECT_TREE)
			continue;
		/* without it more is scanned, not less */
		t = walk_read_tree(w, git_tree_entry_id(same[i]), 1);
		if (t)
			older[next.nr_older++] = t;
	}
	compare(w, &next, path);
	while (next.nr_older)
		git_tree_free(older[--next.nr_older]);
	git_tree_free(next.tree);
}

static void blob(struct walk *w, const git_tree_entry *e,
		 const git_tree_entry *const *same, int nr_same,
		 const struct buf *path)
{
	git_oid older[PARENTS_MAX];
	size_t nr = 0;
	int i;

	for (i = 0; i < nr_same; i++)
		if (git_tree_entry_type(same[i]) == GIT_OBJECT_BLOB)
			git_oid_cpy(&older[nr++], git_tree_entry_id(same[i]));
	walk_scan_blob(w, git_tree_entry_id(e), path->data, older, nr);
}

static void entry(struct walk *w, const struct level *l,
		  const git_tree_entry *e, struct buf *path)
{
	const git_tree_entry *same[PARENTS_MAX];
	int nr = find_older(l, e, same);
	size_t len = path->len;

	if (nr < 0)
		return;
	if (len)
		buf_addc(path, '/');
	buf_adds(path, git_tree_entry_name(e));
	if (!nr)
		walk_scan_name(w, path->data, path->len, "path name");
	switch (git_tree_entry_type(e)) {
	case GIT_OBJECT_TREE:
		enter(w, l, e, same, nr, path);
		break;
	case GIT_OBJECT_COMMIT:
		break; /* a submodule: its objects are not of this push */
	case GIT_OBJECT_BLOB:
		blob(w, e, same, nr, path);
		break;
	case GIT_OBJECT_ANY:
	case GIT_OBJECT_INVALID:
	case GIT_OBJECT_TAG:
	case GIT_OBJECT_OFS_DELTA:
	case GIT_OBJECT_REF_DELTA:
		findings_unknown(w->out, "a tree has an entry of a bad type");
		break;
	}
	path->len = len;
	path->data[len] = '\0';
}

/*
 * Was this tree met again before, here and beside the same older ones? Then it
 * brings nothing. At another place it can: rules look at paths.
 */
static int was_here(struct walk *w, const struct level *l,
		    const struct buf *path)
{
	struct buf b = BUF_INIT;
	int added = 1;
	git_oid key;
	size_t i;

	buf_add(&b, git_tree_id(l->tree)->id, GIT_OID_RAWSZ);
	buf_addc(&b, (char)l->nr_older);
	for (i = 0; i < l->nr_older; i++)
		buf_add(&b, git_tree_id(l->older[i])->id, GIT_OID_RAWSZ);
	buf_add(&b, path->data, path->len);
	if (!git_odb_hash(&key, b.data, b.len, GIT_OBJECT_BLOB))
		oidset_put(&w->again, &key, &added);
	buf_clear(&b);
	return !added;
}

/* Is this tree to be visited? Counts its n entries. */
static int wanted(struct walk *w, const struct level *l, size_t n,
		  const struct buf *path)
{
	int first;

	oidset_put(&w->seen, git_tree_id(l->tree), &first);
	if (!first && was_here(w, l, path))
		return 0;
	return walk_may(w, first, n + 1);
}

static void compare(struct walk *w, const struct level *l, struct buf *path)
{
	size_t i, n = git_tree_entrycount(l->tree);

	if (!wanted(w, l, n, path))
		return;
	for (i = 0; i < n && !walk_late(w); i++)
		entry(w, l, git_tree_entry_byindex(l->tree, i), path);
}

void walk_tree(struct walk *w, git_tree *tree, git_tree *const *older,
	       size_t nr_older)
{
	struct level top = { .tree = tree,
			     .older = older,
			     .nr_older = nr_older };
	struct buf path = BUF_INIT;

	buf_add(&path, "", 0);
	compare(w, &top, &path);
	buf_clear(&path);
}

static git_tree *tree_of(struct walk *w, const git_oid *id)
{
	git_commit *c = walk_read_commit(w, id, 1);
	git_tree *t = NULL;

	if (c)
		t = walk_read_tree(w, git_commit_tree_id(c), 1);
	git_commit_free(c);
	return t;
}

void walk_commit(struct walk *w, const git_oid *id)
{
	git_tree *older[PARENTS_MAX], *t;
	git_commit *c = walk_read_commit(w, id, 0);
	size_t nr = 0;
	unsigned i, n;

	if (!c)
		return;
	w->commit = c;
	walk_scan_raw(w, id, GIT_OBJECT_COMMIT);
	n = git_commit_parentcount(c);
	if (oidset_find(&w->shallow, id) >= 0)
		n = 0;
	for (i = 0; i < n && nr < PARENTS_MAX; i++) {
		t = tree_of(w, git_commit_parent_id(c, i));
		if (t)
			older[nr++] = t;
	}
	t = walk_read_tree(w, git_commit_tree_id(c), 0);
	/* the same tree as a parent's has nothing new */
	for (i = 0; t && i < nr; i++) {
		if (!git_oid_equal(git_tree_id(t), git_tree_id(older[i])))
			continue;
		git_tree_free(t);
		t = NULL;
	}
	if (t)
		walk_tree(w, t, older, nr);
	git_tree_free(t);
	while (nr)
		git_tree_free(older[--nr]);
	w->commit = NULL;
	git_commit_free(c);
}
