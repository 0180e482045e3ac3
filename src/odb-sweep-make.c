/*
 * Texts of one thread's part of a sweep: takes an entry and its base, gives the
 * version, within the thread's share of memory. When that is short, texts that
 * will be wanted last are dropped, and made again from their roots.
 */
#include <string.h>

#include <libdeflate.h>

#include "mem.h"
#include "odb-sweep-internal.h"

static const char too_large[] = "it is too large";
static const char no_memory[] = "there is not enough memory";
static const char no_room[] =
	"it cannot be made within the memory for scanning";

/* Drop the text that will be wanted last. 0 or -1: there is none. */
static int drop_one(struct odb_walker *w)
{
	size_t i;

	if (w->rooms.nr) {
		odb_rooms_clear(&w->rooms);
		return 0;
	}
	for (i = 0; i < w->nr; i++)
		if (w->frames[i].text && i != w->pinned) {
			odb_room_put(&w->rooms, w->frames[i].text);
			w->frames[i].text = NULL;
			return 0;
		}
	return -1;
}

static size_t bound(const struct odb_walker *w)
{
	return w->run->share + (w->has_big ? w->run->extra : 0);
}

static int is_over(const struct odb_walker *w, size_t len)
{
	return w->rooms.held + odb_room_cost(&w->rooms, len) > bound(w);
}

/*
 * Room within this thread's share. One that must have more waits until it is
 * the only one; a version, its base and its delta are then had up to run->most,
 * and a text alone whatever it is.
 */
static enum odb_status get_room(struct odb_walker *w, size_t len,
				struct odb_version *v, struct odb_room **out)
{
	size_t cost;

	while (is_over(w, len)) {
		if (!drop_one(w))
			continue;
		if (w->has_big)
			break;
		pthread_mutex_lock(&w->run->big);
		w->has_big = 1;
	}
	cost = odb_room_cost(&w->rooms, len);
	if (w->rooms.held && w->rooms.held + cost > bound(w) &&
	    w->rooms.held + cost > w->run->most) {
		v->why = no_room;
		return ODB_TOO_LARGE;
	}
	*out = odb_room_get(&w->rooms, len);
	if (!*out)
		v->why = no_memory;
	return *out ? ODB_OK : ODB_TOO_LARGE;
}

void odb_make_done(struct odb_walker *w)
{
	if (!w->has_big)
		return;
	if (w->rooms.held > w->run->share)
		odb_rooms_clear(&w->rooms);
	if (w->rooms.held > w->run->share)
		return;
	w->has_big = 0;
	pthread_mutex_unlock(&w->run->big);
}

static enum odb_status fail(struct odb_version *v, enum odb_status status,
			    const char *why)
{
	v->why = why;
	return status;
}

static const char no_entry[] = "its entry in the pack is not one";

/* What an entry inflates to, into a room of its own. */
static enum odb_status inflate(struct odb_walker *w, const struct odb_entry *e,
			       struct odb_version *v, struct odb_room **out)
{
	const struct odb_pack *p = w->run->plan->pack;
	enum odb_status status;
	struct odb_room *room;

	if (e->size > w->run->limit)
		return fail(v, ODB_TOO_LARGE, too_large);
	status = get_room(w, e->size, v, &room);
	if (status != ODB_OK)
		return status;
	if (odb_inflate(w->inflater, p->map.data + e->at, p->end - e->at,
			room->data, e->size)) {
		odb_room_put(&w->rooms, room);
		return fail(v, ODB_BROKEN, "it cannot be inflated");
	}
	memset(room->data + e->size, 0, ODB_SLACK);
	*out = room;
	return ODB_OK;
}

/* A delta's text made into a version. */
static enum odb_status apply(struct odb_walker *w, struct odb_delta *d,
			     const struct odb_room *base, size_t base_len,
			     struct odb_version *v, struct odb_room **out)
{
	enum odb_status status;
	struct odb_room *room;

	if (d->base_len != base_len)
		return fail(v, ODB_BROKEN, "its delta is of another base");
	v->len = d->len;
	if (d->len > w->run->limit)
		return fail(v, ODB_TOO_LARGE, too_large);
	status = get_room(w, d->len, v, &room);
	if (status != ODB_OK)
		return status;
	if (odb_delta_apply(d, base->data, room->data, &w->marks)) {
		odb_room_put(&w->rooms, room);
		return fail(v, ODB_BROKEN, "its delta is not one");
	}
	*out = room;
	return ODB_OK;
}

