/*
 * Text in, findings out: keywords, then the rules they wake, then what each
 * match must still pass (groups, entropy, allow-lists, what must stand
 * nearby). Takes bytes of any kind; says "could not tell" at every limit.
 */
#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "mem.h"
#include "scan-internal.h"

/* Past so many in one text, what is not looked at could hide the new one. */
#define MAX_FOUND 5000

struct scanner *scan_new(const struct rules *r)
{
	struct scanner *s = mem_zalloc(sizeof(*s));

	s->rules = r;
	s->words = scan_words_new(r);
	s->windows = mem_array(r->nr, sizeof(*s->windows));
	s->regex = scan_regex_new(r->nr_patterns);
	if (!s->regex) {
		log_error("scanner: out of memory");
		scan_free(s);
		return NULL;
	}
	return s;
}

void scan_free(struct scanner *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->rules->nr; i++)
		free(s->windows[i].list);
	free(s->windows);
	scan_words_free(s->words);
	scan_regex_free(s->regex);
	scan_lines_clear(&s->lines);
	free(s->found);
	free(s);
}

static int cannot(struct scanner *s, const char *why)
{
	snprintf(s->why, sizeof(s->why), "%s", why);
	return -1;
}

/*
 * The secret inside the match, as gitleaks finds it: the match is matched
 * again by itself, and the group asked for, or the first that is not empty,
 * is the secret.
 */
static int find_secret(struct scanner *s, const struct rules_rule *rule,
		       struct scan_candidate *c)
{
	const char *text = s->text + c->match.start;
	struct scan_span at, g;
	size_t len = c->match.end - c->match.start;
	int n = scan_regex_find(s->regex, rule->regex, text, len, 0, len, 0,
				&at);

	c->secret = c->match;
	if (n < 1)
		return n;
	if (rule->group) {
		g = scan_regex_group(s->regex, (size_t)rule->group);
		if (g.start == SCAN_NOWHERE)
			g = (struct scan_span){ 0, 0 };
		c->secret.start = c->match.start + g.start;
		c->secret.end = c->match.start + g.end;
		return 0;
	}
	for (size_t i = 1; i < scan_regex_groups(s->regex); i++) {
		g = scan_regex_group(s->regex, i);
		if (g.start == SCAN_NOWHERE || g.start == g.end)
			continue;
		c->secret.start = c->match.start + g.start;
		c->secret.end = c->match.start + g.end;
		break;
	}
	return 0;
}

/* 1 when a global allow-list or one of the rule's excuses it, 0, or -1. */
static int is_allowed(struct scanner *s, const struct rules_rule *rule,
		      const struct scan_candidate *c)
{
	struct scan_span line = { c->line_start,
				  scan_lines_end(&s->lines, c->match.end) };
	int n = 0;

	for (size_t i = 0; i < s->rules->nr_allows && !n; i++)
		if (!s->rules->allows[i]->rules.nr)
			n = scan_allow_found(s->regex, s->rules->allows[i],
					     s->path, s->text, c, line);
	for (size_t i = 0; i < rule->nr_allows && !n; i++)
		n = scan_allow_found(s->regex, rule->allows[i], s->path,
				     s->text, c, line);
	return n < 0 ? cannot(s, scan_regex_why(s->regex)) : n;
}

static int keep(struct scanner *s, const struct scan_candidate *c)
{
	if (s->nr >= MAX_FOUND) {
		snprintf(s->why, sizeof(s->why), "rule '%s': more than %d "
			 "findings in one text", s->rules->list[c->rule].id,
			 MAX_FOUND);
		return -1;
	}
	MEM_GROW(s->found, s->nr, s->alloc);
	s->found[s->nr++] = *c;
	return 0;
}

/* A match: trimmed, its secret found, and kept unless it is excused. */
static int consider(struct scanner *s, const struct rules_rule *rule,
		    struct scan_span match)
{
	struct scan_candidate c = { .match = match,
				    .rule = (size_t)(rule - s->rules->list) };
	int n;

