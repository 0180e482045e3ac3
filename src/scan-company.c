/*
 * What findings decide about each other: one that must have another nearby,
 * and a generic one that gives way to a particular one. Takes the scanner's
 * candidates, drops some; no text is searched.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "scan-internal.h"

static unsigned apart(unsigned a, unsigned b)
{
	return a > b ? a - b : b - a;
}

static int is_near(const struct scan_candidate *a,
		   const struct scan_candidate *b,
		   const struct rules_required *q)
{
	return (q->lines < 0 || apart(a->line, b->line) <= q->lines) &&
	       (q->columns < 0 || apart(a->column, b->column) <= q->columns);
}

static void forget(struct scan_candidate *c)
{
	if (c->copy)
		mem_wipe(c->copy, c->match.end - c->match.start);
	free(c->copy);
	free(c->encodings);
	c->copy = c->encodings = NULL;
}

/*
 * Those of the other rule, from `others` on, come in order of line: the first
 * that is not above the lines in question is where to look.
 */
static int has_company(const struct scanner *s, const struct scan_candidate *c,
		       const struct rules_required *q, size_t others)
{
	size_t lo = others, hi = s->nr;

	while (q->lines >= 0 && lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->found[mid].line < c->line &&
		    apart(s->found[mid].line, c->line) > q->lines)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < s->nr; lo++) {
		if (is_near(c, &s->found[lo], q))
			return 1;
		if (q->lines >= 0 && s->found[lo].line > c->line &&
		    apart(s->found[lo].line, c->line) > q->lines)
			break;
	}
	return 0;
}

void scan_company_required(struct scanner *s, const struct scan_view *v,
			   const struct rules_required *q, size_t first,
			   size_t others)
{
	for (size_t i = first; i < others; i++) {
		struct scan_candidate *c = &s->found[i];

		if (c->dropped || has_company(s, c, q, others))
			continue;
		c->dropped = 1;
		scan_judge_tell(s, v, c, SCAN_ALONE, NULL);
	}
	while (s->nr > others)
		forget(&s->found[--s->nr]);
}

static int is_generic(const struct scanner *s, const struct scan_candidate *c)
{
	return strcasestr(s->rules->list[c->rule].id, "generic") != NULL;
}

static const char *secret_of(const struct scanner *s,
			     const struct scan_candidate *c)
{
	return c->copy ? c->copy + (c->secret.start - c->match.start) :
	       s->in->text + c->secret.start;
}

static int contains(const struct scanner *s, const struct scan_candidate *outer,
		    const struct scan_candidate *inner)
{
	size_t n = inner->secret.end - inner->secret.start;

	return !n || memmem(secret_of(s, outer),
			    outer->secret.end - outer->secret.start,
			    secret_of(s, inner), n);
}

static int by_line(const void *a, const void *b)
{
	const struct scan_candidate *x = *(struct scan_candidate *const *)a;
	const struct scan_candidate *y = *(struct scan_candidate *const *)b;

	if (x->line != y->line)
		return x->line > y->line ? 1 : -1;
	return (x > y) - (x < y);
}

/* Those of one line: the generic ones against the others. */
static void one_line(struct scanner *s, struct scan_candidate **list, size_t nr)
{
	const struct scan_view v = { .text = s->in->text, .len = s->in->len,
				     .encodings = "" };

	for (size_t i = 0; i < nr; i++) {
		struct scan_candidate *a = list[i];

		if (a->dropped || !is_generic(s, a))
			continue;
		for (size_t k = 0; k < nr && !a->dropped; k++) {
			const struct scan_candidate *b = list[k];

			if (!b->dropped && b->rule != a->rule &&
			    !is_generic(s, b) && contains(s, b, a))
				a->dropped = 1;
		}
		if (a->dropped)
			scan_judge_tell(s, &v, a, SCAN_GENERIC, NULL);
	}
}

void scan_company_generic(struct scanner *s)
{
	struct scan_candidate **list;
	size_t from = 0;

	if (s->nr < 2)
		return;
	list = mem_array(s->nr, sizeof(*list));
	for (size_t i = 0; i < s->nr; i++)
		list[i] = &s->found[i];
	qsort(list, s->nr, sizeof(*list), by_line);
	for (size_t i = 1; i <= s->nr; i++) {
		if (i < s->nr && list[i]->line == list[from]->line)
			continue;
		one_line(s, list + from, i - from);
		from = i;
	}
	free(list);
}
