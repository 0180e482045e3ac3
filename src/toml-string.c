/*
 * The four kinds of TOML strings, with their escapes. Takes the reader's
 * place, appends the text, moves the place past the closing quote.
 */
#include <string.h>

#include "buf.h"
#include "text.h"
#include "toml-internal.h"

/* Control bytes that no string and no comment may hold. */
static int is_control(int c)
{
	return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
}

static void add_utf8(struct buf *out, unsigned long c)
{
	if (c < 0x80) {
		buf_addc(out, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_addc(out, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_addc(out, (char)(0xe0 | c >> 12));
		} else {
			buf_addc(out, (char)(0xf0 | c >> 18));
			buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_addc(out, (char)(0x80 | (c & 0x3f)));
}

/* \uXXXX or \UXXXXXXXX, from the first digit: a Unicode scalar value. */
static int unicode_escape(struct toml_reader *r, struct buf *out, int digits)
{
	unsigned long c = 0;

	for (int i = 0; i < digits; i++) {
		int h = text_hex(toml_peek(r, 0));

		if (h < 0)
			return toml_error(r, "\\%c needs %d hexadecimal digits",
					  digits == 4 ? 'u' : 'U', digits);
		c = c << 4 | (unsigned long)h;
		r->p++;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return toml_error(r, "escape is not a Unicode scalar value");
	add_utf8(out, c);
	return 0;
}

static int newline_len(const struct toml_reader *r)
{
	if (toml_peek(r, 0) == '\n')
		return 1;
	return toml_peek(r, 0) == '\r' && toml_peek(r, 1) == '\n' ? 2 : 0;
}

/* A backslash at a line's end takes all white space up to the next text. */
static int line_continuation(struct toml_reader *r)
{
	int n;

	toml_skip_blank(r);
	if (!newline_len(r))
		return toml_error(r, "unknown escape in a string");
	for (;;) {
		toml_skip_blank(r);
		if (!(n = newline_len(r)))
			return 0;
		r->p += n;
		r->line++;
	}
}

/* After a backslash. */
static int escape(struct toml_reader *r, struct buf *out, int multi)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	int c = toml_peek(r, 0);
	const char *at;

	if (multi && (c == ' ' || c == '\t' || newline_len(r)))
		return line_continuation(r);
	if (c == 'u' || c == 'U') {
		r->p++;
		return unicode_escape(r, out, c == 'u' ? 4 : 8);
	}
	at = c > 0 ? strchr(from, c) : NULL;
	if (!at)
		return toml_error(r, "unknown escape in a string; where a "
				  "backslash is meant, as in a regex, write "
				  "'''...''' in place of the quotes");
	buf_addc(out, to[at - from]);
	r->p++;
	return 0;
}

/* One byte of a string that is not a quote; multi: newlines are text. */
static int string_byte(struct toml_reader *r, struct buf *out, int quote,
		       int multi)
{
	int c = toml_peek(r, 0), n = newline_len(r);

	if (c < 0)
		return toml_error(r, "a string does not end");
	if (n && multi) {
		buf_addc(out, '\n');
		r->p += n;
		r->line++;
		return 0;
	}
	if (n)
		return toml_error(r, "a string does not end on its line");
	if (is_control(c))
		return toml_error(r, "control character in a string");
	r->p++;
	if (c == '\\' && quote == '"')
		return escape(r, out, multi);
	buf_addc(out, (char)c);
	return 0;
}

static size_t count_quotes(const struct toml_reader *r, int quote)
{
	size_t n = 0;

	while (toml_peek(r, n) == quote)
		n++;
	return n;
}

/* Past the opening three; up to two quotes may stand before the closing. */
static int multi_string(struct toml_reader *r, struct buf *out, int quote)
{
	int n = newline_len(r);

	r->p += n;
	r->line += n > 0;
	for (;;) {
		size_t quotes = count_quotes(r, quote);

		if (quotes > 5)
			return toml_error(r, "too many quotes in a string");
		if (quotes >= 3) {
			for (size_t i = 3; i < quotes; i++)
				buf_addc(out, (char)quote);
			r->p += quotes;
			return 0;
		}
		for (size_t i = 0; i < quotes; i++)
			buf_addc(out, (char)quote);
		r->p += quotes;
		if (!quotes && string_byte(r, out, quote, 1))
			return -1;
	}
}

int toml_string(struct toml_reader *r, struct buf *out, int multi_allowed)
{
	int quote = toml_peek(r, 0);

	if (toml_peek(r, 1) == quote && toml_peek(r, 2) == quote) {
		if (!multi_allowed)
			return toml_error(r, "a key cannot be a multi-line "
					     "string");
		r->p += 3;
		return multi_string(r, out, quote);
	}
	r->p++;
	while (toml_peek(r, 0) != quote)
		if (string_byte(r, out, quote, 0))
			return -1;
	r->p++;
	return 0;
}

/* Bytes of the UTF-8 sequence that starts at s (RFC 3629), or 0. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 :
		   s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	if (n < 2 || n > left)
		return n == 1;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* overlong forms, surrogates, past the last character */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

int toml_check_utf8(const struct toml_reader *r)
{
	struct toml_reader at = *r;

	while (at.p < at.end) {
		size_t n = utf8_len((const unsigned char *)at.p,
				    (size_t)(at.end - at.p));

		if (!n)
			return toml_error(&at, "not UTF-8");
		at.line += *at.p == '\n';
		at.p += n;
	}
	return 0;
}
