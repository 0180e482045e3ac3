/*
 * Deltas: whatever the instructions, nothing outside of base and result is
 * touched; the result is that of an applier that is simple enough to be seen
 * through; the marks are all of it, and no copy is other than in the base.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "odb-internal.h"
#include "odb-spans.h"

#define RESULT_MAX ((size_t)1 << 20)

/* One byte at a time. 0 or -1. */
static int apply_simply(const struct odb_delta *d, const char *base, char *out)
{
	const unsigned char *at = d->at;
	size_t done = 0, i;

	while (at < d->end) {
		unsigned op = *at++;
		uint64_t from = 0, n = 0;

		if (op & 0x80) {
			for (i = 0; i < 4; i++)
				if (op >> i & 1) {
					if (at >= d->end)
						return -1;
					from |= (uint64_t)*at++ << 8 * i;
				}
			for (i = 0; i < 3; i++)
				if (op >> (4 + i) & 1) {
					if (at >= d->end)
						return -1;
					n |= (uint64_t)*at++ << 8 * i;
				}
			if (!n)
				n = 65536;
			if (from + n > d->base_len)
				return -1;
		} else {
			n = op;
			if (!n || n > (size_t)(d->end - at))
				return -1;
		}
		if (n > d->len - done)
			return -1;
		for (i = 0; i < n; i++)
			out[done++] = op & 0x80 ? base[from + i] :
						  (char)*at++;
	}
	return done == d->len ? 0 : -1;
}

/* What is read or written beyond is seen by the sanitizer. */
static char *room(size_t len)
{
	char *p = malloc(len + ODB_SLACK);

	assert(p);
	memset(p, 0, len + ODB_SLACK);
	return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct odb_marks marks;
	struct odb_delta d;
	char *base, *text, *out, *simple;
	size_t base_len, i;
	int rc;

	if (size < 2)
		return 0;
	base_len = data[0] | (size_t)data[1] << 8;
	base = room(base_len);
	for (i = 0; i < base_len; i++)
		base[i] = (char)(i * 31 + (i >> 8));
	text = room(size - 2);
	memcpy(text, data + 2, size - 2);
	rc = odb_delta_head(&d, (unsigned char *)text, size - 2);
	if (!rc && d.base_len == base_len && d.len <= RESULT_MAX) {
		out = room(d.len);
		simple = room(d.len);
		rc = odb_delta_apply(&d, base, out, &marks);
		assert(rc == apply_simply(&d, base, simple));
		if (!rc) {
			assert(!memcmp(out, simple, d.len + ODB_SLACK));
			struct odb_version v = {
				.data = out,
				.len = d.len,
				.copies = marks.copies,
				.nr_copies = marks.nr_copies,
				.fresh = marks.fresh,
				.nr_fresh = marks.nr_fresh,
			};

			check_spans(&v, base, base_len);
			assert(!odb_delta_apply(&d, base, simple, NULL));
		}
		free(out);
		free(simple);
	}
	free(text);
	free(base);
	return 0;
}
