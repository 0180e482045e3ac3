/*
 * One thread's part of a sweep: takes roots, goes down their trees of deltas,
 * shows each version while its base's text is at hand. A text is kept as long
 * as more is to be made from it.
 */
#include <string.h>

#include "mem.h"
#include "odb-sweep-internal.h"

static enum odb_status fail(struct odb_version *v, enum odb_status status,
			    const char *why)
{
	v->why = why;
	return status;
}

/* What comes of it is kept in the frame. */
static void show(struct odb_walker *w, struct odb_version *v,
		 const char *data, struct odb_frame *f)
{
	const struct odb_sweep *s = w->run->s;

	v->status = f->status;
	v->type = f->type;
	v->has_deltas = f->child != ODB_NOBODY;
	if (v->status == ODB_OK && s->max_object && v->len > s->max_object) {
		/* what is made from it may be smaller, and is fresh then */
		v->status = ODB_TOO_LARGE;
		v->why = "it is too large";
	}
	f->seen = v->status == ODB_OK;
	f->len = v->len;
	if (f->seen) {
		v->data = data;
		v->copies = w->marks.copies;
		v->nr_copies = w->marks.nr_copies;
		v->fresh = w->marks.fresh;
		v->nr_fresh = w->marks.nr_fresh;
	}
	w->since += v->len + 256; /* what an object costs beside its bytes */
	f->kept = s->visit(w->run->s->args[w->nr_self], v);
}

void odb_tree_forget(struct odb_walker *w, struct odb_frame *f)
{
	odb_room_put(&w->rooms, f->text);
	f->text = NULL;
	if (f->kept && w->run->s->forget)
		w->run->s->forget(f->kept);
	f->kept = NULL;
}

static void push(struct odb_walker *w, struct odb_frame *f)
{
	if (f->child == ODB_NOBODY) {
		odb_tree_forget(w, f);
		return;
	}
	MEM_GROW(w->frames, w->nr, w->alloc);
	w->frames[w->nr++] = *f;
}

/* Make the next one of the last frame, and show it. */
static enum odb_status make_child(struct odb_walker *w, uint32_t entry,
				  struct odb_version *v,
				  struct odb_room **out)
{
	struct odb_frame *f = &w->frames[w->nr - 1];
	enum odb_status status = f->status;

	w->pinned = w->nr - 1;
	if (status != ODB_OK)
		return fail(v, status,
			    status == ODB_TOO_LARGE ?
				    "what it is made from is too large" :
				    "what it is made from cannot be read");
	if (!f->text)
		status = odb_make_again(w, v);
	if (status != ODB_OK)
		return status;
	status = odb_make(w, entry, f->text, f->len, v, out);
	if (status == ODB_OK && !f->seen)
		odb_marks_whole(&w->marks, v->len);
	v->base = status == ODB_OK && f->seen ? f->kept : NULL;
	return status;
}

/* One version, and one level further down if there is one. */
static void step(struct odb_walker *w)
{
	struct odb_frame *f = &w->frames[w->nr - 1];
	const struct odb_plan *p = w->run->plan;
	struct odb_version v = { 0 };
	struct odb_frame made = { .entry = f->child, .type = f->type };

	odb_make_name(w, made.entry, &v);
	made.child = p->child[made.entry];
	made.status = make_child(w, made.entry, &v, &made.text);
	if (made.status == ODB_BROKEN && odb_sweep_stopped(w))
		return;
	show(w, &v, made.text ? made.text->data : NULL, &made);
	f->child = p->next[made.entry];
	if (f->child == ODB_NOBODY) {
		odb_tree_forget(w, f);
		w->nr--;
	}
	push(w, &made);
	odb_make_done(w);
}

static void go(struct odb_walker *w)
{
	while (w->nr && !odb_sweep_stopped(w)) {
		step(w);
		if (w->nr > 1 && w->run->wanted)
			odb_sweep_share(w);
	}
	while (w->nr)
		odb_tree_forget(w, &w->frames[--w->nr]);
	odb_make_done(w);
}

static int is_wanted(const struct odb_walker *w, enum odb_type type)
{
	return type == ODB_NONE || (w->run->s->types & 1U << type);
}

/* One that is made from nothing. */
static void show_root(struct odb_walker *w, struct odb_version *v,
		      const char *data, struct odb_frame *f)
{
	f->type = v->type;
	if (is_wanted(w, v->type)) {
		odb_marks_whole(&w->marks, v->len);
		show(w, v, data, f);
	} else {
		f->child = ODB_NOBODY; /* nor what is made from it */
	}
	push(w, f);
}

void odb_tree_root(struct odb_walker *w, uint32_t entry)
{
	const struct odb_plan *p = w->run->plan;
	struct odb_version v = { 0 };
	struct odb_frame made = { .entry = entry, .child = p->child[entry] };

	w->pinned = SIZE_MAX;
	odb_make_name(w, entry, &v);
	if (p->type[entry] != ODB_FAR)
		v.type = (enum odb_type)p->type[entry];
	made.status = odb_make_root(w, entry, &v, &made.text);
	show_root(w, &v, made.text ? made.text->data : NULL, &made);
	go(w);
}

void odb_tree_frame(struct odb_walker *w, const struct odb_frame *f)
{
	struct odb_frame mine = *f;

	if (mine.text)
		w->rooms.held += mine.text->size;
	push(w, &mine);
	go(w);
}

void odb_tree_loose(struct odb_walker *w, const struct oid *id)
{
	struct odb_version v = { .id = *id };
	struct odb_frame made = { .child = ODB_NOBODY };
	struct odb_held *h = NULL;

	w->loose.inflater = w->inflater;
	w->pinned = SIZE_MAX;
	made.status = odb_loose_read(&w->loose, &w->run->o->dirs[0], id,
				     w->run->o->raw_len, w->run->limit,
				     &v.type, &v.len, &h);
	v.why = w->loose.why;
	/* git packs loose objects at any time */
	if (made.status == ODB_MISSING)
		made.status = odb_make_far(w, &v, &made.text);
	show_root(w, &v,
		  h ? h->data : made.text ? made.text->data : NULL, &made);
	odb_held_release(h);
	odb_make_done(w);
}
