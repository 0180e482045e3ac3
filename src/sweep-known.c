/*
 * Texts that were probed before. git makes a version of one base, out of many
 * small copies where that fits badly; most of what is new against it is in
 * other versions, in long stretches. Takes versions, keeps those with much new
 * in them for a while, and finds what later ones have of them, byte for byte:
 * that is a copy as those from the base are.
 */
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "odb.h"
#include "scan.h"
#include "sweep-internal.h"

/* Spans so near each other make one region; of a shorter one or with fewer
 * bytes in common, the search would cost more than it saves. */
#define NEAR 128
#define REGION 256
#define COMMON 128
/* A version is kept when so many bytes, and such a part of it, were new. */
#define LEFT_LEAST ((size_t)1024)
#define LEFT_PART 16
/* Texts are found by the first bytes of one line in four. */
#define GRAM 64
#define ANCHOR_AT 24
/* Powers of two: an anchor is in some 150 bytes. */
#define SLOTS ((size_t)1 << 17)
#define SLOT_SHIFT (64 - 17)
#define TEXTS ((size_t)1 << 12)
#define TABLES (SLOTS * sizeof(struct slot) + TEXTS * sizeof(struct text))
/* With less memory nothing is kept. */
#define MAX_LEAST ((size_t)4 << 20)

struct text {
	char *data;
	size_t len;
	struct scan_trace trace;
};

/* An anchor; its text may be gone, and then another may be in its place. */
struct slot {
	uint32_t number, at, tag;
};

/* Bytes of the version, and where in a text they are too. */
struct match {
	struct span at;
	const struct text *of;
	size_t from;
};

struct sweep_known {
	const struct scanner *scanner;
	struct slot *slots; /* NULL: nothing is kept */
	struct text *ring; /* by number modulo TEXTS */
	uint32_t oldest, next; /* numbers; they wrap */
	size_t bytes, max;
	/* of the version under way, in order */
	struct span *regions, *fresh;
	struct match *matches;
	size_t nr_regions, nr_fresh, nr_matches;
	size_t alloc_regions, alloc_fresh, alloc_matches;
};

struct sweep_known *sweep_known_new(const struct scanner *s, size_t max)
{
	struct sweep_known *k = mem_zalloc(sizeof(*k));

	*k = (struct sweep_known){ .scanner = s, .max = max };
	if (max < MAX_LEAST)
		return k;
	k->bytes = TABLES;
	k->slots = mem_array(SLOTS, sizeof(*k->slots));
	k->ring = mem_array(TEXTS, sizeof(*k->ring));
	return k;
}

static size_t weight(const struct sweep_known *k, const struct text *t)
{
	return t->len + scan_trace_size(k->scanner, &t->trace);
}

static void drop_oldest(struct sweep_known *k)
{
	struct text *t = &k->ring[k->oldest++ % TEXTS];

	k->bytes -= weight(k, t);
	free(t->data);
	scan_trace_clear(&t->trace);
}

void sweep_known_free(struct sweep_known *k)
{
	if (!k)
		return;
	while (k->oldest != k->next)
		drop_oldest(k);
	free(k->slots);
	free(k->ring);
	free(k->regions);
	free(k->fresh);
	free(k->matches);
	free(k);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static uint64_t load(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* 2^64 / phi (Knuth, 6.4). */
#define SPREAD UINT64_C(0x9e3779b97f4a7c15)

/* One line in four; which one, bytes say that are not its indentation. */
static int is_anchor(const char *p)
{
	return load(p + ANCHOR_AT) * SPREAD >> 62 == 0;
}

/* Of the GRAM bytes at p: each word has a factor of its own. */
static uint64_t hash_of(const char *p)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < GRAM; i += sizeof(hash))
		hash += load(p + i) * (SPREAD * (2 * i + 1));
	return (hash ^ hash >> 32) * SPREAD;
}

static struct slot *slot_of(const struct sweep_known *k, uint64_t hash)
{
	return &k->slots[hash >> SLOT_SHIFT];
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)hash;
}

