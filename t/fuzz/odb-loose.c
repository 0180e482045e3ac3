/*
 * Loose objects: bytes of the input as a file, or compressed as one. Nothing
 * but what the file's title says is given, and all of that.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libdeflate.h>

#include "odb-internal.h"

#define NAME "00/00000000000000000000000000000000000000"
#define MAX 100000

static char path[] = "/tmp/fuzz-odb-loose.XXXXXX";
static int dir = -1;

static void leave(void)
{
	unlinkat(dir, NAME, 0);
	unlinkat(dir, "00", AT_REMOVEDIR);
	rmdir(path);
}

static void enter(void)
{
	assert(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(dir >= 0 && !mkdirat(dir, "00", 0700));
	atexit(leave);
}

static void put(const void *data, size_t n)
{
	int fd;

	unlinkat(dir, NAME, 0);
	fd = openat(dir, NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
}

/* A title and a text: the text many times over, so that it is long. */
static size_t compress(const uint8_t *data, size_t size, char *text,
		       unsigned char *out)
{
	static const char *const words[] = { "blob", "tree", "commit", "tag" };
	static struct libdeflate_compressor *levels[10];
	struct libdeflate_compressor **c = &levels[data[2] % 10];
	size_t times = (size_t)(data[0] & 63) * 5, len = 0, title, n, i;

	title = (size_t)sprintf(text, "%s %zu", words[data[1] & 3],
				(size - 3) * times + (data[1] >> 2 == 63));
	text[title++] = data[1] >> 2 == 62 ? ' ' : '\0';
	for (i = 0; i < times && len + size < MAX; i++) {
		memcpy(text + title + len, data + 3, size - 3);
		len += size - 3;
	}
	if (!*c)
		*c = libdeflate_alloc_compressor(data[2] % 10);
	n = libdeflate_zlib_compress(*c, text, title + len, out, 2 * MAX);
	assert(n);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct odb_loose l;
	static char text[2 * MAX];
	static unsigned char bytes[2 * MAX];
	struct odb_dir d = { .path = (char *)(uintptr_t)"objects" };
	struct odb_held *h = NULL;
	enum odb_type type, type2;
	enum odb_status status;
	struct oid id = { { 0 } };
	size_t len, len2;

	if (size < 4 || size > 4096)
		return 0;
	if (dir < 0) {
		enter();
		l.inflater = libdeflate_alloc_decompressor();
	}
	d.fd = dir;
	if (*data & 64)
		put(data + 1, size - 1);
	else
		put(bytes, compress(data, size, text, bytes));
	status = odb_loose_read(&l, &d, &id, OID_SHA1, 4 * MAX, &type, &len,
				&h);
	assert((status == ODB_OK) == !!h && status != ODB_MISSING);
	if (!h)
		return 0;
	assert(h->len == len && h->type == type && !h->data[len]);
	if (!(*data & 64))
		assert(!memcmp(h->data, text + strlen(text) + 1, len));
	assert(odb_loose_read(&l, &d, &id, OID_SHA1, 4 * MAX, &type2, &len2,
			      NULL) == ODB_OK);
	assert(type == type2 && len == len2);
	if (len)
		assert(odb_loose_read(&l, &d, &id, OID_SHA1, len - 1, &type2,
				      &len2, NULL) == ODB_TOO_LARGE);
	odb_held_release(h);
	return 0;
}
