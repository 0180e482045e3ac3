/*
 * Shannon's entropy as gitleaks takes it: frequencies of characters, divided
 * by the length in bytes. Takes bytes, gives bits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "scan-internal.h"

static double sum(double count, double len)
{
	double f = count / len;

	return f > 0 ? -f * log2(f) : 0;
}

/* The character at s, one byte where it is not UTF-8 (all of those alike). */
static size_t character(const unsigned char *s, size_t left, uint32_t *out)
{
	size_t n = s[0] < 0xc2 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
		   s[0] < 0xf5 ? 4 : 1;
	uint32_t c = s[0];

	*out = c < 0x80 ? c : 0xfffd;
	if (n == 1 || n > left)
		return 1;
	c &= 0xffu >> (n + 1);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (s[i] & 0x3f);
	}
	*out = c;
	return n;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* With bytes past ASCII: sort the characters, and count runs. */
static double of_characters(const char *s, size_t len)
{
	uint32_t *all = mem_array(len, sizeof(*all));
	size_t nr = 0, from = 0;
	double bits = 0;

	for (size_t i = 0; i < len;)
		i += character((const unsigned char *)s + i, len - i,
			       &all[nr++]);
	qsort(all, nr, sizeof(*all), compare);
	for (size_t i = 1; i <= nr; i++) {
		if (i < nr && all[i] == all[from])
			continue;
		bits += sum((double)(i - from), (double)len);
		from = i;
	}
	free(all);
	return bits;
}

double scan_entropy(const char *s, size_t len)
{
	size_t counts[128] = { 0 };
	double bits = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 128)
			return of_characters(s, len);
		counts[c]++;
	}
	for (size_t i = 0; i < 128; i++)
		bits += sum((double)counts[i], (double)len);
	return bits;
}
