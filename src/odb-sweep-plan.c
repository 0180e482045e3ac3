/*
 * The trees of deltas in a pack: takes its entries' heads, tells for each what
 * is made from it, and where to begin. Inflates nothing. What cannot be read,
 * or is made from itself, is a root of its own that says so.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "odb-sweep-internal.h"

/* Types while they are not known. */
#define UNSETTLED 254
#define IN_WALK 255

#define RADIX_BITS 11
#define RADIX (1U << RADIX_BITS)

struct place {
	size_t offset;
	uint32_t at;
};

/* By one digit of the offset, from `in` to `out`, in which equal ones stay in
 * order. */
static void sort_digit(const struct place *in, struct place *out, uint32_t nr,
		       unsigned shift)
{
	uint32_t starts[RADIX] = { 0 }, i, n, sum = 0;

	for (i = 0; i < nr; i++)
		starts[in[i].offset >> shift & (RADIX - 1)]++;
	for (i = 0; i < RADIX; i++) {
		n = starts[i];
		starts[i] = sum;
		sum += n;
	}
	for (i = 0; i < nr; i++)
		out[starts[in[i].offset >> shift & (RADIX - 1)]++] = in[i];
}

/* Entries in order of offset. What the index has wrong comes last. */
static void order(struct odb_plan *p)
{
	struct place *a = mem_array(p->nr, sizeof(*a));
	struct place *b = mem_array(p->nr, sizeof(*b)), *swap;
	unsigned shift;
	uint32_t i;

	for (i = 0; i < p->nr; i++) {
		a[i].offset = odb_idx_offset(&p->pack->idx, i);
		a[i].at = i;
		if (a[i].offset >= p->pack->end)
			a[i].offset = p->pack->end;
	}
	for (shift = 0; shift < 64 && p->pack->end >> shift;
	     shift += RADIX_BITS) {
		sort_digit(a, b, p->nr, shift);
		swap = a;
		a = b;
		b = swap;
	}
	for (i = 0; i < p->nr; i++) {
		p->offset[i] = a[i].offset;
		p->at[i] = a[i].at;
	}
	free(a);
	free(b);
}

