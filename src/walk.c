/*
 * Every object that a push, a range or a repository brings, to the scanner:
 * the order of it. Takes updates or a range, gives findings and one of three
 * answers; an answer is never "clean" when anything could not be looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"
#include "updates.h"
#include "walk-internal.h"

/* A range of so many commits has the whole repository swept when these are such
 * a share of its objects: to read them one by one would cost more. */
#define SWEEP_COMMITS_MIN 1000
#define SWEEP_SHARE 12

struct walk *walk_open(const char *git_dir, const char *quarantine,
		       size_t digits)
{
	struct history *h = history_open(git_dir, quarantine, digits);
	struct walk *w;

	if (!h)
		return NULL;
	w = mem_zalloc(sizeof(*w));
	w->h = h;
	return w;
}

const char *walk_head(const struct walk *w, char out[65])
{
	struct oid head;

	return history_head(w->h, &head) ? NULL :
					   oid_hex(&head, w->h->raw_len, out);
}

void walk_close(struct walk *w)
{
	if (!w)
		return;
	history_close(w->h);
	free(w);
}

int walk_begin(struct walk *w, const struct rules *r,
	       const struct walk_limits *limits, struct findings *out)
{
	struct history *h = w->h;

	memset(w, 0, sizeof(*w));
	w->h = h;
	h->max_object = limits->max_object;
	h->memory = limits->memory;
	/* what the sweep may have, so that both can make the same */
	odb_reader_bound(h->reader, limits->memory - limits->memory / 4);
	h->deadline = limits->deadline;
	h->late = 0;
	w->limits = limits;
	w->rules = r;
	w->out = out;
	w->scanner = limits->scanner ? limits->scanner
				     : scan_new(r, limits->depth);
	if (!w->scanner) {
		findings_unknown(out, "the scanner cannot be started");
		return -1;
	}
	scan_set_deadline(w->scanner, limits->deadline);
	w->minds_path = scan_minds_path(w->scanner);
	return 0;
}

/* Findings come first, but the caller still sees out->unknown. */
enum scan_result walk_end(struct walk *w)
{
	w->nr_pointers += (size_t)w->sweep.pointers;
	if (w->nr_pointers)
		log_warn("files that are pointers of Git LFS: %zu; what they "
			 "stand for is not here, and was not scanned",
			 w->nr_pointers);
	if (w->limits->scanner)
		scan_set_deadline(w->scanner, 0);
	else
		scan_free(w->scanner);
	w->scanner = NULL;
	w->rules = NULL;
	w->out->objects += w->sweep.objects;
	w->out->bytes += w->sweep.bytes;
	sweep_clear(&w->sweep);
	oids_clear(&w->seen);
	oids_clear(&w->suspect);
	oids_clear(&w->places);
	oids_clear(&w->again);
	history_old_clear(&w->old);
	if (w->out->nr)
		return SCAN_FOUND;
	return w->out->unknown ? SCAN_UNKNOWN : SCAN_CLEAN;
}

struct progress {
	walk_progress *fn;
	void *arg;
};

static void tell(void *arg, uint64_t done, uint64_t total)
{
	const struct progress *p = arg;

	p->fn(p->arg, (size_t)done, (size_t)total);
}

/* Which objects of a store, without its alternates, must be looked at whole. */
static void sweep_store(struct walk *w, const struct odb *o,
			walk_progress *progress, void *arg)
{
	const struct walk_limits *l = w->limits;
	struct sweep_limits limits = {
		.max_object = l->max_object,
		.memory = l->memory - l->memory / 4,
		.threads = l->threads,
		.depth = l->depth,
		.unpack = l->unpack.depth ? &l->unpack : NULL,
		.deadline = l->deadline,
		.scanner = w->scanner,
	};
	struct progress p = { progress, arg };

	if (sweep_run(o, w->rules, &limits, progress ? tell : NULL,
		      &p, &w->sweep))
		findings_unknown(w->out, "not all objects can be read");
	if (w->sweep.full)
		walk_give_up(w, "more of its objects want a closer look than "
			     "memory is allowed for");
	if (w->sweep.late)
		walk_late(w);
}

