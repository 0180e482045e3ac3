/*
 * One object at a time: takes an id, finds it in packs or loose, follows its
 * chain of deltas down to what is whole or in the cache, and makes it from
 * there upwards. Bounded by the caller's max and by ODB_CHAIN_MAX.
 */
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

#include "mem.h"
#include "odb-internal.h"

/* Scratch room that is larger is given back after use. */
#define SCRATCH_KEEP ((size_t)1 << 20)

/* What a chain ends in: a text, or where one is. */
struct root {
	struct odb_held *held; /* with a reference */
	enum odb_type type;
	size_t len;
};

struct odb_reader *odb_reader_new(const struct odb *o, const struct odb *other,
				  size_t cache_bytes)
{
	struct odb_reader *r = mem_zalloc(sizeof(*r));

	r->stores[0] = o;
	r->stores[1] = other;
	r->cache.max = cache_bytes;
	r->loose.inflater = libdeflate_alloc_decompressor();
	if (!r->loose.inflater)
		abort(); /* some kilobytes: as in mem.h */
	return r;
}

void odb_reader_bound(struct odb_reader *r, size_t most)
{
	r->most = most;
}

void odb_reader_keep(struct odb_reader *r, size_t cache_bytes)
{
	odb_cache_limit(&r->cache, cache_bytes);
}

void odb_reader_free(struct odb_reader *r)
{
	if (!r)
		return;
	odb_cache_clear(&r->cache);
	libdeflate_free_decompressor(r->loose.inflater);
	free(r->loose.head);
	free(r->chain);
	free(r->delta);
	free(r);
}

const char *odb_why(const struct odb_reader *r)
{
	return r->loose.why ? r->loose.why : "";
}

static enum odb_status bad(struct odb_reader *r, enum odb_status status,
			   const char *why)
{
	r->loose.why = why;
	return status;
}

static void unscratch(struct odb_reader *r)
{
	if (r->delta_alloc <= SCRATCH_KEEP)
		return;
	free(r->delta);
	r->delta = NULL;
	r->delta_alloc = 0;
}

/* The text of a delta, into the scratch room. */
static enum odb_status read_delta(struct odb_reader *r,
				 const struct odb_link *l,
				  size_t max, struct odb_delta *out)
{
	size_t size = l->entry.size;
	unsigned char *room;

	if (size > max)
		return bad(r, ODB_TOO_LARGE, "its delta is too large");
	if (!r->delta || size + ODB_SLACK > r->delta_alloc) {
		room = realloc(r->delta, size + ODB_SLACK);
		if (!room)
			return bad(r, ODB_TOO_LARGE,
				   "there is not enough memory");
		r->delta = room;
		r->delta_alloc = size + ODB_SLACK;
	}
	if (odb_inflate(r->loose.inflater, l->pack->map.data + l->entry.at,
			l->pack->end - l->entry.at, r->delta, size))
		return bad(r, ODB_BROKEN, "its delta cannot be inflated");
	if (odb_delta_head(out, r->delta, size))
		return bad(r, ODB_BROKEN, "its delta has no valid header");
	return ODB_OK;
}

/* In either store; then once more if packs have come since. */
static enum odb_status find_any(struct odb_reader *r, const struct oid *id,
				struct odb_place *out)
{
	int again, i;

	for (again = 0; again < 2; again++)
		for (i = 0; i < 2 && r->stores[i]; i++) {
			if (again && !odb_refresh(r->stores[i]))
				continue;
			if (!odb_find(r->stores[i], id, out))
				return ODB_OK;
		}
	return bad(r, ODB_MISSING, "it is not there");
}

/* The base that an entry names by its id. */
static enum odb_status find_base(struct odb_reader *r,
				 const struct odb_link *l,
				 struct odb_place *out, struct oid *id)
{
	ptrdiff_t at = odb_idx_find(&l->pack->idx, l->entry.base_id);

	memset(id, 0, sizeof(*id));
	memcpy(id->raw, l->entry.base_id, l->pack->idx.raw_len);
	if (at < 0) {
		if (find_any(r, id, out) == ODB_OK)
			return ODB_OK;
		return bad(r, ODB_BROKEN, "its delta's base is not there");
	}
	out->pack = l->pack;
	out->dir = NULL;
	out->offset = odb_idx_offset(&l->pack->idx, (uint32_t)at);
	return ODB_OK;
}

