/*
 * Are decoded bytes text, and of which kind? UTF-8 (ASCII is that), or UTF-16
 * of either byte order; all comes out as UTF-8. A run of digits or letters
 * that is no encoding decodes to anything at all: a head without a fault is
 * asked for, a few faults later are let pass.
 */
#include "decode-internal.h"

/* Bytes that text does not hold: controls other than tab and line ends. */
static int is_control(unsigned c)
{
	return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

void decode_add_utf8(struct buf *out, uint32_t c)
{
	char s[4];
	size_t n = 0;

	if (c < 0x80) {
		s[n++] = (char)c;
	} else if (c < 0x800) {
		s[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		s[n++] = (char)(0xe0 | c >> 12);
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | (c >> 18 & 7));
		s[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		s[n++] = (char)(0x80 | (c & 0x3f));
	buf_add(out, s, n);
}

/*
 * A byte that is not part of text in UTF-8. At the ends of what is given, the
 * rest of a character may be elsewhere.
 */
static int is_fault(const uint8_t *b, size_t n, size_t i)
{
	if (b[i] < 0x80)
		return is_control(b[i]);
	if (b[i] < 0xc0)
		return i && b[i - 1] < 0x80;
	return b[i] < 0xc2 || b[i] > 0xf4 ||
	       (i + 1 < n && (b[i + 1] & 0xc0) != 0x80);
}

/*
 * A few NULs part what is joined by them, such as a name and a password (RFC
 * 4616); with more it is UTF-16, or no text.
 */
static int is_utf8(const uint8_t *b, size_t n)
{
	size_t nuls = 0;

	for (size_t i = 0; i < n; i++) {
		nuls += !b[i];
		if ((b[i] && is_fault(b, n, i)) ||
		    (!i && b[i] >= 0x80 && b[i] < 0xc0))
			return 0;
	}
	return nuls * 6 <= n;
}

/* Plain letters, the zero of each at the odd (1) or even (0) places. */
static int is_utf16(const uint8_t *b, size_t n, size_t odd)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		if (b[i + odd] || b[i + !odd] >= 0x80 ||
		    is_control(b[i + !odd]))
			return 0;
	return 1;
}

enum decode_kind decode_kind(const uint8_t *b, size_t n)
{
	if (n < 8)
		return DECODE_BINARY;
	if (is_utf8(b, n))
		return DECODE_UTF8;
	if ((b[0] == 0xff && b[1] == 0xfe && (b[2] || b[3])) ||
	    is_utf16(b, n, 1))
		return DECODE_UTF16LE;
	if ((b[0] == 0xfe && b[1] == 0xff) || is_utf16(b, n, 0))
		return DECODE_UTF16BE;
	return DECODE_BINARY;
}

/* Of n units, this many may be faults. */
static int too_many(size_t faults, size_t n)
{
	return faults * 8 > n;
}

static size_t take_utf8(const uint8_t *b, size_t n, struct buf *out)
{
	size_t faults = 0, first = n;

	for (size_t i = 0; i < n; i++) {
		if (!is_fault(b, n, i))
			continue;
		if (!faults++)
			first = i;
	}
	if (too_many(faults, n))
		n = first;
	buf_add(out, b, n);
	return n;
}

size_t decode_utf16_one(const uint8_t *b, size_t n, size_t i, int big,
			struct buf *out)
{
	uint32_t c = (uint32_t)(b[i + !big] << 8 | b[i + (size_t)big]);
	uint32_t low = 0;

	if (i + 3 < n)
		low = (uint32_t)(b[i + 2 + !big] << 8 | b[i + 2 + (size_t)big]);
	if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
		decode_add_utf8(out,
				0x10000 + ((c - 0xd800) << 10) + low - 0xdc00);
		return 4;
	}
	if ((c >= 0xd800 && c < 0xe000) || is_control(c))
		buf_addc(out, '?');
	else if (c != 0xfeff) /* a byte order mark is no character */
		decode_add_utf8(out, c);
	return 2;
}

static int is_utf16_fault(const uint8_t *b, size_t i, int big)
{
	unsigned high = b[i + !big];

	return !high && is_control(b[i + (size_t)big]);
}

static size_t take_utf16(const uint8_t *b, size_t n, int big, struct buf *out)
{
	size_t faults = 0, first = n;

	for (size_t i = 0; i + 1 < n; i += 2)
		if (is_utf16_fault(b, i, big) && !faults++)
			first = i;
	if (!too_many(faults, n / 2))
		first = n; /* an odd byte at the end is dropped */
	for (size_t i = 0; i + 1 < first;)
		i += decode_utf16_one(b, first, i, big, out);
	return first;
}

size_t decode_text(enum decode_kind kind, const uint8_t *b, size_t n,
		   struct buf *out)
{
	switch (kind) {
	case DECODE_UTF8:
		return take_utf8(b, n, out);
	case DECODE_UTF16LE:
		return take_utf16(b, n, 0, out);
	case DECODE_UTF16BE:
		return take_utf16(b, n, 1, out);
	case DECODE_BINARY:
		break;
	}
	return 0;
}
