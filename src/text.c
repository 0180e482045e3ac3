/*
 * The one choke point for foreign bytes on their way to a human. Takes any
 * bytes, gives one line of clean UTF-8; never gives a control character.
 */
#include "text.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"

/*
 * Is this character, of two to four bytes, one that could make a line read
 * other than it is, or that hides text in it? Line separators, bidirectional
 * controls, and tags.
 */
static int acts(const unsigned char *s, size_t length)
{
	static const struct {
		unsigned lo, hi;
	} ranges[] = {
		{ 0x061c, 0x061c }, { 0x200e, 0x200f }, { 0x2028, 0x202e },
		{ 0x2066, 0x2069 }, { 0xe0000, 0xe007f },
	};
	unsigned c = s[0] & (0xffu >> (length + 1));

	for (size_t i = 1; i < length; i++)
		c = c << 6 | (s[i] & 0x3f);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (c >= ranges[i].lo && c <= ranges[i].hi)
			return 1;
	return 0;
}

/*
 * Length of the well-formed UTF-8 sequence at s (Unicode 15, table 3-7), or 0;
 * C1 controls (U+0080 to U+009F) and what acts() count as malformed.
 */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	static const struct {
		unsigned char lead_lo, lead_hi, next_lo, next_hi;
		size_t length;
	} forms[] = {
		{ 0xc2, 0xc2, 0xa0, 0xbf, 2 }, { 0xc3, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t i, k;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (s[0] < forms[i].lead_lo || s[0] > forms[i].lead_hi)
			continue;
		if (n < forms[i].length || s[1] < forms[i].next_lo ||
		    s[1] > forms[i].next_hi)
			return 0;
		for (k = 2; k < forms[i].length; k++)
			if (s[k] < 0x80 || s[k] > 0xbf)
				return 0;
		return acts(s, forms[i].length) ? 0 : forms[i].length;
	}
	return 0;
}

void text_clean(struct buf *out, const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t i = 0;

	buf_room(out, n);
	while (i < n) {
		size_t length = u[i] >= 0x80 ? utf8_length(u + i, n - i) : 1;

		if (u[i] == '\t')
			buf_addc(out, ' ');
		else if (length == 0 || u[i] < 0x20 || u[i] == 0x7f)
			buf_addc(out, '?');
		else
			buf_add(out, s + i, length);
		i += length > 0 ? length : 1;
	}
}

const char *text_clean_to(char *out, size_t size, const char *s)
{
	struct buf b = BUF_INIT;
	size_t n;

	text_clean(&b, s, strnlen(s, size * 2));
	n = b.len;
	if (n >= size) {
		n = size - 4;
		/* not in the middle of a character */
		while (n > 0 && ((unsigned char)b.data[n] & 0xc0) == 0x80)
			n--;
		snprintf(out, size, "%.*s...", (int)n, b.data);
	} else {
		snprintf(out, size, "%s", n > 0 ? b.data : "");
	}
	buf_clear(&b);
	return out;
}

/* The shortest token of the common kinds. Bytes. */
#define TOKEN_MIN 16

static int is_hex_id(const char *s, size_t n)
{
	return (n == 40 || n == 64) && strspn(s, "0123456789abcdef") == n;
}

/* Could these n bytes be a token rather than words or a number? */
static int is_token(const char *s, size_t n)
{
	size_t digits = 0, letters = 0;

	for (size_t i = 0; i < n; i++) {
		digits += s[i] >= '0' && s[i] <= '9';
		letters += (s[i] >= 'a' && s[i] <= 'z') ||
			   (s[i] >= 'A' && s[i] <= 'Z');
	}
	return n >= TOKEN_MIN && digits && letters && !is_hex_id(s, n);
}

void text_mask(struct buf *out, const char *s)
{
	static const char run[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=-";
	struct buf clean = BUF_INIT;
	const char *p;
	size_t n;

	text_clean(&clean, s, strlen(s));
	buf_adds(&clean, ""); /* a string, of nothing too */
	for (p = clean.data; *p; p += n) {
		n = strspn(p, run);
		if (is_token(p, n)) {
			buf_add(out, p, 4);
			buf_adds(out, "\xe2\x80\xa6");
		} else {
			buf_add(out, p, n);
		}
		p += n;
		n = strcspn(p, run);
		buf_add(out, p, n);
	}
	buf_clear(&clean);
}

void text_redact(struct buf *out, const char *secret, size_t n)
{
	size_t shown = n / 4 < 4 ? n / 4 : 4;

	text_clean(out, secret, shown);
	buf_addf(out, "\xe2\x80\xa6 (%zu bytes)", n);
}

int text_hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
