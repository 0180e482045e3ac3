/*
 * Escapes: %XX of URLs, \uXXXX \u{X} \UXXXXXXXX \xXX \ooo of strings, and
 * &#N; &#xN; &name; of HTML. Those side by side are taken together. They are
 * taken when a character that a rule may look for is among them: ASCII, and
 * no control.
 */
#include <string.h>

#include "decode-internal.h"

/* One escape, read. */
struct escape {
	size_t len;   /* bytes of the text; 0: it is none */
	uint32_t c;   /* code point, or with `raw` a byte */
	int raw;
};

/* A number of min to max digits in base 8, 10 or 16, in p of n bytes. */
static size_t number(const char *p, size_t n, unsigned base, size_t min,
		     size_t max, uint32_t *value)
{
	size_t i;

	*value = 0;
	for (i = 0; i < n && i < max && decode_digit(p[i]) < base; i++)
		*value = *value * base + decode_digit(p[i]);
	return i < min ? 0 : i;
}

/* A character that a text has: no control, no half of a pair. */
static int is_character(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c != 0x7f && (c < 0xd800 || c > 0xdfff) && c <= 0x10ffff;
}

/* Of ASCII, what a URL never needs to escape (RFC 3986, 2.3). */
static int is_unreserved(uint32_t c)
{
	return c < 0x80 && c != '+' && c != '/' &&
	       decode_is((char)c, DECODE_BASE64);
}

static struct escape read_percent(const char *p, size_t n)
{
	struct escape e = { 0 };

	if (number(p + 1, n - 1, 16, 2, 2, &e.c) &&
	    (e.c >= 0x80 || is_character(e.c))) {
		e.len = 3;
		e.raw = 1;
	}
	return e;
}

/* \uD83D\uDE00: one character in two halves (RFC 8259, 7). */
static struct escape second_half(const char *p, size_t n, uint32_t high)
{
	struct escape e = { 0 };
	uint32_t low;

	if (n >= 12 && p[6] == '\\' && p[7] == 'u' &&
	    number(p + 8, n - 8, 16, 4, 4, &low) && low >= 0xdc00 &&
	    low < 0xe000) {
		e.c = 0x10000 + ((high - 0xd800) << 10) + low - 0xdc00;
		e.len = 12;
	}
	return e;
}

static struct escape read_unicode(const char *p, size_t n)
{
	struct escape e = { 0 };

	if (n > 2 && p[2] == '{') {
		size_t used = number(p + 3, n - 3, 16, 1, 6, &e.c);

		if (used && used + 3 < n && p[3 + used] == '}')
			e.len = used + 4;
	} else if (number(p + 2, n - 2, 16, 4, 4, &e.c)) {
		if (e.c >= 0xd800 && e.c < 0xdc00)
			return second_half(p, n, e.c);
		e.len = 6;
	}
	return e;
}

static struct escape read_backslash(const char *p, size_t n)
{
	struct escape e = { 0 };

	if (n < 4)
		return e;
	switch (p[1]) {
	case 'u':
		e = read_unicode(p, n);
		break;
	case 'U':
		if (number(p + 2, n - 2, 16, 8, 8, &e.c))
			e.len = 10;
		break;
	case 'x':
		e.raw = 1;
		if (number(p + 2, n - 2, 16, 2, 2, &e.c))
			e.len = 4;
		break;
	default:
		e.raw = 1;
		if (p[1] <= '3' && number(p + 1, n - 1, 8, 3, 3, &e.c))
			e.len = 4;
	}
	if (!(e.raw && e.c >= 0x80) && !is_character(e.c))
		e.len = 0;
	return e;
}

