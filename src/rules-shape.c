/*
 * What a regex says about itself, read without compiling it: whether Go's RE2
 * has its syntax, how wide a match can be, which words and which run of bytes
 * every match holds. Takes the regex's text; never matches.
 */
#include <string.h>

#include "rules-shape-internal.h"

#define MAX_DEPTH 200   /* of groups; a bound on recursion */
#define MAX_REPEAT 1000 /* as in Go's regexp/syntax */

struct reader {
	const char *p;
	const char *why;
	int depth;
	size_t groups; /* that capture, so far */
	struct shape_arena arena;
	int folds; /* somewhere, case does not count: then, everywhere */
	int any;   /* somewhere, '.' is a newline too */
};

static int fail(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return -1;
}

static int alternatives(struct reader *r, struct shape *out);

/* After "(?": a name, or flags; 1 when the flags stand alone, "(?i)". */
static int group_head(struct reader *r)
{
	const char *end;

	if (*r->p == ':') {
		r->p++;
		return 0;
	}
	if (r->p[0] == 'P' && r->p[1] == '<')
		r->p++;
	if (*r->p == '<' && r->p[1] != '=' && r->p[1] != '!') {
		end = strchr(r->p, '>');
		if (!end)
			return fail(r, "has a name that does not end");
		r->p = end + 1;
		r->groups++;
		return 0;
	}
	end = r->p + strspn(r->p, "imsU-");
	if (end > r->p && (*end == ')' || *end == ':')) {
		r->p = end + 1;
		return *end == ')';
	}
	return fail(r, "has a group that RE2 does not know (look-around, "
		    "atomic, conditional, recursion)");
}

/* After "(". */
static int group(struct reader *r, struct shape *out)
{
	int alone = 0;

	if (*r->p == '*')
		return fail(r, "has a verb, which RE2 does not know");
	if (*r->p == '?') {
		r->p++;
		alone = group_head(r);
		if (alone < 0)
			return -1;
	} else {
		r->groups++;
	}
	if (alone) {
		shape_nothing(out);
		return 0;
	}
	if (++r->depth > MAX_DEPTH)
		return fail(r, "is nested too deeply");
	if (alternatives(r, out))
		return -1;
	r->depth--;
	if (*r->p != ')')
		return fail(r, "has a group that does not end");
	r->p++;
	return 0;
}

/* One item that has no parts: 0 and the bytes that it can be, as below. */
static int set_of(struct reader *r, int c, struct rules_set *set)
{
	switch (c) {
	case '\\':
		return shape_escape(&r->p, 0, set, &r->why);
	case '[':
		return shape_class(&r->p, set, &r->why);
	case '*':
	case '+':
	case '?':
		return fail(r, "repeats nothing");
	case '^':
	case '$':
		return 1;
	case '.':
		shape_set_invert(set);
		if (!r->any)
			set->bits[0] &= ~((uint64_t)1 << '\n');
		return 0;
	default:
		shape_set_add(set, c);
		return 0;
	}
}

/* One item without what repeats it. */
static int atom(struct reader *r, struct shape *out)
{
	int c = (unsigned char)*r->p++, kind;
	struct rules_set set = { { 0 } };

	if (c == '(')
		return group(r, out);
	kind = set_of(r, c, &set);
	if (kind < 0)
		return -1;
	if (r->folds)
		shape_set_fold(&set);
	if (kind)
		shape_nothing(out);
	else
		shape_byte(&r->arena, &set, out);
	out->edge = kind == 2;
	return 0;
}

static size_t decimal(const char **p)
{
	size_t n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		n = n < 100000 ? n * 10 + (size_t)(**p - '0') : n;
	return n;
}

/* "{n}", "{n,}", "{n,m}" at s: its length, or 0 when it is literal text. */
static size_t braces(const char *s, size_t *min, size_t *max)
{
	const char *p = s + 1;

	if (*s != '{' || *p < '0' || *p > '9')
		return 0;
	*max = *min = decimal(&p);
	if (*p == ',') {
		p++;
		*max = *p == '}' ? RULES_UNBOUND : decimal(&p);
	}
	return *p == '}' ? (size_t)(p + 1 - s) : 0;
}

