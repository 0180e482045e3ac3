/*
 * Line and column of a byte. Takes one text, counts its newlines once, by
 * blocks, and answers in the time that one block takes.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "scan-internal.h"

#define BLOCK 4096

struct scan_block {
	size_t lines;      /* newlines before it */
	size_t line_start; /* of the line that its first byte is in */
};

void scan_lines_init(struct scan_lines *l, const char *text, size_t len)
{
	*l = (struct scan_lines){ .text = text, .len = len };
}

void scan_lines_clear(struct scan_lines *l)
{
	free(l->blocks);
	*l = (struct scan_lines){ 0 };
}

/* Count newlines of text[from..to); moves *start past the last. */
static size_t count(const char *text, size_t from, size_t to, size_t *start)
{
	const char *p = text + from, *end = text + to;
	size_t n = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		n++;
		p++;
		*start = (size_t)(p - text);
	}
	return n;
}

static void build(struct scan_lines *l)
{
	struct scan_block at = { 0, 0 };

	l->nr = l->len / BLOCK + 1;
	l->blocks = mem_array(l->nr, sizeof(*l->blocks));
	for (size_t i = 0; i < l->nr; i++) {
		size_t from = i * BLOCK, to = from + BLOCK;

		l->blocks[i] = at;
		at.lines += count(l->text, from, to < l->len ? to : l->len,
				  &at.line_start);
	}
}

unsigned scan_lines_at(struct scan_lines *l, size_t at, size_t *line_start)
{
	struct scan_block b;

	if (!l->blocks)
		build(l);
	b = l->blocks[at / BLOCK];
	b.lines += count(l->text, at - at % BLOCK, at, &b.line_start);
	*line_start = b.line_start;
	return (unsigned)(b.lines + 1);
}
