/*
 * Which rules have work in a text, and where their matches may start. Takes
 * the words found in it, gives windows for each rule; a window that lacks
 * what every match holds is left out. Runs no regex.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "scan-internal.h"

/* A run is looked for in so many bytes; past them, it may be there. */
#define LOOK_MAX 4096

static enum scan_scope scope_of(const struct rules_rule *rule)
{
	if (!rule->located || !rule->shape.min)
		return SCAN_ANYWHERE;
	return rule->shape.reach <= SCAN_NEAR_MAX ? SCAN_NEAR : SCAN_LONG;
}

static void raise(size_t *to, size_t n)
{
	*to = n > *to ? n : *to;
}

/* What each word of the rules may be for. */
static void find_kinds(struct scanner *s)
{
	const struct rules_index *x = s->rules->index;
	size_t words = rules_index_count(x), nr;

	s->kinds = mem_array(words + 1, sizeof(*s->kinds));
	for (uint32_t i = 0; i < words; i++) {
		const uint32_t *rules = rules_index_rules(x, i, &nr);

		for (size_t k = 0; k < nr; k++)
			s->kinds[i] |=
				(unsigned char)(1U << s->scope[rules[k]]);
	}
}

void scan_wake_init(struct scanner *s)
{
	const struct rules *r = s->rules;

	s->windows = mem_array(r->nr + 1, sizeof(*s->windows));
	s->scope = mem_array(r->nr + 1, sizeof(*s->scope));
	s->touched = mem_array(r->nr + 1, sizeof(*s->touched));
	s->always = mem_array(r->nr + 1, sizeof(*s->always));
	for (size_t i = 0; i < r->nr; i++) {
		const struct rules_rule *rule = &r->list[i];
		enum scan_scope scope = scope_of(rule);

		s->scope[i] = (unsigned char)scope;
		for (size_t k = 0; k < rule->wakes.nr; k++)
			raise(&s->longest, strlen(rule->wakes.list[k]));
		if (!rule->wakes.nr)
			s->always[s->nr_always++] = (uint32_t)i;
		if (scope != SCAN_NEAR)
			continue;
		raise(&s->before, rule->shape.before);
		raise(&s->reach, rule->shape.reach);
	}
	find_kinds(s);
}

/* The windows of a rule, which from now on have work to be undone. */
static struct scan_windows *touch(struct scanner *s, size_t rule)
{
	struct scan_windows *ws = &s->windows[rule];

	if (!ws->touched) {
		ws->touched = 1;
		s->touched[s->nr_touched++] = (uint32_t)rule;
	}
	return ws;
}

