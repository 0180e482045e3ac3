/*
 * The index of a work tree: takes its file, gives its entries. Checks every
 * length against what is there; believes no stat data, which it passes over,
 * and no checksum, which anybody can compute.
 */
#include "index.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "buf.h"

/* Bytes; ten million entries. */
#define INDEX_BYTES_MAX ((size_t)2 << 30)
/* As much as any path git would check out. */
#define PATH_BYTES_MAX 65536

/* ctime, mtime, dev, ino; mode; uid, gid, size. Bytes, gitformat-index(5). */
#define STAT_BEFORE 24
#define STAT_BEHIND 12
#define FLAG_EXTENDED 0x4000
#define FLAG_INTENDED 0x2000 /* of the extended flags: git add -N */

struct reader {
	const unsigned char *at, *end;
	size_t raw_len;
	unsigned version;
	struct buf path;
	unsigned extended; /* flags of the entry at hand */
};

static size_t left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* How many bytes of the last path go: as in a pack's offset deltas. */
static int get_strip(struct reader *r, size_t *out)
{
	size_t n = 0;
	unsigned char c;

	do {
		if (!left(r) || n > PATH_BYTES_MAX)
			return -1;
		c = *r->at++;
		n = n << 7 | (c & 127);
		if (c & 128)
			n++;
	} while (c & 128);
	*out = n;
	return n <= r->path.len ? 0 : -1;
}

/* The path, up to its NUL, behind what of the last one stays. */
static int get_path(struct reader *r, const unsigned char *entry)
{
	const unsigned char *nul;
	size_t strip, n, pad;

	if (r->version < 4)
		strip = r->path.len;
	else if (get_strip(r, &strip))
		return -1;
	r->path.len -= strip;
	nul = memchr(r->at, '\0', left(r));
	if (!nul)
		return -1;
	n = (size_t)(nul - r->at);
	if (r->path.len + n > PATH_BYTES_MAX)
		return -1;
	buf_add(&r->path, r->at, n);
	r->at = nul + 1;
	if (r->version < 4) {
		/* one to eight NULs make the entry a multiple of eight */
		pad = (8 - (size_t)(r->at - entry) % 8) % 8;
		if (left(r) < pad)
			return -1;
		r->at += pad;
	}
	return 0;
}

/* Returns 0, or -1: malformed. */
static int get_entry(struct reader *r, struct index_entry *e)
{
	const unsigned char *entry = r->at;
	size_t fixed = STAT_BEFORE + 4 + STAT_BEHIND + r->raw_len + 2;
	unsigned flags;

	if (left(r) < fixed + 2)
		return -1;
	memset(e, 0, sizeof(*e));
	e->mode = get32(entry + STAT_BEFORE);
	memcpy(e->id.raw, entry + STAT_BEFORE + 4 + STAT_BEHIND, r->raw_len);
	r->at += fixed;
	flags = (unsigned)r->at[-2] << 8 | r->at[-1];
	e->stage = flags >> 12 & 3;
	r->extended = 0;
	if (flags & FLAG_EXTENDED) {
		if (r->version < 3)
			return -1;
		r->extended = (unsigned)r->at[0] << 8 | r->at[1];
		r->at += 2;
	}
	if (get_path(r, entry))
		return -1;
	e->path = r->path.data;
	e->path_len = r->path.len;
	return 0;
}

/* What follows the entries may say that they are not all. */
static const char *extensions(struct reader *r)
{
	while (left(r) > r->raw_len) {
		size_t size;

		if (left(r) < 8 + r->raw_len)
			return "is malformed";
		size = get32(r->at + 4);
		if (size > left(r) - 8 - r->raw_len)
			return "is malformed";
		if (!memcmp(r->at, "link", 4))
			return "is split; join it with git update-index "
			       "--no-split-index";
		/* lower case: who does not know it must not go on */
		if (*r->at >= 'a' && *r->at <= 'z' && memcmp(r->at, "sdir", 4))
			return "has an extension that is not known here";
		r->at += 8 + size;
	}
	return left(r) == r->raw_len ? NULL : "is malformed";
}

static const char *header(struct reader *r, uint32_t *nr)
{
	if (left(r) < 12 + r->raw_len || memcmp(r->at, "DIRC", 4))
		return "is malformed";
	r->version = get32(r->at + 4);
	*nr = get32(r->at + 8);
	r->at += 12;
	return r->version < 2 || r->version > 4 ?
		       "has a version that is not known here" : NULL;
}

/* Twice: a split index is known only when its entries are behind us. */
static const char *run(struct reader *r, uint32_t nr, index_fn *fn, void *arg,
		       int *ret)
{
	struct index_entry e;

	while (nr-- > 0 && !*ret) {
		/* only a split index has entries without a name */
		if (get_entry(r, &e) || (fn && !e.path_len))
			return "is malformed";
		if (fn && !(r->extended & FLAG_INTENDED))
			*ret = fn(arg, &e);
	}
	return *ret || fn ? NULL : extensions(r);
}

int index_each(const char *file, size_t raw_len, index_fn *fn, void *arg,
	       const char **why)
{
	struct reader r = { .raw_len = raw_len };
	struct buf text = BUF_INIT;
	const unsigned char *first;
	uint32_t nr = 0;
	int ret = 0;

	*why = NULL;
	if (buf_read_file(&text, file, INDEX_BYTES_MAX)) {
		*why = errno == ENOENT ? NULL : strerror(errno);
		buf_clear(&text);
		return *why ? -1 : 0;
	}
	buf_add(&r.path, "", 0);
	r.at = (const unsigned char *)text.data;
	r.end = r.at + text.len;
	*why = header(&r, &nr);
	first = r.at;
	if (!*why)
		*why = run(&r, nr, NULL, NULL, &ret);
	r.at = first;
	r.path.len = 0;
	if (!*why)
		*why = run(&r, nr, fn, arg, &ret);
	buf_clear(&r.path);
	buf_clear(&text);
	return *why ? -1 : ret;
}
