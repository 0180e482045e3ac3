/*
 * Go's RE2 matches characters where our PCRE2 matches bytes. Takes a regex
 * that rules_shape has taken, gives one in which each atom that could mean a
 * character of several bytes says so in bytes; what cannot be said is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "rules-internal.h"
#include "text.h"

/*
 * One character of several bytes, RFC 3629. Go takes a byte that is none for
 * a character, and so does the alternative that follows it.
 */
#define WIDE_CHARACTER "(?:[\\xc2-\\xf4][\\x80-\\xbf]{1,3}|"
#define CODE_MAX 0x10ffff
#define COUNT_MAX 16

struct runes {
	const char *p;
	struct buf *out;
	const char *why;
};

static int fail(struct runes *r, const char *why)
{
	r->why = why;
	return -1;
}

/*
 * Is the quantifier at p (or none) a bounded number, and small? "{n,}" needs
 * nothing: as many characters are at least as many bytes. Counts above the
 * bound stay counts of bytes: PCRE2 has no room for more.
 */
static int is_few(const char *p)
{
	const char *q;

	if (*p == '*' || *p == '+')
		return 0;
	if (*p != '{')
		return 1;
	q = p + 1 + strspn(p + 1, "0123456789");
	if (q == p + 1)
		return 1; /* a brace that repeats nothing is text */
	if (*q == ',')
		p = q;
	return p[1] != '}' && strtoul(p + 1, NULL, 10) <= COUNT_MAX;
}

/* "[:alpha:]" within a class: its length, or 0. */
static size_t posix_name(const char *p)
{
	const char *end = strncmp(p, "[:", 2) ? NULL : strstr(p + 2, ":]");

	return end ? (size_t)(end + 2 - p) : 0;
}

/* Past a class, of which p is the bracket. */
static const char *skip_class(const char *p)
{
	p += 1 + (p[1] == '^');
	p += *p == ']';
	while (*p && *p != ']') {
		size_t n = posix_name(p);

		p += n ? n : *p == '\\' && p[1] ? 2 : 1;
	}
	return p + !!*p;
}

/* The same for what was just read before p, in each group that it is in. */
static int is_counted(const char *p)
{
	int depth = 0, few = is_few(p);

	while (*p && few) {
		if (*p == '[') {
			p = skip_class(p);
			continue;
		}
		depth += (*p == '(') - (*p == ')');
		if (depth < 0) {
			depth = 0;
			few = is_few(p + 1);
		}
		p += *p == '\\' && p[1] ? 2 : 1;
	}
	return few;
}

/* How many bytes the character at p has; 1 for what is no UTF-8. */
static size_t width(const char *p)
{
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, i;

	for (i = 1; i < n && ((unsigned char)p[i] & 0xc0) == 0x80; i++)
		;
	return i == n ? n : 1;
}

static void add_bytes(struct buf *out, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "\\x%02x", bytes[i]);
}

/* A character beyond ASCII by its number, as the bytes of its UTF-8. */
static void add_code(struct buf *out, unsigned long code)
{
	unsigned char b[4];
	size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, i;

	for (i = n; i-- > 1; code >>= 6)
		b[i] = (unsigned char)(0x80 | (code & 0x3f));
	b[0] = (unsigned char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | code);
	add_bytes(out, b, n);
}

/* After "\x": the number, and past it. Returns 0 or -1. */
static int take_code(struct runes *r, unsigned long *code)
{
	char *end;
	int i;

	*code = 0;
	if (*r->p == '{') {
		*code = strtoul(r->p + 1, &end, 16);
		if (*end != '}' || end == r->p + 1 || *code > CODE_MAX)
			return fail(r, "has a \\x{} that is no character");
		r->p = end + 1;
		return 0;
	}
	for (i = 0; i < 2; i++) {
		if (text_hex((unsigned char)*r->p) < 0)
			return fail(r, "has a \\x without two digits");
		*code = *code * 16 +
			(unsigned long)text_hex((unsigned char)*r->p++);
	}
	return 0;
}

/* "\Q...\E" is text. */
static void quoted(struct runes *r)
{
	const char *end = strstr(r->p, "\\E");
	size_t n = end ? (size_t)(end + 2 - r->p) : strlen(r->p);

	buf_adds(r->out, "\\Q");
	buf_add(r->out, r->p, n);
	r->p += n;
}

/*
 * After a backslash. Past ASCII is 1 and *code (a class has to say it in
 * another way), else 0 and it is copied; -1 is an error.
 */
