/*
 * Does what is encoded begin like an archive or a compressed file? Told by its
 * first bytes alone, and more strictly than of a file: any run of digits may
 * come here, such as the hash of something, and one that is taken for packed
 * wants to be unpacked. unpack-kind.c has the formats.
 */
#include <string.h>

#include "decode-internal.h"

const uint8_t decode_packed_first[256] = {
	[0x1f] = 1, ['7'] = 1, [0xfd] = 1, [0x28] = 1,
	[0x04] = 1, ['B'] = 1, ['!'] = 1,
	/* zstd's frames that are skipped; 'P' and ']' are among them */
	[0x50] = 1, [0x51] = 1, [0x52] = 1, [0x53] = 1, [0x54] = 1, [0x55] = 1,
	[0x56] = 1, [0x57] = 1, [0x58] = 1, [0x59] = 1, [0x5a] = 1, [0x5b] = 1,
	[0x5c] = 1, [0x5d] = 1, [0x5e] = 1, [0x5f] = 1,
};

/* RFC 1952, 2.3.1: no program that unpacks minds more of it than the flags. */
static int is_gzip(const uint8_t *b)
{
	return b[1] == 0x8b && b[2] == 8 && !(b[3] & 0xe0);
}

/* APPNOTE.TXT 4.4.3, 4.4.5: the version and the method are small numbers; 8.5:
 * or the mark of one that was, or could have been, in several parts. */
static int is_zip(const uint8_t *b)
{
	if (!memcmp(b, "PK\7\10", 4) || !memcmp(b, "PK00", 4))
		return !memcmp(b + 4, "PK\3\4", 4);
	return !memcmp(b, "PK\3\4", 4) && b[4] < 64 && !b[9];
}

/* RFC 8878, 3.1.2. */
static int is_skippable(const uint8_t *b)
{
	return (b[0] & 0xf0) == 0x50 && !memcmp(b + 1, "\x2a\x4d\x18", 3);
}

/* RFC 8878, 3.1.1.1.1: one bit is always 0. */
static int is_zstd(const uint8_t *b)
{
	return !memcmp(b, "\x28\xb5\x2f\xfd", 4) && !(b[4] & 0x08);
}

/* The frame format of lz4: its version, and bits that must be 0. */
static int is_lz4(const uint8_t *b)
{
	return !memcmp(b, "\x04\x22\x4d\x18", 4) && (b[4] & 0xc2) == 0x40 &&
	       !(b[5] & 0x8f);
}

/* A dictionary of 2^n or 2^n + 2^(n-1) bytes, and a length or none. */
static int is_lzma(const uint8_t *b)
{
	uint32_t size = (uint32_t)b[2] << 8 | (uint32_t)b[3] << 16 |
			(uint32_t)b[4] << 24;
	uint32_t rest = size & (size - 1);

	return b[0] == 0x5d && !b[1] && size >= 4096 && !(rest & (rest - 1)) &&
	       ((b[10] == 0xff && b[11] == 0xff) || (!b[10] && !b[11]));
}

static int is_bzip2(const uint8_t *b)
{
	/* a block begins, or what has none ends */
	return !memcmp(b, "BZh", 3) && b[3] >= '1' && b[3] <= '9' &&
	       (!memcmp(b + 4, "1AY&SY", 6) ||
		!memcmp(b + 4, "\x17\x72\x45\x38\x50\x90", 6));
}

int decode_is_packed(const uint8_t *b)
{
	if (is_skippable(b))
		return 1;
	switch (b[0]) {
	case 0x1f:
		return is_gzip(b);
	case 'P':
		return is_zip(b);
	case '7':
		return !memcmp(b, "7z\xbc\xaf\x27\x1c", 6);
	case 0xfd:
		return !memcmp(b, "\xfd" "7zXZ\0", 6);
	case 0x28:
		return is_zstd(b);
	case 0x04:
		return is_lz4(b);
	case 'B':
		return is_bzip2(b);
	case ']':
		return is_lzma(b);
	case '!':
		return !memcmp(b, "!<arch>\n", 8);
	default:
		return 0;
	}
}
