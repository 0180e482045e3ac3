#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stddef.h>

struct buf;

/*
 * A file of examples for rules has one a line: the rule's id, '+' (it must
 * find something) or '-' (it must not), and text. "{KIND:N}" in the text
 * stands for N bytes that are made up, the same ones each time: of hex, num,
 * alpha, lalpha, alnum, lower (with digits), word, b32, b32l, b58, b64 or
 * bech; "{nl}" for the end of a line. So no secret stands in the file.
 */
struct example {
	char rule[128];
	int wanted; /* it must be found */
};

/*
 * Read one line, without its newline; the text is put in place of what text
 * had. Returns 1, 0 for an empty line or a comment ('#'), or -1 and *why, a
 * constant.
 */
int example_read(const char *line, struct example *out, struct buf *text,
		 const char **why);

#endif
