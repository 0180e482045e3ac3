/*
 * Which archive or compressed file do bytes begin with? Formats are told by
 * what their specifications demand of the first bytes; nothing is unpacked.
 */
#include <string.h>

#include "unpack-internal.h"

/* APPNOTE.TXT 4.3.16: the longest comment after a zip's directory. */
#define COMMENT_MAX 0xffff
/* 4.3.15, what stands before the end where numbers do not fit into it. */
#define ZIP64_LOCATOR 20
/* POSIX, pax(1): where a header's magic is, and a header's length. */
#define TAR_MAGIC 257
#define TAR_HEADER 512

static const struct {
	const char *magic;
	size_t len;
	enum unpack_kind kind;
} magics[] = {
	{ "PK\3\4", 4, UNPACK_ZIP },
	{ "PK\7\10PK\3\4", 8, UNPACK_ZIP }, /* once in several parts */
	{ "7z\xbc\xaf\x27\x1c", 6, UNPACK_SEVEN },
	{ "\x1f\x8b\x08", 3, UNPACK_GZIP },
	{ "\xfd"
	  "7zXZ\0",
	  6, UNPACK_XZ },
	{ "\x28\xb5\x2f\xfd", 4, UNPACK_ZSTD },
	{ "\x04\x22\x4d\x18", 4, UNPACK_LZ4 },
	{ "!<arch>\n", 8, UNPACK_AR },
};

/* "BZh", the block size, and pi (or with no block at all, its root). */
static int is_bzip2(const char *p, size_t len)
{
	return len >= 10 && !memcmp(p, "BZh", 3) && p[3] >= '1' &&
	       p[3] <= '9' &&
	       (!memcmp(p + 4, "1AY&SY", 6) ||
		!memcmp(p + 4, "\x17\x72\x45\x38\x50\x90", 6));
}

/* RFC 8878, 3.1.2: frames that may stand before others, of any content. */
static int is_skippable(const char *p, size_t len)
{
	return len >= 12 && ((unsigned char)p[0] & 0xf0) == 0x50 &&
	       !memcmp(p + 1, "\x2a\x4d\x18", 3);
}

static size_t two(const char *p)
{
	return (size_t)(uint8_t)p[0] | (size_t)(uint8_t)p[1] << 8;
}

static size_t four(const char *p)
{
	return two(p) | two(p + 2) << 16;
}

static int has(const char *p, size_t at, size_t room, const char magic[4])
{
	return room >= 4 && at <= room - 4 && !memcmp(p + at, magic, 4);
}

/*
 * The lzma of before xz: the usual properties, a dictionary of a size that
 * encoders choose (2^n or 2^n + 2^(n-1)), and a length, which may be unknown.
 */
static int is_lzma(const char *p, size_t len)
{
	size_t size, rest;

	if (len < 14 || p[0] != 0x5d || p[13])
		return 0;
	size = four(p + 1);
	if (size < 4096)
		return 0;
	rest = size & (size - 1);
	return (!rest || (rest & (rest - 1)) == 0) &&
	       ((four(p + 5) == UINT32_MAX && four(p + 9) == UINT32_MAX) ||
		!(four(p + 9) >> 8));
}

int unpack_zip_fits(const char *data, size_t len, size_t at)
{
	return two(data + at + 20) == len - at - UNPACK_ZIP_END;
}

/* Is this the end of a directory that is where readers look for it? */
static int is_zip_end(const char *p, size_t at)
{
	size_t size = four(p + at + 12), from = four(p + at + 16);

	if (at >= ZIP64_LOCATOR && has(p, at - ZIP64_LOCATOR, at, "PK\6\7"))
		return 1;
	/* what it is told to be from the beginning, or right before */
	return size <= at && (has(p, from, at, "PK\1\2") ||
			      has(p, at - size, at, "PK\1\2"));
}

size_t unpack_zip_end(const char *data, size_t len, size_t before)
{
	size_t end = before < len ? before + 3 : len, least, n;
	const char *p;

	if (len < UNPACK_ZIP_END)
		return len;
	if (end > len - UNPACK_ZIP_END + 4)
		end = len - UNPACK_ZIP_END + 4;
	least = len > COMMENT_MAX + UNPACK_ZIP_END
			? len - COMMENT_MAX - UNPACK_ZIP_END
			: 0;
	/* the last byte of its mark is one that text does not have */
	for (n = end - least; n >= 4; n = (size_t)(p - data) - least) {
		size_t at;

		p = memrchr(data + least, '\6', n);
		if (!p || p - data < (ptrdiff_t)least + 3)
			break;
		at = (size_t)(p - data) - 3;
		if (!memcmp(data + at, "PK\5\6", 4) && is_zip_end(data, at))
			return at;
	}
	return len;
}

int unpack_is_tar(const char *data, size_t len)
{
	return len >= TAR_HEADER && !memcmp(data + TAR_MAGIC, "ustar", 5);
}

enum unpack_kind unpack_kind(const char *data, size_t len)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
		if (len >= magics[i].len &&
		    !memcmp(data, magics[i].magic, magics[i].len))
			return magics[i].kind;
	if (is_lzma(data, len))
		return UNPACK_LZMA;
	if (is_bzip2(data, len))
		return UNPACK_BZIP2;
	if (is_skippable(data, len))
		return UNPACK_ZSTD;
	if (unpack_is_tar(data, len))
		return UNPACK_TAR;
	/* after something else, such as a program that unpacks it */
	return unpack_zip_end(data, len, len) < len ? UNPACK_ZIP
						    : UNPACK_PLAIN;
}

int unpack_wants(const char *data, size_t len)
{
	return unpack_kind(data, len) != UNPACK_PLAIN;
}
