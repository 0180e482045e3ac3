/*
 * Rules at work on one text: path, matches one after the other as gitleaks
 * takes them, and what each must pass. Takes windows, adds candidates to the
 * scanner's list.
 */
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "scan-internal.h"

/* Past so many in one text, what is not looked at could hide the new one. */
#define MAX_FOUND 5000

/* A candidate of a piece takes with it what it needs of it. */
static void keep_copy(const struct scan_view *v, struct scan_candidate *c)
{
	size_t len = c->match.end - c->match.start;

	if (!v->piece)
		return;
	c->copy = mem_array(len + 1, 1);
	memcpy(c->copy, v->text + c->match.start, len);
	c->encodings = mem_strdup(v->encodings);
}

static int keep(struct scanner *s, const struct scan_view *v,
		struct scan_candidate *c)
{
	size_t line;

	if (s->nr >= MAX_FOUND) {
		snprintf(s->why, sizeof(s->why), "rule '%s': more than %d "
			 "findings in one text", s->rules->list[c->rule].id,
			 MAX_FOUND);
		return -1;
	}
	c->line = scan_lines_at(&s->lines, c->place.start, &line);
	c->column = (unsigned)(c->place.start - line + 1);
	keep_copy(v, c);
	MEM_GROW(s->found, s->nr, s->alloc);
	s->found[s->nr++] = *c;
	return 0;
}

/* All matches that start in the window, from *at on; *at moves past them. */
static int search(struct scanner *s, const struct scan_view *v, size_t rule,
		  const struct scan_window *w, size_t *at)
{
	const struct rules_rule *r = &s->rules->list[rule];
	size_t pos = w->lo > *at ? w->lo : *at;

	while (pos <= w->hi) {
		size_t end = scan_wake_end(r, v->len, w->hi);
		struct scan_candidate c;
		struct span match;
		int n;

		if (scan_judge_late(s, rule))
			return -1;
		n = scan_regex_find(s->regex, r->regex, v->text, end, pos,
				    w->hi, &match);
		if (n < 1)
			return n < 0 ? scan_cannot(s, scan_regex_why(s->regex))
				     : 0;
		n = scan_judge(s, v, rule, w->word, match, 0, &c);
		if (n < 0 || (n && keep(s, v, &c)))
			return -1;
		pos = match.end > match.start ? match.end : match.end + 1;
		*at = pos;
	}
	return 0;
}

/* What the path alone decides: 1 go on, 0 nothing to find, or -1. */
static int path_wants(struct scanner *s, const struct scan_view *v,
		      size_t rule)
{
	const struct rules_rule *r = &s->rules->list[rule];
	const char *path = s->in->path ? s->in->path : "";
	struct scan_candidate c = { .rule = rule, .word = SCAN_NO_WORD };
	struct span at;
	size_t len = strlen(path);
	int n = 1;

	for (size_t i = 0; i < r->nr_allows && n == 1; i++) {
		n = scan_allow_input(s, r->allows[i]);
		if (n > 0)
			scan_judge_tell(s, v, &c, SCAN_ALLOWED, r->allows[i]);
		n = n < 0 ? -1 : !n;
	}
	if (n == 1 && r->path) {
		n = scan_regex_find(s->regex, r->path, path, len, 0, len, &at);
		if (!n && r->regex)
			scan_judge_tell(s, v, &c, SCAN_PATH, NULL);
	}
	return n < 0 ? scan_cannot(s, scan_regex_why(s->regex)) : n;
}

int scan_rule_minds(struct scanner *s, size_t rule)
{
	const struct scan_view none = { .text = "", .encodings = "" };

	return !s->rules->list[rule].skip_report &&
	       path_wants(s, &none, rule) != 0;
}

static int run_rule(struct scanner *s, const struct scan_view *v, size_t rule)
{
	const struct rules_rule *r = &s->rules->list[rule];
	struct scan_windows *ws = &s->windows[rule];
	size_t at = 0;
	int n;

	if (!ws->nr && !ws->anywhere)
		return 0;
	/* a piece has the path of what it is of, and so found it already */
	if (!r->regex && v->piece)
		return 0;
	n = path_wants(s, v, rule);
	if (n < 1)
		return n;
	if (!r->regex) {
		struct scan_candidate c = { .rule = rule,
					    .word = SCAN_NO_WORD };

		return keep(s, v, &c);
	}
	if (ws->anywhere)
		scan_wake_anywhere(s, v, rule);
	for (size_t i = 0; i < ws->nr; i++)
		if (search(s, v, rule, &ws->list[i], &at))
			return -1;
	return 0;
}

/* Those of the rules that must match nearby, and what they leave of ours. */
static int require(struct scanner *s, const struct scan_view *v,
		   const struct rules_required *q, size_t first)
{
	struct scan_windows *ws = &s->windows[q->rule];
	int anywhere = ws->anywhere, keyword = ws->keyword;
	scan_event_fn *explain = s->explain;
	size_t others = s->nr;
	int result;

	/* there, keywords do not count */
	ws->keyword = 1;
	ws->anywhere |= !s->rules->list[q->rule].located;
	/* what becomes of it is told where it is run for itself */
	s->explain = NULL;
	result = run_rule(s, v, q->rule);
	s->explain = explain;
	ws->keyword = keyword;
	ws->anywhere = anywhere;
	if (!ws->touched)
		ws->nr = 0;
	if (!result)
		scan_company_required(s, v, q, first, others);
	return result;
}

static int run_reported(struct scanner *s, const struct scan_view *v,
			size_t rule)
{
	const struct rules_rule *r = &s->rules->list[rule];
	size_t first = s->nr;

	if (r->skip_report)
		return 0;
	if (run_rule(s, v, rule))
		return -1;
	for (size_t i = 0; i < r->nr_required && s->nr > first; i++)
		if (require(s, v, &r->required[i], first))
			return -1;
	return 0;
}

int scan_rule_all(struct scanner *s, const struct scan_view *v)
{
	scan_wake_sort(s);
	for (size_t i = 0; i < s->nr_touched; i++)
		if (run_reported(s, v, s->touched[i]))
			return -1;
	return 0;
}
