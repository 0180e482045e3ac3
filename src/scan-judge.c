/*
 * What a match must still pass: its secret, entropy, allow-lists. Takes a
 * match, gives a candidate or why it is none; the order is gitleaks'.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "scan-internal.h"

/* Matches between two looks at the clock; each has its own limits. */
#define TICKS 32

int scan_cannot(struct scanner *s, const char *why)
{
	if (why != s->why)
		snprintf(s->why, sizeof(s->why), "%s", why);
	return -1;
}

int scan_judge_late(struct scanner *s, size_t rule)
{
	if (!s->deadline_ms || s->ticks-- > 0)
		return 0;
	s->ticks = TICKS;
	if (clock_ms() < s->deadline_ms)
		return 0;
	snprintf(s->why, sizeof(s->why),
		 "the time for scanning ran out (rule '%s')",
		 rule < s->rules->nr ? s->rules->list[rule].id : "");
	s->ticks = 0;
	return -1;
}

/*
 * The secret inside the match, as gitleaks finds it: the match is matched
 * again by itself, and the group asked for, or the first that is not empty,
 * is the secret; else, all of it.
 */
static int find_secret(struct scanner *s, const struct scan_view *v,
		       const struct rules_rule *rule, struct scan_candidate *c)
{
	const char *text = v->text + c->match.start;
	size_t len = c->match.end - c->match.start;
	struct span at, g;
	int n = scan_regex_find(s->regex, rule->regex, text, len, 0, len, &at);

	c->secret = c->match;
	if (n < 1)
		return n;
	if (rule->group) {
		g = scan_regex_group(s->regex, (size_t)rule->group);
		/* the empty text would be one secret for all of them */
		if (g.start == SCAN_NOWHERE || g.start == g.end)
			return 0;
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

void scan_judge_fill(struct scanner *s, const char *text,
		     const struct scan_candidate *c, struct scan_finding *f)
{
	const struct rules_rule *rule = &s->rules->list[c->rule];
	const char *match = c->copy ? c->copy : text + c->match.start;
	size_t line, last = c->place.end > c->place.start ?
			    c->place.end - 1 : c->place.start;

	*f = (struct scan_finding){
		.rule = rule->id,
		.description = rule->description ? rule->description : "",
		.start = c->place.start, .end = c->place.end,
		.match = match,
		.match_len = c->match.end - c->match.start,
		.secret = match + (c->secret.start - c->match.start),
		.secret_len = c->secret.end - c->secret.start,
		.entropy = c->entropy,
		.encodings = c->encodings ? c->encodings : "",
	};
	f->line = scan_lines_at(&s->lines, c->place.start, &line);
	f->column = (unsigned)(c->place.start - line + 1);
	f->end_line = scan_lines_at(&s->lines, last, &line);
	f->end_column = (unsigned)(last - line + 1);
}

void scan_judge_tell(struct scanner *s, const struct scan_view *v,
		     const struct scan_candidate *c, enum scan_verdict verdict,
		     const struct rules_allow *allow)
{
	const struct rules_rule *rule = &s->rules->list[c->rule];
	struct scan_event e = { .verdict = verdict, .keyword = "",
				.wanted_entropy = rule->entropy,
				.allow_file = "", .allow_what = "" };
	size_t len;

	if (!s->explain)
		return;
	if (c->word != SCAN_NO_WORD)
		e.keyword = rules_index_word(s->rules->index, c->word, &len);
	if (allow) {
		e.allow_file = allow->file;
		e.allow_line = allow->line;
		e.allow_what = allow->rules.nr ? "allow-list of the rule" :
			       "allow-list of all rules";
	}
	scan_judge_fill(s, v->text, c, &e.finding);
	if (!*e.finding.encodings)
		e.finding.encodings = v->encodings;
	s->explain(s->explain_arg, &e);
}

/* 1 when a global allow-list or one of the rule's excuses it, 0, or -1. */
static int is_allowed(struct scanner *s, const struct scan_view *v,
		      const struct rules_rule *rule, int probing,
		      const struct scan_candidate *c)
{
	const struct rules_allow *a = NULL;
	int n = 0;

	for (size_t i = 0; i < s->rules->nr_allows && !n; i++) {
		a = s->rules->allows[i];
		if (!a->rules.nr)
			n = scan_allow_found(s, a, v, c, probing);
	}
	for (size_t i = 0; i < rule->nr_allows && !n; i++) {
		a = rule->allows[i];
		n = scan_allow_found(s, a, v, c, probing);
	}
	if (n > 0 && !probing)
		scan_judge_tell(s, v, c, SCAN_ALLOWED, a);
	return n < 0 ? scan_cannot(s, scan_regex_why(s->regex)) : n;
}

/* Does the text have one of the rule's keywords, case aside? */
static int in_text(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);
	int c = (unsigned char)word[0];
	int upper = c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;

	for (int k = 0; k < 1 + (upper != c); k++) {
		const char *p = text, *end = text + len;

		while (p < end &&
		       (p = memchr(p, k ? upper : c, (size_t)(end - p)))) {
			if (n <= (size_t)(end - p) && !strncasecmp(p, word, n))
				return 1;
			p++;
		}
	}
	return 0;
}

/* gitleaks looks for keywords anywhere in the text. */
static int has_keyword(struct scanner *s, const struct scan_view *v,
		       size_t rule)
{
	const struct rules_words *words = &s->rules->list[rule].keywords;
	struct scan_windows *ws = &s->windows[rule];

	for (; v && ws->keyword <= 0; v = v->outer) {
		if (ws->keyword < 0 && !v->piece)
			break; /* of the whole text, it is known */
		for (size_t i = 0; i < words->nr && ws->keyword <= 0; i++)
			if (in_text(v->text, v->len, words->list[i]))
				ws->keyword = 1;
	}
	if (!ws->keyword)
		ws->keyword = -1;
	return ws->keyword > 0;
}

int scan_judge(struct scanner *s, const struct scan_view *v, size_t rule,
	       uint32_t word, struct span match, int probing,
	       struct scan_candidate *c)
{
	const struct rules_rule *r = &s->rules->list[rule];
	int n;

	*c = (struct scan_candidate){ .rule = rule, .word = word,
				      .match = match };
	while (c->match.start < c->match.end &&
	       v->text[c->match.start] == '\n')
		c->match.start++;
	while (c->match.end > c->match.start &&
	       v->text[c->match.end - 1] == '\n')
		c->match.end--;
	c->place = c->match;
	if (v->piece && !scan_piece_touches(v, c->match, &c->place))
		return 0;
	if (find_secret(s, v, r, c))
		return scan_cannot(s, scan_regex_why(s->regex));
	c->entropy = scan_entropy(v->text + c->secret.start,
				  c->secret.end - c->secret.start);
	if (r->entropy > 0 && c->entropy <= r->entropy) {
		if (!probing)
			scan_judge_tell(s, v, c, SCAN_LOW_ENTROPY, NULL);
		return 0;
	}
	n = is_allowed(s, v, r, probing, c);
	if (n)
		return n < 0 ? -1 : 0;
	/* last, since it is rarely asked, and reads all of the text */
	return probing || !r->loose || has_keyword(s, v, rule);
}