	while (c.match.start < c.match.end && s->text[c.match.start] == '\n')
		c.match.start++;
	while (c.match.end > c.match.start && s->text[c.match.end - 1] == '\n')
		c.match.end--;
	if (find_secret(s, rule, &c))
		return cannot(s, scan_regex_why(s->regex));
	if (rule->entropy > 0 &&
	    scan_entropy(s->text + c.secret.start,
			 c.secret.end - c.secret.start) <= rule->entropy)
		return 0;
	c.line = scan_lines_at(&s->lines, c.match.start, &c.line_start);
	c.column = (unsigned)(c.match.start - c.line_start + 1);
	n = is_allowed(s, rule, &c);
	return n ? (n < 0 ? -1 : 0) : keep(s, &c);
}

/* All matches that start in lo..hi, from *at on; *at moves past them. */
static int search(struct scanner *s, const struct rules_rule *rule, size_t lo,
		  size_t hi, size_t *at)
{
	/* with the keyword at the very start, each place is tried by itself */
	int anchored = rule->before == 0;
	size_t pos = lo > *at ? lo : *at;

	while (pos <= hi) {
		struct scan_span match;
		int n = scan_regex_find(s->regex, rule->regex, s->text, s->len,
					pos, anchored ? pos : hi, anchored,
					&match);

		if (n < 0)
			return cannot(s, scan_regex_why(s->regex));
		if (!n && !anchored)
			break;
		if (!n) {
			pos++;
			continue;
		}
		if (consider(s, rule, match))
			return -1;
		pos = match.end > match.start ? match.end : match.end + 1;
		*at = pos;
	}
	return 0;
}

/* What the path alone decides: 1 go on, 0 nothing to find, or -1. */
static int path_wants(struct scanner *s, const struct rules_rule *rule)
{
	struct scan_span at;
	size_t len = strlen(s->path);
	int n = 1;

	for (size_t i = 0; i < rule->nr_allows && n == 1; i++) {
		n = scan_allow_path(s->regex, rule->allows[i], s->path);
		n = n < 0 ? -1 : !n;
	}
	if (n == 1 && rule->path)
		n = scan_regex_find(s->regex, rule->path, s->path, len, 0, len,
				    0, &at);
	return n < 0 ? cannot(s, scan_regex_why(s->regex)) : n;
}

/* One rule over the text; with everywhere, keywords do not count. */
static int run_rule(struct scanner *s, const struct rules_rule *rule,
		    int everywhere)
{
	const struct scan_windows *ws = &s->windows[rule - s->rules->list];
	size_t at = 0;
	int n;

	if (!everywhere && rule->keywords.nr && !ws->nr && !ws->anywhere)
		return 0;
	n = path_wants(s, rule);
	if (n < 1)
		return n;
	if (!rule->regex) {
		struct scan_candidate c = { .line = 1, .column = 1 };

		c.rule = (size_t)(rule - s->rules->list);
		return keep(s, &c);
	}
	if (rule->before == RULES_ANYWHERE)
		return search(s, rule, 0, s->len, &at);
	for (size_t i = 0; i < ws->nr; i++)
		if (search(s, rule, ws->list[i].lo, ws->list[i].hi, &at))
			return -1;
	return 0;
}

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

/* Drop those from first on that have no match of the required rule near. */
static int require(struct scanner *s, const struct rules_required *q,
		   size_t first)
{
	size_t end = s->nr;

	if (run_rule(s, &s->rules->list[q->rule], 1))
		return -1;
	for (size_t i = first; i < end; i++) {
		size_t k = end;

		while (k < s->nr && !is_near(&s->found[i], &s->found[k], q))
			k++;
		if (k == s->nr)
			s->found[i].dropped = 1;
	}
	s->nr = end;
	return 0;
}

