/*
 * Objects in memory: takes texts, keeps those that were last asked for up to
 * so many bytes, by pack and offset. What somebody holds outlives its place
 * in the cache. For one thread.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mem.h"
#include "odb-internal.h"

#define SLOTS_FIRST 256
/* A place that no pack has: their numbers begin with 1. */
#define NO_PACK UINT64_MAX

struct odb_held *odb_held_new(size_t len, size_t head)
{
	struct odb_held *h;

	/* the size comes from a pack: that it is not to be had is an answer */
	h = malloc(sizeof(*h) + head + len + ODB_SLACK);
	if (!h)
		return NULL;
	memset(h, 0, sizeof(*h));
	h->refs = 1;
	h->len = len;
	h->data = h->room + head;
	memset(h->data + len, 0, ODB_SLACK);
	return h;
}

void odb_held_release(struct odb_held *h)
{
	if (h && !--h->refs)
		free(h);
}

static size_t slot_of(const struct odb_cache *c, uint64_t pack, size_t offset)
{
	/* the multiplier is the 64-bit golden ratio (Knuth, 6.4) */
	uint64_t hash = (offset ^ pack << 48) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(hash >> 32) & (c->nr_slots - 1);
}

/* Clients choose some bits of ids: places depend on a random number. */
static size_t slot_of_id(const struct odb_cache *c, const struct oid *id)
{
	uint64_t words[2], hash;

	memcpy(words, id->raw, sizeof(words));
	hash = (words[0] ^ c->seed) * UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 29 ^ words[1]) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(hash >> 32) & (c->nr_slots - 1);
}

static size_t weight(const struct odb_held *h)
{
	return sizeof(*h) + h->len;
}

static void unlink_used(struct odb_cache *c, struct odb_held *h)
{
	*(h->newer ? &h->newer->older : &c->newest) = h->older;
	*(h->older ? &h->older->newer : &c->oldest) = h->newer;
}

static void link_newest(struct odb_cache *c, struct odb_held *h)
{
	h->newer = NULL;
	h->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = h;
	c->newest = h;
}

static void unname(struct odb_cache *c, struct odb_held *h)
{
	struct odb_held **at;

	if (!h->named)
		return;
	at = &c->ids[slot_of_id(c, &h->id)];
	while (*at != h)
		at = &(*at)->same;
	*at = h->same;
	h->named = 0;
}

static void drop_oldest(struct odb_cache *c)
{
	struct odb_held *h = c->oldest;
	struct odb_held **at = &c->slots[slot_of(c, h->pack, h->offset)];

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	unname(c, h);
	c->oldest = h->newer;
	*(c->oldest ? &c->oldest->older : &c->newest) = NULL;
	h->pack = 0;
	c->nr--;
	c->bytes -= weight(h);
	odb_held_release(h);
}

static void put_name(struct odb_cache *c, struct odb_held *h)
{
	struct odb_held **slot = &c->ids[slot_of_id(c, &h->id)];

	h->same = *slot;
	*slot = h;
}

static void grow(struct odb_cache *c)
{
	struct odb_held *h;
	size_t slot;

	if (!c->nr_slots &&
	    getrandom(&c->seed, sizeof(c->seed), 0) != sizeof(c->seed))
		c->seed = (uint64_t)(uintptr_t)c;
	c->nr_slots = c->nr_slots ? c->nr_slots * 2 : SLOTS_FIRST;
	free(c->slots);
	free(c->ids);
	c->slots = mem_array(c->nr_slots, sizeof(struct odb_held *));
	c->ids = mem_array(c->nr_slots, sizeof(struct odb_held *));
	for (h = c->newest; h; h = h->older) {
		slot = slot_of(c, h->pack, h->offset);
		h->next = c->slots[slot];
		c->slots[slot] = h;
		if (h->named)
			put_name(c, h);
	}
}

/* It was used last. With a reference for the caller. */
static struct odb_held *use(struct odb_cache *c, struct odb_held *h)
{
	if (h != c->newest) {
		unlink_used(c, h);
		link_newest(c, h);
	}
	h->refs++;
	return h;
}

struct odb_held *odb_cache_get(struct odb_cache *c, uint64_t pack,
			       size_t offset)
{
	struct odb_held *h;

	if (!c->nr_slots)
		return NULL;
	h = c->slots[slot_of(c, pack, offset)];
	while (h && (h->offset != offset || h->pack != pack))
		h = h->next;
	return h ? use(c, h) : NULL;
}

struct odb_held *odb_cache_find(struct odb_cache *c, const struct oid *id)
{
	struct odb_held *h;

	if (!c->nr_slots)
		return NULL;
	h = c->ids[slot_of_id(c, id)];
	while (h && !oid_equal(&h->id, id))
		h = h->same;
	return h ? use(c, h) : NULL;
}

void odb_cache_name(struct odb_cache *c, struct odb_held *h,
		    const struct oid *id)
{
	if (!h->pack || h->named)
		return;
	h->id = *id;
	h->named = 1;
	put_name(c, h);
}

void odb_cache_put(struct odb_cache *c, uint64_t pack, size_t offset,
		   struct odb_held *h)
{
	size_t slot;

	/* one that would drive out most others is not worth it */
	if (h->pack || weight(h) > c->max / 2)
		return;
	while (c->bytes + weight(h) > c->max)
		drop_oldest(c);
	if (c->nr >= c->nr_slots)
		grow(c);
	slot = slot_of(c, pack, offset);
	h->pack = pack;
	h->offset = offset;
	h->next = c->slots[slot];
	c->slots[slot] = h;
	link_newest(c, h);
	h->refs++;
	c->nr++;
	c->bytes += weight(h);
}

void odb_cache_put_at(struct odb_cache *c, const struct odb_place *at,
		      const struct oid *id, struct odb_held *h)
{
	size_t offset = at->offset;

	if (!at->pack)
		memcpy(&offset, id->raw, sizeof(offset));
	odb_cache_put(c, at->pack ? at->pack->id : NO_PACK, offset, h);
}

void odb_cache_clear(struct odb_cache *c)
{
	struct odb_held *h, *older;

	for (h = c->newest; h; h = older) {
		older = h->older;
		h->pack = 0;
		h->named = 0;
		odb_held_release(h);
	}
	free(c->slots);
	free(c->ids);
	*c = (struct odb_cache){ .max = c->max };
}