/* The version that an entry, a delta, makes of its base. */
enum odb_status odb_make(struct odb_walker *w, uint32_t entry,
			    const struct odb_room *base, size_t base_len,
			    struct odb_version *v, struct odb_room **out)
{
	const struct odb_plan *p = w->run->plan;
	struct odb_room *text = NULL;
	enum odb_status status;
	struct odb_entry e;
	struct odb_delta d;

	if (odb_pack_entry(p->pack, p->offset[entry], &e) ||
	    e.kind < ODB_OFS_DELTA)
		return fail(v, ODB_BROKEN, no_entry);
	status = inflate(w, &e, v, &text);
	if (status != ODB_OK)
		return status;
	if (odb_delta_head(&d, (unsigned char *)text->data, e.size))
		status = fail(v, ODB_BROKEN, "its delta has no valid header");
	else
		status = apply(w, &d, base, base_len, v, out);
	odb_room_put(&w->rooms, text);
	return status;
}

/* Read by its id through all stores: its base is elsewhere. */
enum odb_status odb_make_far(struct odb_walker *w, struct odb_version *v,
				struct odb_room **out)
{
	struct odb_object object;
	enum odb_status status;

	if (!w->reader)
		w->reader = odb_reader_new(w->run->o, NULL, w->run->share / 4);
	odb_reader_bound(w->reader, w->run->most);
	status = odb_read(w->reader, &v->id, w->run->limit, &object);
	if (status != ODB_OK)
		return fail(v, status, odb_why(w->reader));
	v->type = object.type;
	v->len = object.len;
	status = get_room(w, object.len, v, out);
	if (status == ODB_OK)
		memcpy((*out)->data, object.data, object.len + ODB_SLACK);
	odb_release(w->reader, &object);
	return status;
}

/* The text of a root. */
enum odb_status odb_make_root(struct odb_walker *w, uint32_t entry,
				 struct odb_version *v, struct odb_room **out)
{
	const struct odb_plan *p = w->run->plan;
	struct odb_entry e;

	if (p->type[entry] == ODB_FAR)
		return odb_make_far(w, v, out);
	if (odb_pack_entry(p->pack, p->offset[entry], &e))
		return fail(v, ODB_BROKEN, no_entry);
	if (e.kind >= ODB_OFS_DELTA)
		return fail(v, ODB_BROKEN,
			    "it is a delta of what cannot be found");
	v->len = e.size;
	return inflate(w, &e, v, out);
}

void odb_make_name(const struct odb_walker *w, uint32_t entry,
		 struct odb_version *v)
{
	const struct odb_plan *p = w->run->plan;

	memcpy(v->id.raw, odb_idx_id(&p->pack->idx, p->at[entry]),
	       w->run->o->raw_len);
}

/* The entries from the last frame's up to its root. */
static void find_path(struct odb_walker *w)
{
	const struct odb_plan *p = w->run->plan;
	uint32_t entry = w->frames[w->nr - 1].entry;

	w->nr_path = 0;
	for (; entry != ODB_NOBODY; entry = p->base[entry]) {
		MEM_GROW(w->path, w->nr_path, w->alloc_path);
		w->path[w->nr_path++] = entry;
	}
}

/* What is dropped was wanted later than what is not: none of the frames below
 * has a text, and all of the path is made. */
enum odb_status odb_make_again(struct odb_walker *w, struct odb_version *v)
{
	struct odb_room *base = NULL, *made = NULL;
	enum odb_status status = ODB_OK;
	size_t len = 0;

	find_path(w);
	while (w->nr_path && status == ODB_OK) {
		uint32_t entry = w->path[--w->nr_path];
		struct odb_version step = { 0 };

		odb_make_name(w, entry, &step);
		if (odb_sweep_stopped(w))
			status = fail(&step, ODB_BROKEN, "it was stopped");
		else if (base)
			status = odb_make(w, entry, base, len, &step, &made);
		else
			status = odb_make_root(w, entry, &step, &made);
		odb_room_put(&w->rooms, base);
		w->since += step.len;
		len = step.len;
		base = made;
		made = NULL;
		v->why = step.why;
	}
	w->frames[w->nr - 1].text = base;
	return status;
}