static int escape(struct runes *r, unsigned long *code)
{
	char c = *r->p++;

	*code = 0;
	switch (c) {
	case 'p':
	case 'P':
		return fail(r, "has a \\p: write the characters out");
	case 'v': /* to PCRE2, all vertical white space */
		buf_adds(r->out, "\\x0b");
		return 0;
	case 'x':
		if (take_code(r, code))
			return -1;
		if (*code > 0x7f)
			return 1;
		buf_addf(r->out, "\\x%02lx", *code);
		return 0;
	case 'Q':
		quoted(r);
		return 0;
	default:
		buf_addc(r->out, '\\');
		buf_addc(r->out, c);
		return 0;
	}
}

/* A character of a class that is not ASCII, as an alternative to it. */
static int take_wide(struct runes *r, struct buf *others)
{
	unsigned long code;
	size_t n = width(r->p);

	buf_addc(others, '|');
	if (*r->p == '\\') {
		r->p += 2;
		if (take_code(r, &code))
			return -1;
		add_code(others, code);
	} else {
		add_bytes(others, (const unsigned char *)r->p, n);
		r->p += n;
	}
	if (*r->p == '-' && r->p[1] != ']')
		return fail(r, "has a class with a range beyond ASCII");
	return 0;
}

/* Is the next of a class a character that is not ASCII? */
static int is_wide(const struct runes *r)
{
	struct runes ahead = { .p = r->p + 2 };
	unsigned long code;

	if ((unsigned char)*r->p > 0x7f)
		return 1;
	return r->p[0] == '\\' && r->p[1] == 'x' &&
	       !take_code(&ahead, &code) && code > 0x7f;
}

/* The members of a class, past its "[" and "^"; those beyond ASCII apart. */
static int members(struct runes *r, struct buf *others)
{
	const char *first = r->p;
	unsigned long code;
	size_t n;

	while (*r->p && (*r->p != ']' || r->p == first)) {
		if (*r->p == '-' && r->p > first && r->p[1] != ']') {
			r->p++;
			if (is_wide(r))
				return fail(r, "has a class with a range "
					       "beyond ASCII");
			buf_addc(r->out, '-');
		} else if (is_wide(r)) {
			if (take_wide(r, others))
				return -1;
		} else if (*r->p == '\\') {
			r->p++;
			if (escape(r, &code))
				return -1;
		} else {
			n = posix_name(r->p);
			n = n ? n : 1;
			buf_add(r->out, r->p, n);
			r->p += n;
		}
	}
	buf_addc(r->out, ']');
	r->p += *r->p == ']';
	return 0;
}

static int class(struct runes *r)
{
	struct buf others = BUF_INIT, inner = BUF_INIT, *out = r->out;
	int negated = r->p[1] == '^', result;

	r->p += 1 + negated;
	buf_adds(&inner, negated ? "[^" : "[");
	r->out = &inner;
	result = members(r, &others);
	r->out = out;
	if (!result && negated && others.len)
		result = fail(r, "has a negated class with characters beyond "
				 "ASCII");
	if (!result && negated && is_counted(r->p))
		buf_addf(out, WIDE_CHARACTER "%s)", inner.data);
	else if (!result && !strcmp(inner.data, "[]"))
		buf_addf(out, "(?:%s)", others.data + 1);
	else if (!result && others.len)
		buf_addf(out, "(?:%s%s)", inner.data, others.data);
	else if (!result)
		buf_add(out, inner.data, inner.len);
	buf_clear(&others);
	buf_clear(&inner);
	return result;
}

static int atom(struct runes *r)
{
	unsigned long code;
	size_t n = width(r->p);
	int wide;

	if (*r->p == '[')
		return class(r);
	if (*r->p == '\\' && r->p[1]) {
		r->p++;
		wide = escape(r, &code);
		if (wide > 0) {
			buf_adds(r->out, "(?:");
			add_code(r->out, code);
			buf_addc(r->out, ')');
		}
		return wide < 0 ? -1 : 0;
	}
	if (*r->p == '.' && is_counted(r->p + 1))
		buf_adds(r->out, WIDE_CHARACTER ".)");
	else if (n > 1 && strchr("*+?{", r->p[n]) && r->p[n])
		buf_addf(r->out, "(?:%.*s)", (int)n, r->p);
	else
		buf_add(r->out, r->p, n);
	r->p += n;
	return 0;
}

int rules_runes(const char *regex, struct buf *out, const char **why)
{
	struct runes r = { .p = regex, .out = out };

	buf_add(out, "", 0);
	while (*r.p)
		if (atom(&r)) {
			*why = r.why;
			return -1;
		}
	return 0;
}
