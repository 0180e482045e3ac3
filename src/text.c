/*
 * The one choke point for foreign bytes on their way to a human. Takes any
 * bytes, gives one line of clean UTF-8; never gives a control character.
 */
#include "text.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"

/*
 * Length of the well-formed UTF-8 sequence at s (Unicode 15, table 3-7), or 0;
 * C1 controls (U+0080 to U+009F) and bidirectional overrides, which could make
 * a line read other than it is, count as malformed.
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
		/* U+2028 to U+202E and U+2066 to U+2069 */
		if (s[0] == 0xe2 && ((s[1] == 0x80 && s[2] >= 0xa8 &&
				      s[2] <= 0xae) ||
				     (s[1] == 0x81 && s[2] >= 0xa6 &&
				      s[2] <= 0xa9)))
			return 0;
		return forms[i].length;
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

void text_redact(struct buf *out, const char *secret, size_t n)
{
	size_t shown = n / 4 < 4 ? n / 4 : 4;

	text_clean(out, secret, shown);
	buf_addf(out, "\xe2\x80\xa6 (%zu bytes)", n);
}
