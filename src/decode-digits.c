/*
 * Base64 and hexadecimal: from where a run of digits begins to the bytes that
 * it stands for, if those are text, or packed. Lines of base64 are read as one.
 * Most runs are names of a program and are refused after their first four
 * digits.
 */
#include <string.h>

#include "decode-internal.h"

/* Values of base64's digits, of both alphabets (RFC 4648, 4 and 5). */
static const uint8_t sextets[256] = {
	['A'] = 0, ['B'] = 1, ['C'] = 2, ['D'] = 3, ['E'] = 4, ['F'] = 5,
	['G'] = 6, ['H'] = 7, ['I'] = 8, ['J'] = 9, ['K'] = 10, ['L'] = 11,
	['M'] = 12, ['N'] = 13, ['O'] = 14, ['P'] = 15, ['Q'] = 16, ['R'] = 17,
	['S'] = 18, ['T'] = 19, ['U'] = 20, ['V'] = 21, ['W'] = 22, ['X'] = 23,
	['Y'] = 24, ['Z'] = 25, ['a'] = 26, ['b'] = 27, ['c'] = 28, ['d'] = 29,
	['e'] = 30, ['f'] = 31, ['g'] = 32, ['h'] = 33, ['i'] = 34, ['j'] = 35,
	['k'] = 36, ['l'] = 37, ['m'] = 38, ['n'] = 39, ['o'] = 40, ['p'] = 41,
	['q'] = 42, ['r'] = 43, ['s'] = 44, ['t'] = 45, ['u'] = 46, ['v'] = 47,
	['w'] = 48, ['x'] = 49, ['y'] = 50, ['z'] = 51, ['0'] = 52, ['1'] = 53,
	['2'] = 54, ['3'] = 55, ['4'] = 56, ['5'] = 57, ['6'] = 58, ['7'] = 59,
	['8'] = 60, ['9'] = 61, ['+'] = 62, ['/'] = 63, ['-'] = 62, ['_'] = 63,
};

/* Digits decoded together, of base64 and of hexadecimal: 48 bytes, 32. */
#define BLOCK 64
/* What must be text without a fault: 16 digits of base64. */
#define HEAD DECODE_HEAD
/* POSIX, pax(1): where a header of tar has its magic. */
#define TAR_MAGIC 257
/* Bytes of what is packed: less can hold nothing, and is cited in prose. */
#define PACKED_MIN 24

static uint32_t quad(const char *p)
{
	return (uint32_t)sextets[(uint8_t)p[0]] << 18 |
	       (uint32_t)sextets[(uint8_t)p[1]] << 12 |
	       (uint32_t)sextets[(uint8_t)p[2]] << 6 |
	       (uint32_t)sextets[(uint8_t)p[3]];
}

/* Bytes that are no text: controls. A NUL may be of UTF-16. */
static const uint8_t control[256] = {
	[1 ... 8] = 1, [11 ... 12] = 1, [14 ... 31] = 1, [127] = 1,
};

