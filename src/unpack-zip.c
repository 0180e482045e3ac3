/*
 * Zips that are in order, which nearly all are: their directory and the
 * headers of their entries say the same, and from the first byte to the
 * directory there is nothing between. Then there is but one way to read them,
 * and it is read here, with libdeflate. Of all others nothing is said, and
 * unpack-read.c has them. Numbers of sections are APPNOTE.TXT's.
 */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "unpack-internal.h"

#define LISTED_LEN 46 /* 4.3.12, a file's header in the directory */
#define LOCAL_LEN 30  /* 4.3.7, a file's local header */
#define DESCRIBED 8   /* 4.4.4, flag: lengths follow the data (4.3.9) */
#define STORED 0      /* 4.4.5, methods */
#define DEFLATED 8
#define NAME_BYTES 1024

struct entry {
	const char *name, *data;
	size_t name_len, packed, len;
	unsigned method;
};

static size_t two(const char *p)
{
	return (size_t)(uint8_t)p[0] | (size_t)(uint8_t)p[1] << 8;
}

static size_t four(const char *p)
{
	return two(p) | two(p + 2) << 16;
}

/*
 * Does the local header at *at agree with the directory's at p, of an entry
 * of which the lengths are known? *at goes past the entry, which may end
 * where the directory begins.
 */
static int agrees(const struct unpack_source *s, const char *p, size_t *at,
		  size_t directory, struct entry *e)
{
	const char *l = s->data + *at;
	size_t left = directory - *at, used, flags = two(p + 8);

	if (left < LOCAL_LEN || memcmp(l, "PK\3\4", 4) ||
	    two(l + 6) != flags || two(l + 8) != e->method ||
	    two(l + 26) != e->name_len)
		return 0;
	used = LOCAL_LEN + e->name_len + two(l + 28);
	if (used > left || memcmp(l + LOCAL_LEN, e->name, e->name_len) ||
	    e->packed > left - used)
		return 0;
	e->data = l + used;
	used += e->packed;
	if (flags & DESCRIBED) {
		size_t n = left - used >= 4 &&
			   !memcmp(l + used, "PK\7\10", 4) ? 16 : 12;

		if (left - used < n)
			return 0;
		used += n;
	} else if (four(l + 18) != e->packed || four(l + 22) != e->len) {
		return 0;
	}
	*at += used;
	return 1;
}

/* One entry of the directory at p, of at most left bytes. Returns its length,
 * or 0: it is not in order. */
static size_t listed(const struct unpack_source *s, const char *p, size_t left,
		     size_t *at, size_t directory, struct entry *e)
{
	size_t n;

	if (left < LISTED_LEN || memcmp(p, "PK\1\2", 4))
		return 0;
	n = LISTED_LEN + two(p + 28) + two(p + 30) + two(p + 32);
	e->method = (unsigned)two(p + 10);
	e->packed = four(p + 20);
	e->len = four(p + 24);
	e->name = p + LISTED_LEN;
	e->name_len = two(p + 28);
	/* encrypted, in parts, larger than its fields, or an odd method */
	if (n > left || (two(p + 8) & 1) || two(p + 34) ||
	    e->packed == UINT32_MAX || e->len == UINT32_MAX ||
	    (e->method != STORED && e->method != DEFLATED) ||
	    (e->method == STORED && e->packed != e->len) ||
	    four(p + 42) != *at || !agrees(s, p, at, directory, e))
		return 0;
	return n;
}

/* All entries, if it is in order: *list, for the caller to free. */
static size_t entries_of(const struct unpack_source *s, struct entry **list)
{
	size_t end = unpack_zip_end(s->data, s->len, s->len);
	size_t at = 0, nr, directory, from;
	const char *p = s->data + end;

	if (end == s->len || !unpack_zip_fits(s->data, s->len, end))
		return 0;
	nr = two(p + 10);
	from = directory = four(p + 16);
	if (!nr || two(p + 4) || two(p + 6) || two(p + 8) != nr ||
	    directory > end || four(p + 12) != end - directory ||
	    nr > (end - directory) / LISTED_LEN)
		return 0;
	*list = mem_array(nr, sizeof(**list));
	for (size_t i = 0; i < nr; i++) {
		size_t n = listed(s, s->data + from, end - from, &at,
				  directory, &(*list)[i]);

		if (!n)
			return 0;
		from += n;
	}
	return at == directory && from == end ? nr : 0;
}

/*
 * Unpack it, unless that was clean before. Returns its bytes; NULL, *clean:
 * they need not be given; NULL: it cannot be unpacked.
 */
static const char *content(struct unpack *u, struct libdeflate_decompressor *d,
			   const struct entry *e, struct buf *out,
			   struct unpack_hash *hash, int *clean)
{
	*clean = 0;
	if (u->clean) {
		*hash = unpack_clean_hash(u->clean, e->data, e->packed,
					  (uint64_t)e->len << 8 | e->method);
		*clean = unpack_clean_has(u->clean, *hash);
		if (*clean)
			return NULL;
	}
	if (e->method == STORED)
		return e->data;
	buf_reset(out);
	return libdeflate_deflate_decompress(d, e->data, e->packed,
					     buf_room(out, e->len), e->len,
					     NULL) ? NULL : out->data;
}

static void give(struct unpack *u, const struct unpack_source *s,
		 const struct entry *e, size_t number, const char *data,
		 struct buf *name)
{
	buf_reset(name);
	buf_add(name, e->name,
		strnlen(e->name, e->name_len < NAME_BYTES ? e->name_len :
							    NAME_BYTES));
	if (!name->len)
		buf_addf(name, "entry-%zu", number + 1);
	unpack_give(u, s, name->data, data, e->len, 0);
}

/* Returns 0, or -1: it cannot be unpacked. */
static int take(struct unpack *u, const struct unpack_source *s,
		struct libdeflate_decompressor *d, const struct entry *e,
		size_t number, struct buf *name, struct buf *out)
{
	struct unpack_hash hash = { 0 };
	const char *data;
	int clean;

	if (u->entries++ >= u->limits->entries) {
		unpack_over(u, "it has more entries than the limit");
		return 0;
	}
	if (!unpack_may(u, (uint64_t)e->len + 1))
		return 0;
	data = content(u, d, e, out, &hash, &clean);
	if (!data && !clean)
		return -1;
	u->bytes += e->len;
	if (clean || !e->len)
		return 0;
	give(u, s, e, number, data, name);
	/* what is in an archive counts where that is: it is entered again */
	if (u->clean && !unpack_ended(u) && !unpack_wants(data, e->len))
		unpack_clean_put(u->clean, hash);
	return 0;
}

int unpack_zip(struct unpack *u, const struct unpack_source *s)
{
	struct libdeflate_decompressor *d = NULL;
	struct buf name = BUF_INIT, out = BUF_INIT;
	struct buf names = BUF_INIT;
	struct entry *list = NULL;
	size_t nr = entries_of(s, &list);
	int ret = -1;

	if (nr && (d = libdeflate_alloc_decompressor())) {
		ret = 0;
		for (size_t i = 0; i < nr && !ret && !unpack_ended(u); i++) {
			unpack_list_parts(&names, list[i].name,
					  list[i].name_len);
			ret = take(u, s, d, &list[i], i, &name, &out);
		}
		if (names.len && !u->stopped)
			unpack_text(u, s, "(names)", names.data, names.len);
	}
	libdeflate_free_decompressor(d);
	buf_clear(&name);
	buf_clear(&names);
	buf_clear(&out);
	free(list);
	return ret;
}
