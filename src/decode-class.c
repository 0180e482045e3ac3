/*
 * What each byte of a text can be to an encoding; where base64 goes on in the
 * next line; how far that can reach from a place; and where nothing reaches on.
 */
#include <string.h>

#include "decode-internal.h"

#define TOKEN (DECODE_BASE64 | DECODE_NEAR | DECODE_WORD)

const uint8_t decode_class[256] = {
	['0' ... '9'] = TOKEN | DECODE_HEX,
	['a' ... 'f'] = TOKEN | DECODE_HEX,
	['A' ... 'F'] = TOKEN | DECODE_HEX,
	['g' ... 'z'] = TOKEN,
	['G' ... 'Z'] = TOKEN,
	['+'] = TOKEN,
	['/'] = TOKEN,
	['-'] = TOKEN,
	['_'] = TOKEN,
	['%'] = DECODE_LEAD | DECODE_NEAR,
	['\\'] = DECODE_LEAD | DECODE_NEAR,
	['&'] = DECODE_LEAD | DECODE_NEAR,
	['.'] = DECODE_NEAR | DECODE_WORD,
	['='] = DECODE_NEAR | DECODE_WORD,
	['~'] = DECODE_NEAR | DECODE_WORD,
	[';'] = DECODE_NEAR,
	['#'] = DECODE_NEAR,
	['{'] = DECODE_NEAR,
	['}'] = DECODE_NEAR,
};

#define NONE 0xff
const uint8_t decode_hex[256] = {
	[0 ... '0' - 1] = NONE,
	['0'] = 0, ['1'] = 1, ['2'] = 2, ['3'] = 3, ['4'] = 4,
	['5'] = 5, ['6'] = 6, ['7'] = 7, ['8'] = 8, ['9'] = 9,
	['9' + 1 ... 'A' - 1] = NONE,
	['A'] = 10, ['B'] = 11, ['C'] = 12, ['D'] = 13, ['E'] = 14, ['F'] = 15,
	['F' + 1 ... 'a' - 1] = NONE,
	['a'] = 10, ['b'] = 11, ['c'] = 12, ['d'] = 13, ['e'] = 14, ['f'] = 15,
	['f' + 1 ... 255] = NONE,
};

/* Bytes before an end of line that decide whether clusters end there. */
#define BREAK_BYTES 32
/* Bytes of the longest end of line that is escaped. */
#define ESCAPED_MAX 4

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Are the bytes before `at` a line of base64 that may go on? */
static int line_before(const char *text, size_t at)
{
	if (at < DECODE_LINE_MIN)
		return 0;
	for (size_t i = at - DECODE_LINE_MIN; i < at; i++)
		if (!decode_is(text[i], DECODE_BASE64))
			return 0;
	return 1;
}

/* Past one end of line at `at`, or 0. */
static size_t end_of_line(const char *text, size_t len, size_t at)
{
	const char *p = text + at;
	size_t left = len - at;

	if (left >= 4 && !memcmp(p, "\\r\\n", 4))
		return at + 4;
	if (left >= 2 && p[0] == '\\' && p[1] == 'n')
		return at + 2;
	if (left && *p == '\\')
		at++, p++, left--;
	if (left && *p == '\r')
		at++, p++, left--;
	return left && *p == '\n' ? at + 1 : 0;
}

/* Does a run of base64 from `at` look like a line, or the last of some? */
static int is_line(const char *text, size_t len, size_t at, unsigned unit)
{
	size_t end = at, pad = 0;

	while (end < len && decode_is(text[end], DECODE_BASE64))
		end++;
	if (end == at)
		return 0;
	while (pad < 2 && end + pad < len && text[end + pad] == '=')
		pad++;
	if (end - at < DECODE_LINE_MIN && (end - at + pad) % unit)
		return 0;
	/* what may stand behind it; a NUL too */
	return end + pad == len || strchr("\r\n\"'\\<,);`", text[end + pad]);
}

size_t decode_join(const char *text, size_t len, size_t at, unsigned unit)
{
	size_t next, first;

	if (at >= len ||
	    (text[at] != '\n' && text[at] != '\r' && text[at] != '\\') ||
	    !line_before(text, at))
		return 0;
	first = next = end_of_line(text, len, at);
	if (!next)
		return 0;
	while (next < len && next - first < DECODE_INDENT_MAX &&
	       is_blank(text[next]))
		next++;
	return is_line(text, len, next, unit) ? next : 0;
}

