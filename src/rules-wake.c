/*
 * What wakes a rule: words to look for in a text before its regex is tried.
 * Takes a rule, fills what the index and the scanner go by.
 */
#include <string.h>

#include "rules-internal.h"

/* A shorter word is in every text, and slows the search for all others. */
#define WORD_LEAST 2

/*
 * So many words that are hardly longer are met in most texts; where a match
 * has so long a run in it, the run tells more than they.
 */
#define WORD_SHORT 3
#define WORDS_MANY 32
#define RUN_LONG 40

static size_t shortest(const struct rules_words *w)
{
	size_t n = SIZE_MAX;

	for (size_t i = 0; i < w->nr; i++)
		n = strlen(w->list[i]) < n ? strlen(w->list[i]) : n;
	return n;
}

/* Does each wake hold a keyword, so that none need be asked for? */
static int holds_keywords(const struct rules_rule *rule)
{
	for (size_t i = 0; i < rule->wakes.nr; i++) {
		size_t k = 0;

		while (k < rule->keywords.nr &&
		       !strcasestr(rule->wakes.list[i], rule->keywords.list[k]))
			k++;
		if (k == rule->keywords.nr)
			return 0;
	}
	return 1;
}

/* Are the keywords and its run a better guide to a rule than its words? */
static int words_mislead(const struct rules_rule *rule)
{
	return rule->wakes.nr >= WORDS_MANY && rule->keywords.nr &&
	       shortest(&rule->wakes) <= WORD_SHORT &&
	       shortest(&rule->keywords) > WORD_SHORT &&
	       rule->shape.run_len >= RUN_LONG &&
	       rule->shape.run_before != RULES_UNBOUND;
}

void rules_wake(struct rules_rule *rule)
{
	const char *why;

	rules_words_clear(&rule->wakes);
	if (!rule->regex)
		return;
	rules_shape(rule->regex->text, &rule->shape, &rule->wakes, &why);
	rule->located = rule->wakes.nr && !words_mislead(rule) &&
			shortest(&rule->wakes) >= WORD_LEAST;
	if (rule->located) {
		rule->loose = rule->keywords.nr && !holds_keywords(rule);
		return;
	}
	rules_words_clear(&rule->wakes);
	for (size_t i = 0; i < rule->keywords.nr; i++)
		rules_words_add(&rule->wakes, rule->keywords.list[i],
				strlen(rule->keywords.list[i]));
}
