/*
 * An answer to a fetch (gitprotocol-v2(5), gitprotocol-pack(5)), of which the
 * pack is left out: takes bytes, keeps the packets around the pack, counts the
 * pack's bytes and keeps the last of them. What is not understood wholly, is
 * too long, or tells of an error, is lost.
 */
#include "recorded.h"

#include <string.h>

#include "text.h"

/* All but the pack: what git says while it packs, which commits both have,
   where a shallow history ends. */
#define TEXT_MAX 65536
/* A length counts its own four digits; 0 to 3 are special packets. */
#define HEAD 4
#define FLUSH 0
/* Bands: gitprotocol-pack(5). */
enum { NO_BAND = 0, PACK = 1, WORDS = 2, BAND_UNKNOWN = -1 };
#define HEADER_END "\r\n\r\n"

/* Packets before the pack, or behind its first byte. */
static void keep(struct recorded *r, const char *data, size_t n)
{
	if (r->before.len + r->after.len + n > TEXT_MAX)
		r->lost = 1;
	else
		buf_add(r->pack > 0 ? &r->after : &r->before, data, n);
}

/* The header, of which all but its end is taken as it comes. */
static size_t take_header(struct recorded *r, const char *data, size_t n)
{
	size_t end = strlen(HEADER_END), i;

	for (i = 0; i < n && r->header == 0 && !r->lost; i++) {
		keep(r, data + i, 1);
		if (r->before.len >= end &&
		    memcmp(r->before.data + r->before.len - end, HEADER_END,
			   end) == 0)
			r->header = r->before.len;
	}
	return i;
}

/* Four digits are there. */
static void take_length(struct recorded *r)
{
	size_t n = 0;
	unsigned i;

	for (i = 0; i < HEAD; i++) {
		int digit = text_hex(r->head[i]);

		if (digit < 0)
			r->lost = 1;
		n = n * 16 + (size_t)digit;
	}
	r->have = 0;
	r->left = n > HEAD ? n - HEAD : 0;
	r->band = r->left > 0 ? BAND_UNKNOWN : NO_BAND;
	/* a flush ends an answer that has a pack; nothing else stands there */
	if (r->ended || (r->pack > 0 && n <= HEAD && n != FLUSH))
		r->lost = 1;
	r->ended = r->pack > 0 && n == FLUSH;
	if (r->left == 0)
		keep(r, r->head, HEAD);
}

static void take_band(struct recorded *r, char c)
{
	r->band = c == PACK || c == WORDS ? c : NO_BAND;
	/* an error of git's, or a packet where there is a side-band */
	if (c == 3 || (r->pack > 0 && r->band == NO_BAND))
		r->lost = 1;
	if (r->band != PACK)
		keep(r, r->head, HEAD);
	else if (r->left - 1 > r->packet)
		r->packet = r->left - 1;
}

/* Bytes of the pack. */
static void take_pack(struct recorded *r, const char *data, size_t n)
{
	size_t stay = n < RECORDED_LAST ? RECORDED_LAST - n : 0;

	r->pack += n;
	memmove(r->last, r->last + RECORDED_LAST - stay, stay);
	memcpy(r->last + stay, data + n - (RECORDED_LAST - stay),
	       RECORDED_LAST - stay);
}

static size_t take_payload(struct recorded *r, const char *data, size_t n)
{
	size_t skip = 0;

	if (n > r->left)
		n = r->left;
	if (r->band == BAND_UNKNOWN) {
		take_band(r, *data);
		skip = r->band == PACK;
	}
	if (r->band == PACK && n > skip)
		take_pack(r, data + skip, n - skip);
	else if (r->band != PACK)
		keep(r, data, n);
	r->left -= n;
	return n;
}

void recorded_feed(struct recorded *r, const char *data, size_t n)
{
	const char *at = data, *end = data + n;

	if (r->header == 0)
		at += take_header(r, at, n);
	while (at < end && !r->lost) {
		if (r->left > 0) {
			at += take_payload(r, at, (size_t)(end - at));
			continue;
		}
		r->head[r->have++] = *at++;
		if (r->have == HEAD)
			take_length(r);
	}
}

int recorded_whole(const struct recorded *r)
{
	return !r->lost && r->ended && r->have == 0 &&
	       r->pack > RECORDED_LAST;
}

void recorded_clear(struct recorded *r)
{
	buf_clear(&r->before);
	buf_clear(&r->after);
}
