/*
 * A whole text in UTF-16 or UTF-32, by its mark or by its NULs, as UTF-8.
 */
#include <stdlib.h>
#include <string.h>

#include "decode-internal.h"
#include "decode.h"
#include "mem.h"

/* What is looked at when there is no mark, and the least that will do. */
#define SAMPLE 512
#define SAMPLE_MIN 16
/* The byte order mark (RFC 2781, 3.2). */
#define MARK 0xfeff
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

static uint32_t unit32(const uint8_t *b, int big)
{
	uint32_t c = 0;

	for (size_t i = 0; i < 4; i++)
		c = c << 8 | b[big ? i : 3 - i];
	return c;
}

static int is_character(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c != 0x7f && (c < 0xd800 || c > 0xdfff) && c <= 0x10ffff;
}

/* Nine of ten are characters, of any script: other bytes hardly ever are. */
static int is_utf32(const uint8_t *b, size_t n, int big)
{
	size_t units = (n < SAMPLE ? n : SAMPLE) / 4, good = 0;

	/* first what nearly all texts fail at, and a mark does not */
	if (n < 4 || unit32(b, big) > 0x10ffff || !unit32(b, big))
		return 0;
	if (unit32(b, big) == MARK)
		return 1;
	for (size_t i = 0; i < units; i++)
		good += (size_t)is_character(unit32(b + 4 * i, big));
	return n >= 2 * SAMPLE_MIN && good * 10 >= units * 9;
}

/* The character of UTF-32 at i; a mark is none. */
static size_t utf32_one(const uint8_t *b, size_t n, size_t i, int big,
			struct buf *out)
{
	uint32_t c = unit32(b + i, big);

	(void)n;
	if (c != MARK)
		decode_add_utf8(out, is_character(c) ? c : '?');
	return 4;
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

/* How a text is made of characters. */
struct form {
	const char *name;
	size_t unit; /* bytes */
	int big;
	/* adds the character at i as UTF-8, returns how many bytes it takes */
	size_t (*one)(const uint8_t *b, size_t n, size_t i, int big,
		      struct buf *out);
};

/* All of it, whatever is in it: what is no character becomes a '?'. */
static void convert(const uint8_t *b, size_t n, const struct form *f,
		    struct buf *out, struct lines *l)
{
	size_t at = 0, start = 0, before = 0;

	while (at + f->unit <= n) {
		size_t len = out->len;

		at += f->one(b, n, at, f->big, out);
		if ((out->len == len || out->data[out->len - 1] != '\n') &&
		    at + f->unit <= n)
			continue;
		add_line(l, (struct span){ start, at },
			 (struct span){ before, out->len });
		start = at;
		before = out->len;
	}
}

/* Returns what fn returned, or -1: it is too long. */
static int give(struct decoder *d, const char *text, size_t len,
		const struct form *f, decode_fn *fn, void *arg)
{
	/* what is left at the end is of no character */
	struct decode_piece p = { .stretch = { 0, len - len % f->unit },
				  .encoding = f->name };
	struct lines l = { .least = len / LINES_MAX };
	struct buf out = BUF_INIT;
	int ret;

	if (len > UTF16_MAX) {
		decode_set_long(d, f->name);
		return -1;
	}
	convert((const uint8_t *)text, len, f, &out, &l);
	buf_room(&out, 0); /* data is never NULL */
	p.data = out.data;
	p.len = out.len;
	p.decoded = l.decoded;
	p.from = l.from;
	p.nr = l.nr;
	ret = l.nr ? fn(arg, &p) : 0;
	buf_clear(&out);
	free(l.from);
	free(l.decoded);
	return ret;
}

int decode_utf16(struct decoder *d, const char *text, size_t len, decode_fn *fn,
		 void *arg, int *ret)
{
	struct form f = { "utf-16", 2, 0, decode_utf16_one };
	enum decode_kind kind = decode_utf16_kind(text, len);

	decode_set_long(d, NULL);
	if (kind == DECODE_BINARY)
		return 0;
	f.big = kind == DECODE_UTF16BE;
	*ret = give(d, text, len, &f, fn, arg);
	return 1;
}

int decode_utf32(struct decoder *d, const char *text, size_t len, decode_fn *fn,
		 void *arg, int *ret)
{
	struct form f = { "utf-32", 4, 0, utf32_one };

	decode_set_long(d, NULL);
	f.big = is_utf32((const uint8_t *)text, len, 1);
	if (!f.big && !is_utf32((const uint8_t *)text, len, 0))
		return 0;
	*ret = give(d, text, len, &f, fn, arg);
	return 1;
}
