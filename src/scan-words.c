/*
 * Every word of a set of rules in one pass over a text. Takes the rules'
 * index and a text, gives where words stand; what they wake is not known
 * here. Half of all places are tried, without a branch, in a table that stays
 * in the first-level cache; what is left is compared. That is faster than
 * gathering from the table with AVX2, and the same on every machine.
 */
#include <endian.h>
#include <string.h>

#include "mem.h"
#include "rules-index.h"
#include "scan-internal.h"

/* Bytes sifted before what is left of them is compared; an even number. */
#define CHUNK 4096

struct find {
	const struct rules_index *index;
	const char *text;
	size_t len, lo, hi;
	struct scan_hits *hits;
};

static uint32_t load_as_is(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint32_t load(const char *p)
{
	return rules_index_fold(load_as_is(p));
}

/* Four folded bytes at `at`; as if zeros stood behind the text. */
static uint32_t load_end(const char *text, size_t len, size_t at)
{
	char bytes[4] = { 0 };

	if (len - at >= sizeof(bytes))
		return load(text + at);
	memcpy(bytes, text + at, len - at);
	return load(bytes);
}

/* 1 when a gram of some word may be these bytes. */
static uint32_t passes(const uint32_t *filter, uint32_t folded)
{
	return filter[rules_index_slot(rules_index_hash(folded))] >>
	       (rules_index_fourth_bit(folded) & 31) & 1;
}

/* Every second place of the chunk that a gram may stand at; their number. */
static size_t sift(const struct find *f, size_t at, size_t end, uint16_t *out)
{
	const uint32_t *filter = f->index->filter;
	const char *p = f->text + at;
	size_t nr = 0, i = 0, n = end - at;

	for (; i + 8 + 2 <= n; i += 8) {
		for (unsigned k = 0; k < 8; k += 2) {
			out[nr] = (uint16_t)(i + k);
			nr += passes(filter, load(p + i + k));
		}
	}
	for (; i < n; i += 2) {
		out[nr] = (uint16_t)i;
		nr += passes(filter, load_end(f->text, f->len, at + i));
	}
	return nr;
}

/* 1 when the gram at i, with bytes on both sides, may be a word's. */
static uint32_t fits(const struct rules_index *x, const char *text, size_t i)
{
	uint32_t bytes = load_as_is(text + i);
	uint32_t hash = rules_index_hash(rules_index_fold(bytes));
	uint32_t bit = rules_index_hash_bit(hash) & 31;
	const struct rules_index_around *a =
		&x->around[rules_index_around(hash)];

	return ((a->hashes >> bit & a->before >> (text[i - 1] & 31) &
		 a->behind >> (text[i + 4] & 31)) | a->shorts >> bit |
		(a->capitals >> bit & rules_index_capital(bytes))) & 1;
}

/* Of these places, those with a word's bytes around them; their number. */
static size_t narrow(const struct find *f, size_t at, uint16_t *maybe,
		     size_t nr)
{
	size_t left = 0;

	for (size_t k = 0; k < nr; k++) {
		/* sift wrote nr of them: NOLINTNEXTLINE(*UndefinedBinary*) */
		size_t i = at + maybe[k];

		maybe[left] = maybe[k];
		left += i && i + 4 < f->len ? fits(f->index, f->text, i) : 1;
	}
	return left;
}

/* An upper-case letter of a word is that alone, a lower-case one is both. */
static int is_same(unsigned char c, unsigned char of_word)
{
	return c == of_word ||
	       (c >= 'A' && c <= 'Z' && (c | 0x20) == of_word);
}

/* In order of start: those found last come nearly so. */
static void add(struct scan_hits *h, size_t start, uint32_t word)
{
	size_t i;

	MEM_GROW(h->list, h->nr, h->alloc);
	for (i = h->nr++; i && h->list[i - 1].start > start; i--)
		h->list[i] = h->list[i - 1];
	h->list[i] = (struct scan_hit){ start, word };
}

/* One word whose gram stands at `at`. */
static void compare(const struct find *f, size_t at, uint32_t place)
{
	const struct rules_index_word *w = &f->index->words[place >> 8];
	const unsigned char *bytes =
		(const unsigned char *)f->index->text + w->at;
	/* wraps where the word would start before the text */
	size_t start = at - (place & 0xff) + 1;
	size_t k = 0;

	if (start < f->lo || start >= f->hi || w->len > f->len - start)
		return;
	while (k < w->len &&
	       is_same((unsigned char)f->text[start + k], bytes[k]))
		k++;
	if (k == w->len)
		add(f->hits, start, place >> 8);
}

/* All words, or the short ones alone, that have this gram. */
static void look_for(const struct find *f, size_t at, uint32_t folded,
		     uint32_t longest)
{
	const struct rules_index *x = f->index;
	uint32_t slot = rules_index_slot(rules_index_hash(folded));
	const struct rules_index_place *p = x->places + x->first[slot];
	const struct rules_index_place *end = x->places + x->first[slot + 1];

	for (; p < end; p++) {
		uint32_t any = p->gram & RULES_INDEX_ANY ? 0xff000000u : 0;

		if (!((p->gram ^ folded) & ~any) &&
		    x->words[p->word >> 8].len <= longest)
			compare(f, at, p->word);
	}
}

/* Words with a gram at this even place, short ones also just behind it. */
static void look(const struct find *f, size_t at)
{
	uint32_t folded = load_end(f->text, f->len, at);
	uint32_t hash = rules_index_hash(folded);
	uint32_t bit = rules_index_hash_bit(hash) & 31;
	const struct rules_index_around *a =
		&f->index->around[rules_index_around(hash)];

	look_for(f, at, folded, UINT32_MAX);
	if ((a->shorts | a->capitals) >> bit & 1)
		look_for(f, at + 1, folded >> 8, RULES_INDEX_SHORT);
}

size_t scan_words_find(const struct rules_index *x, const char *text,
		       size_t len, size_t lo, size_t hi,
		       struct scan_hits *hits)
{
	struct find f = { x, text, len, lo, hi < len ? hi : len, hits };
	/* a short word at an odd lo is seen from the byte before */
	size_t at = lo & ~(size_t)1;
	size_t end = len - f.hi > x->reach ? f.hi + x->reach : len;
	uint16_t maybe[CHUNK / 2 + 1];

	hits->nr = 0;
	while (lo < f.hi && at < end) {
		size_t next = end - at > CHUNK ? at + CHUNK : end;
		size_t nr = sift(&f, at, next, maybe);

		nr = narrow(&f, at, maybe, nr);
		for (size_t i = 0; i < nr; i++)
			look(&f, at + maybe[i]);
		at = next;
		if (hits->nr >= SCAN_HITS_MAX && at < end) {
			/* words that start from here on may lack grams */
			f.hi = at - x->reach;
			while (hits->nr && hits->list[hits->nr - 1].start >=
						   f.hi)
				hits->nr--;
			return f.hi;
		}
	}
	return hi;
}