static int is_more(uint32_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/*
 * Could text begin with these three bytes? No control, and what follows the
 * first byte of a character of UTF-8, and only that, is the rest of it. What
 * the marks of UTF-16 begin with is none of those.
 */
static int may_begin(uint32_t v)
{
	uint32_t a = v >> 16, b = v >> 8 & 0xff, c = v & 0xff;

	if (control[a] | control[b] | control[c] | is_more(a))
		return 0;
	return is_more(b) == (a >= 0xc0 && a < 0xf5) &&
	       (!is_more(c) || b >= 0x80);
}

/* A place among digits whose run goes to limit, and on in the next line. */
struct place {
	const char *text;
	size_t len, at, limit;
	int digits; /* the class of them */
};

/* Put up to max digits in a row. Returns how many there were. */
static size_t gather(struct place *p, char *digits, size_t max)
{
	unsigned unit = p->digits == DECODE_HEX ? 2 : 4;
	size_t n = 0;

	while (n < max) {
		if (p->at == p->limit) {
			size_t next = decode_join(p->text, p->len, p->at,
						  unit);

			if (!next || !decode_is(p->text[next], p->digits))
				break;
			p->at = p->limit = next;
			while (p->limit < p->len &&
			       decode_is(p->text[p->limit], p->digits))
				p->limit++;
		}
		digits[n++] = p->text[p->at++];
	}
	return n;
}

/* Up to BLOCK digits as bytes. Returns how many bytes. */
static size_t base64_block(const char *digits, size_t n, uint8_t *out)
{
	char last[4] = { 'A', 'A', 'A', 'A' };
	size_t nr = 0, i;

	for (i = 0; i + 4 <= n; i += 4) {
		uint32_t v = quad(digits + i);

		out[nr++] = (uint8_t)(v >> 16);
		out[nr++] = (uint8_t)(v >> 8);
		out[nr++] = (uint8_t)v;
	}
	if (n - i >= 2) {
		for (size_t k = i; k < n; k++)
			last[k - i] = digits[k];
		out[nr++] = (uint8_t)(quad(last) >> 16);
		if (n - i == 3)
			out[nr++] = (uint8_t)(quad(last) >> 8);
	}
	return nr;
}

/* Up to BLOCK digits of hexadecimal, an even number of them, as bytes. */
static size_t hex_block(const char *digits, size_t n, uint8_t *out)
{
	size_t nr = 0;

	for (size_t i = 0; i + 2 <= n; i += 2)
		out[nr++] = (uint8_t)(decode_digit(digits[i]) << 4 |
				      decode_digit(digits[i + 1]));
	return nr;
}

/* Where a run ends that was read to its end: past its padding. */
static size_t past_padding(const struct place *p)
{
	size_t at = p->at;

	if (at != p->limit)
		return at;
	while (at < p->len && at - p->at < 2 && p->text[at] == '=')
		at++;
	return at;
}

/* All that is text from p on. Returns where it ends. */
static size_t take_base64(struct place *p, enum decode_kind kind,
			  struct buf *out)
{
	char digits[BLOCK];
	uint8_t bytes[BLOCK / 4 * 3 + 2];
	size_t from = out->len;

	for (;;) {
		struct place before = *p;
		size_t n = gather(p, digits, BLOCK);
		size_t nr = base64_block(digits, n, bytes);
		size_t took = decode_text(kind, bytes, nr, out);

		if (took < nr) {
			gather(&before, digits, (took * 4 + 2) / 3);
			return before.at;
		}
		if (n < BLOCK || out->len - from > DECODE_BYTES_MAX)
			return past_padding(p);
	}
}

/* All that the digits from p on stand for, whatever it is. 1, or 0: too few. */
static int take_packed(struct place p, struct buf *out,
		       struct decode_segment *s)
{
	int hex = p.digits == DECODE_HEX;
	char digits[BLOCK];
	uint8_t bytes[BLOCK];
	size_t n;

	s->start = p.at;
	s->bytes = out->len;
	do {
		n = gather(&p, digits, BLOCK);
		buf_add(out, bytes, hex ? hex_block(digits, n, bytes)
					: base64_block(digits, n, bytes));
	} while (n == BLOCK && out->len - s->bytes <= DECODE_BYTES_MAX);
	s->end = hex ? p.at : past_padding(&p);
	s->nr_bytes = out->len - s->bytes;
	s->encoding = hex ? "hex" : "base64";
	s->packed = 1;
	if (s->nr_bytes >= PACKED_MIN)
		return 1;
	out->len = s->bytes;
	return 0;
}

/* Is it a tar? That begins with a name, and tells so far behind it. */
static int is_tar(struct place p)
{
	char digits[(TAR_MAGIC + 5) / 3 * 4 + 4];
	uint8_t bytes[sizeof(digits) / 4 * 3];
	size_t n = gather(&p, digits, sizeof(digits));

	return n == sizeof(digits) && base64_block(digits, n, bytes) &&
	       !memcmp(bytes + TAR_MAGIC, "ustar", 5);
}

/* What is text at p. *nul: not much is, and NULs come after it. */
static int take_text(struct place p, const uint8_t *head, struct buf *out,
		     struct decode_segment *s, int *nul)
{
	enum decode_kind kind = decode_kind(head, HEAD);

	s->start = s->end = p.at;
	s->bytes = out->len;
	s->encoding = "base64";
	s->packed = 0;
	*nul = 0;
	if (kind != DECODE_BINARY) {
		s->end = take_base64(&p, kind, out);
		*nul = s->end < p.at && out->len - s->bytes <= TAR_MAGIC;
	} else if (p.limit - p.at >= DECODE_LINE_MIN) {
		*nul = head[0] && memchr(head, 0, HEAD);
	}
	s->nr_bytes = out->len - s->bytes;
	return s->nr_bytes > 0;
}

/* The first bytes, of DECODE_BASE64_MIN digits in a row. */
static inline void take_head(const char *digits, uint8_t *head)
{
	for (size_t i = 0; i < HEAD / 3; i++) {
		uint32_t v = quad(digits + 4 * i);

		head[3 * i] = (uint8_t)(v >> 16);
		head[3 * i + 1] = (uint8_t)(v >> 8);
		head[3 * i + 2] = (uint8_t)v;
	}
}

int decode_base64_at(const char *text, size_t len, size_t at, size_t limit,
		     struct buf *out, struct decode_segment *s)
{
	const struct place p = { text, len, at, limit, DECODE_BASE64 };
	uint32_t first = quad(text + at);
	int is_text = may_begin(first), found, nul;
	uint8_t head[HEAD];

	if (!is_text && !decode_packed_first[first >> 16])
		return 0;
	take_head(text + at, head);
	if (decode_packed_first[head[0]] && decode_is_packed(head))
		return take_packed(p, out, s);
	/* a tar's first name may begin like something else */
	if (!is_text)
		return is_tar(p) ? take_packed(p, out, s) : 0;
	found = take_text(p, head, out, s, &nul);
	if (!nul || !is_tar(p))
		return found;
	out->len = s->bytes;
	return take_packed(p, out, s);
}

/* Bytes start..end are digits: decode them, if they are text. */
static int take_hex(const char *text, size_t len, size_t start, size_t end,
		    struct buf *out, struct decode_segment *s)
{
	const struct place p = { text, len, start, end, DECODE_HEX };
	uint8_t bytes[BLOCK];
	enum decode_kind kind;

	hex_block(text + start, 2 * HEAD, bytes);
	if (decode_is_packed(bytes))
		return take_packed(p, out, s);
	end -= (end - start) % 2;
	kind = decode_kind(bytes, HEAD);
	if (kind == DECODE_BINARY)
		return 0;
	s->packed = 0;
	s->bytes = out->len;
	s->start = start;
	while (start < end && out->len - s->bytes <= DECODE_BYTES_MAX) {
		size_t n = end - start < BLOCK ? end - start : BLOCK;
		size_t nr = hex_block(text + start, n, bytes);
		size_t took = decode_text(kind, bytes, nr, out);

		start += took * 2;
		if (took < nr)
			break;
	}
	s->end = start;
	s->nr_bytes = out->len - s->bytes;
	s->encoding = "hex";
	return s->nr_bytes > 0;
}

int decode_hex_at(const char *text, size_t len, size_t at, size_t limit,
		  struct buf *out, struct decode_segment *s)
{
	/* every run of that length has one of these places in it */
	for (size_t i = at + DECODE_HEX_MIN - 1; i < limit;
	     i += DECODE_HEX_MIN) {
		size_t start = i, end = i;

		if (!decode_is(text[i], DECODE_HEX))
			continue;
		while (start > at && decode_is(text[start - 1], DECODE_HEX))
			start--;
		while (end < limit && decode_is(text[end], DECODE_HEX))
			end++;
		if (end - start >= DECODE_HEX_MIN &&
		    take_hex(text, len, start, end, out, s)) {
			/* 0x is of the number: no letters before a word */
			if (s->start - at >= 2 && text[s->start - 2] == '0' &&
			    (text[s->start - 1] | 0x20) == 'x')
				s->start -= 2;
			return 1;
		}
		i = end;
	}
	return 0;
}