void scan_wake_begin(struct scanner *s)
{
	for (size_t i = 0; i < s->nr_touched; i++) {
		struct scan_windows *ws = &s->windows[s->touched[i]];

		ws->nr = 0;
		ws->touched = ws->anywhere = ws->keyword = 0;
		ws->led = (struct span){ 0, 0 };
	}
	s->nr_touched = 0;
	for (size_t i = 0; i < s->nr_always; i++)
		touch(s, s->always[i])->anywhere = 1;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void scan_wake_sort(struct scanner *s)
{
	if (s->nr_touched)
		qsort(s->touched, s->nr_touched, sizeof(*s->touched),
		      by_number);
}

/* Are there n bytes of the set in a row in lo..hi, hi not included? */
static int has_run(const char *text, size_t lo, size_t hi,
		   const struct rules_set *set, size_t n)
{
	while (lo + n <= hi) {
		size_t i = lo + n;

		/* from the far end back: what does not fit rules out all */
		while (i > lo && rules_set_has(set, text[i - 1]))
			i--;
		if (i == lo)
			return 1;
		lo = i;
	}
	return 0;
}

static size_t sum(size_t a, size_t b)
{
	return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

size_t scan_wake_end(const struct rules_rule *rule, size_t len, size_t hi)
{
	size_t end = sum(sum(hi, rule->shape.reach), 1);

	return end < len ? end : len;
}

struct scan_window scan_wake_window(const struct rules_rule *rule,
				    const char *text, size_t at,
				    struct span *led)
{
	struct scan_window w = { at, at, SCAN_NO_WORD };
	size_t most = rule->shape.before < at ? rule->shape.before : at;

	while (at - w.lo < most &&
	       rules_set_has(&rule->shape.lead, text[w.lo - 1])) {
		w.lo--;
		/* where the walk from the word before came by */
		if (most == at && w.lo == led->end && w.lo > led->start)
			w.lo = led->start;
	}
	*led = (struct span){ w.lo, at };
	return w;
}

static int is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '_';
}

static int can_match(const struct rules_rule *rule, const struct scan_view *v,
		     const struct scan_window *w)
{
	const struct rules_shape *shape = &rule->shape;
	size_t end = sum(w->hi, shape->after), run_end;

	if (shape->edge && w->lo && w->lo < v->len &&
	    is_word(v->text[w->lo]) == is_word(v->text[w->lo - 1]))
		return 0;
	if (!shape->run_len)
		return 1;
	/* that many bytes of a match, at most, stand before its run */
	run_end = sum(w->hi, sum(shape->run_before, shape->run_len));
	if (end > run_end)
		end = run_end;
	if (end > v->len)
		end = v->len;
	if (end - w->lo > LOOK_MAX)
		return 1;
	return has_run(v->text, w->lo, end, &shape->run, shape->run_len);
}

/* Windows come nearly in order: join the new one with those it touches. */
static void add_window(struct scan_windows *ws, struct scan_window w)
{
	while (ws->nr && w.lo <= ws->list[ws->nr - 1].hi + 1) {
		const struct scan_window *last = &ws->list[--ws->nr];

		w.lo = w.lo < last->lo ? w.lo : last->lo;
		w.hi = w.hi > last->hi ? w.hi : last->hi;
	}
	MEM_GROW(ws->list, ws->nr, ws->alloc);
	ws->list[ws->nr++] = w;
}

void scan_wake_in(struct scanner *s, const struct scan_view *v, size_t rule,
		  struct scan_window w)
{
	if (can_match(&s->rules->list[rule], v, &w))
		add_window(touch(s, rule), w);
}

void scan_wake_rule(struct scanner *s, const struct scan_view *v, size_t rule,
		    const struct scan_hit *hit)
{
	const struct rules_rule *r = &s->rules->list[rule];
	struct scan_windows *ws = &s->windows[rule];
	struct scan_window w;

	if (!r->located) {
		touch(s, rule)->anywhere = 1;
		return;
	}
	w = scan_wake_window(r, v->text, hit->start, &ws->led);
	w.word = hit->word;
	scan_wake_in(s, v, rule, w);
}

int scan_wake(struct scanner *s, const struct scan_view *v)
{
	size_t at = 0;

	while (at < v->len) {
		at = scan_words_find(s->rules->index, v->text, v->len, at,
				     v->len, &s->hits);
		for (size_t i = 0; i < s->hits.nr; i++) {
			const struct scan_hit *hit = &s->hits.list[i];
			size_t nr;
			const uint32_t *rules = rules_index_rules(
				s->rules->index, hit->word, &nr);

			for (size_t k = 0; k < nr; k++)
				scan_wake_rule(s, v, rules[k], hit);
		}
		if (scan_judge_late(s, 0))
			return -1;
	}
	return 0;
}

/*
 * By the run that every match holds: each maximal run that is long enough
 * lets matches start up to run_before ahead of its last useful byte.
 */
static void by_runs(const struct rules_shape *shape, const struct scan_view *v,
		    struct scan_windows *ws)
{
	size_t n = shape->run_len, at = 0;

	while (at + n <= v->len) {
		size_t from = at + n, to;

		while (from > at && rules_set_has(&shape->run,
						  v->text[from - 1]))
			from--;
		if (from > at) {
			at = from;
			continue;
		}
		to = at + n;
		while (to < v->len && rules_set_has(&shape->run, v->text[to]))
			to++;
		add_window(ws, (struct scan_window){
			at > shape->run_before ? at - shape->run_before : 0,
			to - n, SCAN_NO_WORD });
		at = to;
	}
}

void scan_wake_anywhere(struct scanner *s, const struct scan_view *v,
			size_t rule)
{
	const struct rules_shape *shape = &s->rules->list[rule].shape;
	struct scan_windows *ws = &s->windows[rule];

	ws->nr = 0;
	if (shape->run_len && shape->run_before != RULES_UNBOUND)
		by_runs(shape, v, ws);
	else
		add_window(ws, (struct scan_window){ 0, v->len, SCAN_NO_WORD });
}
