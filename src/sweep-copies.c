/*
 * What a version has of others than its base, in one thread. Takes a version
 * with what git copied into it, looks for long stretches of the rest in texts
 * that were probed before (sweep-known.c), and makes them copies as those from
 * the base are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "odb.h"
#include "scan.h"
#include "sweep-internal.h"

/* Spans so near each other make one region; of a shorter one the search would
 * cost more than it saves. */
#define NEAR 128
#define REGION 256
/* A version is kept when so many bytes, and such a part of it, were new. */
#define LEFT_LEAST ((size_t)1024)
#define LEFT_PART 16
/*
 * Of so many bytes looked at, at least such a part must be known, or nothing is
 * looked for in the next ones: to keep and to find costs as much as to search a
 * third of it anew. Histories have more than the half, but where they begin;
 * what is pushed for the first time may have nothing.
 */
#define TRIAL ((size_t)2 << 20)
#define FOUND_PART 4
#define REST ((size_t)16 << 20)

struct sweep_copies {
	struct sweep_known *known; /* or NULL */
	const struct scanner *scanner;
	/* of the version under way, in order */
	struct span *regions, *fresh;
	struct sweep_match *matches;
	size_t nr_regions, nr_fresh, nr_matches;
	size_t alloc_regions, alloc_fresh, alloc_matches;
	size_t looked, found; /* bytes, of the trial */
	size_t rest;          /* bytes, without a look */
};

struct sweep_copies *sweep_copies_new(struct sweep_known *k,
				      const struct scanner *s)
{
	struct sweep_copies *c = mem_zalloc(sizeof(*c));

	c->known = k;
	c->scanner = s;
	return c;
}

void sweep_copies_free(struct sweep_copies *c)
{
	if (!c)
		return;
	free(c->regions);
	free(c->fresh);
	free(c->matches);
	free(c);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void find_in(struct sweep_copies *k, const struct odb_version *v,
		    struct span region)
{
	size_t least = k->nr_matches ? k->matches[k->nr_matches - 1].at.end : 0;
	size_t at = larger(region.start, least), next;
	struct sweep_match m;

	for (; at < region.end && region.end - at >= SWEEP_GRAM; at = next) {
		next = sweep_line_after(v->data, at, region.end);
		if (!sweep_is_anchor(v->data + at, next - at) ||
		    !sweep_known_find(k->known, v, at, least, &m))
			continue;
		MEM_GROW(k->matches, k->nr_matches, k->alloc_matches);
		k->matches[k->nr_matches++] = m;
		least = next = m.at.end;
		if (next < region.end)
			next = sweep_line_after(v->data, next, region.end);
	}
}

/* Where a version has so much new in it that a look is worth it. */
static void find_regions(struct sweep_copies *k, const struct odb_version *v)
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

static void add_fresh(struct sweep_copies *k, size_t start, size_t end)
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
static void take_between(struct sweep_copies *k, const struct odb_version *v,
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
static void take_match(struct sweep_copies *k, const struct sweep_match *m,
		       struct scan_trace *trace)
{
	add_fresh(k, m->at.start, m->at.start);
	scan_trace_copy(k->scanner, m->of, m->from, m->at.start,
			m->at.end - m->at.start, trace);
	add_fresh(k, m->at.end, m->at.end);
}

/* Is it worth a look? Not after a trial that found little, for a while. */
static int is_worth(struct sweep_copies *k, const struct odb_version *v)
{
	if (!k->rest)
		return 1;
	k->rest -= smaller(k->rest, v->len);
	return 0;
}

static void try_one(struct sweep_copies *k)
{
	for (size_t i = 0; i < k->nr_regions; i++)
		k->looked += k->regions[i].end - k->regions[i].start;
	for (size_t i = 0; i < k->nr_matches; i++)
		k->found += k->matches[i].at.end - k->matches[i].at.start;
	if (k->looked < TRIAL)
		return;
	if (k->found < k->looked / FOUND_PART)
		k->rest = REST;
	k->looked = k->found = 0;
}

/* All matches of a version, whose texts are held; 0: there are none. */
static size_t find_all(struct sweep_copies *k, const struct odb_version *v)
{
	if (!is_worth(k, v))
		return 0;
	find_regions(k, v);
	if (!k->nr_regions)
		return 0;
	sweep_known_hold(k->known);
	for (size_t i = 0; i < k->nr_regions; i++)
		find_in(k, v, k->regions[i]);
	try_one(k);
	if (!k->nr_matches)
		sweep_known_let_go(k->known);
	return k->nr_matches;
}

const struct span *sweep_copies_take(struct sweep_copies *k,
				     const struct odb_version *v,
				     struct scan_trace *trace, size_t *nr)
{
	const struct scan_trace *base = v->base;
	struct cursor c = { 0, 0 };
	struct span all = { 0, v->len };
	size_t nr_matches = 0;

	k->nr_fresh = k->nr_matches = k->nr_regions = 0;
	/* where nothing is known of the base, all is looked at anew */
	if (k->known && v->type == ODB_BLOB && v->len < UINT32_MAX &&
	    !(base && base->whole))
		nr_matches = find_all(k, v);
	for (size_t i = 0; i < nr_matches; i++) {
		all.end = k->matches[i].at.start;
		take_between(k, v, all, &c, trace);
		take_match(k, &k->matches[i], trace);
		all.start = k->matches[i].at.end;
	}
	if (nr_matches)
		sweep_known_let_go(k->known);
	all.end = v->len;
	take_between(k, v, all, &c, trace);
	*nr = k->nr_fresh;
	return k->fresh;
}

/* Bytes of the regions that no match has. */
static size_t count_left(const struct sweep_copies *k)
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

void sweep_copies_keep(const struct sweep_copies *k,
		       const struct odb_version *v,
		       const struct scan_trace *trace)
{
	/* what holds for all of a text says nothing of its parts */
	if (!k->nr_regions || trace->whole || trace->far)
		return;
	if (count_left(k) >= larger(LEFT_LEAST, v->len / LEFT_PART))
		sweep_known_put(k->known, v, trace);
}
