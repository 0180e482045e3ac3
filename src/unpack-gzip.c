/*
 * Gzip files of one member, which nearly all are (RFC 1952): inflated at once
 * with libdeflate, which checks them too. Of all others nothing is said, and
 * unpack-read.c has them.
 */
#include <libdeflate.h>
#include <string.h>

#include "buf.h"
#include "unpack-internal.h"

#define FOOTER 8
#define LEAST 18  /* with a header and no content: two bytes of deflate */
/* No more comes of one compressed byte (a match of 258 bytes in two bits). */
#define DEFLATE_RATIO 1032

/* ISIZE, if so much can come of it and is allowed; or SIZE_MAX. */
static size_t size_of(const struct unpack *u, const struct unpack_source *s)
{
	const uint8_t *p;
	size_t n;

	if (s->len < LEAST)
		return SIZE_MAX;
	p = (const uint8_t *)s->data + s->len - 4;
	n = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 |
	    (size_t)p[3] << 24;
	if (n / DEFLATE_RATIO > s->len || n >= u->limits->bytes ||
	    u->bytes > u->limits->bytes - n - 1)
		return SIZE_MAX;
	return n;
}

/* All of it into out, n bytes. Returns 0 or -1. */
static int inflate_all(const struct unpack_source *s, size_t n, struct buf *out)
{
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	size_t used = 0;
	int bad;

	if (!d)
		return -1;
	bad = libdeflate_gzip_decompress_ex(d, s->data, s->len,
					    buf_room(out, n), n, &used, NULL) !=
	      LIBDEFLATE_SUCCESS;
	libdeflate_free_decompressor(d);
	return bad || used != s->len ? -1 : 0;
}

int unpack_gzip(struct unpack *u, const struct unpack_source *s)
{
	size_t n = size_of(u, s);
	struct buf out = BUF_INIT;
	int ret = n == SIZE_MAX ? -1 : inflate_all(s, n, &out);

	if (!ret) {
		if (u->entries++ >= u->limits->entries) {
			unpack_over(u, "it has more entries than the limit");
		} else if (unpack_may(u, (uint64_t)n + 1)) {
			u->bytes += n;
			/* the name that libarchive has for it */
			if (n)
				unpack_give(u, s, "data", out.data, n, 1);
		}
	}
	buf_clear(&out);
	return ret;
}

/*
 * A member of it, from in on. libdeflate does not say how much came out before
 * the damage, but leaves it: where zeros were. In place of what may be missing
 * at the end stands a footer.
 */
static void cited_member(struct unpack *u, const struct unpack_source *s,
			 struct libdeflate_decompressor *d, const char *in,
			 size_t len)
{
	size_t n = len * DEFLATE_RATIO, used, made;
	struct buf out = BUF_INIT;

	if (!d || !unpack_may(u, n + 1)) {
		unpack_unsure(u, unpack_broken);
		return;
	}
	memset(buf_room(&out, n), 0, n);
	(void)libdeflate_gzip_decompress_ex(d, in, len + FOOTER, out.data, n,
					    &used, &made);
	while (n && !out.data[n - 1])
		n--;
	u->bytes += n;
	if (n)
		unpack_give(u, s, "data", out.data, n, 1);
	buf_clear(&out);
}

/* Where one of them ends is not known: all that begin like one are tried. More
 * than so many in so few bytes are no example. */
#define CITED_MEMBERS_MAX 8
void unpack_gzip_cited(struct unpack *u, const struct unpack_source *s)
{
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	char in[UNPACK_CITED_MAX + FOOTER] = { 0 };
	const char *p = in;

	memcpy(in, s->data, s->len);
	for (unsigned i = 0; !unpack_ended(u); i++, p++) {
		p = memmem(p, (size_t)(in + s->len - p), "\x1f\x8b\x08", 3);
		if (!p)
			break;
		if (i == CITED_MEMBERS_MAX) {
			unpack_unsure(u, unpack_broken);
			break;
		}
		cited_member(u, s, d, p, (size_t)(in + s->len - p));
	}
	libdeflate_free_decompressor(d);
}
