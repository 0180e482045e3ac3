/*
 * Where something encoded may be, in one pass over a text: runs of base64's
 * digits that are long enough, and bytes that escapes begin with, as bits of
 * the masks; and what is really encoded there.
 */
#include "decode-internal.h"

/* Bytes of a path before what is encoded in it. */
#define PATH_LEN 128

void decode_find_init(struct decode_find *f, const char *text, size_t len,
		      size_t from, struct buf *bytes)
{
	f->text = text;
	f->len = len;
	f->bytes = bytes;
	f->base = f->past = from;
	f->word = f->nr_words = 0;
	f->again = f->plain = 0;
	f->too_long = NULL;
	f->waits = 0;
	f->hits = 0;
}

/*
 * Bits of cur that begin a run of DECODE_BASE64_MIN, which may go on in next;
 * `before` is the bit before cur's first.
 */
static uint64_t run_starts(uint64_t cur, uint64_t next, uint64_t before)
{
	uint64_t a = cur, b = next;

	a &= a >> 1 | b << 63;
	b &= b >> 1;
	a &= a >> 2 | b << 62;
	b &= b >> 2;
	a &= a >> 4 | b << 60;
	b &= b >> 4;
	a &= a >> 8 | b << 56;
	return a & ~(cur << 1 | before);
}

static void look_at_word(struct decode_find *f)
{
	size_t w = f->word, at = f->base + w * 64;
	uint64_t before;

	if (w)
		before = f->run[w - 1] >> 63;
	else
		before = at && decode_is(f->text[at - 1], DECODE_BASE64);
	f->hits = run_starts(f->run[w], f->run[w + 1], before) | f->lead[w];
}

/* The masks of what comes next, up to limit. Returns 0 when that is nothing. */
static int fill(struct decode_find *f, size_t limit)
{
	size_t n, words;

	f->base += f->nr_words * 64;
	f->word = f->nr_words = 0;
	if (f->past > f->base)
		f->base = f->past;
	if (limit > f->len)
		limit = f->len;
	if (f->base >= limit)
		return 0;
	words = (limit - f->base + 63) / 64;
	if (words > DECODE_WORDS)
		words = DECODE_WORDS;
	n = f->len - f->base;
	if (n > (words + 1) * 64)
		n = (words + 1) * 64;
	f->run[words] = 0;
	decode_masks(f->text + f->base, n, f->run, f->lead);
	f->nr_words = words;
	look_at_word(f);
	return 1;
}

/* The next candidate before limit: 1; 0: there is none. */
static int next_hit(struct decode_find *f, size_t limit, size_t *at)
{
	for (;;) {
		while (!f->hits) {
			if (f->word + 1 < f->nr_words) {
				f->word++;
				look_at_word(f);
			} else if (!fill(f, limit)) {
				return 0;
			}
		}
		*at = f->base + f->word * 64 +
		      (unsigned)__builtin_ctzll(f->hits);
		if (*at >= limit)
			return 0;
		f->hits &= f->hits - 1;
		if (*at >= f->past)
			return 1;
	}
}

/* Where the run at `at` ends; the masks know the next bytes. */
static size_t run_end(const struct decode_find *f, size_t at)
{
	size_t bit = (at - f->base) % 64, w = (at - f->base) / 64;
	uint64_t rest = ~(f->run[w] >> bit);

	if (bit)
		rest &= ~(UINT64_MAX << (64 - bit));
	if (rest)
		return at + (unsigned)__builtin_ctzll(rest);
	at += 64 - bit;
	while (at < f->len && decode_is(f->text[at], DECODE_BASE64))
		at++;
	return at;
}

