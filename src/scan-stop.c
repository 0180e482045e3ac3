/*
 * The stopwords of one allow-list, of which there may be thousands, looked
 * for in a secret at once. Takes lower-cased words, says whether a string
 * holds one.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "scan-internal.h"

#define BUCKETS 1024

struct scan_stop {
	const struct rules_words *words;
	uint32_t first[BUCKETS]; /* a word's number and one; 0: none */
	uint32_t *next;          /* of each word */
	int short_ones;          /* words of one byte are in bucket 0 */
};

static unsigned lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* By the first two bytes; longer than one byte only. */
static size_t bucket(const char *s)
{
	return (lower(s[0]) * 31 + lower(s[1])) % (BUCKETS - 1) + 1;
}

struct scan_stop *scan_stop_new(const struct rules_words *words)
{
	struct scan_stop *stop = mem_zalloc(sizeof(*stop));

	stop->words = words;
	stop->next = mem_array(words->nr, sizeof(*stop->next));
	for (size_t i = 0; i < words->nr; i++) {
		const char *w = words->list[i];
		size_t b = w[0] && w[1] ? bucket(w) : 0;

		stop->short_ones |= !b;
		stop->next[i] = stop->first[b];
		stop->first[b] = (uint32_t)i + 1;
	}
	return stop;
}

void scan_stop_free(struct scan_stop *stop)
{
	if (stop)
		free(stop->next);
	free(stop);
}

static int in_bucket(const struct scan_stop *stop, size_t b, const char *s,
		     size_t left)
{
	for (uint32_t i = stop->first[b]; i; i = stop->next[i - 1]) {
		const char *w = stop->words->list[i - 1];
		size_t n = strlen(w);

		if (n <= left && !strncasecmp(w, s, n))
			return 1;
	}
	return 0;
}

int scan_stop_in(const struct scan_stop *stop, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (stop->short_ones && in_bucket(stop, 0, s + i, len - i))
			return 1;
		if (i + 1 < len &&
		    in_bucket(stop, bucket(s + i), s + i, len - i))
			return 1;
	}
	return 0;
}