/* The text of an entry that is whole. */
static enum odb_status read_whole(struct odb_reader *r,
				 const struct odb_link *l,
				  size_t max, struct odb_held **out)
{
	struct odb_held *h;

	if (l->entry.size > max)
		return bad(r, ODB_TOO_LARGE, "it is too large");
	h = odb_held_new(l->entry.size, 0);
	if (!h)
		return bad(r, ODB_TOO_LARGE, "there is not enough memory");
	h->type = (enum odb_type)l->entry.kind;
	if (odb_inflate(r->loose.inflater, l->pack->map.data + l->entry.at,
			l->pack->end - l->entry.at, h->data, h->len)) {
		odb_held_release(h);
		return bad(r, ODB_BROKEN, "it cannot be inflated");
	}
	*out = h;
	return ODB_OK;
}

/* Has the chain been here? The place compared with moves up, so that one of a
 * circle is met within three turns (Brent 1980). */
static int is_circle(const struct odb_reader *r, const struct odb_place *at)
{
	const struct odb_link *l;
	size_t before;

	if (!r->nr)
		return 0;
	/* the largest power of two that is at most nr, less one */
	before = ((size_t)1 << (63 - __builtin_clzll(r->nr))) - 1;
	l = &r->chain[before];
	return l->pack == at->pack && l->offset == at->offset;
}

/* One more link of the chain. */
static enum odb_status add_link(struct odb_reader *r, struct odb_place *at,
				struct odb_link **out)
{
	struct odb_link *l;

	if (r->nr >= ODB_CHAIN_MAX || is_circle(r, at))
		return bad(r, ODB_BROKEN, "its chain of deltas has no end");
	MEM_GROW(r->chain, r->nr, r->alloc);
	l = &r->chain[r->nr++];
	l->pack = at->pack;
	l->offset = at->offset;
	if (odb_pack_entry(l->pack, l->offset, &l->entry))
		return bad(r, ODB_BROKEN, "its entry in the pack is not one");
	*out = l;
	return ODB_OK;
}

/*
 * Down the chain from a place. On ODB_OK the links from the last to the first
 * are deltas on root; with want 0 only the root's type is got.
 */
static enum odb_status descend(struct odb_reader *r, struct odb_place at,
			       struct oid *id, size_t max, int want,
			       struct root *root)
{
	enum odb_status status;
	struct odb_link *l;

	r->nr = 0;
	for (;;) {
		if (!at.pack) {
			status = odb_loose_read(&r->loose, at.dir, id,
						r->stores[0]->raw_len, max,
						&root->type, &root->len,
						want ? &root->held : NULL);
			return status == ODB_MISSING && r->nr ? ODB_BROKEN :
								status;
		}
		root->held = odb_cache_get(&r->cache, at.pack->id, at.offset);
		if (root->held) {
			root->type = root->held->type;
			root->len = root->held->len;
			return ODB_OK;
		}
		status = add_link(r, &at, &l);
		if (status != ODB_OK)
			return status;
		if (l->entry.kind == ODB_OFS_DELTA)
			at.offset = l->entry.base;
		else if (l->entry.kind == ODB_REF_DELTA)
			status = find_base(r, l, &at, id);
		else
			break;
		if (status != ODB_OK)
			return status;
	}
	root->type = (enum odb_type)l->entry.kind;
	root->len = l->entry.size;
	if (!want)
		return ODB_OK;
	status = read_whole(r, l, max, &root->held);
	if (status == ODB_OK && --r->nr)
		odb_cache_put(&r->cache, l->pack->id, l->offset, root->held);
	return status;
}

/* The version that one delta makes of its base. */
static enum odb_status apply(struct odb_reader *r,
				 const struct odb_link *l,
			     const struct odb_held *base, size_t max,
			     struct odb_held **out)
{
	enum odb_status status;
	struct odb_delta d;
	struct odb_held *h;

