/*
 * Objects in memory: takes texts, keeps those that came last, or were asked
 * for since, up to so many bytes, by pack and offset. What somebody holds
 * outlives its place in the cache. For one thread.
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

static uint64_t hash_place(uint64_t pack, size_t offset)
{
	/* the multiplier is the 64-bit golden ratio (Knuth, 6.4) */
	uint64_t hash = (offset ^ pack << 48) * UINT64_C(0x9e3779b97f4a7c15);

	return hash ^ hash >> 32;
}

/* Clients choose some bits of ids: places depend on a random number. */
static uint64_t hash_id(const struct odb_cache *c, const struct oid *id)
{
	uint64_t words[2], hash;

	memcpy(words, id->raw, sizeof(words));
	hash = (words[0] ^ c->seed) * UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 29 ^ words[1]) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

/* Open addressing; tables are at most half full. */
static void insert(const struct odb_cache *c, struct odb_slot *table,
		   uint64_t hash, struct odb_held *h)
{
	size_t i = (size_t)hash & (c->nr_slots - 1);

	while (table[i].h)
		i = (i + 1) & (c->nr_slots - 1);
	table[i] = (struct odb_slot){ hash, h };
}

/* Those behind it move up, unless that is before where they belong. */
static void take_out(const struct odb_cache *c, struct odb_slot *table,
		     uint64_t hash, const struct odb_held *h)
{
	const size_t mask = c->nr_slots - 1;
	size_t i = (size_t)hash & mask, k;

	while (table[i].h != h)
		i = (i + 1) & mask;
	for (k = (i + 1) & mask; table[k].h; k = (k + 1) & mask)
		if (((k - (size_t)table[k].hash) & mask) >= ((k - i) & mask)) {
			table[i] = table[k];
			i = k;
		}
	table[i].h = NULL;
}

static size_t weight(const struct odb_held *h)
{
	return sizeof(*h) + h->len;
}

static void link_newest(struct odb_cache *c, struct odb_held *h)
{
	h->newer = NULL;
	h->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = h;
	c->newest = h;
}

static struct odb_held *unlink_oldest(struct odb_cache *c)
{
	struct odb_held *h = c->oldest;

	c->oldest = h->newer;
	*(c->oldest ? &c->oldest->older : &c->newest) = NULL;
	return h;
}

/* What was used since it came stays for one more turn (second chance). */
static void drop_one(struct odb_cache *c)
{
	struct odb_held *h;

	for (h = unlink_oldest(c); h->used; h = unlink_oldest(c)) {
		h->used = 0;
		link_newest(c, h);
	}
	take_out(c, c->places, hash_place(h->pack, h->offset), h);
	if (h->named)
		take_out(c, c->ids, hash_id(c, &h->id), h);
	h->named = 0;
	h->pack = 0;
	c->nr--;
	c->bytes -= weight(h);
	odb_held_release(h);
}

static void grow(struct odb_cache *c)
{
	struct odb_held *h;

	if (!c->nr_slots &&
	    getrandom(&c->seed, sizeof(c->seed), 0) != sizeof(c->seed))
		c->seed = (uint64_t)(uintptr_t)c;
	c->nr_slots = c->nr_slots ? c->nr_slots * 2 : SLOTS_FIRST;
	free(c->places);
	free(c->ids);
	c->places = mem_array(c->nr_slots, sizeof(*c->places));
	c->ids = mem_array(c->nr_slots, sizeof(*c->ids));
	for (h = c->newest; h; h = h->older) {
		insert(c, c->places, hash_place(h->pack, h->offset), h);
		if (h->named)
			insert(c, c->ids, hash_id(c, &h->id), h);
	}
}

/* With a reference for the caller. */
static struct odb_held *use(struct odb_held *h)
{
	h->used = 1;
	h->refs++;
	return h;
}

struct odb_held *odb_cache_get(struct odb_cache *c, uint64_t pack,
			       size_t offset)
{
	const uint64_t hash = hash_place(pack, offset);
	const struct odb_slot *at;
	size_t i;

	if (!c->nr_slots)
		return NULL;
	for (i = (size_t)hash;; i++) {
		at = &c->places[i & (c->nr_slots - 1)];
		if (!at->h)
			return NULL;
		if (at->hash == hash && at->h->offset == offset &&
		    at->h->pack == pack)
			return use(at->h);
	}
}

struct odb_held *odb_cache_find(struct odb_cache *c, const struct oid *id)
{
	const struct odb_slot *at;
	uint64_t hash;
	size_t i;

	if (!c->nr_slots)
		return NULL;
	hash = hash_id(c, id);
	for (i = (size_t)hash;; i++) {
		at = &c->ids[i & (c->nr_slots - 1)];
		if (!at->h)
			return NULL;
		if (at->hash == hash && oid_equal(&at->h->id, id))
			return use(at->h);
	}
}

void odb_cache_name(struct odb_cache *c, struct odb_held *h,
		    const struct oid *id)
{
	if (!h->pack || h->named)
		return;
	h->id = *id;
	h->named = 1;
	insert(c, c->ids, hash_id(c, id), h);
}

void odb_cache_limit(struct odb_cache *c, size_t max)
{
	c->max = max;
	while (c->bytes > max)
		drop_one(c);
}

void odb_cache_put(struct odb_cache *c, uint64_t pack, size_t offset,
		   struct odb_held *h)
{
	/* one that would drive out most others is not worth it */
	if (h->pack || weight(h) > c->max / 2)
		return;
	while (c->bytes + weight(h) > c->max)
		drop_one(c);
	if (2 * c->nr >= c->nr_slots)
		grow(c);
	h->pack = pack;
	h->offset = offset;
	insert(c, c->places, hash_place(pack, offset), h);
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
	free(c->places);
	free(c->ids);
	*c = (struct odb_cache){ .max = c->max };
}
