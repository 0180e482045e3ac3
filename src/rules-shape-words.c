/*
 * Words that lie in every match, and which of them are best to look for.
 * Takes parts of a regex, gives sets of short strings; knows no syntax.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rules-index.h"
#include "rules-shape-internal.h"

/* A class of more bytes is not spelled out. */
#define SPELLED 12
/* What it costs to look for a word that is nowhere; one that is everywhere
 * costs 1. A capital letter, where case counts, is so much rarer. */
#define WORD_COST 1e-7
#define CAPITAL 0.2
/* A word further off makes for larger windows. */
#define FAR_OFF 100

size_t shape_add(size_t a, size_t b)
{
	return a > RULES_UNBOUND - b ? RULES_UNBOUND : a + b;
}

size_t shape_times(size_t a, size_t b)
{
	return a && b > RULES_UNBOUND / a ? RULES_UNBOUND : a * b;
}

void shape_set_add(struct rules_set *s, int c)
{
	s->bits[(c & 255) >> 6] |= (uint64_t)1 << (c & 63);
}

void shape_set_join(struct rules_set *s, const struct rules_set *other)
{
	for (int i = 0; i < 4; i++)
		s->bits[i] |= other->bits[i];
}

void shape_set_invert(struct rules_set *s)
{
	for (int i = 0; i < 4; i++)
		s->bits[i] = ~s->bits[i];
}

void shape_set_fold(struct rules_set *s)
{
	for (int c = 'a'; c <= 'z'; c++) {
		int upper = c - 'a' + 'A';

		if (rules_set_has(s, c) || rules_set_has(s, upper)) {
			shape_set_add(s, c);
			shape_set_add(s, upper);
		}
	}
}

size_t shape_set_count(const struct rules_set *s)
{
	size_t n = 0;

	for (int i = 0; i < 4; i++)
		n += (size_t)__builtin_popcountll(s->bits[i]);
	return n;
}

const struct shape_words shape_empty = { .nr = 1, .list = { { 0, "" } } };

void shape_arena_clear(struct shape_arena *arena)
{
	while (arena->newest) {
		struct shape_words *older = arena->newest->older;

		free(arena->newest);
		arena->newest = older;
	}
}

/* Room for that many, none in it. */
static struct shape_words *new_words(struct shape_arena *arena, size_t room)
{
	struct shape_words *w = mem_zalloc(sizeof(*w) +
					   room * sizeof(w->list[0]));

	w->older = arena->newest;
	arena->newest = w;
	return w;
}

void shape_nothing(struct shape *s)
{
	memset(s, 0, sizeof(*s));
	s->exact = 1;
	s->words = &shape_empty;
}

void shape_byte(struct shape_arena *arena, const struct rules_set *set,
		struct shape *out)
{
	struct rules_set once = *set;
	struct shape_words *w;

	memset(out, 0, sizeof(*out));
	out->min = out->max = 1;
	out->all = *set;
	out->lines = (size_t)rules_set_has(set, '\n');
	/* a lower-case letter stands for both */
	for (int c = 'A'; c <= 'Z'; c++)
		if (rules_set_has(set, c - 'A' + 'a'))
			once.bits[1] &= ~((uint64_t)1 << (c & 63));
	/* a NUL cannot be part of a word */
	out->exact = shape_set_count(&once) <= SPELLED &&
		     shape_set_count(&once) > 0 && !rules_set_has(set, 0);
	if (!out->exact)
		return;
	w = new_words(arena, SPELLED);
	for (int c = 1; c < 256; c++) {
		if (!rules_set_has(&once, c))
			continue;
		w->list[w->nr].len = 1;
		w->list[w->nr++].text[0] = (char)c;
	}
	out->words = w;
}

const struct shape_words *shape_words_product(struct shape_arena *arena,
					      const struct shape_words *a,
					      const struct shape_words *b)
{
	struct shape_words *out;

	if (a->nr * b->nr > SHAPE_WORDS)
		return NULL;
	if (b == &shape_empty || a == &shape_empty)
		return b == &shape_empty ? a : b;
	out = new_words(arena, a->nr * b->nr);
	for (size_t i = 0; i < a->nr; i++) {
		for (size_t k = 0; k < b->nr; k++) {
			size_t n = a->list[i].len, m = b->list[k].len;
			struct shape_word *w = &out->list[out->nr++];

			if (n + m > SHAPE_LONGEST)
				return NULL;
			memcpy(w->text, a->list[i].text, n);
			memcpy(w->text + n, b->list[k].text, m);
			w->len = (unsigned char)(n + m);
		}
	}
	return out;
}

static int has(const struct shape_words *w, const struct shape_word *word)
{
	for (size_t i = 0; i < w->nr; i++)
		if (w->list[i].len == word->len &&
		    !memcmp(w->list[i].text, word->text, word->len))
			return 1;
	return 0;
}

const struct shape_words *shape_words_union(struct shape_arena *arena,
					    const struct shape_words *a,
					    const struct shape_words *b)
{
	struct shape_words *out = new_words(arena, a->nr + b->nr);

	memcpy(out->list, a->list, a->nr * sizeof(a->list[0]));
	out->nr = a->nr;
	for (size_t i = 0; i < b->nr; i++)
		if (!has(out, &b->list[i]))
			out->list[out->nr++] = b->list[i];
	return out->nr > SHAPE_WORDS ? NULL : out;
}

static size_t shortest(const struct shape_words *w)
{
	size_t n = SHAPE_LONGEST;

	for (size_t i = 0; w && i < w->nr; i++)
		n = w->list[i].len < n ? w->list[i].len : n;
	return w ? n : 0;
}

static double cost_of_word(const struct shape_word *w)
{
	int bytes[SHAPE_LONGEST];
	double capitals = 1;

	for (size_t i = 0; i < w->len; i++) {
		uint32_t c = (unsigned char)w->text[i];

		if (c >= 'A' && c <= 'Z')
			capitals *= CAPITAL;
		bytes[i] = (int)(rules_index_fold(c) & 0xff);
	}
	return WORD_COST + capitals * rules_index_rarity(bytes, w->len);
}

/* How often all words together stand in a text. */
static double cost(const struct shape_choice *c)
{
	double sum = 0;

	/* of one byte, none can be looked for */
	if (shortest(c->words) < 2)
		return 1;
	for (size_t i = 0; i < c->words->nr; i++)
		sum += cost_of_word(&c->words->list[i]);
	return c->before > FAR_OFF ? sum * 4 : sum;
}

void shape_choose(struct shape_choice *best, const struct shape_choice *other)
{
	/* the word of no bytes is in every text */
	if (!shortest(other->words))
		return;
	if (!best->words || cost(other) < cost(best))
		*best = *other;
}

void shape_choice_of(const struct shape *item, struct shape_choice *out)
{
	*out = item->choice;
	if (!item->exact || !shortest(item->words))
		return;
	*out = (struct shape_choice){ .words = item->words,
				      .after = item->max };
}
