/*
 * What a regex says about itself, read without compiling it: whether Go's RE2
 * has its syntax, and how far from a match's start a keyword must lie. Takes
 * the regex's text; knows only widths and literals, never matches.
 */
#include <string.h>

#include "rules-internal.h"

#define WIDE SIZE_MAX
#define MAX_DEPTH 200   /* of groups; a bound on recursion */
#define MAX_REPEAT 1000 /* as in Go's regexp/syntax */

struct shape {
	size_t max;    /* widest match in bytes, WIDE: no bound */
	size_t before; /* struct rules_rule */
	int literal;   /* one byte that is always this, lower-cased, or -1 */
};

/* Literal bytes in a row, and the width of what stands before them. */
struct run {
	char text[128];
	size_t len, before;
};

struct reader {
	const char *p;
	const struct rules_words *keywords;
	const char *why;
	int depth;
};

static size_t add(size_t a, size_t b)
{
	return a > WIDE - b ? WIDE : a + b;
}

static size_t times(size_t a, size_t b)
{
	return a && b > WIDE / a ? WIDE : a * b;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

static int fail(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return -1;
}

static struct shape byte_shape(int literal)
{
	return (struct shape){ 1, RULES_ANYWHERE, lower(literal) };
}

/* The run ends: does it hold a keyword? Returns the distance to it. */
static size_t end_run(const struct reader *r, struct run *run)
{
	size_t best = RULES_ANYWHERE;

	run->text[run->len] = '\0';
	for (size_t i = 0; i < r->keywords->nr; i++) {
		const char *at = strstr(run->text, r->keywords->list[i]);

		if (at)
			best = least(best, add(run->before,
					       (size_t)(at - run->text)));
	}
	run->len = 0;
	return best;
}

/* After "\x": two digits, or any in braces; never taken for a literal. */
static void hex_escape(struct reader *r)
{
	size_t n = strspn(r->p, "0123456789abcdefABCDEF");
	const char *end = *r->p == '{' ? strchr(r->p, '}') : NULL;

	r->p = end ? end + 1 : r->p + least(n, 2);
}

/* After a backslash, in a class or out of it. */
static int escape(struct reader *r, struct shape *out, int in_class)
{
	static const char from[] = "antfrv", to[] = "\a\n\t\f\r\v";
	int c = (unsigned char)*r->p;
	const char *at;

	*out = byte_shape(-1);
	if (!c)
		return fail(r, "ends in a backslash");
	r->p++;
	if (strchr("dDwWsS", c))
		return 0;
	if (!in_class && strchr("bBAz", c)) {
		out->max = 0;
		return 0;
	}
	if (c == 'p' || c == 'P') {
		const char *end = *r->p == '{' ? strchr(r->p, '}') : r->p;

		if (!end || !*r->p)
			return fail(r, "has a \\p that does not end");
		r->p = end + 1;
		return 0;
	}
	if (c == 'x') {
		hex_escape(r);
		return 0;
	}
	if (c == '0') {
		for (int i = 0; i < 2 && *r->p >= '0' && *r->p <= '7'; i++)
			r->p++;
		return 0;
	}
	at = strchr(from, c);
	if (at)
		out->literal = (unsigned char)to[at - from];
	else if ((c >= '1' && c <= '9') || c == 'k' || c == 'g')
		return fail(r, "has a back-reference, which RE2 does not know");
	else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return fail(r, "has an escape that RE2 does not know");
	else
		out->literal = c < 0x80 ? c : -1;
	return 0;
}

/* "[:alpha:]" inside a class. */
static int posix_class(struct reader *r)
{
	const char *end;

	if (r->p[0] != '[' || r->p[1] != ':')
		return 0;
	end = strstr(r->p + 2, ":]");
	if (!end)
		return 0;
	r->p = end + 2;
	return 1;
}

/* After "[". A class of one letter in both cases counts as that letter. */
static int class(struct reader *r, struct shape *out)
{
	int first = 1, same = 1, literal = -1;

	*out = byte_shape(-1);
	if (*r->p == '^') {
		same = 0;
		r->p++;
	}
	for (; first || *r->p != ']'; first = 0) {
		struct shape one = byte_shape((unsigned char)*r->p);

		if (!*r->p)
			return fail(r, "has a class that does not end");
		if (posix_class(r)) {
			one.literal = -1;
		} else if (*r->p++ == '\\') {
			if (*r->p == 'Q')
				return fail(r, "has \\Q in a class");
			if (escape(r, &one, 1))
				return -1;
		}
		/* "a-a" needs no case of its own: '-' differs from 'a' */
		if (one.literal < 0 || (!first && one.literal != literal))
			same = 0;
		literal = one.literal;
	}
	r->p++;
	out->literal = same ? literal : -1;
	return 0;
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
	}
	if (alone) {
		*out = (struct shape){ 0, RULES_ANYWHERE, -1 };
		return 0;
	}
	if (++r->depth > MAX_DEPTH)
		return fail(r, "is nested too deeply");
	if (alternatives(r, out))
		return -1;
	r->depth--;
	out->literal = -1;
	if (*r->p != ')')
		return fail(r, "has a group that does not end");
	r->p++;
	return 0;
}

