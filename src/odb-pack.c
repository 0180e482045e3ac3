/*
 * A pack, mapped: takes its files, gives the heads of its entries and inflates
 * them (gitformat-pack(5)). A size that an entry claims is never believed
 * further than its compressed bytes can bear out; nothing is read beyond the
 * entries.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libdeflate.h>

#include "log.h"
#include "mem.h"
#include "odb-internal.h"

#define PACK_HEADER 12 /* "PACK", version, number of objects */
/* No more comes of one compressed byte (a match of 258 bytes in two bits). */
#define DEFLATE_RATIO 1032

int odb_map_open(struct odb_map *m, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	void *data = MAP_FAILED;
	int error;

	memset(m, 0, sizeof(*m));
	if (fd < 0)
		return -1;
	/*
	 * git never shortens a pack that is in its place, it only unlinks it:
	 * what is mapped stays.
	 */
	if (!fstat(fd, &st)) {
		if (S_ISREG(st.st_mode) && st.st_size > 0)
			data = mmap(NULL, (size_t)st.st_size, PROT_READ,
				    MAP_PRIVATE, fd, 0);
		else
			errno = EINVAL;
	}
	error = errno;
	close(fd);
	errno = error;
	if (data == MAP_FAILED)
		return -1;
	m->data = data;
	m->len = (size_t)st.st_size;
	return 0;
}

void odb_map_close(struct odb_map *m)
{
	if (m->data)
		munmap((void *)(uintptr_t)m->data, m->len);
	memset(m, 0, sizeof(*m));
}

const char *odb_pack_check(struct odb_pack *p, size_t raw_len)
{
	const unsigned char *d = p->map.data;
	const char *why;
	uint32_t version, nr;

	why = odb_idx_parse(&p->idx, p->idx_map.data, p->idx_map.len, raw_len);
	if (why)
		return why;
	if (p->map.len < PACK_HEADER + raw_len || memcmp(d, "PACK", 4))
		return "its pack is not one";
	memcpy(&version, d + 4, 4);
	memcpy(&nr, d + 8, 4);
	if (version != __builtin_bswap32(2) && version != __builtin_bswap32(3))
		return "its pack is of an unknown version";
	if (__builtin_bswap32(nr) != p->idx.nr)
		return "its pack has another number of objects";
	p->end = p->map.len - raw_len;
	if (memcmp(d + p->end, p->idx.pack_id, raw_len))
		return "it is the index of another pack";
	return NULL;
}

struct odb_pack *odb_pack_open(int dir, const char *path, const char *name,
			       size_t raw_len, int *gone)
{
	static _Atomic uint64_t ids;
	struct odb_pack *p = mem_zalloc(sizeof(*p));
	char *pack = mem_zalloc(strlen(name) + 2);
	const char *why = NULL;
	size_t stem = strlen(name) - strlen(".idx");

	*gone = 0;
	memcpy(pack, name, stem);
	memcpy(pack + stem, ".pack", sizeof(".pack"));
	p->name = mem_strdup(name);
	p->id = atomic_fetch_add(&ids, 1) + 1;
	if (odb_map_open(&p->map, dir, pack) ||
	    odb_map_open(&p->idx_map, dir, name)) {
		*gone = errno == ENOENT;
		why = strerror(errno);
	} else {
		why = odb_pack_check(p, raw_len);
	}
	free(pack);
	if (!why)
		return p;
	if (!*gone)
		log_error("%s/pack/%s: %s", path, name, why);
	odb_pack_free(p);
	return NULL;
}

void odb_pack_free(struct odb_pack *p)
{
	if (!p)
		return;
	odb_map_close(&p->idx_map);
	odb_map_close(&p->map);
	free(p->name);
	free(p);
}

/* Type and size: 4 bits of the size, then 7 a byte. The next byte, or NULL. */
static const unsigned char *get_kind(const unsigned char *at,
				     const unsigned char *end,
				     struct odb_entry *e)
{
	unsigned shift = 4;
	unsigned char c;

	if (at >= end)
		return NULL;
	c = *at++;
	e->kind = c >> 4 & 7;
	e->size = c & 15;
	while (c & 0x80) {
		/* 2^60 bytes and more are nobody's */
		if (at >= end || shift > 53)
			return NULL;
		c = *at++;
		e->size |= (size_t)(c & 0x7f) << shift;
		shift += 7;
	}
	return at;
}

/* How far before the entry its base is: 7 bits a byte, each but the last plus
 * one. The next byte, or NULL. */
static const unsigned char *get_distance(const unsigned char *at,
					 const unsigned char *end,
					 size_t *distance)
{
	unsigned char c;
	size_t n;

	if (at >= end)
		return NULL;
	c = *at++;
	n = c & 0x7f;
	while (c & 0x80) {
		if (at >= end || n >= (size_t)1 << 56)
			return NULL;
		c = *at++;
		n = (n + 1) << 7 | (c & 0x7f);
	}
	*distance = n;
	return at;
}

int odb_pack_entry(const struct odb_pack *p, size_t offset,
		   struct odb_entry *e)
{
	const unsigned char *end = p->map.data + p->end, *at;
	size_t distance;

	if (offset < PACK_HEADER || offset >= p->end)
		return -1;
	at = get_kind(p->map.data + offset, end, e);
	if (!at || e->kind == 0 || e->kind == 5)
		return -1;
	if (e->kind == ODB_OFS_DELTA) {
		at = get_distance(at, end, &distance);
		if (!at || !distance || distance > offset - PACK_HEADER)
			return -1;
		e->base = offset - distance;
	} else if (e->kind == ODB_REF_DELTA) {
		if ((size_t)(end - at) < p->idx.raw_len)
			return -1;
		e->base_id = at;
		at += p->idx.raw_len;
	}
	e->at = (size_t)(at - p->map.data);
	return odb_inflates_to(p->end - e->at, e->size) ? 0 : -1;
}

int odb_inflates_to(size_t n, size_t size)
{
	return size / DEFLATE_RATIO <= n;
}

int odb_inflate(struct libdeflate_decompressor *d, const void *in, size_t n,
		void *out, size_t len)
{
	size_t used;

	/* without a place for the length it must be exactly len */
	return libdeflate_zlib_decompress_ex(d, in, n, out, len, &used, NULL) ==
			       LIBDEFLATE_SUCCESS ?
		       0 :
		       -1;
}
