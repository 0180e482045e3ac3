/*
 * A version of a file that is new under its path: scanned when the sweep could
 * not clear it, judged against what its path had before, and noted. What
 * cannot be scanned is noted as unknown, unless it was there before.
 */
#include <string.h>

#include "unpack.h"
#include "walk-internal.h"

/* Does a rule find something by the path, whatever the file has? */
static int is_bad_path(struct walk *w, const char *path)
{
	struct walk_text t = { .data = "", .path = path, .is_old = 1 };
	struct walk_hits h = WALK_HITS_INIT;
	const char *why;
	int bad;

	if (!w->minds_path ||
	    !walk_first_place(w, &w->places, 'm', path, strlen(path), "", 0))
		return 0;
	bad = walk_look(w->scanner, w->limits, &t, &h, &why) != SCAN_CLEAN;
	walk_hits_clear(&h);
	return bad;
}

/*
 * Is this version to be looked at whole? *first: it was not so before; *hot:
 * if by anything, then by what the sweep found in it.
 */
static int is_wanted(struct walk *w, const struct history_change *c,
		     int *first, int *hot)
{
	int bad = is_bad_path(w, c->path);

	*hot = !bad && walk_is_hot(w, &c->id);
	/* what the sweep did not come to is looked at here */
	if (!bad && !*hot && walk_is_swept(w, &c->id))
		return 0;
	oids_put(&w->seen, &c->id, first);
	return bad || *hot || *first;
}

/*
 * Could it be other than clean at another path? A rule may not mind some of
 * them. What holds something packed is not asked: the answer would cost more.
 */
static int may_mind(struct walk *w, const struct odb_object *o)
{
	struct scan_trace trace = SCAN_TRACE_INIT;
	const struct span all = { 0, o->len };
	int hot;

	if (unpack_wants(o->data, o->len))
		return 1;
	hot = scan_probe(w->scanner, o->data, o->len, &all, 1, &trace, NULL) !=
	      SCAN_CLEAN;
	scan_trace_clear(&trace);
	return hot || scan_has_packed(w->scanner);
}

/*
 * Drop the findings that an older version of the path has too. What cannot be
 * read or scanned there drops nothing.
 */
static void drop_older(struct walk *w, const struct walk_text *t,
		       struct walk_hits *h, const struct oid *older)
{
	struct walk_text old = { .path = t->path, .label = t->label,
				 .is_file = 1, .is_old = 1 };
	struct walk_hits was = WALK_HITS_INIT;
	struct odb_object o;
	const char *why;

	if (history_read(w->h, older, ODB_BLOB, &o))
		return;
	old.data = o.data;
	old.len = o.len;
	walk_look(w->scanner, w->limits, &old, &was, &why);
	odb_release(w->h->reader, &o);
	walk_hits_drop(h, &was);
	walk_hits_clear(&was);
}

/* Read and scanned, and not clean: what is left of it is noted. */
static void judge(struct walk *w, const struct history_change *c,
		  const struct walk_text *t, struct walk_hits *h)
{
	size_t i;

	for (i = 0; i < c->nr_older && h->nr; i++)
		drop_older(w, t, h, &c->older[i]);
	if (h->nr && c->is_new)
		walk_drop_renamed(w, t, h, &c->id);
	/* a finding is rare: now the costly question */
	if (h->nr && !walk_is_old(w, &c->id))
		walk_note(w, t, h);
}

static void scan(struct walk *w, const struct history_change *c, int first,
		 const struct odb_object *o)
{
	char commit[OID_HEX_MAX + 1];
	struct walk_text t = { .data = o->data, .len = o->len, .path = c->path,
			       .label = c->path, .is_file = 1 };
	struct walk_hits h = WALK_HITS_INIT;
	const char *why;

	if (!walk_may(w, first, o->len >> 10))
		return;
	w->nr_pointers += first && !walk_is_swept(w, &c->id) &&
			  sweep_is_pointer(o->data, o->len);
	if (w->commit)
		t.commit = oid_hex(w->commit, w->h->raw_len, commit);
	switch (walk_count_look(w, &t, &h, &why)) {
	case SCAN_CLEAN:
		if (first && !walk_is_swept(w, &c->id) && may_mind(w, o))
			oids_put(&w->suspect, &c->id, NULL);
		break;
	case SCAN_UNKNOWN:
		oids_put(&w->suspect, &c->id, NULL);
		if (!walk_is_old(w, &c->id))
			walk_note_unknown(w, &t, why);
		judge(w, c, &t, &h);
		break;
	case SCAN_FOUND:
		oids_put(&w->suspect, &c->id, NULL);
		judge(w, c, &t, &h);
		break;
	}
	walk_hits_clear(&h);
}

void walk_scan_blob(struct walk *w, const struct history_change *c)
{
	struct odb_object o;
	const char *why;
	int first, hot;

	if (!is_wanted(w, c, &first, &hot) ||
	    !walk_first_place(w, &w->places, 'b', &c->id, sizeof(c->id),
			      c->path, c->path_len) ||
	    (hot && !walk_minds(w, &c->id, c->path)) || walk_late(w))
		return;
	why = history_read(w->h, &c->id, ODB_BLOB, &o);
	if (!why) {
		scan(w, c, first, &o);
		odb_release(w->h->reader, &o);
		return;
	}
	oids_put(&w->suspect, &c->id, NULL);
	if (!walk_is_old(w, &c->id))
		walk_note_unreadable_at(w, &c->id, c->path, c->path_len, why);
}
