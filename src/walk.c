/*
 * Every object that a push, a range or a repository brings, to the scanner:
 * the order of it. Takes updates or a range, gives findings and one of three
 * answers; an answer is never "clean" when anything could not be looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "match.h"
#include "mem.h"
#include "updates.h"
#include "walk-internal.h"

/* Does new contain all of old? 1, 0, or -1: cannot be told, logged. */
static int is_forward(struct walk *w, const struct update *u)
{
	git_object_t old_type, new_type;
	git_oid old, new;
	int ret = -1;

	if (!strncmp(u->ref, "refs/tags/", 10))
		return 0;
	if (git_oid_fromstr(&old, u->old) || git_oid_fromstr(&new, u->new) ||
	    walk_peel(w, &old, &old, &old_type) ||
	    walk_peel(w, &new, &new, &new_type)) {
		log_error("%s: cannot read what it points to", u->ref);
		return -1;
	}
	if (old_type != GIT_OBJECT_COMMIT || new_type != GIT_OBJECT_COMMIT)
		return 0;
	if (git_oid_equal(&old, &new))
		return 1;
	ret = git_graph_descendant_of(w->repo, &new, &old);
	if (ret < 0)
		log_error("%s: %s", u->ref, git_error_last()->message);
	return ret;
}

int walk_classify(struct walk *w, struct updates *updates)
{
	struct update *u = updates->list, *end = u + updates->nr;
	int forward;

	for (; u < end; u++) {
		if (u->op != OP_UPDATE && u->op != OP_REWIND)
			continue;
		forward = is_forward(w, u);
		if (forward < 0)
			return -1;
		u->op = forward ? OP_UPDATE : OP_REWIND;
	}
	return 0;
}

/* How many; decimal digits and nothing else. Returns 0 or -1. */
static int read_count(const char *text, size_t *out)
{
	size_t len = strlen(text);

	if (!len || len > 3 || strspn(text, "0123456789") != len)
		return -1;
	*out = strtoul(text, NULL, 10);
	return *out <= WALK_OPTIONS_MAX ? 0 : -1;
}

int walk_options_read(struct walk_options *out)
{
	const char *count = getenv("GIT_PUSH_OPTION_COUNT");
	struct buf name = BUF_INIT;
	size_t nr = 0;
	int ret = 0;

	out->nr = 0;
	if (count && read_count(count, &nr))
		ret = -1;
	while (!ret && out->nr < nr) {
		buf_reset(&name);
		buf_addf(&name, "GIT_PUSH_OPTION_%zu", out->nr);
		out->list[out->nr] = getenv(name.data);
		if (out->list[out->nr])
			out->nr++;
		else
			ret = -1;
	}
	if (ret)
		log_error("push options: malformed, or more than %d",
			  WALK_OPTIONS_MAX);
	buf_clear(&name);
	return ret;
}

const char *walk_options_denied(const struct walk_options *o, const char *globs)
{
	char *copy, *glob, *rest;
	int allowed = 1;
	size_t i;

	for (i = 0; i < o->nr && allowed; i += !!allowed) {
		copy = mem_strdup(globs ? globs : "");
		allowed = 0;
		for (glob = strtok_r(copy, " \t", &rest); glob && !allowed;
		     glob = strtok_r(NULL, " \t", &rest))
			allowed = match_glob(glob, o->list[i]);
		free(copy);
	}
	return allowed ? NULL : o->list[i];
}

static int begin(struct walk *w, const struct rules *r,
		 const struct walk_limits *limits, struct findings *out)
{
	w->limits = limits;
	w->out = out;
	w->stop = 0;
	w->commit = NULL;
	w->old_state = 0;
	w->nr_first = w->nr_again = 0;
	w->scanner = scan_new(r);
	if (!w->scanner)
		findings_unknown(out, "the scanner cannot be started");
	else
		w->minds_path = scan_minds_path(w->scanner);
	return w->scanner ? 0 : -1;
}

