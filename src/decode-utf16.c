/*
 * A whole text in UTF-16, by its mark or by its NULs, as UTF-8.
 */
#include <stdlib.h>
#include <string.h>

#include "decode-internal.h"
#include "decode.h"
#include "mem.h"

/* What is looked at when there is no mark, and the least that will do. */
#define SAMPLE 512
#define SAMPLE_MIN 16
/* Lines that are told apart, so that a finding has its line. */
#define LINES_MAX ((size_t)1 << 16)
/* Bytes that are converted: as UTF-8, up to half as many more. */
#define UTF16_MAX (4 * DECODE_BYTES_MAX)

static int is_letter(uint8_t c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

/* Nine of ten pairs are letters of ASCII; a file may hold other ones too. */
enum decode_kind decode_utf16_kind(const char *text, size_t n)
{
	const uint8_t *b = (const uint8_t *)text;
	size_t little = 0, big = 0, pairs;

	if (n >= 2 && b[0] == 0xfe && b[1] == 0xff)
		return DECODE_UTF16BE;
	/* two NULs more: it is UTF-32 */
	if (n >= 4 && b[0] == 0xff && b[1] == 0xfe && (b[2] || b[3]))
		return DECODE_UTF16LE;
	pairs = (n < SAMPLE ? n : SAMPLE) / 2;
	if (n < SAMPLE_MIN || !memchr(b, '\0', 2 * pairs))
		return DECODE_BINARY;
	for (size_t i = 0; i < pairs; i++) {
		little += is_letter(b[2 * i]) && !b[2 * i + 1];
		big += is_letter(b[2 * i + 1]) && !b[2 * i];
	}
	if (little * 10 >= pairs * 9)
		return DECODE_UTF16LE;
	return big * 10 >= pairs * 9 ? DECODE_UTF16BE : DECODE_BINARY;
}

/* Lines as spans of the text and of what they become. */
struct lines {
	struct span *from, *decoded;
	size_t nr, alloc;
	size_t least; /* shorter ones are taken together */
};

static void add_line(struct lines *l, struct span from, struct span decoded)
{
	struct span *last = l->nr ? &l->from[l->nr - 1] : NULL;

	if (last && last->end - last->start < l->least) {
		last->end = from.end;
		l->decoded[l->nr - 1].end = decoded.end;
		return;
	}
	if (l->nr == l->alloc) {
		l->alloc += l->alloc / 2 + 64;
		l->from = mem_resize(l->from, l->alloc, sizeof(*l->from));
		l->decoded =
			mem_resize(l->decoded, l->alloc, sizeof(*l->decoded));
	}
	l->from[l->nr] = from;
	l->decoded[l->nr++] = decoded;
}

/* All of it, whatever is in it: what is no character becomes a '?'. */
static void convert(const uint8_t *b, size_t n, int big, struct buf *out,
		    struct lines *l)
{
	size_t at = 0, start = 0, before = 0;

	while (at + 1 < n) {
		int newline =
			b[at + (size_t)big] == '\n' && !b[at + (size_t)!big];

		at += decode_utf16_one(b, n, at, big, out);
		if (!newline && at + 1 < n)
			continue;
		add_line(l, (struct span){ start, at },
			 (struct span){ before, out->len });
		start = at;
		before = out->len;
	}
}

int decode_utf16(struct decoder *d, const char *text, size_t len, decode_fn *fn,
		 void *arg, int *ret)
{
	const uint8_t *b = (const uint8_t *)text;
	enum decode_kind kind = decode_utf16_kind(text, len);
	/* an odd byte at the end is of no character */
	struct decode_piece p = { .stretch = { 0, len - len % 2 },
				  .encoding = "utf-16" };
	struct lines l = { .least = len / LINES_MAX };
	struct buf out = BUF_INIT;

	decode_set_long(d, NULL);
	if (kind == DECODE_BINARY)
		return 0;
	if (len > UTF16_MAX) {
		decode_set_long(d, "utf-16");
		*ret = -1;
		return 1;
	}
	convert(b, len, kind == DECODE_UTF16BE, &out, &l);
	buf_room(&out, 0); /* data is never NULL */
	p.data = out.data;
	p.len = out.len;
	p.decoded = l.decoded;
	p.from = l.from;
	p.nr = l.nr;
	*ret = l.nr ? fn(arg, &p) : 0;
	buf_clear(&out);
	free(l.from);
	free(l.decoded);
	return 1;
}