/* How often the item before may stand; 1 when anything was said. */
static int repeat(struct reader *r, size_t *min, size_t *max)
{
	size_t n;

	if (*r->p == '*' || *r->p == '+' || *r->p == '?') {
		*min = *r->p == '+';
		*max = *r->p == '?' ? 1 : RULES_UNBOUND;
		r->p++;
	} else if ((n = braces(r->p, min, max))) {
		r->p += n;
		if (*min > MAX_REPEAT ||
		    (*max != RULES_UNBOUND && *max > MAX_REPEAT))
			return fail(r, "repeats more than 1000 times, which "
				    "RE2 refuses");
	} else {
		*min = *max = 1;
		return 0;
	}
	if (*r->p == '?')
		r->p++;
	if (*r->p == '+' || *r->p == '*' || *r->p == '?')
		return fail(r, "has a possessive or double repeat, which RE2 "
			    "does not know");
	return 1;
}

/* "\Q...\E": literal text. 1 when it was. */
static int quoted(struct reader *r, struct shape_row *row)
{
	struct shape byte;

	if (r->p[0] != '\\' || r->p[1] != 'Q')
		return 0;
	for (r->p += 2; *r->p && strncmp(r->p, "\\E", 2) != 0; r->p++) {
		struct rules_set set = { { 0 } };

		shape_set_add(&set, (unsigned char)*r->p);
		shape_set_fold(&set);
		shape_byte(&r->arena, &set, &byte);
		/* what repeats the last one would repeat it alone */
		if (!strncmp(r->p + 1, "\\E", 2) && r->p[3] &&
		    strchr("*+?{", r->p[3]))
			shape_repeat(&r->arena, &byte, 0, RULES_UNBOUND);
		shape_row_add(row, &byte);
	}
	if (*r->p)
		r->p += 2;
	return 1;
}

/* An item and what repeats it. */
static int item(struct reader *r, struct shape *out)
{
	size_t min, max;
	int repeated;

	if (atom(r, out))
		return -1;
	repeated = repeat(r, &min, &max);
	if (repeated > 0)
		shape_repeat(&r->arena, out, min, max);
	return repeated < 0 ? -1 : 0;
}

/* Items one after the other, up to "|", ")" or the end. */
static int sequence(struct reader *r, struct shape *out)
{
	struct shape_row row;
	int result = 0;

	shape_row_begin(&row, &r->arena);
	while (!result && *r->p && *r->p != '|' && *r->p != ')') {
		struct shape one;
		size_t min, max;

		if (quoted(r, &row)) {
			result = repeat(r, &min, &max) < 0 ? -1 : 0;
			continue;
		}
		result = item(r, &one);
		if (!result)
			shape_row_add(&row, &one);
	}
	shape_row_end(&row, out);
	return result;
}

static int alternatives(struct reader *r, struct shape *out)
{
	if (sequence(r, out))
		return -1;
	while (*r->p == '|') {
		struct shape other;

		r->p++;
		if (sequence(r, &other))
			return -1;
		shape_either(&r->arena, out, &other);
	}
	return 0;
}

/* Is a flag set anywhere? A parenthesis that is text may say so in vain. */
static int has_flag(const char *regex, char flag)
{
	for (const char *p = strstr(regex, "(?"); p; p = strstr(p, "(?")) {
		p += 2;
		if (memchr(p, flag, strspn(p, "imsU-")))
			return 1;
	}
	return 0;
}

static void tell(const struct shape *s, struct rules_shape *out,
		 struct rules_words *words)
{
	out->min = s->min;
	/* "\b" and "$" look at one byte more */
	out->reach = shape_add(s->max, 1);
	out->lines = s->lines;
	out->run = s->run.set;
	out->run_len = s->run.len;
	out->run_before = s->run.before;
	out->before = s->choice.before;
	out->after = shape_add(s->choice.after, 1);
	out->lead = s->choice.lead;
	out->edge = s->edge && !out->before;
	for (size_t i = 0; words && s->choice.words && i < s->choice.words->nr;
	     i++)
		rules_words_add(words, s->choice.words->list[i].text,
				s->choice.words->list[i].len);
}

int rules_shape(const char *regex, struct rules_shape *out,
		struct rules_words *words, const char **why)
{
	struct reader r = { .p = regex };
	struct shape s;

	*out = (struct rules_shape){ 0 };
	r.folds = has_flag(regex, 'i');
	r.any = has_flag(regex, 's');
	if (!alternatives(&r, &s) && *r.p)
		fail(&r, "has a ')' too many");
	*why = r.why;
	if (!r.why)
		tell(&s, out, words);
	out->groups = r.groups;
	shape_arena_clear(&r.arena);
	return r.why ? -1 : 0;
}
