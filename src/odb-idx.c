/*
 * The index of a pack, version 1 or 2 (gitformat-pack(5)): takes the bytes of
 * a file, says where in the pack an id is. Pure. Nothing in the file is
 * believed: each place is checked before it is read.
 */
#include <string.h>

#include "odb-internal.h"

#define FANOUT_BYTES (256 * 4)
#define HEADER_BYTES 8 /* of version 2: magic and version */

static const unsigned char magic[4] = { 0xff, 't', 'O', 'c' };

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get64(const unsigned char *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

/* How many ids begin with a byte up to this one. */
static uint32_t fan(const struct odb_idx *x, unsigned byte)
{
	return get32(x->fanout + 4 * byte);
}

/* The fan-out counts upwards; its last number is that of all. */
static const char *parse_fanout(struct odb_idx *x, const unsigned char *at)
{
	unsigned i;

	x->fanout = at;
	for (i = 1; i < 256; i++)
		if (fan(x, i) < fan(x, i - 1))
			return "its fan-out table goes backwards";
	x->nr = fan(x, 255);
	return NULL;
}

/* Entries of an offset and an id each. */
static const char *parse_v1(struct odb_idx *x, const unsigned char *data,
			    size_t len)
{
	const char *why;
	uint64_t need;

	if (len < FANOUT_BYTES + 2 * x->raw_len)
		return "it is cut short";
	why = parse_fanout(x, data);
	if (why)
		return why;
	x->id_step = x->offset_step = 4 + x->raw_len;
	need = FANOUT_BYTES + (uint64_t)x->nr * x->id_step + 2 * x->raw_len;
	if (len != need)
		return "it has not the size of its number of objects";
	x->offsets = data + FANOUT_BYTES;
	x->ids = x->offsets + 4;
	return NULL;
}

/* All ids, all checksums, all offsets, those that take more than 31 bits. */
static const char *parse_v2(struct odb_idx *x, const unsigned char *data,
			    size_t len)
{
	const char *why;
	uint64_t need, large;

	if (len < HEADER_BYTES + FANOUT_BYTES + 2 * x->raw_len)
		return "it is cut short";
	if (get32(data + 4) != 2)
		return "it is of an unknown version";
	why = parse_fanout(x, data + HEADER_BYTES);
	if (why)
		return why;
	x->id_step = x->raw_len;
	x->offset_step = 4;
	need = HEADER_BYTES + FANOUT_BYTES +
	       (uint64_t)x->nr * (x->raw_len + 4 + 4) + 2 * x->raw_len;
	large = len - need;
	if (len < need || large % 8 || large / 8 > x->nr)
		return "it has not the size of its number of objects";
	x->ids = data + HEADER_BYTES + FANOUT_BYTES;
	x->offsets = x->ids + (size_t)x->nr * (x->raw_len + 4);
	x->large = x->offsets + (size_t)x->nr * 4;
	x->nr_large = (size_t)(large / 8);
	return NULL;
}

const char *odb_idx_parse(struct odb_idx *x, const unsigned char *data,
			  size_t len, size_t raw_len)
{
	const char *why;

	memset(x, 0, sizeof(*x));
	x->raw_len = raw_len;
	if (len >= HEADER_BYTES && !memcmp(data, magic, sizeof(magic)))
		why = parse_v2(x, data, len);
	else
		why = parse_v1(x, data, len);
	if (!why)
		x->pack_id = data + len - 2 * raw_len;
	return why;
}

const unsigned char *odb_idx_id(const struct odb_idx *x, uint32_t at)
{
	return x->ids + at * x->id_step;
}

uint32_t odb_idx_lower(const struct odb_idx *x, const unsigned char *raw)
{
	uint32_t low = raw[0] ? fan(x, raw[0] - 1U) : 0, high = fan(x, raw[0]);

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (memcmp(odb_idx_id(x, mid), raw, x->raw_len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

ptrdiff_t odb_idx_find(const struct odb_idx *x, const unsigned char *raw)
{
	uint32_t at = odb_idx_lower(x, raw);

	if (at >= x->nr || memcmp(odb_idx_id(x, at), raw, x->raw_len))
		return -1;
	return (ptrdiff_t)at;
}

size_t odb_idx_offset(const struct odb_idx *x, uint32_t at)
{
	uint32_t small = get32(x->offsets + at * x->offset_step);
	uint64_t offset = small;

	if (x->large && small & UINT32_C(0x80000000)) {
		small &= UINT32_C(0x7fffffff);
		if (small >= x->nr_large)
			return SIZE_MAX;
		offset = get64(x->large + (size_t)small * 8);
	}
	return offset < SIZE_MAX ? (size_t)offset : SIZE_MAX;
}
