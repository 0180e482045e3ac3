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

uint64_t walk_objects(const struct walk *w)
{
	return odb_count(w->h->store);
}

/* Of [memory], objects that are kept to be read again have so many 16ths. */
#define CACHE_16THS 3

static void grown(void *arg)
{
	walk_later_look(arg);
}

int walk_begin(struct walk *w, const struct rules *r,
	       const struct walk_limits *limits, struct findings *out)
{
	struct history *h = w->h;

	memset(w, 0, sizeof(*w));
	w->h = h;
	h->max_object = limits->max_object;
	h->memory = limits->memory;
	h->grown = grown;
	h->grown_arg = w;
	if (limits->memory)
		odb_reader_keep(h->reader, limits->memory / 16 * CACHE_16THS);
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
	if (w->commits)
		history_commits_free(w->commits);
	w->commits = NULL;
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

/* Tags from id on; those that were met are known already. */
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

void walk_scan_tip(struct walk *w, const struct oid *id)
{
	enum odb_type type;
	struct oid to;
	int bad = history_peel(w->h, id, &to, &type);

	scan_tags(w, *id);
	if (bad)
		walk_note_unreadable(w, id, "cannot be read");
	else if (type == ODB_COMMIT ||
		 (w->is_push && oids_find(&w->h->refs.ids, &to) >= 0))
		return;
	else if (type == ODB_TREE)
		walk_tree(w, &to);
	else
		walk_scan_unreachable(w, &to);
}

/* A new tip: its commit is for later, all else is scanned. */
static void tip(struct walk *w, const struct oid *id)
{
	enum odb_type type;
	struct oid to;
	size_t len;

	/* most references are of commits, and looked up once */
	if (odb_header(w->h->reader, id, &type, &len) == ODB_OK &&
	    type == ODB_COMMIT) {
		history_commits_tip(w->commits, id);
		return;
	}
	if (!history_peel(w->h, id, &to, &type) && type == ODB_COMMIT)
		history_commits_tip(w->commits, &to);
	if (!walk_later_tip(w, id))
		walk_scan_tip(w, id);
}

static void note_incomplete(struct walk *w)
{
	const char *why;
	const struct oid *broken = history_commits_broken(w->commits, &why);

	walk_settle(w);
	if (broken)
		walk_note_unreadable(w, broken, why);
	else if (!walk_late(w))
		findings_unknown(w->out, "the history is not complete");
}

static void scan_commits(struct walk *w)
{
	const uint32_t *list;
	size_t i, nr;

	if (history_commits_list(w->commits, &list, &nr))
		note_incomplete(w);
	w->nr_commits = nr;
	if (!w->swept && nr > WALK_SWEEP_COMMITS_MIN &&
	    nr * WALK_SWEEP_SHARE > odb_count(w->h->fresh))
		walk_sweep(w);
	if (w->swept && !w->h->is_push)
		walk_sweep_alternates(w, nr);
	for (i = 0; i < nr && !walk_late(w); i++)
		walk_commit(w, list[i], i);
	walk_settle(w);
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
	struct oid id;
	size_t i;

	if (walk_begin(w, r, limits, out))
		return SCAN_UNKNOWN;
	w->is_push = 1;
	scan_names(w, u, options);
	if (w->h->is_push)
		walk_sweep(w);
	w->commits = history_commits_new(w->h);
	history_commits_hide_refs(w->commits);
	for (i = 0; i < u->nr && !walk_late(w); i++) {
		if (u->list[i].op == OP_DELETE)
			continue;
		if (strlen(u->list[i].new) != 2 * w->h->raw_len ||
		    oid_parse(&id, u->list[i].new, w->h->raw_len)) {
			walk_settle(w);
			findings_unknown(out, "%s is no id of this repository",
					 u->list[i].new);
		} else {
			tip(w, &id);
		}
	}
	scan_commits(w);
	scan_leftovers(w);
	return walk_end(w);
}

/* Tips of a range that is not all references. Returns 0, or -1, noted. */
static int range_tips(struct walk *w, const char *range)
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
		history_commits_hide(w->commits, &from_id);
	tip(w, &to_id);
	return 0;
}

static void all_tips(struct walk *w)
{
	struct oid head;
	size_t i;
	int r = history_head(w->h, &head);

	if (r < 0)
		findings_unknown(w->out, "HEAD cannot be read");
	else if (!r)
		tip(w, &head);
	for (i = 0; i < w->h->refs.nr && !walk_late(w); i++)
		tip(w, &w->h->refs.list[i].id);
}

enum scan_result walk_range(struct walk *w, const struct rules *r,
			    const char *range, const struct walk_limits *limits,
			    walk_progress *progress, void *arg,
			    struct findings *out)
{
	if (walk_begin(w, r, limits, out))
		return SCAN_UNKNOWN;
	w->progress = progress;
	w->progress_arg = arg;
	w->commits = history_commits_new(w->h);
	if (!range) {
		walk_sweep(w);
		all_tips(w);
	}
	if (!range || !range_tips(w, range))
		scan_commits(w);
	return walk_end(w);
}
