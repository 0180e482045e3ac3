#ifndef DECODE_H
#define DECODE_H

#include <stddef.h>

#include "span.h"

/*
 * Text with encodings taken off: base64 (both alphabets, wrapped lines too, of
 * text in UTF-8 or UTF-16), hexadecimal, percent, \u \x and octal escapes,
 * HTML entities; UTF-16 and UTF-32 as UTF-8, strings of UTF-16 in a program as
 * well; mail in quoted-printable. What is compressed, or an archive, is given
 * as it is within base64 and hexadecimal; what else decodes to no text is left.
 * One level: what is encoded twice is found by asking again for what a piece
 * holds. Pure; time and memory are bounded by the text's length, pieces are 9/8
 * of their stretch at most. What is encoded is not more than DECODE_MAX in a
 * row, or it is too long.
 */
#define DECODE_MAX "16 MiB" /* of UTF-16 and UTF-32, four times that */
struct decoder;
struct decoder *decode_new(void);
void decode_free(struct decoder *d);

/*
 * A stretch of text with what was encoded in it put in its place decoded, and
 * enough of its neighbourhood for a rule that looks at names beside values.
 */
struct decode_piece {
	const char *data;
	size_t len;
	const struct span *decoded; /* bytes of data that were encoded, in
				       order, apart; one may be empty */
	const struct span *from;    /* for each, the bytes of the text */
	size_t nr;
	struct span stretch;        /* of the text, that data stands for */
	const char *encoding;       /* "base64", ...; the first one's */
	int packed;                 /* it is no text: data is what was encoded,
				       and begins like an archive */
};

/*
 * Give each piece of text that has something encoded, and that the bytes of
 * one of the where spans (in order, apart; empty ones too) have a part in, to
 * fn, in order, then those of strings in UTF-16, until that returns other than
 * 0, which is returned; -1 where something is too long. data lives until fn
 * returns.
 *
 * The pieces are the same whatever where is: when where has all that is not
 * copied from another text, seams included, then each piece that is left out
 * lies in one copy, and is a piece of the other text, byte for byte (unless
 * that is UTF-16 as a whole, whose own strings decode_utf16 gives). Some more
 * that are near may be given. Pieces may overlap by the text around what is
 * encoded (256 bytes, and what belongs to a token at its ends).
 */
typedef int decode_fn(void *arg, const struct decode_piece *p);
int decode_each(struct decoder *d, const char *text, size_t len,
		const struct span *where, size_t nr_where, decode_fn *fn,
		void *arg);

/* The encoding of what was too long when the last call was -1, else NULL. */
const char *decode_too_long(const struct decoder *d);

/*
 * Is this UTF-16 (a byte order mark, or NULs at every other byte of what
 * would be text)? If so, all of it as UTF-8 to fn, as one piece that has a span
 * for each line. Returns 1 when it was, else 0; what fn returned, or -1 when
 * it is too long, goes to *ret.
 */
int decode_utf16(struct decoder *d, const char *text, size_t len,
		 decode_fn *fn, void *arg, int *ret);
/* The same of UTF-32: a mark, or what would be characters of any script. */
int decode_utf32(struct decoder *d, const char *text, size_t len,
		 decode_fn *fn, void *arg, int *ret);
/*
 * Is this mail that says it is quoted-printable (RFC 2045, 6.7)? From there on
 * as pieces of some MiB, as decode_each gives them: with a span for what was
 * encoded side by side, and one byte after it, where a word may begin. Returns
 * what fn returned.
 */
int decode_mail(const char *text, size_t len, decode_fn *fn, void *arg);

#endif
