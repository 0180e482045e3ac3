#ifndef RULES_INDEX_H
#define RULES_INDEX_H

#include <stddef.h>
#include <stdint.h>

/*
 * The tables by which all words of a set are found in one pass; for
 * rules-index*.c, scan-words.c and what prepares the built-in rules.
 *
 * Only the even places of a text are looked at. Each word has two grams of
 * four bytes, one byte apart, so that one of them lies at an even place. A
 * hash of a gram's first three bytes chooses a slot of the filter, its fourth
 * byte one of 32 bits there. Grams of a word of less than five bytes stick out
 * of it, and any byte does there. What passes the filter is held against the
 * hash's further bits and against the bytes around the gram.
 */
struct rules_index_word {
	uint32_t at;       /* in text, NUL-terminated */
	uint32_t len;      /* bytes */
	uint32_t rule, nr; /* the rules it can wake, in rules[] */
};

#define RULES_INDEX_BITS 13 /* 32 KiB, what a first-level cache holds */
#define RULES_INDEX_SLOTS (1u << RULES_INDEX_BITS)

/*
 * Of all grams whose hashes have the same first bits: the next five bits, the
 * byte before and the byte behind, each as a bit of 32 in a set. Of short
 * words, which do not know their neighbours, the five bits alone; apart those
 * with a capital, which need one among the four bytes.
 */
struct rules_index_around {
	uint32_t hashes, before, behind, shorts, capitals;
};
#define RULES_INDEX_AROUNDS (1u << 12)
#define RULES_INDEX_SHORT 3 /* bytes */

/* One gram of one word. */
struct rules_index_place {
	uint32_t gram;   /* folded, RULES_INDEX_ANY when the fourth may be any */
	uint32_t word;   /* shifted up by 8, and where the gram starts in it, */
};                       /* counted from one byte before the word */
#define RULES_INDEX_ANY 0x80000000u

struct rules_index {
	const struct rules_index_word *words;
	const char *text;
	const uint32_t *rules;
	const uint32_t *filter; /* of each slot, bits of fourth bytes */
	const struct rules_index_around *around;
	const uint32_t *first; /* of each slot, in places; and the end */
	const struct rules_index_place *places;
	uint32_t nr, nr_text, nr_rules, nr_places; /* of each array */
	uint32_t reach; /* the last gram of a word starts so far inside it */
};

/* Four bytes, the first one lowest, without case; others fall together too. */
static inline uint32_t rules_index_fold(uint32_t bytes)
{
	return (bytes | 0x20202020u) & 0x7f7f7f7fu;
}

/* Is any of them a capital? Some other bytes pass for one. */
static inline uint32_t rules_index_capital(uint32_t bytes)
{
	return (bytes >> 1 & ~bytes & 0x20202020u) != 0;
}

/* Of the first three; multiplied as Knuth proposes, by 2^32 / phi. */
static inline uint32_t rules_index_hash(uint32_t folded)
{
	return (folded << 8) * 0x9e3779b1u;
}

static inline uint32_t rules_index_slot(uint32_t hash)
{
	return hash >> (32 - RULES_INDEX_BITS);
}

static inline uint32_t rules_index_around(uint32_t hash)
{
	return hash >> (32 - 12);
}

/* In hashes, in shorts and in the filter: the bit is 1 << (this & 31). */
static inline uint32_t rules_index_hash_bit(uint32_t hash)
{
	return hash >> (32 - 12 - 5);
}

static inline uint32_t rules_index_fourth_bit(uint32_t folded)
{
	return folded >> 24;
}

/* Choose each word's grams, fill the tables of grams (-grams). */
void rules_index_grams(struct rules_index *x);

/*
 * How often in text of programs these stand behind each other, about; a
 * folded byte, or -1 for any (-rarity).
 */
double rules_index_rarity(const int *bytes, size_t nr);

#endif