/* The entry at an offset, which is before that of entry i: most are near. */
static uint32_t find_before(const struct odb_plan *p, uint32_t i, size_t offset)
{
	uint32_t step = 1, low, high = i;

	while (step <= i && p->offset[i - step] > offset) {
		high = i - step;
		step *= 2;
	}
	low = step <= i ? i - step : 0;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (p->offset[mid] < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->nr && p->offset[low] == offset ? low : ODB_NOBODY;
}

/* The entry of an id; in *is_far, whether only another place may have it. */
static uint32_t find_id(const struct odb_plan *p, const unsigned char *id,
			int *is_far)
{
	ptrdiff_t at = odb_idx_find(&p->pack->idx, id);
	size_t offset;

	*is_far = at < 0;
	if (at < 0)
		return ODB_NOBODY;
	offset = odb_idx_offset(&p->pack->idx, (uint32_t)at);
	return find_before(p, p->nr, offset);
}

/* Its type, or what it is made from. */
static void look_at(struct odb_plan *p, uint32_t i)
{
	struct odb_entry e;
	int is_far = 0;

	p->base[i] = ODB_NOBODY;
	p->type[i] = ODB_NONE;
	if (odb_pack_entry(p->pack, p->offset[i], &e))
		return;
	if (e.kind < ODB_OFS_DELTA) {
		p->type[i] = (unsigned char)e.kind;
		return;
	}
	if (e.kind == ODB_OFS_DELTA)
		p->base[i] = find_before(p, i, e.base);
	else
		p->base[i] = find_id(p, e.base_id, &is_far);
	if (is_far)
		p->type[i] = ODB_FAR;
	else if (p->base[i] != ODB_NOBODY)
		p->type[i] = UNSETTLED;
}

/* The type of a root is that of all that is made from it. Who comes by
 * himself again has none. */
static void settle(struct odb_plan *p, uint32_t i)
{
	unsigned char type;
	uint32_t at = i;

	while (p->type[at] == UNSETTLED) {
		p->type[at] = IN_WALK;
		at = p->base[at];
	}
	type = p->type[at] == IN_WALK ? ODB_NONE : p->type[at];
	for (at = i; p->type[at] == IN_WALK; at = p->base[at])
		p->type[at] = type;
}

/*
 * How many are made from each, and it itself: everything before its base,
 * wherever they are in the pack, for a delta by id may come before its base.
 * next and roots are not in use yet, and hold who is to be waited for and who
 * is ready.
 */
static uint32_t *weigh(struct odb_plan *p)
{
	uint32_t *weight = mem_array(p->nr, sizeof(*weight));
	uint32_t *left = p->next, *ready = p->roots, nr = 0, i, b;

	memset(left, 0, p->nr * sizeof(*left));
	for (i = 0; i < p->nr; i++)
		if (p->base[i] != ODB_NOBODY)
			left[p->base[i]]++;
	for (i = p->nr; i-- > 0;)
		if (!left[i])
			ready[nr++] = i;
	/* nobody comes by himself again: each becomes ready once */
	for (i = 0; i < nr; i++) {
		weight[ready[i]]++;
		b = p->base[ready[i]];
		if (b == ODB_NOBODY)
			continue;
		weight[b] += weight[ready[i]];
		if (!--left[b])
			ready[nr++] = b;
	}
	return weight;
}

/*
 * Of those made from the same, that which most is made from comes last: its
 * base is then no longer needed, so that no more than the logarithm of all
 * texts are kept at a time.
 */
static void link_children(struct odb_plan *p)
{
	uint32_t *weight = weigh(p), i, b;

	memset(p->child, 0xff, p->nr * sizeof(*p->child));
	memset(p->next, 0xff, p->nr * sizeof(*p->next));
	for (i = p->nr; i-- > 0;) {
		b = p->base[i];
		if (b != ODB_NOBODY && (p->child[b] == ODB_NOBODY ||
					weight[p->child[b]] < weight[i]))
			p->child[b] = i;
	}
	for (i = 0; i < p->nr; i++)
		if (p->child[i] != ODB_NOBODY)
			weight[p->child[i]] = 0;
	for (i = p->nr; i-- > 0;) {
		b = p->base[i];
		if (b == ODB_NOBODY || !weight[i])
			continue;
		p->next[i] = p->child[b];
		p->child[b] = i;
	}
	free(weight);
}

static int is_wanted(const struct odb_plan *p, uint32_t i, unsigned types)
{
	return p->type[i] == ODB_NONE || p->type[i] == ODB_FAR ||
	       (types & 1U << p->type[i]);
}

static void find_roots(struct odb_plan *p, unsigned types)
{
	uint32_t i;

	p->nr_roots = 0;
	for (i = 0; i < p->nr; i++)
		if (p->base[i] == ODB_NOBODY && is_wanted(p, i, types))
			p->roots[p->nr_roots++] = i;
}

void odb_plan_make(struct odb_plan *p, const struct odb_pack *pack,
		   unsigned types)
{
	uint32_t i;

	memset(p, 0, sizeof(*p));
	p->pack = pack;
	p->nr = pack->idx.nr;
	p->offset = mem_array(p->nr, sizeof(*p->offset));
	p->at = mem_array(p->nr, sizeof(*p->at));
	order(p);
	p->base = mem_array(p->nr, sizeof(*p->base));
	p->type = mem_array(p->nr, sizeof(*p->type));
	for (i = 0; i < p->nr; i++)
		look_at(p, i);
	for (i = 0; i < p->nr; i++) {
		settle(p, i);
		if (p->type[i] == ODB_NONE)
			p->base[i] = ODB_NOBODY;
	}
	p->child = mem_array(p->nr, sizeof(*p->child));
	p->next = mem_array(p->nr, sizeof(*p->next));
	p->roots = mem_array(p->nr, sizeof(*p->roots));
	link_children(p);
	find_roots(p, types);
}

void odb_plan_clear(struct odb_plan *p)
{
	free(p->offset);
	free(p->at);
	free(p->base);
	free(p->child);
	free(p->next);
	free(p->type);
	free(p->roots);
	memset(p, 0, sizeof(*p));
}