size_t decode_join_back(const char *text, size_t at)
{
	size_t blanks = 0;

	while (at && blanks < DECODE_INDENT_MAX && is_blank(text[at - 1]))
		at--, blanks++;
	if (!at || text[at - 1] != '\n')
		return 0;
	at--;
	if (at && text[at - 1] == '\r')
		at--;
	if (at && text[at - 1] == '\\')
		at--;
	return line_before(text, at) ? at : 0;
}

/* Does `\` and c end at `at`, and begin not before least? */
static int is_after(const char *text, size_t at, size_t least, char c)
{
	return at >= least + 2 && text[at - 2] == '\\' && text[at - 1] == c;
}

/* Where the escaped end of line begins that ends at `at`, or `at`. */
static size_t before_escape(const char *text, size_t at, size_t least)
{
	if (!is_after(text, at, least, 'n'))
		return at;
	at -= 2;
	return is_after(text, at, least, 'r') ? at - 2 : at;
}

/*
 * As decode_join_back, but of what may be left of the end of line and the
 * indentation where a text was cut, too.
 */
static size_t line_back(const char *text, size_t at)
{
	size_t blanks = 0, end;

	while (at && blanks < DECODE_INDENT_MAX && is_blank(text[at - 1]))
		at--, blanks++;
	end = before_escape(text, at, 0);
	if (end == at) {
		if (end && text[end - 1] == '\n')
			end--;
		if (end && text[end - 1] == '\r')
			end--;
		if (end == at)
			return 0;
		if (end && text[end - 1] == '\\')
			end--;
	}
	return line_before(text, end) ? end : 0;
}

/* The run of base64 from `at` on, behind indentation; 0: there is none. */
static size_t indented(const char *text, size_t len, size_t at)
{
	size_t first = at;

	while (at < len && at - first < DECODE_INDENT_MAX && is_blank(text[at]))
		at++;
	return at < len && decode_is(text[at], DECODE_BASE64) ? at : 0;
}

/*
 * Past the end of line that is at `at`, or that ends there if it is escaped;
 * 0: none. *end is where the line ends, not before least.
 */
static size_t next_line(const char *text, size_t len, size_t at, size_t least,
			size_t *end)
{
	size_t next = end_of_line(text, len, at);

	*end = at;
	if (next) {
		*end -= at > least && text[at - 1] == '\\';
		return next;
	}
	*end = before_escape(text, at, least);
	return *end < at ? at : 0;
}

size_t decode_left(const char *text, size_t at, size_t least)
{
	for (;;) {
		size_t before;

		while (at > least && decode_is(text[at - 1], DECODE_NEAR))
			at--;
		before = line_back(text, at);
		if (before <= least)
			return at;
		at = before;
	}
}

size_t decode_past_seam(const char *text, size_t len, size_t seam)
{
	size_t at = seam, next, end;

	/* of a longer line all that matters is here */
	while (at < len && at - seam < DECODE_LINE_MIN + ESCAPED_MAX &&
	       decode_is(text[at], DECODE_NEAR))
		at++;
	next = next_line(text, len, at, seam, &end);
	if (!next && at - seam < ESCAPED_MAX) {
		next = at; /* the end of line was before, or is cut itself */
		end = seam;
	}
	if (!next)
		return seam;
	while (end > seam && decode_is(text[end - 1], DECODE_BASE64))
		end--;
	next = end == seam ? indented(text, len, next) : 0;
	return next ? next : seam;
}

size_t decode_right(const char *text, size_t len, size_t at)
{
	for (;;) {
		size_t next, end;

		while (at < len && decode_is(text[at], DECODE_NEAR))
			at++;
		next = next_line(text, len, at, 0, &end);
		if (next)
			next = line_before(text, end) ?
				       indented(text, len, next) : 0;
		if (!next)
			return at;
		at = next;
	}
}

int decode_is_break(const char *text, size_t at)
{
	uint64_t v[BREAK_BYTES / 8], h = 0;

	if (at < BREAK_BYTES)
		return 0;
	memcpy(v, text + at - BREAK_BYTES, BREAK_BYTES);
	for (size_t i = 0; i < BREAK_BYTES / 8; i++) {
		/* 2^64 divided by the golden ratio: spreads the bits */
		h = (h ^ v[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return (h & 63) == 0;
}