/* Findings come first, but the caller still sees out->unknown. */
static enum scan_result end(struct walk *w)
{
	scan_free(w->scanner);
	w->scanner = NULL;
	oidset_clear(&w->seen);
	oidset_clear(&w->places);
	oidset_clear(&w->again);
	oidset_clear(&w->suspect);
	oidset_clear(&w->old);
	if (w->out->nr)
		return SCAN_FOUND;
	return w->out->unknown ? SCAN_UNKNOWN : SCAN_CLEAN;
}

static void unreadable_tip(struct walk *w, const git_oid *id)
{
	char hex[GIT_OID_HEXSZ + 1];

	findings_unknown(w->out, "object %s cannot be read",
			 git_oid_tostr(hex, sizeof(hex), id));
}

/* Scan the tags from id on; hidden ones are known already. */
static void scan_tags(struct walk *w, git_oid id, const struct oidset *hidden)
{
	git_object_t type;
	git_object *tag;
	size_t len;

	while (!git_odb_read_header(&len, &type, w->odb, &id) &&
	       type == GIT_OBJECT_TAG && oidset_find(hidden, &id) < 0 &&
	       oidset_find(&w->seen, &id) < 0 && !walk_late(w)) {
		walk_scan_raw(w, &id, GIT_OBJECT_TAG);
		if (git_object_lookup(&tag, w->repo, &id, type))
			return;
		git_oid_cpy(&id, git_tag_target_id((git_tag *)tag));
		git_object_free(tag);
	}
}

/* Hidden: the object that a reference names, and the tags it goes through. */
static void hide(struct walk *w, git_oid id, struct commits *c,
		 struct oidset *hidden)
{
	git_object_t type = GIT_OBJECT_ANY;
	git_object *tag;
	size_t len;
	int added;

	while (!git_odb_read_header(&len, &type, w->odb, &id)) {
		oidset_put(hidden, &id, &added);
		if (!added || type != GIT_OBJECT_TAG ||
		    git_object_lookup(&tag, w->repo, &id, type))
			break;
		git_oid_cpy(&id, git_tag_target_id((git_tag *)tag));
		git_object_free(tag);
	}
	if (type == GIT_OBJECT_COMMIT)
		walk_commits_hide(c, &id);
}

/* A new tip: its tags are scanned here, its commit later. */
static void tip(struct walk *w, const git_oid *id, struct commits *c,
		const struct oidset *hidden)
{
	git_object_t type;
	git_tree *tree;
	git_oid to;

	scan_tags(w, *id, hidden);
	if (walk_peel(w, id, &to, &type)) {
		unreadable_tip(w, id);
	} else if (type == GIT_OBJECT_COMMIT) {
		walk_commits_tip(c, &to);
	} else if (oidset_find(hidden, &to) >= 0) {
		return;
	} else if (type == GIT_OBJECT_TREE) {
		tree = walk_read_tree(w, &to, 0);
		if (tree)
			walk_tree(w, tree, NULL, 0);
		git_tree_free(tree);
	} else {
		walk_scan_unreachable(w, &to);
	}
}

static void scan_commits(struct walk *w, struct commits *c,
			 walk_progress *progress, void *arg)
{
	struct oidset list = OIDSET_INIT;
	git_oid id;
	size_t i;

	if (walk_commits_list(c, &list))
		findings_unknown(w->out, "the history is not complete");
	for (i = 0; i < list.nr && !walk_late(w); i++) {
		git_oid_cpy(&id, &list.list[i]);
		walk_commit(w, &id);
		if (progress)
			progress(arg, i + 1, list.nr);
	}
	oidset_clear(&list);
}

/* Objects of the quarantine that nothing above came to. */
static int leftover(const git_oid *id, void *arg)
{
	struct walk *w = arg;

	if (walk_late(w))
		return 1;
	if (oidset_find(&w->seen, id) < 0 &&
	    !git_odb_exists_ext(w->store, id, GIT_ODB_LOOKUP_NO_REFRESH))
		walk_scan_unreachable(w, id);
	return 0;
}

