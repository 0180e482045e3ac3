/*
 * The words of a version of an object: those that its base had and that were
 * copied whole, and those that are new. Takes the text, what is fresh in it
 * and a trace with the base's marks, gives the trace with the version's. Only
 * what is fresh is searched; what the words wake is not decided here.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "scan-internal.h"

/* Zones so near each other are searched as one: a call has its cost. */
#define JOIN 24

struct news {
	struct scanner *s;
	const struct scan_view *v;
	const struct span *fresh;
	size_t nr, at;
	struct scan_trace *trace;
	size_t nr_marks; /* new ones, in s->news */
};

static size_t end_of(const struct scanner *s, size_t at, uint32_t word)
{
	size_t len;

	rules_index_word(s->rules->index, word, &len);
	return at + len;
}

/*
 * Does a word that is at start..end have fresh bytes in it, or a seam? Those
 * asked for come in order: *at is the first span that may matter to them.
 */
static int is_new(const struct span *fresh, size_t nr, size_t *at,
		  size_t start, size_t end)
{
	while (*at < nr && fresh[*at].end <= start)
		++*at;
	return *at < nr && fresh[*at].start < end;
}

/* What wakes rules everywhere is told at once, and the rest is marked. */
static void take(struct news *n, const struct scan_hit *hit)
{
	struct scanner *s = n->s;
	const struct rules_index *x = s->rules->index;
	unsigned kinds = s->kinds[hit->word];
	size_t nr;

	if (!is_new(n->fresh, n->nr, &n->at, hit->start,
		    end_of(s, hit->start, hit->word)))
		return;
	if (kinds & 1U << SCAN_ANYWHERE) {
		const uint32_t *rules = rules_index_rules(x, hit->word, &nr);

		for (size_t i = 0; i < nr; i++)
			if (s->scope[rules[i]] == SCAN_ANYWHERE)
				scan_trace_awake(s, n->trace, rules[i]);
	}
	if (!(kinds & (1U << SCAN_NEAR | 1U << SCAN_LONG)))
		return;
	MEM_GROW(s->news, n->nr_marks, s->alloc_news);
	s->news[n->nr_marks++] = (struct scan_mark){
		(uint32_t)hit->start, hit->word |
		((kinds & 1U << SCAN_LONG) ? SCAN_MARK_LONG : 0) };
}

/* Returns -1 and why, 0, or 1: there are too many to be marked. */
static int search(struct news *n, size_t from, size_t to)
{
	struct scanner *s = n->s;

	while (from < to) {
		from = scan_words_find(s->rules->index, n->v->text, n->v->len,
				       from, to, &s->hits);
		for (size_t i = 0; i < s->hits.nr; i++)
			take(n, &s->hits.list[i]);
		if (n->nr_marks > SCAN_MARKS_MAX)
			return 1;
		if (scan_judge_late(s, 0))
			return -1;
	}
	return 0;
}

/* Wherever a word may have begun that reaches something fresh. */
static int search_all(struct news *n)
{
	size_t back = n->s->longest ? n->s->longest - 1 : 0;
	size_t lo = 0, hi = 0;

	for (size_t i = 0; i < n->nr; i++) {
		const struct span *f = &n->fresh[i];
		size_t from = f->start > back ? f->start - back : 0;

		if (from > hi + JOIN) {
			int ret = search(n, lo, hi);

			if (ret)
				return ret;
			lo = from;
		}
		hi = f->end;
	}
	return search(n, lo, hi);
}

/* Those of the base that were not copied whole; new ones are found anew. */
static void drop_broken(struct news *n)
{
	struct scan_trace *t = n->trace;
	size_t longest = n->s->longest, at = 0, left = 0;

	for (size_t i = 0; i < t->nr_marks; i++) {
		const struct scan_mark m = t->marks[i];

		/* most are far from what is fresh, whichever word it is */
		if (is_new(n->fresh, n->nr, &at, m.at, m.at + longest) &&
		    is_new(n->fresh, n->nr, &at, m.at,
			   end_of(n->s, m.at, m.word & ~SCAN_MARK_LONG)))
			continue;
		if (left < i)
			t->marks[left] = m;
		left++;
	}
	t->nr_marks = left;
}

/* Both in order: one order, from the back, where there is room. */
static void merge(struct news *n)
{
	const struct scan_mark *news = n->s->news;
	struct scan_trace *t = n->trace;
	size_t i = t->nr_marks, k = n->nr_marks, to = i + k;

	scan_trace_reserve(t, to);
	t->nr_marks = to;
	while (k > 0) {
		if (i && t->marks[i - 1].at > news[k - 1].at)
			t->marks[--to] = t->marks[--i];
		else
			t->marks[--to] = news[--k];
	}
}

int scan_marks(struct scanner *s, const struct scan_view *v,
	       const struct span *fresh, size_t nr, struct scan_trace *trace)
{
	struct news n = { s, v, fresh, nr, 0, trace, 0 };
	int ret = search_all(&n);

	if (ret)
		return ret;
	drop_broken(&n);
	if (trace->nr_marks + n.nr_marks > SCAN_MARKS_MAX)
		return 1;
	merge(&n);
	return 0;
}
