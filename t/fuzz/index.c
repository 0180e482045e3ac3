/*
 * Indices of work trees: of any bytes each entry has a path that is its own
 * string and within bounds, what is refused has a word why, and who asks for
 * no more gets no more. The first byte says which hash.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "index.h"
#include "oid.h"

struct look {
	size_t nr, most;
	size_t raw_len, bytes;
};

static int look(void *arg, const struct index_entry *e)
{
	static const struct oid none;
	struct look *l = arg;

	assert(e->path && e->path_len && strlen(e->path) == e->path_len);
	assert(e->path_len <= 65536 && e->stage <= 3);
	assert(!memcmp(e->id.raw + l->raw_len, none.raw,
		       sizeof(none.raw) - l->raw_len));
	/* a version 4 entry shares its path, but has its numbers */
	assert(++l->nr * (40 + l->raw_len) <= l->bytes);
	return l->nr > l->most ? 7 : 0;
}

static void each(const char *path, struct look *l)
{
	const char *why = "";
	int rc = index_each(path, l->raw_len, look, l, &why);

	assert(rc == 0 || rc == -1 || rc == 7);
	assert((rc == -1) == (why != NULL));
	assert((rc == 7) == (l->nr > l->most));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct look all = { .most = SIZE_MAX }, some;
	char path[64];

	if (!size)
		return 0;
	all.raw_len = data[0] & 1 ? OID_SHA256 : OID_SHA1;
	all.bytes = size - 1;
	if (fd < 0)
		fd = memfd_create("index", 0);
	if (fd < 0 || ftruncate(fd, 0) ||
	    pwrite(fd, data + 1, size - 1, 0) != (ssize_t)size - 1)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	some = all;
	each(path, &all);
	some.most = all.nr / 2;
	each(path, &some);
	return 0;
}
