/*
 * Indices of packs: whatever the bytes, nothing outside of them is read, every
 * entry can be asked for, and where the ids are in order each is found.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "odb-internal.h"

/* In order, each id once, and the fan-out counts them so. */
static int is_sound(const struct odb_idx *x)
{
	uint32_t at, byte = 0;

	for (at = 0; at < x->nr; at++) {
		const unsigned char *id = odb_idx_id(x, at);

		if (at && memcmp(odb_idx_id(x, at - 1), id, x->raw_len) >= 0)
			return 0;
		for (; byte < *id; byte++)
			if (x->fanout[4 * byte + 3] != (at & 0xff))
				return 0;
	}
	for (; byte < 256; byte++)
		if (x->fanout[4 * byte + 3] != (at & 0xff))
			return 0;
	return x->nr < 256;
}

static void ask(const struct odb_idx *x, size_t raw_len)
{
	unsigned char id[OID_SHA256] = { 0 };
	int sound = is_sound(x);
	uint32_t at, low;

	for (at = 0; at < x->nr; at++) {
		odb_idx_offset(x, at);
		memcpy(id, odb_idx_id(x, at), raw_len);
		if (sound)
			assert(odb_idx_find(x, id) == (ptrdiff_t)at);
		id[raw_len - 1] ^= 1;
		low = odb_idx_lower(x, id);
		assert(low <= x->nr);
		odb_idx_find(x, id);
	}
	memset(id, 0, sizeof(id));
	assert(odb_idx_lower(x, id) <= x->nr);
	memset(id, 0xff, sizeof(id));
	assert(odb_idx_lower(x, id) <= x->nr);
}

/* An input is mostly fan-out; it is made from ids here in most runs, so that
 * what comes after it is reached. */
static size_t complete(const uint8_t *data, size_t size, size_t raw_len,
		       int version, unsigned char *out)
{
	size_t nr = size / (raw_len + 4), i, n = 0, fan;

	if (nr > 200)
		nr = 200;
	if (version == 2) {
		memcpy(out, "\377tOc\0\0\0\2", 8);
		n = 8;
	}
	fan = n;
	n += 1024;
	memset(out + fan, 0, 1024);
	for (i = 0; i < nr; i++) {
		unsigned byte = data[i * (raw_len + 4) + 4], j;

		for (j = byte; j < 256; j++)
			out[fan + 4 * j + 3]++;
	}
	if (version == 1) {
		memcpy(out + n, data, nr * (raw_len + 4));
		n += nr * (raw_len + 4);
	} else {
		for (i = 0; i < nr; i++, n += raw_len)
			memcpy(out + n, data + i * (raw_len + 4) + 4, raw_len);
		memset(out + n, 0, nr * 4);
		n += nr * 4;
		for (i = 0; i < nr; i++, n += 4)
			memcpy(out + n, data + i * (raw_len + 4), 4);
		memcpy(out + n, data, size % 8 * 8 < size ? size % 8 * 8 : 0);
		n += size % 8 * 8 < size ? size % 8 * 8 : 0;
	}
	memset(out + n, 0, 2 * raw_len);
	return n + 2 * raw_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *bytes;
	struct odb_idx x;
	size_t raw_len, n;

	if (size < 1)
		return 0;
	raw_len = *data & 1 ? OID_SHA256 : OID_SHA1;
	bytes = malloc(size + 16384);
	assert(bytes);
	if (*data & 2) {
		memcpy(bytes, data + 1, size - 1);
		n = size - 1;
	} else {
		n = complete(data + 1, size - 1, raw_len, *data & 4 ? 1 : 2,
			     bytes);
	}
	bytes = realloc(bytes, n ? n : 1); /* so that its end is the end */
	assert(bytes);
	if (!odb_idx_parse(&x, bytes, n, raw_len))
		ask(&x, raw_len);
	free(bytes);
	return 0;
}
