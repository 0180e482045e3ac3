/*
 * A copy of a set of rules that can be changed, for [extend]: the built-in
 * one is const. Takes a set, gives its own of everything but the index.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rules-fields.h"
#include "rules-internal.h"

static void copy_words(struct rules_words *w)
{
	struct rules_words from = *w;

	*w = (struct rules_words){ 0 };
	for (size_t i = 0; i < from.nr; i++)
		rules_words_add(w, from.list[i], strlen(from.list[i]));
}

/* The copy has the patterns of the old set's numbers. */
static void copy_patterns(struct rules_pattern ***list, size_t nr,
			  const struct rules *to)
{
	struct rules_pattern **from = *list;

	*list = nr ? mem_array(nr, sizeof(**list)) : NULL;
	for (size_t i = 0; i < nr; i++)
		(*list)[i] = to->patterns[from[i]->number];
}

/* s is a copy bit by bit: what it points at becomes its own. */
static void own(void *s, const struct rules_field *fields,
		const struct rules *to)
{
	for (const struct rules_field *f = fields; f->name; f++) {
		void *at = (char *)s + f->offset;
		struct rules_pattern **p = at;
		char **text = at;
		size_t nr;

		if (f->kind == RULES_TEXT && *text)
			*text = mem_strdup(*text);
		if (f->kind == RULES_WORDS)
			copy_words(at);
		if (f->kind == RULES_PATTERN && *p)
			*p = to->patterns[(*p)->number];
		if (f->kind != RULES_PATTERNS)
			continue;
		memcpy(&nr, (char *)s + f->count_offset, sizeof(nr));
		copy_patterns(at, nr, to);
	}
}

static void copy_patterns_of(struct rules *to, const struct rules *from)
{
	to->alloc_patterns = to->nr_patterns = from->nr_patterns;
	to->patterns = mem_array(to->nr_patterns + 1, sizeof(*to->patterns));
	for (size_t i = 0; i < to->nr_patterns; i++) {
		struct rules_pattern *p = mem_zalloc(sizeof(*p));

		*p = *from->patterns[i];
		p->file = to->files.list[0];
		own(p, rules_fields_pattern, to);
		to->patterns[i] = p;
	}
}

static void copy_allows_of(struct rules *to, const struct rules *from)
{
	to->alloc_allows = to->nr_allows = from->nr_allows;
	to->allows = mem_array(to->nr_allows + 1, sizeof(*to->allows));
	for (size_t i = 0; i < to->nr_allows; i++) {
		struct rules_allow *a = mem_zalloc(sizeof(*a));

		*a = *from->allows[i];
		a->file = to->files.list[0];
		own(a, rules_fields_allow, to);
		a->alloc_paths = a->nr_paths;
		a->alloc_regexes = a->nr_regexes;
		to->allows[i] = a;
	}
}

static void copy_rule(struct rules_rule *rule, const struct rules *to)
{
	const struct rules_required *required = rule->required;
	const struct rules_allow **allows = rule->allows;

	rule->file = to->files.list[0];
	own(rule, rules_fields_rule, to);
	rule->alloc_required = rule->nr_required;
	rule->required = mem_array(rule->nr_required + 1,
				   sizeof(*rule->required));
	for (size_t i = 0; i < rule->nr_required; i++) {
		rule->required[i] = required[i];
		own(&rule->required[i], rules_fields_required, to);
	}
	rule->alloc_allows = rule->nr_allows;
	rule->allows = mem_array(rule->nr_allows + 1, sizeof(*rule->allows));
	for (size_t i = 0; i < rule->nr_allows; i++)
		rule->allows[i] = to->allows[allows[i]->number];
}

struct rules *rules_copy(const struct rules *from)
{
	struct rules *to = mem_zalloc(sizeof(*to));

	/* all of it came from one file: [extend] was followed before */
	rules_words_add(&to->files, from->files.list[0],
			strlen(from->files.list[0]));
	copy_patterns_of(to, from);
	copy_allows_of(to, from);
	to->alloc = to->nr = from->nr;
	to->list = mem_array(to->nr + 1, sizeof(*to->list));
	for (size_t i = 0; i < to->nr; i++) {
		to->list[i] = from->list[i];
		copy_rule(&to->list[i], to);
	}
	return to;
}
