/*
 * How much one text has of another, by lines: for files that were renamed and
 * changed at once. Pure; a measure, which decides nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "walk-internal.h"

/* Of a text without line ends, pieces of this many bytes stand for lines. */
#define LINE_MAX_BYTES 64

/* Texts of more lines are not compared. */
#define LINES_MAX ((size_t)1 << 20)

struct line {
	uint64_t hash;
	size_t len;
};

/* FNV-1a: lines that collide make texts look a little more alike. */
static uint64_t hash_of(const char *p, size_t n)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	while (n--)
		hash = (hash ^ (unsigned char)*p++) *
		       UINT64_C(0x100000001b3);
	return hash;
}

static int by_hash(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Sorted by hash; more than LINES_MAX: not all. */
static struct line *split(const char *text, size_t len, size_t *nr)
{
	struct line *list = NULL;
	size_t alloc = 0, n;
	const char *p, *end;

	*nr = 0;
	for (p = text; p < text + len && *nr <= LINES_MAX; p += n) {
		n = (size_t)(text + len - p);
		if (n > LINE_MAX_BYTES)
			n = LINE_MAX_BYTES;
		end = memchr(p, '\n', n);
		if (end)
			n = (size_t)(end + 1 - p);
		MEM_GROW(list, *nr, alloc);
		list[(*nr)++] = (struct line){ hash_of(p, n), n };
	}
	if (*nr)
		qsort(list, *nr, sizeof(*list), by_hash);
	return list;
}

unsigned walk_like(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t nr_a, nr_b, i = 0, k = 0, same = 0;
	struct line *x = split(a, a_len, &nr_a), *y = split(b, b_len, &nr_b);

	while (i < nr_a && k < nr_b) {
		if (x[i].hash < y[k].hash) {
			i++;
		} else if (x[i].hash > y[k].hash) {
			k++;
		} else {
			same += x[i].len;
			i++;
			k++;
		}
	}
	free(x);
	free(y);
	if (nr_a > LINES_MAX || nr_b > LINES_MAX)
		return 0;
	return a_len ? (unsigned)(same * 100 / a_len) : 100;
}