/* A byte that an escape may begin with; most are of something else. */
static int escape_at(struct decode_find *f, size_t at, struct decode_segment *s)
{
	const char *p = f->text + at;

	if (f->len - at < 3)
		return 0;
	switch (*p) {
	case '\\':
		if (p[1] != 'u' && p[1] != 'x' && p[1] != 'U' &&
		    (!decode_is(p[1], DECODE_HEX) ||
		     !decode_is(p[2], DECODE_HEX)))
			return 0;
		break;
	case '%':
		if (!decode_is(p[1], DECODE_HEX) ||
		    !decode_is(p[2], DECODE_HEX))
			return 0;
		break;
	default:
		if (p[1] != '#' && !decode_is(p[1], DECODE_BASE64))
			return 0;
	}
	if (at < f->plain)
		return 0;
	if (decode_escapes_at(f->text, f->len, at, f->bytes, s))
		return 1;
	/* nor are those that are in a row with it: each is looked at once */
	f->plain = s->end;
	return 0;
}

/*
 * Base64 that begins after what parts words, as in the path of a URL: / and -
 * are digits too, so the run began before it. Looked for where such a path
 * may be: in long runs (short ones are names of a program), near their
 * beginning, and not in lines of base64 that follow others.
 */
static int part_of_run(struct decode_find *f, size_t at, size_t end,
		       struct decode_segment *s)
{
	size_t last = at + PATH_LEN;

	if (end - at < DECODE_LINE_MIN || decode_join_back(f->text, at))
		return 0;
	for (; end - at > DECODE_BASE64_MIN && at < last; at++) {
		char c = f->text[at];

		if ((c == '/' || c == '-' || c == '_') &&
		    decode_base64_at(f->text, f->len, at + 1, end, f->bytes, s))
			return 1;
	}
	return 0;
}

/* A run of digits that begins at `at`. */
static int run_at(struct decode_find *f, size_t at, struct decode_segment *s)
{
	size_t end = run_end(f, at);
	char c = f->text[at];

	/* the letter of an escaped end of line is none of them */
	if (at && f->text[at - 1] == '\\' && (c == 'n' || c == 'r' || c == 't'))
		at++;
	if (end - at >= DECODE_BASE64_MIN &&
	    decode_base64_at(f->text, f->len, at, end, f->bytes, s))
		return 1;
	if (end - at >= DECODE_HEX_MIN &&
	    decode_hex_at(f->text, f->len, at, end, f->bytes, s)) {
		f->again = s->end;
		return 1;
	}
	return part_of_run(f, at, end, s);
}

/* The rest of a run of which a part was hexadecimal. */
static int rest_at(struct decode_find *f, struct decode_segment *s)
{
	size_t at = f->again, end = at;

	f->again = 0;
	while (end < f->len && decode_is(f->text[end], DECODE_BASE64))
		end++;
	if (end - at < DECODE_HEX_MIN ||
	    !decode_hex_at(f->text, f->len, at, end, f->bytes, s))
		return 0;
	f->again = s->end;
	return 1;
}

/* The next segment of a candidate before limit. */
static int look(struct decode_find *f, size_t limit, struct decode_segment *s)
{
	size_t at;

	if (f->again && rest_at(f, s)) {
		f->past = s->end;
		return 1;
	}
	while (next_hit(f, limit, &at)) {
		if (decode_is(f->text[at], DECODE_LEAD) ? escape_at(f, at, s)
							: run_at(f, at, s)) {
			f->past = s->end;
			return 1;
		}
	}
	return 0;
}

int decode_find_next(struct decode_find *f, size_t limit,
		     struct decode_segment *s)
{
	if (f->too_long)
		return 0;
	/* one may begin in the midst of a run, and so past the limit */
	if (!f->waits)
		f->waits = look(f, limit, &f->waiting);
	if (f->waits && f->waiting.nr_bytes > DECODE_BYTES_MAX) {
		f->too_long = f->waiting.encoding;
		f->waits = 0;
	}
	if (!f->waits || f->waiting.start >= limit)
		return 0;
	*s = f->waiting;
	f->waits = 0;
	return 1;
}
