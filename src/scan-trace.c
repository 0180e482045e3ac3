/*
 * What a probe learned of a version, carried over to those that are made from
 * it by copying. Takes spans and places, gives them moved; knows no text.
 */
#include <stdlib.h>

#include "mem.h"
#include "scan-internal.h"

/* Past so many, all of the version is looked at anew each time. */
#define HOT_MAX 1024

static size_t far_words(const struct scanner *s)
{
	return (s->rules->nr + 63) / 64;
}

void scan_trace_clear(struct scan_trace *t)
{
	free(t->hot);
	free(t->marks);
	free(t->far);
	*t = (struct scan_trace){ 0 };
}

size_t scan_trace_size(const struct scanner *s, const struct scan_trace *t)
{
	return sizeof(*t) + t->alloc * sizeof(*t->hot) +
	       t->alloc_marks * sizeof(*t->marks) +
	       (t->far ? far_words(s) * sizeof(*t->far) : 0);
}

void scan_trace_heat(struct scan_trace *t, size_t start, size_t end)
{
	size_t lo = t->nr, hi;

	while (lo > 0 && t->hot[lo - 1].end >= start)
		lo--;
	for (hi = lo; hi < t->nr && t->hot[hi].start <= end; hi++) {
		if (t->hot[hi].start < start)
			start = t->hot[hi].start;
		if (t->hot[hi].end > end)
			end = t->hot[hi].end;
	}
	if (lo == hi) {
		MEM_GROW(t->hot, t->nr, t->alloc);
		for (size_t i = t->nr; i > lo; i--)
			t->hot[i] = t->hot[i - 1];
		t->nr++;
	} else {
		for (size_t i = hi; i < t->nr; i++)
			t->hot[lo + 1 + i - hi] = t->hot[i];
		t->nr -= hi - lo - 1;
	}
	t->hot[lo] = (struct span){ start, end };
	if (t->nr < HOT_MAX)
		return;
	t->hot[0].end = t->hot[t->nr - 1].end;
	t->nr = 1;
	t->whole = 1;
}

static void add_rule(struct scan_who *who, size_t rule)
{
	for (size_t i = 0; i < who->nr; i++)
		if (who->rules[i] == rule)
			return;
	if (who->nr == SCAN_WHO_MAX || rule > UINT16_MAX)
		who->any = 1;
	else
		who->rules[who->nr++] = (uint16_t)rule;
}

void scan_who_add(struct scan_who *who, const struct scan_who *more)
{
	who->any |= more->any;
	for (size_t i = 0; i < more->nr; i++)
		add_rule(who, more->rules[i]);
}

void scan_trace_blame(struct scan_trace *t, size_t rule)
{
	add_rule(&t->who, rule);
}

void scan_trace_reserve(struct scan_trace *t, size_t nr)
{
	if (nr <= t->alloc_marks)
		return;
	/* a little more: versions grow */
	t->alloc_marks = nr + nr / 16 + 4;
	t->marks = mem_resize(t->marks, t->alloc_marks, sizeof(*t->marks));
}

void scan_trace_awake(const struct scanner *s, struct scan_trace *t,
		      size_t rule)
{
	if (!t->far)
		t->far = mem_array(far_words(s), sizeof(*t->far));
	t->far[rule / 64] |= (uint64_t)1 << rule % 64;
}

int scan_trace_is_awake(const struct scan_trace *t, size_t rule)
{
	return t->far && (t->far[rule / 64] >> rule % 64 & 1);
}

/* The first hot span that ends past `from`. */
static size_t first_hot(const struct scan_trace *t, size_t from)
{
	size_t lo = 0, hi = t->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->hot[mid].end <= from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * The first mark at `from` or later. Copies come nearly in the order of the
 * base, so it is not far behind `hint`: in ever longer steps, then by halves.
 */
static size_t first_mark(const struct scan_trace *t, size_t hint, size_t from)
{
	size_t lo = hint, hi, step = 1;

	/* it may be of another base */
	if (lo > t->nr_marks || (lo && t->marks[lo - 1].at >= from))
		lo = 0;
	for (hi = lo; hi < t->nr_marks && t->marks[hi].at < from; step *= 2) {
		lo = hi + 1;
		hi = step < t->nr_marks - hi ? hi + step : t->nr_marks;
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->marks[mid].at < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Those that begin in the copy; which of them are whole, scan_marks sees. */
static void copy_marks(const struct scan_trace *base, size_t from, size_t at,
		       size_t len, struct scan_trace *to)
{
	size_t first = first_mark(base, to->past, from);
	size_t nr = first_mark(base, first, from + len) - first, all;
	const struct scan_mark *in;
	uint32_t move = (uint32_t)at - (uint32_t)from;
	struct scan_mark *out;

	to->past = first + nr;
	if (!nr)
		return;
	in = base->marks + first;
	all = to->nr_marks + nr;
	if (all > SCAN_MARKS_MAX) {
		to->whole = 1;
		return;
	}
	if (all > to->alloc_marks)
		scan_trace_reserve(to, all > base->nr_marks ? all :
				   base->nr_marks);
	out = to->marks + to->nr_marks;
	for (size_t i = 0; i < nr; i++) {
		out[i].at = in[i].at + move;
		out[i].word = in[i].word;
	}
	to->nr_marks = all;
}

static void copy_far(const struct scanner *s, const struct scan_trace *base,
		     struct scan_trace *to)
{
	if (!to->far)
		to->far = mem_array(far_words(s), sizeof(*to->far));
	for (size_t i = 0; i < far_words(s); i++)
		to->far[i] |= base->far[i];
}

void scan_trace_copy(const struct scanner *s, const struct scan_trace *base,
		     size_t from, size_t at, size_t len,
		     struct scan_trace *to)
{
	to->whole |= base->whole;
	if (to->whole)
		return;
	if (base->far)
		copy_far(s, base, to);
	for (size_t i = first_hot(base, from);
	     i < base->nr && base->hot[i].start < from + len; i++) {
		const struct span *h = &base->hot[i];
		size_t start = h->start > from ? h->start - from : 0;
		size_t end = h->end - from < len ? h->end - from : len;

		scan_trace_heat(to, at + start, at + end);
		scan_who_add(&to->who, &base->who);
	}
	copy_marks(base, from, at, len, to);
}
