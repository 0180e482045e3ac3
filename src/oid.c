/*
 * Names of git's objects, from and to hexadecimal digits. Pure; knows of no
 * object.
 */
#include <string.h>

#include "oid.h"

/* What a digit is worth, and one: histories have millions of them. */
static const unsigned char digit_values[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6,
	['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int oid_parse(struct oid *out, const char *hex, size_t raw_len)
{
	unsigned high, low;
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < raw_len; i++) {
		/* one after the other: a NUL is no digit, and ends it */
		high = digit_values[(unsigned char)hex[2 * i]];
		if (!high)
			return -1;
		low = digit_values[(unsigned char)hex[2 * i + 1]];
		if (!low)
			return -1;
		out->raw[i] = (unsigned char)((high - 1) << 4 | (low - 1));
	}
	return 0;
}

char *oid_hex(const struct oid *id, size_t raw_len, char out[OID_HEX_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < raw_len; i++) {
		out[2 * i] = digits[id->raw[i] >> 4];
		out[2 * i + 1] = digits[id->raw[i] & 15];
	}
	out[2 * raw_len] = '\0';
	return out;
}
