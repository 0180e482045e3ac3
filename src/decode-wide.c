/*
 * Strings in UTF-16 anywhere in a text, as programs and their resources have
 * them: letters of ASCII and NULs by turns. Takes a text and the places that
 * matter, gives each such run as a piece. Where a run begins and ends is told
 * by its own bytes and their neighbours alone.
 */
#include <string.h>

#include "decode-internal.h"

/* The shortest run in letters, and so in bytes: the last NUL may be missing. */
#define LETTERS_MIN 16
#define BYTES_MIN (2 * LETTERS_MIN - 1)
/* A run that long has eight bytes at a multiple of this, whole. */
#define STEP 16
/* Runs this near to what is asked for are looked at. */
#define NEAR ((size_t)2 * BYTES_MIN)

/* May a run have these eight bytes? Every second one is a NUL, others not. */
static int is_candidate(const char *p)
{
	static const uint64_t second = UINT64_C(0x00ff00ff00ff00ff);
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v && (!(v & second) || !(v & ~second));
}

static int is_letter(char c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

/* Are these two neighbours a letter and a NUL, in any order? */
static int alternate(const char *p)
{
	return (!p[0] && is_letter(p[1])) || (!p[1] && is_letter(p[0]));
}

/* The run around the candidate at `at`; nothing before least is of it. */
static struct span run_around(const char *text, size_t len, size_t at,
			      size_t least)
{
	struct span run = { at, at + 1 };

	while (run.start > least && alternate(text + run.start - 1))
		run.start--;
	while (run.end < len && alternate(text + run.end - 1))
		run.end++;
	return run;
}

/* Its letters are where its first one is, and at every second place on. */
static int give(const char *text, struct span run, enum decode_kind whole,
		struct buf *out, decode_fn *fn, void *arg)
{
	size_t first = run.start + !text[run.start];
	struct span decoded = { 0, (run.end - first + 1) / 2 };
	struct decode_piece p = { .decoded = &decoded, .from = &run, .nr = 1,
				  .stretch = run, .encoding = "utf-16" };
	char *to;

	/* what the text is as a whole was given as that */
	if (decoded.end < LETTERS_MIN ||
	    (whole == DECODE_UTF16LE && first % 2 == 0) ||
	    (whole == DECODE_UTF16BE && first % 2 == 1))
		return 0;
	buf_reset(out);
	to = buf_room(out, decoded.end);
	for (size_t i = 0; i < decoded.end; i++)
		to[i] = text[first + 2 * i];
	p.data = to;
	p.len = decoded.end;
	return fn(arg, &p);
}

int decode_wide(const char *text, size_t len, const struct span *where,
		size_t nr_where, struct buf *out, decode_fn *fn, void *arg)
{
	enum decode_kind whole = decode_utf16_kind(text, len);
	size_t settled = 0; /* runs that begin before it were given */

	for (size_t i = 0; i < nr_where; i++) {
		size_t at = where[i].start > NEAR ? where[i].start - NEAR : 0;
		size_t to = len - where[i].end > NEAR ? where[i].end + NEAR
						      : len;

		for (at = at > settled ? at : settled;
		     at + sizeof(uint64_t) <= to; at += STEP) {
			struct span run;
			int ret;

			if (!is_candidate(text + at))
				continue;
			run = run_around(text, len, at, settled);
			ret = give(text, run, whole, out, fn, arg);
			if (ret)
				return ret;
			settled = run.end;
			/* the step is added */
			at = run.end > at + STEP ? run.end - STEP : at;
		}
	}
	return 0;
}
