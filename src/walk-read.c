/*
 * Objects read within the limits: a bound on the size, checked before the
 * bytes are read, and a point in time. What cannot be read is noted as
 * unknown, unless the caller can do without.
 */
#include "clock.h"
#include "walk-internal.h"

/*
 * A tree of equal trees, ten of ten of ten, is pushed in a moment and has more
 * places than can be visited. So what is met again is counted: as much passes
 * as there is new, this many times, and this much in any case. The unit is an
 * entry of a tree, or a KiB of a blob.
 */
#define AGAIN_TIMES 8
#define AGAIN_MIN 100000
/* Tags of tags; more is nobody's. */
#define PEEL_MAX 64

int walk_late(struct walk *w)
{
	if (w->stop)
		return 1;
	if (!w->limits || !w->limits->deadline ||
	    clock_ms() < w->limits->deadline)
		return 0;
	w->stop = 1;
	findings_unknown(w->out, "the time for scanning ran out");
	return 1;
}

int walk_may(struct walk *w, int first, size_t work)
{
	*(first ? &w->nr_first : &w->nr_again) += work;
	if (first || w->nr_again <= AGAIN_MIN ||
	    w->nr_again / AGAIN_TIMES <= w->nr_first)
		return 1;
	if (!w->stop)
		findings_unknown(w->out, "what is in many places of a tree "
					 "unfolds to more than is scanned");
	w->stop = 1;
	return 0;
}

/* NULL when it may be read, or why not. */
static const char *check(struct walk *w, const git_oid *id, git_object_t want)
{
	git_object_t type;
	size_t len;

	if (git_odb_read_header(&len, &type, w->odb, id))
		return "cannot be read";
	if (want != GIT_OBJECT_ANY && type != want)
		return "is not of the type that names it";
	if (w->limits && w->limits->max_object && len > w->limits->max_object)
		return "is larger than what is scanned";
	return NULL;
}

static void unreadable(struct walk *w, const git_oid *id, const char *why)
{
	char hex[GIT_OID_HEXSZ + 1];

	git_oid_tostr(hex, sizeof(hex), id);
	findings_unknown(w->out, "object %s %s", hex, why);
}

git_odb_object *walk_read(struct walk *w, const git_oid *id, git_object_t want,
			  int quiet)
{
	const char *why = check(w, id, want);
	git_odb_object *o = NULL;

	if (!why && git_odb_read(&o, w->odb, id))
		why = "cannot be read";
	if (why && !quiet)
		unreadable(w, id, why);
	return o;
}

/* libgit2's parsed form of an object. */
static git_object *lookup(struct walk *w, const git_oid *id, git_object_t want,
			  int quiet)
{
	const char *why = check(w, id, want);
	git_object *o = NULL;

	if (!why && git_object_lookup(&o, w->repo, id, want))
		why = "is malformed";
	if (why && !quiet)
		unreadable(w, id, why);
	return o;
}

git_tree *walk_read_tree(struct walk *w, const git_oid *id, int quiet)
{
	return (git_tree *)lookup(w, id, GIT_OBJECT_TREE, quiet);
}

git_commit *walk_read_commit(struct walk *w, const git_oid *id, int quiet)
{
	return (git_commit *)lookup(w, id, GIT_OBJECT_COMMIT, quiet);
}

int walk_peel(struct walk *w, const git_oid *id, git_oid *out,
	      git_object_t *type)
{
	git_object *tag;
	size_t len;
	int i;

	git_oid_cpy(out, id);
	for (i = 0; i < PEEL_MAX; i++) {
		if (git_odb_read_header(&len, type, w->odb, out))
			return -1;
		if (*type != GIT_OBJECT_TAG)
			return 0;
		tag = lookup(w, out, GIT_OBJECT_TAG, 1);
		if (!tag)
			return -1;
		git_oid_cpy(out, git_tag_target_id((git_tag *)tag));
		git_object_free(tag);
	}
	return -1;
}