static void sweep(struct walk *w, walk_progress *progress, void *arg)
{
	/* a probe tells of nothing that it can do without */
	if (w->limits->explain)
		return;
	sweep_store(w, w->h->fresh, progress, arg);
	w->swept = w->h->fresh;
}

/*
 * What a repository borrows. One that cannot be opened is met as missing, or
 * its objects are read one by one.
 */
static void sweep_alternates(struct walk *w, size_t commits,
			     walk_progress *progress, void *arg)
{
	const char *path;
	struct odb *o;
	size_t i;
	int all = 1;

	for (i = 1; (path = odb_path(w->h->store, i)) && !walk_late(w); i++) {
		o = odb_open(path, w->h->raw_len, 0);
		/* one that others borrow from too may be much larger */
		if (o && commits * SWEEP_SHARE > odb_count(o))
			sweep_store(w, o, progress, arg);
		else
			all = 0;
		odb_close(o);
	}
	if (all && i > 1)
		w->swept = w->h->store;
}

/* Scan the tags from id on; hidden ones are known already. */
static void scan_tags(struct walk *w, struct oid id)
{
	struct odb_object tag;
	enum odb_type type;
	struct oid at;
	size_t len;
	int bad;

	while (odb_header(w->h->reader, &id, &type, &len) == ODB_OK &&
	       type == ODB_TAG && oids_find(&w->seen, &id) < 0 &&
	       !walk_late(w)) {
		if (w->is_push && oids_find(&w->h->refs.ids, &id) >= 0)
			return;
		at = id;
		walk_scan_raw(w, &at, ODB_TAG);
		if (history_read(w->h, &at, ODB_TAG, &tag))
			return;
		bad = history_parse_tag(tag.data, tag.len, w->h->raw_len, &id);
		odb_release(w->h->reader, &tag);
		if (bad) {
			walk_note_unreadable(w, &at, "is malformed");
			return;
		}
	}
}

/* A new tip: its tags are scanned here, its commit later. */
static void tip(struct walk *w, const struct oid *id,
		struct history_commits *c)
{
	enum odb_type type;
	struct oid to;
	size_t len;

	/* most references are of commits, and looked up once */
	if (odb_header(w->h->reader, id, &type, &len) == ODB_OK &&
	    type == ODB_COMMIT) {
		history_commits_tip(c, id);
		return;
	}
	scan_tags(w, *id);
	if (history_peel(w->h, id, &to, &type))
		walk_note_unreadable(w, id, "cannot be read");
	else if (type == ODB_COMMIT)
		history_commits_tip(c, &to);
	else if (w->is_push && oids_find(&w->h->refs.ids, &to) >= 0)
		return;
	else if (type == ODB_TREE)
		walk_tree(w, &to);
	else
		walk_scan_unreachable(w, &to);
}

static void scan_commits(struct walk *w, struct history_commits *c,
			 walk_progress *progress, void *arg)
{
	const struct oid *broken;
	const uint32_t *list;
	const char *why;
	size_t i, nr;
	int bad = history_commits_list(c, &list, &nr);

	broken = history_commits_broken(c, &why);
	if (broken)
		walk_note_unreadable(w, broken, why);
	else if (bad && !walk_late(w))
		findings_unknown(w->out, "the history is not complete");
	if (!w->swept && nr > SWEEP_COMMITS_MIN &&
	    nr * SWEEP_SHARE > odb_count(w->h->fresh))
		sweep(w, progress, arg);
	if (w->swept && !w->h->is_push)
		sweep_alternates(w, nr, progress, arg);
	for (i = 0; i < nr && !walk_late(w); i++) {
		walk_commit(w, c, list[i]);
		if (progress)
			progress(arg, i + 1, nr);
	}
}

/* A tree of the quarantine that nothing above came to. */
static int leftover_tree(void *arg, const struct oid *id)
{
	struct walk *w = arg;
	enum odb_type type;
	size_t len;

	if (walk_late(w))
		return 1;
	/* asked last, and of trees alone: it looks for a loose one, too */
	if (oids_find(&w->seen, id) < 0 &&
	    odb_header(w->h->reader, id, &type, &len) == ODB_OK &&
	    type == ODB_TREE && !history_has(w->h, id))
		walk_scan_unreachable(w, id);
	return 0;
}