static void scan_names(struct walk *w, const struct updates *u,
		       const struct walk_options *options)
{
	size_t i;

	for (i = 0; i < options->nr; i++)
		walk_scan_option(w, options->list[i]);
	for (i = 0; i < u->nr; i++)
		if (u->list[i].op == OP_CREATE)
			walk_scan_name(w, u->list[i].ref,
				       strlen(u->list[i].ref), "ref");
}

enum scan_result walk_push(struct walk *w, const struct rules *r,
			   const struct updates *u,
			   const struct walk_options *options,
			   const struct walk_limits *limits,
			   struct findings *out)
{
	struct oidset hidden = OIDSET_INIT;
	struct commits *c;
	git_oid id;
	size_t i;

	if (begin(w, r, limits, out))
		return SCAN_UNKNOWN;
	scan_names(w, u, options);
	c = walk_commits_new(w);
	for (i = 0; i < w->refs.nr && !walk_late(w); i++)
		hide(w, w->refs.list[i].id, c, &hidden);
	for (i = 0; i < u->nr && !walk_late(w); i++) {
		if (u->list[i].op == OP_DELETE)
			continue;
		if (strlen(u->list[i].new) != GIT_OID_HEXSZ ||
		    git_oid_fromstr(&id, u->list[i].new))
			findings_unknown(out, "objects with SHA-256 ids "
					      "cannot be read");
		else
			tip(w, &id, c, &hidden);
	}
	scan_commits(w, c, NULL, NULL);
	if (w->pushed && git_odb_foreach(w->pushed, leftover, w))
		findings_unknown(out, "not all that was pushed can be read");
	walk_commits_free(c);
	oidset_clear(&hidden);
	return end(w);
}

/* Tips of a range that is not all references. Returns 0, or -1, noted. */
static int range_tips(struct walk *w, const char *range, struct commits *c,
		      struct oidset *hidden)
{
	const char *dots = strstr(range, ".."), *to = range;
	git_oid from_id, to_id;
	size_t from = 0;

	if (dots) {
		from = (size_t)(dots - range);
		to = dots + 2;
	}
	if (*to == '.' ||
	    (dots &&
	     walk_name(w, from ? range : "HEAD", from ? from : 4, &from_id)) ||
	    walk_name(w, *to ? to : "HEAD", *to ? strlen(to) : 4, &to_id)) {
		findings_unknown(w->out, "%s is neither a file nor a "
				 "range of commits", range);
		return -1;
	}
	if (dots)
		hide(w, from_id, c, hidden);
	tip(w, &to_id, c, hidden);
	return 0;
}

static void all_tips(struct walk *w, struct commits *c,
		     const struct oidset *hidden)
{
	git_oid head;
	size_t i;
	int r = walk_refs_head(w, &head);

	if (r < 0)
		findings_unknown(w->out, "HEAD cannot be read");
	else if (!r)
		tip(w, &head, c, hidden);
	for (i = 0; i < w->refs.nr && !walk_late(w); i++)
		tip(w, &w->refs.list[i].id, c, hidden);
}

enum scan_result walk_range(struct walk *w, const struct rules *r,
			    const char *range, const struct walk_limits *limits,
			    walk_progress *progress, void *arg,
			    struct findings *out)
{
	struct oidset hidden = OIDSET_INIT;
	struct commits *c;

	if (begin(w, r, limits, out))
		return SCAN_UNKNOWN;
	c = walk_commits_new(w);
	if (!range)
		all_tips(w, c, &hidden);
	if (!range || !range_tips(w, range, c, &hidden))
		scan_commits(w, c, progress, arg);
	walk_commits_free(c);
	oidset_clear(&hidden);
	return end(w);
}