/* One item without what repeats it. */
static int atom(struct reader *r, struct shape *out)
{
	int c = (unsigned char)*r->p++;

	switch (c) {
	case '\\':
		return escape(r, out, 0);
	case '[':
		return class(r, out);
	case '(':
		return group(r, out);
	case '*':
	case '+':
	case '?':
		return fail(r, "repeats nothing");
	case '.':
		*out = byte_shape(-1);
		return 0;
	case '^':
	case '$':
		*out = (struct shape){ 0, RULES_ANYWHERE, -1 };
		return 0;
	default:
		*out = byte_shape(c < 0x80 ? c : -1);
		return 0;
	}
}

static size_t decimal(const char **p)
{
	size_t n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		n = least(n * 10 + (size_t)(**p - '0'), 100000);
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
		*max = *p == '}' ? WIDE : decimal(&p);
	}
	return *p == '}' ? (size_t)(p + 1 - s) : 0;
}

/* How often the item before may stand; 1 when anything was said. */
static int repeat(struct reader *r, size_t *min, size_t *max)
{
	size_t n;

	if (*r->p == '*' || *r->p == '+' || *r->p == '?') {
		*min = *r->p == '+';
		*max = *r->p == '?' ? 1 : WIDE;
		r->p++;
	} else if ((n = braces(r->p, min, max))) {
		r->p += n;
		if (*min > MAX_REPEAT || (*max != WIDE && *max > MAX_REPEAT))
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

/* "\Q...\E": literal text, kept out of runs for simplicity. */
static int quoted(struct reader *r, struct shape *out)
{
	const char *end;

	if (r->p[0] != '\\' || r->p[1] != 'Q')
		return 0;
	r->p += 2;
	end = strstr(r->p, "\\E");
	out->max = end ? (size_t)(end - r->p) : strlen(r->p);
	out->before = RULES_ANYWHERE;
	out->literal = -1;
	r->p += out->max + (end ? 2 : 0);
	return 1;
}

/* Items one after the other, up to "|", ")" or the end. */
static int sequence(struct reader *r, struct shape *out)
{
	struct run run = { .len = 0 };

	*out = (struct shape){ 0, RULES_ANYWHERE, -1 };
	while (*r->p && *r->p != '|' && *r->p != ')') {
		struct shape item = byte_shape(-1);
		size_t min, max;
		int repeated;

		if (!quoted(r, &item) && atom(r, &item))
			return -1;
		repeated = repeat(r, &min, &max);
		if (repeated < 0)
			return -1;
		if (repeated || item.literal <= 0 ||
		    run.len == sizeof(run.text) - 1)
			out->before = least(out->before, end_run(r, &run));
		if (!repeated && item.literal > 0) {
			if (!run.len)
				run.before = out->max;
			run.text[run.len++] = (char)item.literal;
		} else if (min > 0 && item.before != RULES_ANYWHERE) {
			out->before = least(out->before,
					    add(out->max, item.before));
		}
		out->max = add(out->max, times(item.max, max));
	}
	out->before = least(out->before, end_run(r, &run));
	return 0;
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
		/* each alternative must have a keyword of its own */
		if (other.before > out->before)
			out->before = other.before;
		if (other.max > out->max)
			out->max = other.max;
	}
	return 0;
}

int rules_shape(const char *regex, const struct rules_words *keywords,
		size_t *before, const char **why)
{
	struct reader r = { .p = regex, .keywords = keywords };
	struct shape s;

	if (!alternatives(&r, &s) && *r.p)
		fail(&r, "has a ')' too many");
	*why = r.why;
	*before = r.why ? RULES_ANYWHERE : s.before;
	return r.why ? -1 : 0;
}