static void leftover(struct walk *w, const struct oids *set)
{
	size_t i;

	for (i = 0; i < set->nr && !walk_late(w); i++)
		if (oids_find(&w->seen, &set->list[i]) < 0 &&
		    !history_has(w->h, &set->list[i]))
			walk_scan_unreachable(w, &set->list[i]);
}

/* What the push brought besides what its tips reach. */
static void scan_leftovers(struct walk *w)
{
	if (!w->swept)
		return;
	leftover(w, &w->sweep.hot);
	leftover(w, &w->sweep.unsure);
	if (odb_each(w->h->fresh, leftover_tree, w) < 0)
		findings_unknown(w->out, "not all that was pushed can be read");
}

static void scan_names(struct walk *w, const struct updates *u,
		       const struct walk_options *options)
{
	size_t i;

	for (i = 0; i < options->nr; i++)
		walk_scan_option(w, options->list[i]);
	for (i = 0; i < u->nr; i++)
		if (u->list[i].op == OP_CREATE)
			walk_scan_name(w, u->list[i].ref, "ref ");
}

enum scan_result walk_push(struct walk *w, const struct rules *r,
			   const struct updates *u,
			   const struct walk_options *options,
			   const struct walk_limits *limits,
			   struct findings *out)
{
	struct history_commits *c;
	struct oid id;
	size_t i;

	if (walk_begin(w, r, limits, out))
		return SCAN_UNKNOWN;
	w->is_push = 1;
	scan_names(w, u, options);
	if (w->h->is_push)
		sweep(w, NULL, NULL);
	c = history_commits_new(w->h);
	history_commits_hide_refs(c);
	for (i = 0; i < u->nr && !walk_late(w); i++) {
		if (u->list[i].op == OP_DELETE)
			continue;
		if (strlen(u->list[i].new) != 2 * w->h->raw_len ||
		    oid_parse(&id, u->list[i].new, w->h->raw_len))
			findings_unknown(out, "%s is no id of this repository",
					 u->list[i].new);
		else
			tip(w, &id, c);
	}
	scan_commits(w, c, NULL, NULL);
	scan_leftovers(w);
	history_commits_free(c);
	return walk_end(w);
}

/* Tips of a range that is not all references. Returns 0, or -1, noted. */
static int range_tips(struct walk *w, const char *range,
		      struct history_commits *c)
{
	const char *dots = strstr(range, ".."), *to = range;
	struct oid from_id, to_id;
	enum odb_type type;
	size_t from = 0;

	if (dots) {
		from = (size_t)(dots - range);
		to = dots + 2;
	}
	if (*to == '.' ||
	    (dots && history_name(w->h, from ? range : "HEAD",
				  from ? from : 4, &from_id)) ||
	    history_name(w->h, *to ? to : "HEAD", *to ? strlen(to) : 4,
			 &to_id)) {
		findings_unknown(w->out, "%s is neither a file nor a range of "
				 "commits: write A..B, or one commit, branch or "
				 "tag", range);
		return -1;
	}
	if (dots && !history_peel(w->h, &from_id, &from_id, &type) &&
	    type == ODB_COMMIT)
		history_commits_hide(c, &from_id);
	tip(w, &to_id, c);
	return 0;
}

static void all_tips(struct walk *w, struct history_commits *c)
{
	struct oid head;
	size_t i;
	int r = history_head(w->h, &head);

	if (r < 0)
		findings_unknown(w->out, "HEAD cannot be read");
	else if (!r)
		tip(w, &head, c);
	for (i = 0; i < w->h->refs.nr && !walk_late(w); i++)
		tip(w, &w->h->refs.list[i].id, c);
}

enum scan_result walk_range(struct walk *w, const struct rules *r,
			    const char *range, const struct walk_limits *limits,
			    walk_progress *progress, void *arg,
			    struct findings *out)
{
	struct history_commits *c;

	if (walk_begin(w, r, limits, out))
		return SCAN_UNKNOWN;
	c = history_commits_new(w->h);
	if (!range) {
		sweep(w, progress, arg);
		all_tips(w, c);
	}
	if (!range || !range_tips(w, range, c))
		scan_commits(w, c, progress, arg);
	history_commits_free(c);
	return walk_end(w);
}
