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

/* Is the id at a place before raw? Mostly the first bytes tell. */
static int is_before(const struct odb_idx *x, uint32_t at,
		     const unsigned char *raw)
{
	const unsigned char *id = odb_idx_id(x, at);
	uint64_t a = get64(id), b = get64(raw);

	return a != b ? a < b : memcmp(id, raw, x->raw_len) < 0;
}

/* The first 31 bits after an id's first byte. */
static int64_t second(const unsigned char *raw)
{
	return get32(raw + 1) >> 1;
}

/*
 * Where raw would be, as ids are hashes: by the bytes after the first, which
 * all from low to high have in common; and from there again, closer, by what
 * the id at that place has. Who chooses ids makes it a bad guess, no more.
 */
static uint32_t guess(const struct odb_idx *x, uint32_t low, uint32_t high,
		      const unsigned char *raw)
{
	const int64_t all = INT64_C(1) << 31, nr = high - low;
	int64_t wanted = second(raw), at = wanted * nr / all;

	/* its offset is asked for next, and is not far from there */
	__builtin_prefetch(x->offsets + (low + (size_t)at) * x->offset_step);
	wanted -= second(odb_idx_id(x, low + (uint32_t)at));
	at += wanted * nr / all;
	if (at < 0)
		return low;
	return at < nr ? low + (uint32_t)at : high - 1;
}

/* Steps that double, from a guess on, until raw is between low and high. */
static void narrow(const struct odb_idx *x, const unsigned char *raw,
		   uint32_t *low, uint32_t *high)
{
	uint32_t at = guess(x, *low, *high, raw), step;

	if (is_before(x, at, raw)) {
		*low = at + 1;
		for (step = 1; step < *high - *low; step *= 2) {
			if (!is_before(x, *low + step - 1, raw)) {
				*high = *low + step - 1;
				return;
			}
			*low += step;
		}
		return;
	}
	*high = at;
	for (step = 1; step < *high - *low; step *= 2) {
		if (is_before(x, *high - step, raw)) {
			*low = *high - step + 1;
			return;
		}
		*high -= step;
	}
}

uint32_t odb_idx_lower(const struct odb_idx *x, const unsigned char *raw)
{
	uint32_t low = raw[0] ? fan(x, raw[0] - 1U) : 0, high = fan(x, raw[0]);

	if (low < high)
		narrow(x, raw, &low, &high);
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (is_before(x, mid, raw))
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