	status = read_delta(r, l, max, &d);
	if (status != ODB_OK)
		return status;
	if (d.base_len != base->len)
		return bad(r, ODB_BROKEN, "its delta is of another base");
	if (d.len > max ||
	    (r->most && base->len + l->entry.size + d.len > r->most))
		return bad(r, ODB_TOO_LARGE, "it is too large");
	h = odb_held_new(d.len, 0);
	if (!h)
		return bad(r, ODB_TOO_LARGE, "there is not enough memory");
	h->type = base->type;
	if (odb_delta_apply(&d, base->data, h->data, NULL)) {
		odb_held_release(h);
		return bad(r, ODB_BROKEN, "its delta is not one");
	}
	*out = h;
	return ODB_OK;
}

/* Up the chain; what is on the way goes to the cache. */
static enum odb_status ascend(struct odb_reader *r, size_t max,
			      struct odb_held *h, struct odb_held **out)
{
	enum odb_status status = ODB_OK;
	struct odb_held *next;
	size_t i = r->nr;

	while (i-- > 0) {
		const struct odb_link *l = &r->chain[i];

		status = apply(r, l, h, max, &next);
		odb_held_release(h);
		if (status != ODB_OK)
			return status;
		h = next;
		if (i || h->type == ODB_TREE)
			odb_cache_put(&r->cache, l->pack->id, l->offset, h);
	}
	*out = h;
	return ODB_OK;
}

static enum odb_status read_at(struct odb_reader *r, struct odb_place at,
			       struct oid *id, size_t max,
			       struct odb_held **out)
{
	struct root root = { 0 };
	enum odb_status status;

	if (!max || max > SIZE_MAX / 4)
		max = SIZE_MAX / 4;
	status = descend(r, at, id, max, 1, &root);
	if (status != ODB_OK)
		return status;
	if (root.len > max) {
		/* from the cache, where a larger max has put it */
		odb_held_release(root.held);
		return bad(r, ODB_TOO_LARGE, "it is too large");
	}
	/* one that is whole is of the cache where it can be a base, or is a
	 * tree: those are read again as what others are compared with */
	if (!r->nr && root.type == ODB_TREE)
		odb_cache_put_at(&r->cache, &at, id, root.held);
	status = ascend(r, max, root.held, out);
	unscratch(r);
	return status;
}

enum odb_status odb_read(struct odb_reader *r, const struct oid *id,
			 size_t max, struct odb_object *out)
{
	struct odb_held *h = NULL;
	struct oid name = *id;
	enum odb_status status;
	struct odb_place at;

	memset(out, 0, sizeof(*out));
	h = odb_cache_find(&r->cache, id);
	if (h && max && h->len > max) {
		/* where a larger max has put it */
		odb_held_release(h);
		return bad(r, ODB_TOO_LARGE, "it is too large");
	}
	if (!h) {
		status = find_any(r, id, &at);
		if (status == ODB_OK)
			status = read_at(r, at, &name, max, &h);
		if (status != ODB_OK)
			return status;
		odb_cache_name(&r->cache, h, id);
	}
	out->type = h->type;
	out->data = h->data;
	out->len = h->len;
	out->note = &h->note;
	out->hold = h;
	return ODB_OK;
}

void odb_release(struct odb_reader *r, struct odb_object *out)
{
	(void)r;
	odb_held_release(out->hold);
	memset(out, 0, sizeof(*out));
}

enum odb_status odb_header(struct odb_reader *r, const struct oid *id,
			   enum odb_type *type, size_t *len)
{
	struct root root = { 0 };
	struct odb_delta d = { 0 };
	struct oid name = *id;
	enum odb_status status;
	struct odb_place at;

	*type = ODB_NONE;
	*len = 0;
	r->nr = 0;
	root.held = odb_cache_find(&r->cache, id);
	if (root.held) {
		root.type = root.held->type;
		root.len = root.held->len;
		status = ODB_OK;
	} else {
		status = find_any(r, id, &at);
		if (status == ODB_OK)
			status = descend(r, at, &name, SIZE_MAX / 4, 0, &root);
	}
	odb_held_release(root.held);
	if (status != ODB_OK)
		return status;
	*type = root.type;
	*len = root.len;
	/* a delta itself says what it becomes */
	if (r->nr && r->chain[0].entry.kind >= ODB_OFS_DELTA) {
		status = read_delta(r, &r->chain[0], SIZE_MAX / 4, &d);
		*len = d.len;
		unscratch(r);
	}
	return status;
}
