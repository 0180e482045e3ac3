#ifndef DECODE_INTERNAL_H
#define DECODE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "decode.h"
#include "span.h"

/* What a byte can be; decode_class[] has the bits. */
#define DECODE_BASE64 1 /* of either alphabet, without = */
#define DECODE_HEX 2
#define DECODE_LEAD 4   /* % \ & : an escape may begin here */
#define DECODE_NEAR 8   /* any byte of an encoding, and what joins tokens */
#define DECODE_WORD 16  /* of a token such as a JWT: base64, . = ~ */
extern const uint8_t decode_class[256];

static inline int decode_is(char c, int bits)
{
	return decode_class[(uint8_t)c] & bits;
}

/* 0 to 15, or 0xff. */
extern const uint8_t decode_hex[256];
static inline unsigned decode_digit(char c)
{
	return decode_hex[(uint8_t)c];
}

/*
 * The classes of n bytes as bits, 64 to a word, the lowest first: run has
 * those of base64, lead the leads. Bits past n are 0.
 */
void decode_masks(const char *text, size_t n, uint64_t *run, uint64_t *lead);

/*
 * The shortest runs that are looked at, in digits: 12 and 16 bytes of text.
 * gitleaks takes the same.
 */
#define DECODE_BASE64_MIN 16
#define DECODE_HEX_MIN 32
/* The shortest line of base64 that may go on in the next; widths in use are
 * 60 to 76 (RFC 7468, RFC 2045), and an indented first line is shorter. */
#define DECODE_LINE_MIN 40
#define DECODE_INDENT_MAX 64

/*
 * Where base64 whose line ends at `at` goes on, past one end of line (as
 * such, after a backslash, or as an escape of JSON) and the indentation;
 * 0: it does not. A short last line is one of whole units: 4 digits of base64,
 * 2 of hexadecimal.
 */
size_t decode_join(const char *text, size_t len, size_t at, unsigned unit);
/* The same backwards: where the line before the one at `at` ends; 0: none. */
size_t decode_join_back(const char *text, size_t at);

/*
 * The outermost bytes that can have a part in what is encoded at `at`: an
 * encoding neither crosses nor touches them from outside. The first does not
 * go below `least`.
 */
size_t decode_left(const char *text, size_t at, size_t least);
size_t decode_right(const char *text, size_t len, size_t at);
/*
 * Where a line begins that a line before it may have gone on in, of which
 * nothing, or not all, is left before the seam: the text was cut there. The
 * seam where none is. decode_right goes on from there.
 */
size_t decode_past_seam(const char *text, size_t len, size_t seam);

/*
 * Do clusters end at this end of line? About one line in 64 does it, by the
 * bytes before it: so a change in a long text full of escapes has only its
 * neighbourhood decoded again, wherever it was copied to.
 */
int decode_is_break(const char *text, size_t at);

/* A segment that stands for more bytes is given up: it has then more than
 * this, and they are not all. */
#define DECODE_BYTES_MAX ((size_t)16 << 20)
/* Say so of a decoder (decode.c). */
struct decoder;
void decode_set_long(struct decoder *d, const char *encoding);

/* Bytes of a text that stand for others. */
struct decode_segment {
	size_t start, end;      /* of the text */
	size_t bytes, nr_bytes; /* decoded: where in the buffer, how many */
	const char *encoding;
	int packed;             /* these bytes are no text, but packed */
};

/*
 * What is encoded at `at`, if it is text or packed: 1, its bytes added to out;
 * 0: it is not. `limit` is where the run of base64 ends.
 */
int decode_base64_at(const char *text, size_t len, size_t at, size_t limit,
		     struct buf *out, struct decode_segment *s);
int decode_hex_at(const char *text, size_t len, size_t at, size_t limit,
		  struct buf *out, struct decode_segment *s);
/* Escapes side by side, from the lead at `at`. */
int decode_escapes_at(const char *text, size_t len, size_t at,
		      struct buf *out, struct decode_segment *s);

/*
 * decode-packed.c. Do DECODE_HEAD bytes begin what is packed? Not unless the
 * table has the first of them.
 */
#define DECODE_HEAD 12
extern const uint8_t decode_packed_first[256];
int decode_is_packed(const uint8_t *b);

/* Add a code point as UTF-8. */
void decode_add_utf8(struct buf *out, uint32_t c);

/* What decoded bytes are. */
enum decode_kind {
	DECODE_BINARY = 0,
	DECODE_UTF8,
	DECODE_UTF16LE,
	DECODE_UTF16BE,
};
/* By the first n bytes, at least 8 of them. */
enum decode_kind decode_kind(const uint8_t *b, size_t n);
/*
 * Add n bytes of that kind to out as UTF-8. Returns how many of them were
 * text: fewer than n when most of what follows is not.
 */
size_t decode_text(enum decode_kind kind, const uint8_t *b, size_t n,
		   struct buf *out);

/*
 * Add the character of UTF-16 at i, where two bytes are, as UTF-8; '?' for
 * what is none. Returns how many bytes it takes, 2 or 4.
 */
size_t decode_utf16_one(const uint8_t *b, size_t n, size_t i, int big,
			struct buf *out);

/* Which UTF-16 a whole text is; DECODE_BINARY: none. */
enum decode_kind decode_utf16_kind(const char *text, size_t len);
/*
 * Strings of UTF-16 in a text that is something else, near the where spans,
 * each as a piece; the contract is decode_each's. `out` is for their bytes.
 */
int decode_wide(const char *text, size_t len, const struct span *where,
		size_t nr_where, struct buf *out, decode_fn *fn, void *arg);

/*
 * Segments of a text in order, from a place that decode_left gave (or 0), as
 * they are asked for. Their bytes are added to `bytes`.
 */
#define DECODE_WORDS 64 /* masks made at a time: 4 KiB of text */
struct decode_find {
	const char *text;
	size_t len;
	struct buf *bytes;
	size_t base;   /* of the text, where the masks begin */
	size_t word, nr_words;
	size_t past;   /* nothing before it is looked at again */
	size_t again;  /* a run to be looked at from here, or 0 */
	size_t plain;  /* no escape that begins before it is one */
	const char *too_long; /* there is a segment that is; the search ended */
	int waits;     /* a segment was found that is not before a limit */
	struct decode_segment waiting;
	uint64_t hits; /* of the word, candidates not looked at */
	uint64_t run[DECODE_WORDS + 1], lead[DECODE_WORDS + 1];
};
void decode_find_init(struct decode_find *f, const char *text, size_t len,
		      size_t from, struct buf *bytes);
/* The next segment that starts before limit: 1; 0: none yet. */
int decode_find_next(struct decode_find *f, size_t limit,
		     struct decode_segment *s);

#endif
