/*
 * Which four bytes of a word are looked for, and the tables made of them.
 * Takes the words of an index, fills its filter; the rarest grams are chosen,
 * for each one met in a text costs time.
 */
#include <stdlib.h>

#include "mem.h"
#include "rules-index.h"

#define GRAM 4
/* A gram further inside would need more text behind a window. */
#define MAX_OFFSET 12

/* All grams, to be sorted by their slots. */
struct pile {
	struct rules_index_place *list;
	size_t nr, alloc;
	uint32_t *filter;
	struct rules_index_around *around;
	int is_short, has_capital, in_front;
	const int *gram; /* with the byte before it, and the one behind */
};

/* nr bytes of word from at on, which may be below 0; -1 for any byte. */
static void bytes_of(const struct rules_index *x, uint32_t word, int at,
		     int nr, int *gram)
{
	const struct rules_index_word *w = &x->words[word];

	for (int i = 0; i < nr; i++) {
		const char *s = x->text + w->at;
		int k = at + i;

		gram[i] = k < 0 || k >= (int)w->len ? -1 :
			  (int)(rules_index_fold((unsigned char)s[k]) & 0xff);
	}
}

static double cost(const struct rules_index *x, uint32_t word, int at)
{
	int a[GRAM], b[GRAM];

	bytes_of(x, word, at, GRAM, a);
	bytes_of(x, word, at + 1, GRAM, b);
	return rules_index_rarity(a, GRAM) + rules_index_rarity(b, GRAM);
}

/*
 * Where the rarer pair of grams starts: inside the word where it can be. Those
 * of short words stick out in front, too, to be found at either parity.
 */
static int choose(const struct rules_index *x, uint32_t word)
{
	int len = (int)x->words[word].len, best = len < GRAM ? -1 : 0;
	double least = 3;

	for (int at = 0; at <= len - GRAM - 1 && at < MAX_OFFSET; at++) {
		double c = cost(x, word, at);

		if (c < least) {
			least = c;
			best = at;
		}
	}
	return best;
}

static uint32_t bits_of(int byte)
{
	return byte < 0 ? UINT32_MAX : 1u << (byte & 31);
}

/* One gram without bytes that may be any, but for its fourth. */
static void add_gram(struct pile *p, uint32_t gram, uint32_t word)
{
	uint32_t hash = rules_index_hash(gram);
	uint32_t bit = 1u << (rules_index_hash_bit(hash) & 31);
	struct rules_index_around *a = &p->around[rules_index_around(hash)];

	p->filter[rules_index_slot(hash)] |= bits_of(p->gram[GRAM]);
	if (p->is_short && p->has_capital) {
		a->capitals |= bit;
	} else if (p->is_short) {
		a->shorts |= bit;
	} else {
		a->hashes |= bit;
		a->before |= bits_of(p->gram[0]);
		a->behind |= bits_of(p->gram[GRAM + 1]);
	}
	/* found by its other gram, a byte further */
	if (p->in_front)
		return;
	MEM_GROW(p->list, p->nr, p->alloc);
	p->list[p->nr++] = (struct rules_index_place){ gram, word };
}

/* A gram from its byte i on: where one may be any, each that is folded to. */
static void add(struct pile *p, uint32_t word, unsigned i, uint32_t bytes)
{
	const int *gram = p->gram + 1;
	uint32_t c;

	if (i == GRAM - 1) {
		c = gram[i] < 0 ? RULES_INDEX_ANY : (uint32_t)gram[i] << 24;
		add_gram(p, bytes | c, word);
		return;
	}
	for (c = 0; c < 128; c++)
		if (gram[i] < 0 ? (c & 0x20) != 0 : c == (uint32_t)gram[i])
			add(p, word, i + 1, bytes | c << i * 8);
}

static int compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int by_slot(const void *a, const void *b)
{
	const struct rules_index_place *x = a, *y = b;
	int order = compare(rules_index_slot(rules_index_hash(x->gram)),
			    rules_index_slot(rules_index_hash(y->gram)));

	if (!order)
		order = compare(x->gram, y->gram);
	return order ? order : compare(x->word, y->word);
}

static void arrange(struct rules_index *x, struct pile *p)
{
	uint32_t *first = mem_array(RULES_INDEX_SLOTS + 1, sizeof(*first));
	uint32_t slot = 0;

	if (p->nr)
		qsort(p->list, p->nr, sizeof(*p->list), by_slot);
	for (uint32_t i = 0; i < p->nr; i++) {
		uint32_t hash = rules_index_hash(p->list[i].gram);

		while (slot < rules_index_slot(hash))
			first[++slot] = i;
	}
	while (slot < RULES_INDEX_SLOTS)
		first[++slot] = (uint32_t)p->nr;
	x->first = first;
	x->places = p->list;
	x->nr_places = (uint32_t)p->nr;
}

static int has_capital(const char *s)
{
	while (*s && !(*s >= 'A' && *s <= 'Z'))
		s++;
	return *s != '\0';
}

void rules_index_grams(struct rules_index *x)
{
	struct pile p = { 0 };
	int gram[GRAM + 2];

	p.filter = mem_array(RULES_INDEX_SLOTS, sizeof(*p.filter));
	p.around = mem_array(RULES_INDEX_AROUNDS, sizeof(*p.around));
	p.gram = gram;
	for (uint32_t word = 0; word < x->nr; word++) {
		int at = choose(x, word);

		p.is_short = x->words[word].len <= RULES_INDEX_SHORT;
		p.has_capital = has_capital(x->text + x->words[word].at);
		for (int i = 0; i < 2; i++) {
			p.in_front = at + i < 0;
			bytes_of(x, word, at + i - 1, GRAM + 2, gram);
			add(&p, word << 8 | (uint32_t)(at + i + 1), 0, 0);
		}
		if ((uint32_t)(at + 1) > x->reach)
			x->reach = (uint32_t)(at + 1);
	}
	x->filter = p.filter;
	x->around = p.around;
	arrange(x, &p);
}
