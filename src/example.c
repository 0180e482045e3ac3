/*
 * Examples for rules: takes a line of such a file, gives the rule, what is
 * wanted of it, and the text. What is made up depends on the line alone, so
 * that a rule is tested by the same bytes each time.
 */
#include "example.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
/* Of one {KIND:N}. */
#define MADE_MAX 100000

/* The letters of a KIND of n bytes, or NULL: there is none of that name. */
static const char *letters_of(const char *kind, size_t n)
{
	static const char *const table[][2] = {
		{ "hex", DIGITS "abcdef" },
		{ "num", DIGITS },
		{ "alpha", LOWER UPPER },
		{ "alnum", LOWER UPPER DIGITS },
		{ "lalpha", LOWER },
		{ "lower", LOWER DIGITS },
		{ "word", LOWER UPPER DIGITS "_-" },
		{ "b32", UPPER "234567" },
		{ "b32l", LOWER "234567" },
		{ "b58", "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
			 "abcdefghijkmnopqrstuvwxyz" },
		{ "b64", LOWER UPPER DIGITS "+/" },
		{ "bech", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strlen(table[i][0]) == n && !strncmp(table[i][0], kind, n))
			return table[i][1];
	return NULL;
}

/*
 * "{KIND:N}" at s: N bytes of it to out, by a generator that libc's is like.
 * Returns how long it is, 0 when it is none.
 */
static size_t make_up(const char *s, unsigned *x, struct buf *out)
{
	size_t word = strspn(s + 1, LOWER DIGITS);
	const char *set = s[1 + word] == ':' ? letters_of(s + 1, word) : NULL;
	unsigned long n;
	char *end;

	if (!set)
		return 0;
	n = strtoul(s + word + 2, &end, 10);
	if (*end != '}' || n > MADE_MAX)
		return 0;
	for (; n > 0; n--) {
		*x = *x * 1103515245u + 12345u;
		buf_addc(out, set[(*x >> 16) % strlen(set)]);
	}
	return (size_t)(end + 1 - s);
}

static void expand(const char *s, struct buf *out)
{
	unsigned x = 12345;
	size_t n;

	for (const char *p = s; *p; p++)
		x = x * 31 + (unsigned char)*p;
	buf_reset(out);
	buf_add(out, "", 0);
	for (; *s; s += n) {
		n = *s == '{' ? make_up(s, &x, out) : 0;
		if (n)
			continue;
		n = strncmp(s, "{nl}", 4) ? 1 : 4;
		buf_addc(out, n == 4 ? '\n' : *s);
	}
}

int example_read(const char *line, struct example *out, struct buf *text,
		 const char **why)
{
	size_t n = strcspn(line, " ");

	if (!*line || *line == '#')
		return 0;
	*why = "no rule's id";
	if (!n || n >= sizeof(out->rule))
		return -1;
	*why = "no '+ ' or '- ' behind the rule's id";
	if (line[n] != ' ' || (line[n + 1] != '+' && line[n + 1] != '-') ||
	    line[n + 2] != ' ')
		return -1;
	memcpy(out->rule, line, n);
	out->rule[n] = '\0';
	out->wanted = line[n + 1] == '+';
	expand(line + n + 3, text);
	return 1;
}