/* Names of ASCII in HTML (its standard, 13.5). */
static const struct {
	const char *name;
	char c;
} names[] = {
	{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' },
	{ "apos", '\'' }, { "nbsp", ' ' }, { "equals", '=' },
	{ "colon", ':' }, { "sol", '/' }, { "bsol", '\\' }, { "plus", '+' },
	{ "period", '.' }, { "lowbar", '_' }, { "hyphen", '-' },
	{ "dash", '-' }, { "commat", '@' }, { "num", '#' },
	{ "percnt", '%' }, { "dollar", '$' }, { "excl", '!' },
	{ "quest", '?' }, { "semi", ';' }, { "comma", ',' },
	{ "ast", '*' }, { "lpar", '(' }, { "rpar", ')' }, { "lsqb", '[' },
	{ "lbrack", '[' }, { "rsqb", ']' }, { "rbrack", ']' },
	{ "lcub", '{' }, { "lbrace", '{' }, { "rcub", '}' },
	{ "rbrace", '}' }, { "verbar", '|' }, { "vert", '|' },
	{ "grave", '`' }, { "Hat", '^' }, { "Tab", '\t' },
	{ "NewLine", '\n' },
};

static struct escape read_name(const char *p, size_t n)
{
	struct escape e = { 0 };
	size_t used = 1;

	while (used < n && used < 9 &&
	       ((p[used] >= 'a' && p[used] <= 'z') ||
		(p[used] >= 'A' && p[used] <= 'Z')))
		used++;
	if (used < 3 || used >= n || p[used] != ';')
		return e;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i].name) == used - 1 &&
		    !memcmp(names[i].name, p + 1, used - 1)) {
			e.c = (uint32_t)names[i].c;
			e.len = used + 1;
			break;
		}
	}
	return e;
}

static struct escape read_entity(const char *p, size_t n)
{
	struct escape e = { 0 };
	size_t used, at = 2;

	if (n < 4)
		return e;
	if (p[1] != '#')
		return read_name(p, n);
	if (p[2] == 'x' || p[2] == 'X') {
		at = 3;
		used = number(p + 3, n - 3, 16, 1, 6, &e.c);
	} else {
		used = number(p + 2, n - 2, 10, 1, 7, &e.c);
	}
	if (used && at + used < n && p[at + used] == ';' && is_character(e.c))
		e.len = at + used + 1;
	return e;
}

static struct escape read_escape(const char *p, size_t n)
{
	switch (*p) {
	case '%':
		return read_percent(p, n);
	case '\\':
		return read_backslash(p, n);
	default:
		return read_entity(p, n);
	}
}

static const char *encoding_of(const char *p)
{
	if (*p == '%')
		return "percent";
	if (*p == '&')
		return "html";
	return p[1] == 'u' || p[1] == 'U' ? "unicode" : "escape";
}

/*
 * One escape alone that is more often a format for printing: of a letter or
 * digit that stands beside no other, or %3d, %5d that begin a word.
 */
static int is_format(const char *text, size_t len, size_t at, uint32_t c)
{
	int before = at && decode_is(text[at - 1], DECODE_BASE64);
	int after = at + 3 < len && decode_is(text[at + 3], DECODE_BASE64);

	if (text[at] != '%')
		return 0;
	if (is_unreserved(c))
		return !before || !after;
	return text[at + 2] == 'd' && !before;
}

int decode_escapes_at(const char *text, size_t len, size_t at,
		      struct buf *out, struct decode_segment *s)
{
	size_t i = at, nr = 0, ascii = 0;
	uint32_t first = 0;

	s->bytes = out->len;
	while (i < len && text[i] == text[at] &&
	       out->len - s->bytes <= DECODE_BYTES_MAX) {
		struct escape e = read_escape(text + i, len - i);

		if (!e.len)
			break;
		if (!nr++)
			first = e.c;
		ascii += e.c < 0x80;
		if (e.raw)
			buf_addc(out, (char)e.c);
		else
			decode_add_utf8(out, e.c);
		i += e.len;
	}
	s->end = i;
	if (!ascii || (nr == 1 && is_format(text, len, at, first))) {
		out->len = s->bytes;
		return 0;
	}
	s->start = at;
	s->nr_bytes = out->len - s->bytes;
	s->encoding = encoding_of(text + at);
	s->packed = 0;
	return 1;
}
