/*
 * All words of a set of rules, numbered, each once. Takes rules, gives the
 * tables by which scan-words.c finds them in a text; matches nothing itself.
 */
#include "rules-index.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rules-internal.h"

/* One word of one rule, to be sorted. */
struct want {
	const char *word;
	uint32_t rule;
};

static int by_word(const void *a, const void *b)
{
	const struct want *x = a, *y = b;
	int order = strcmp(x->word, y->word);

	return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static struct want *all_wants(const struct rules *r, size_t *nr)
{
	struct want *list = NULL;
	size_t alloc = 0;

	*nr = 0;
	for (size_t i = 0; i < r->nr; i++) {
		const struct rules_words *w = &r->list[i].wakes;

		for (size_t k = 0; k < w->nr; k++) {
			MEM_GROW(list, *nr, alloc);
			list[(*nr)++] = (struct want){ w->list[k],
						       (uint32_t)i };
		}
	}
	if (*nr)
		qsort(list, *nr, sizeof(*list), by_word);
	return list;
}

/* Words and their rules, from the sorted list. */
static void number(struct rules_index *x, const struct want *list, size_t nr)
{
	struct rules_index_word *words = mem_array(nr + 1, sizeof(*words));
	uint32_t *rules = mem_array(nr + 1, sizeof(*rules));
	struct rules_index_word *w = words;
	size_t size = 1;
	char *text;

	for (size_t i = 0; i < nr; i++)
		size += strlen(list[i].word) + 1;
	text = mem_array(size, 1);
	for (size_t i = 0; i < nr; i++) {
		const char *s = list[i].word;

		if (i && !strcmp(s, list[i - 1].word)) {
			if (list[i].rule == list[i - 1].rule)
				continue;
		} else {
			w = &words[x->nr++];
			w->at = x->nr_text;
			w->len = (uint32_t)strlen(s);
			w->rule = x->nr_rules;
			memcpy(text + w->at, s, w->len + 1);
			x->nr_text += w->len + 1;
		}
		rules[x->nr_rules++] = list[i].rule;
		w->nr++;
	}
	x->words = words;
	x->rules = rules;
	x->text = text;
}

struct rules_index *rules_index_new(const struct rules *r)
{
	struct rules_index *x = mem_zalloc(sizeof(*x));
	size_t nr;
	struct want *list = all_wants(r, &nr);

	number(x, list, nr);
	free(list);
	rules_index_grams(x);
	return x;
}

void rules_index_free(struct rules_index *x)
{
	if (!x)
		return;
	free((void *)x->words);
	free((void *)x->rules);
	free((void *)x->text);
	free((void *)x->filter);
	free((void *)x->around);
	free((void *)x->first);
	free((void *)x->places);
	free(x);
}

size_t rules_index_count(const struct rules_index *x)
{
	return x->nr;
}

const char *rules_index_word(const struct rules_index *x, uint32_t word,
			     size_t *len)
{
	*len = x->words[word].len;
	return x->text + x->words[word].at;
}

const uint32_t *rules_index_rules(const struct rules_index *x, uint32_t word,
				  size_t *nr)
{
	*nr = x->words[word].nr;
	return x->rules + x->words[word].rule;
}