/* Where the line after the one at `at` begins, or end. */
static size_t line_after(const char *text, size_t at, size_t end)
{
	const char *p = memchr(text + at, '\n', end - at);

	return p ? (size_t)(p - text) + 1 : end;
}

/* How many bytes are the same from a and b on, up to max. */
static size_t same_after(const char *a, const char *b, size_t max)
{
	size_t n = 0;

	for (; max - n >= 8; n += 8) {
		uint64_t x = load(a + n) ^ load(b + n);

		if (x)
			return n + (size_t)__builtin_ctzll(x) / 8;
	}
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

/* The same backwards, of what ends at a and b. */
static size_t same_before(const char *a, const char *b, size_t max)
{
	size_t n = 0;

	for (; max - n >= 8; n += 8) {
		uint64_t x = load(a - n - 8) ^ load(b - n - 8);

		if (x)
			return n + (size_t)__builtin_clzll(x) / 8;
	}
	while (n < max && *(a - n - 1) == *(b - n - 1))
		n++;
	return n;
}

/* Does a text have what is at `at`, an anchor? Not what is before least. */
static int find(const struct sweep_known *k, const struct odb_version *v,
		size_t at, size_t least, struct match *m)
{
	const uint64_t hash = hash_of(v->data + at);
	const struct slot *slot = slot_of(k, hash);
	const struct text *t = &k->ring[slot->number % TEXTS];
	size_t n, before, from = slot->at;

	if (slot->tag != tag_of(hash) ||
	    slot->number - k->oldest >= k->next - k->oldest || from >= t->len)
		return 0;
	n = same_after(v->data + at, t->data + from,
		       smaller(t->len - from, v->len - at));
	if (n < GRAM)
		return 0;
	before = same_before(v->data + at, t->data + from,
			     smaller(from, at - least));
	*m = (struct match){ { at - before, at + n }, t, from - before };
	return before + n >= COMMON;
}

static void find_in(struct sweep_known *k, const struct odb_version *v,
		    struct span region)
{
	size_t least = k->nr_matches ? k->matches[k->nr_matches - 1].at.end : 0;
	size_t at = region.start > least ? region.start : least;
	struct match m;

	while (at < region.end && region.end - at >= GRAM) {
		if (is_anchor(v->data + at) && find(k, v, at, least, &m)) {
			MEM_GROW(k->matches, k->nr_matches, k->alloc_matches);
			k->matches[k->nr_matches++] = m;
			at = least = m.at.end;
		}
		if (at < region.end)
			at = line_after(v->data, at, region.end);
	}
}

/* Where a version has so much new in it that a look is worth it. */
static void find_regions(struct sweep_known *k, const struct odb_version *v)
{
	size_t i = 0;

	k->nr_regions = 0;
	while (i < v->nr_fresh) {
		struct span r = v->fresh[i++];

		for (; i < v->nr_fresh && v->fresh[i].start - r.end < NEAR; i++)
			r.end = v->fresh[i].end;
		if (r.end - r.start < REGION)
			continue;
		MEM_GROW(k->regions, k->nr_regions, k->alloc_regions);
		k->regions[k->nr_regions++] = r;
	}
}

static void add_fresh(struct sweep_known *k, size_t start, size_t end)
{
	if (k->nr_fresh && k->fresh[k->nr_fresh - 1].end >= start) {
		k->fresh[k->nr_fresh - 1].end = end;
		return;
	}
	MEM_GROW(k->fresh, k->nr_fresh, k->alloc_fresh);
	k->fresh[k->nr_fresh++] = (struct span){ start, end };
}

/* What of a version was gone through, in order. */
struct cursor {
	size_t fresh, copies;
};

/* What is between two matches is as git has it. */
static void take_between(struct sweep_known *k, const struct odb_version *v,
			 struct span all, struct cursor *c,
			 struct scan_trace *trace)
{
	for (; c->fresh < v->nr_fresh; c->fresh++) {
		const struct span *f = &v->fresh[c->fresh];

		if (f->start > all.end)
			break;
		if (f->end >= all.start)
			add_fresh(k, larger(f->start, all.start),
				  smaller(f->end, all.end));
		if (f->end > all.end)
			break;
	}
	for (; c->copies < v->nr_copies; c->copies++) {
		const struct odb_copy *y = &v->copies[c->copies];
		size_t start = larger(y->to, all.start);
		size_t end = smaller(y->to + y->len, all.end);

		if (y->to >= all.end)
			break;
		if (v->base && start < end)
			scan_trace_copy(k->scanner, v->base,
					y->from + (start - y->to), start,
					end - start, trace);
		if (y->to + y->len > all.end)
			break;
	}
}

/* A match is a copy, with seams where it begins and ends. */
static void take_match(struct sweep_known *k, const struct match *m,
		       struct scan_trace *trace)
{
	add_fresh(k, m->at.start, m->at.start);
	scan_trace_copy(k->scanner, &m->of->trace, m->from, m->at.start,
			m->at.end - m->at.start, trace);
	add_fresh(k, m->at.end, m->at.end);
}

const struct span *sweep_known_copy(struct sweep_known *k,
				    const struct odb_version *v,
				    struct scan_trace *trace, size_t *nr)
{
	const struct scan_trace *base = v->base;
	struct cursor c = { 0, 0 };
	struct span all = { 0, v->len };

	k->nr_fresh = k->nr_matches = k->nr_regions = 0;
	/* where nothing is known of the base, all is looked at anew */
	if (k->slots && v->type == ODB_BLOB && v->len < UINT32_MAX &&
	    !(base && base->whole))
		find_regions(k, v);
	for (size_t i = 0; i < k->nr_regions; i++)
		find_in(k, v, k->regions[i]);
	for (size_t i = 0; i < k->nr_matches; i++) {
		all.end = k->matches[i].at.start;
		take_between(k, v, all, &c, trace);
		take_match(k, &k->matches[i], trace);
		all.start = k->matches[i].at.end;
	}
	all.end = v->len;
	take_between(k, v, all, &c, trace);
	*nr = k->nr_fresh;
	return k->fresh;
}

/* Its anchors; of those with the same hash, the last one is found. */
static void index_text(struct sweep_known *k, const struct text *t)
{
	for (size_t at = 0; t->len - at >= GRAM;
	     at = line_after(t->data, at, t->len)) {
		uint64_t hash;

		if (!is_anchor(t->data + at))
			continue;
		hash = hash_of(t->data + at);
		*slot_of(k, hash) = (struct slot){ k->next, (uint32_t)at,
						   tag_of(hash) };
	}
}

static void put(struct sweep_known *k, const struct odb_version *v,
		const struct scan_trace *trace)
{
	struct text *t = &k->ring[k->next % TEXTS];

	if (k->next - k->oldest == TEXTS)
		drop_oldest(k);
	*t = (struct text){ mem_resize(NULL, v->len, 1), v->len,
			    SCAN_TRACE_INIT };
	memcpy(t->data, v->data, v->len);
	scan_trace_copy(k->scanner, trace, 0, 0, v->len, &t->trace);
	index_text(k, t);
	k->bytes += weight(k, t);
	k->next++;
	while (k->bytes > k->max)
		drop_oldest(k);
}

/* Bytes of the regions that no match has. */
static size_t count_left(const struct sweep_known *k)
{
	size_t sum = 0, m = 0;

	for (size_t i = 0; i < k->nr_regions; i++) {
		size_t at = k->regions[i].start, end = k->regions[i].end;

		for (; m < k->nr_matches && k->matches[m].at.start < end; m++) {
			if (k->matches[m].at.start > at)
				sum += k->matches[m].at.start - at;
			at = larger(at, k->matches[m].at.end);
			if (at >= end)
				break; /* it may end in the next region */
		}
		sum += at < end ? end - at : 0;
	}
	return sum;
}

void sweep_known_keep(struct sweep_known *k, const struct odb_version *v,
		      const struct scan_trace *trace)
{
	/* what holds for all of a text says nothing of its parts */
	if (!k->nr_regions || trace->whole || trace->far ||
	    v->len > k->max / 4)
		return;
	if (count_left(k) >= larger(LEFT_LEAST, v->len / LEFT_PART))
		put(k, v, trace);
}
