/*
 * [extend]: a set of rules on top of another. Takes both, leaves everything
 * in the upper one; where both have a rule, the upper one's fields win and
 * its lists are appended, as gitleaks does.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rules-internal.h"

static int has_word(const struct rules_words *w, const char *word)
{
	for (size_t i = 0; i < w->nr; i++)
		if (!strcmp(w->list[i], word))
			return 1;
	return 0;
}

/* The base's value where the rule has none. */
static void merge_text(char **text, char **base)
{
	if (*text && **text)
		return;
	free(*text);
	*text = *base;
	*base = NULL;
}

static void merge_rule(struct rules_rule *rule, struct rules_rule *base)
{
	merge_text(&rule->description, &base->description);
	if (!rule->regex)
		rule->regex = base->regex;
	if (!rule->path)
		rule->path = base->path;
	if (rule->entropy <= 0)
		rule->entropy = base->entropy;
	if (!rule->group)
		rule->group = base->group;
	rule->skip_report |= base->skip_report;
	for (size_t i = 0; i < base->keywords.nr; i++)
		rules_words_add(&rule->keywords, base->keywords.list[i],
				strlen(base->keywords.list[i]));
	for (size_t i = 0; i < base->tags.nr; i++)
		rules_words_add(&rule->tags, base->tags.list[i],
				strlen(base->tags.list[i]));
	for (size_t i = 0; i < base->nr_allows; i++) {
		MEM_GROW(rule->allows, rule->nr_allows, rule->alloc_allows);
		rule->allows[rule->nr_allows++] = base->allows[i];
	}
	/* what must stand nearby is the base's unless the rule says its own */
	if (!rule->nr_required) {
		free(rule->required);
		rule->required = base->required;
		rule->nr_required = base->nr_required;
		rule->alloc_required = base->alloc_required;
		base->required = NULL;
		base->nr_required = base->alloc_required = 0;
	}
}

static void move_owned(struct rules *r, struct rules *base)
{
	for (size_t i = 0; i < base->nr_patterns; i++) {
		MEM_GROW(r->patterns, r->nr_patterns, r->alloc_patterns);
		r->patterns[r->nr_patterns++] = base->patterns[i];
	}
	for (size_t i = 0; i < base->nr_allows; i++) {
		MEM_GROW(r->allows, r->nr_allows, r->alloc_allows);
		r->allows[r->nr_allows++] = base->allows[i];
	}
	for (size_t i = 0; i < base->files.nr; i++) {
		MEM_GROW(r->files.list, r->files.nr, r->files.alloc);
		r->files.list[r->files.nr++] = base->files.list[i];
	}
	base->nr_patterns = base->nr_allows = base->files.nr = 0;
}

/* A disabled rule's own allow-lists have no rule left to be for. */
static void drop_targets(struct rules *base, const struct rules_extend *extend)
{
	for (size_t i = 0; i < base->nr_allows; i++) {
		struct rules_words *w = &base->allows[i]->rules;

		for (size_t k = 0; k < w->nr; k++)
			if (has_word(&extend->disabled, w->list[k]))
				w->list[k][0] = '\0';
	}
}

void rules_merge(struct rules *r, struct rules *base,
		 const struct rules_extend *extend)
{
	drop_targets(base, extend);
	for (size_t i = 0; i < base->nr; i++) {
		struct rules_rule *below = &base->list[i];
		struct rules_rule *above = rules_find(r, below->id);

		if (has_word(&extend->disabled, below->id))
			continue;
		if (above) {
			merge_rule(above, below);
			continue;
		}
		MEM_GROW(r->list, r->nr, r->alloc);
		r->list[r->nr++] = *below;
		*below = (struct rules_rule){ 0 };
	}
	move_owned(r, base);
}
