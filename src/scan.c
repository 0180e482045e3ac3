/*
 * Text in, findings out: words, then the rules they wake, then what each
 * match must still pass, then the same for what is encoded in the text. Takes
 * bytes of any kind; says "could not tell" at every limit.
 */
#include "scan.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"
#include "scan-internal.h"

struct scanner *scan_new(const struct rules *r, unsigned depth)
{
	struct scanner *s = mem_zalloc(sizeof(*s));

	s->rules = r;
	s->depth = depth;
	s->decoders = mem_array((size_t)depth + 1, sizeof(*s->decoders));
	s->stops = mem_array(r->nr_allows + 1, sizeof(struct scan_stop *));
	scan_wake_init(s);
	s->regex = scan_regex_new(r->nr_patterns);
	if (!s->regex) {
		log_error("scanner: out of memory");
		scan_free(s);
		return NULL;
	}
	return s;
}

static void forget_found(struct scanner *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		struct scan_candidate *c = &s->found[i];

		if (c->copy)
			mem_wipe(c->copy, c->match.end - c->match.start);
		free(c->copy);
		free(c->encodings);
	}
	s->nr = 0;
}

void scan_free(struct scanner *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->rules->nr; i++)
		free(s->windows[i].list);
	for (size_t i = 0; i < s->rules->nr_allows; i++)
		scan_stop_free(s->stops[i]);
	for (unsigned i = 0; i < s->depth; i++)
		decode_free(s->decoders[i]);
	forget_found(s);
	scan_packed_clear(&s->packed);
	free(s->windows);
	free(s->touched);
	free(s->always);
	free(s->scope);
	free(s->kinds);
	free(s->news);
	free(s->stops);
	free(s->decoders);
	free(s->hits.list);
	free(s->found);
	scan_regex_free(s->regex);
	scan_lines_clear(&s->lines);
	free(s);
}

void scan_set_deadline(struct scanner *s, int64_t deadline_ms)
{
	s->deadline_ms = deadline_ms;
	s->ticks = 0;
}

void scan_explain(struct scanner *s, scan_event_fn *fn, void *arg)
{
	s->explain = fn;
	s->explain_arg = arg;
}

int scan_minds_path(const struct scanner *s)
{
	for (size_t i = 0; i < s->rules->nr; i++)
		if (!s->rules->list[i].regex)
			return 1;
	return 0;
}

/* 1 when a global allow-list excuses all of it, 0, or -1. */
static int is_excused(struct scanner *s)
{
	for (size_t i = 0; i < s->rules->nr_allows; i++) {
		const struct rules_allow *a = s->rules->allows[i];
		int n = a->rules.nr ? 0 : scan_allow_input(s, a);

		if (n < 0)
			return scan_cannot(s, scan_regex_why(s->regex));
		if (n)
			return 1;
	}
	return 0;
}

int scan_minds(struct scanner *s, const struct scan_who *who, const char *path,
	       const char *commit)
{
	const struct scan_input in = { .path = path, .commit = commit };
	int minds = who->any;

	if (minds)
		return 1;
	s->in = &in;
	if (is_excused(s) != 1)
		for (size_t i = 0; i < who->nr && !minds; i++)
			minds = scan_rule_minds(s, who->rules[i]);
	s->in = NULL;
	return minds;
}

static int scan_all(struct scanner *s, const struct scan_view *v)
{
	const struct span all = { 0, v->len };
	int n = is_excused(s);

	if (n)
		return n < 0 ? -1 : 0;
	scan_wake_begin(s);
	if (scan_wake(s, v) || scan_rule_all(s, v) ||
	    scan_pieces(s, v, &all, 1))
		return -1;
	scan_company_generic(s);
	return 0;
}

static int by_rule(const void *a, const void *b)
{
	const struct scan_candidate *x = a, *y = b;

	if (x->rule != y->rule)
		return x->rule > y->rule ? 1 : -1;
	if (x->place.start != y->place.start)
		return x->place.start > y->place.start ? 1 : -1;
	return (x->match.start > y->match.start) -
	       (x->match.start < y->match.start);
}

static int tell(struct scanner *s, const struct scan_view *v, scan_fn *fn,
		void *arg)
{
	int told = 0;

	if (s->nr > 1)
		qsort(s->found, s->nr, sizeof(*s->found), by_rule);
	for (size_t i = 0; i < s->nr; i++) {
		const struct scan_candidate *c = &s->found[i];
		struct scan_finding f;

		if (c->dropped)
			continue;
		told = 1;
		scan_judge_tell(s, v, c, SCAN_KEPT, NULL);
		if (!fn)
			continue;
		scan_judge_fill(s, v->text, c, &f);
		fn(arg, &f);
	}
	return told;
}

enum scan_result scan_text(struct scanner *s, const struct scan_input *in,
			   scan_fn *fn, void *arg, const char **why)
{
	const struct scan_view v = { .text = in->text ? in->text : "",
				     .len = in->text ? in->len : 0,
				     .encodings = "" };
	int known, told;

	s->in = in;
	scan_packed_clear(&s->packed);
	scan_lines_init(&s->lines, v.text, v.len);
	known = !scan_all(s, &v);
	if (!known && why)
		*why = s->why;
	told = tell(s, &v, fn, arg);
	forget_found(s);
	scan_lines_clear(&s->lines);
	s->in = NULL;
	if (!known)
		return SCAN_UNKNOWN;
	return told ? SCAN_FOUND : SCAN_CLEAN;
}
