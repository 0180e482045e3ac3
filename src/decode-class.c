/*
 * What each byte of a text can be to an encoding; where base64 goes on in the
 * next line; and how far that can reach from a place.
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
static int is_line(const char *text, size_t len, size_t at)
{
	size_t end = at, pad = 0;

	while (end < len && decode_is(text[end], DECODE_BASE64))
		end++;
	if (end == at)
		return 0;
	while (pad < 2 && end + pad < len && text[end + pad] == '=')
		pad++;
	if (end - at < DECODE_LINE_MIN && (end - at + pad) % 4)
		return 0;
	/* what may stand behind it; a NUL too */
	return end + pad == len || strchr("\r\n\"'\\<,);`", text[end + pad]);
}

size_t decode_join(const char *text, size_t len, size_t at)
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
	return is_line(text, len, next) ? next : 0;
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

size_t decode_left(const char *text, size_t at, size_t least)
{
	for (;;) {
		size_t before;

		while (at > least && decode_is(text[at - 1], DECODE_NEAR))
			at--;
		before = decode_join_back(text, at);
		if (before <= least)
			return at;
		at = before;
	}
}

size_t decode_right(const char *text, size_t len, size_t at)
{
	for (;;) {
		size_t next;

		while (at < len && decode_is(text[at], DECODE_NEAR))
			at++;
		next = decode_join(text, len, at);
		/* after a backslash, which is near: the end of line is here */
		if (!next && at && text[at - 1] == '\\')
			next = decode_join(text, len, at - 1);
		if (!next)
			return at;
		at = next;
	}
}