static int run_reported(struct scanner *s, const struct rules_rule *rule)
{
	size_t first = s->nr;

	if (rule->skip_report)
		return 0;
	if (run_rule(s, rule, 0))
		return -1;
	for (size_t i = 0; i < rule->nr_required && s->nr > first; i++)
		if (require(s, &rule->required[i], first))
			return -1;
	return 0;
}

static int is_generic(const struct rules_rule *rule)
{
	return strcasestr(rule->id, "generic") != NULL;
}

static int contains(const struct scanner *s, struct scan_span outer,
		    struct scan_span inner)
{
	size_t n = inner.end - inner.start;

	return !n || memmem(s->text + outer.start, outer.end - outer.start,
			    s->text + inner.start, n);
}

/* A generic rule's finding gives way to a particular one's on its line. */
static void drop_generic(struct scanner *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		struct scan_candidate *a = &s->found[i];

		if (!is_generic(&s->rules->list[a->rule]))
			continue;
		for (size_t k = 0; k < s->nr && !a->dropped; k++) {
			const struct scan_candidate *b = &s->found[k];

			if (b->line == a->line && !b->dropped &&
			    b->rule != a->rule &&
			    !is_generic(&s->rules->list[b->rule]) &&
			    contains(s, b->secret, a->secret))
				a->dropped = 1;
		}
	}
}

/* 1 when a global allow-list excuses the path, 0, or -1. */
static int skips_path(struct scanner *s)
{
	for (size_t i = 0; i < s->rules->nr_allows; i++) {
		const struct rules_allow *a = s->rules->allows[i];
		int n = a->rules.nr ? 0 :
			scan_allow_path(s->regex, a, s->path);

		if (n)
			return n < 0 ? cannot(s, scan_regex_why(s->regex)) : 1;
	}
	return 0;
}

static int scan_all(struct scanner *s)
{
	int n = skips_path(s);

	if (n)
		return n < 0 ? -1 : 0;
	scan_words_run(s->words, s->text, s->len, s->windows);
	for (size_t i = 0; i < s->rules->nr; i++)
		if (run_reported(s, &s->rules->list[i]))
			return -1;
	drop_generic(s);
	return 0;
}

static void begin(struct scanner *s, const char *text, size_t len,
		  const char *path)
{
	s->text = text ? text : "";
	s->len = text ? len : 0;
	s->path = path ? path : "";
	s->nr = 0;
	for (size_t i = 0; i < s->rules->nr; i++) {
		s->windows[i].nr = 0;
		s->windows[i].anywhere = 0;
	}
	scan_lines_clear(&s->lines);
	scan_lines_init(&s->lines, s->text, s->len);
}

static int tell(const struct scanner *s, scan_fn *fn, void *arg)
{
	int told = 0;

	for (size_t i = 0; i < s->nr; i++) {
		const struct scan_candidate *c = &s->found[i];
		const struct rules_rule *rule = &s->rules->list[c->rule];
		struct scan_finding f = {
			.rule = rule->id,
			.description = rule->description ?
				       rule->description : "",
			.start = c->match.start, .end = c->match.end,
			.secret_start = c->secret.start,
			.secret_end = c->secret.end,
			.line = c->line, .column = c->column,
		};

		if (c->dropped)
			continue;
		told = 1;
		if (fn)
			fn(arg, &f);
	}
	return told;
}

enum scan_result scan_text(struct scanner *s, const char *text, size_t len,
			   const char *path, scan_fn *fn, void *arg,
			   const char **why)
{
	int known, told;

	begin(s, text, len, path);
	known = !scan_all(s);
	if (!known && why)
		*why = s->why;
	told = tell(s, fn, arg);
	scan_lines_clear(&s->lines);
	s->text = s->path = NULL;
	if (!known)
		return SCAN_UNKNOWN;
	return told ? SCAN_FOUND : SCAN_CLEAN;
}
