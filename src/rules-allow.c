/*
 * Allow-lists of a rule file, a rule's own and global ones. Takes TOML, adds
 * them to the rules; one that would excuse nothing is an error.
 */
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "rules-take.h"

static void take_patterns(struct rules_reading *rd, const struct toml *v,
			  struct rules_pattern ***list, size_t *nr,
			  size_t *alloc)
{
	if (!rules_take_is(rd, v, TOML_ARRAY))
		return;
	for (size_t i = 0; i < v->nr; i++) {
		struct rules_pattern *p = rules_take_regex(rd, v->items[i]);

		if (!p)
			continue;
		MEM_GROW(*list, *nr, *alloc);
		(*list)[(*nr)++] = p;
	}
}

static void take_paths(struct rules_reading *rd, const struct toml *v,
		       void *field)
{
	struct rules_allow *a = field;

	take_patterns(rd, v, &a->paths, &a->nr_paths, &a->alloc_paths);
}

static void take_regexes(struct rules_reading *rd, const struct toml *v,
			 void *field)
{
	struct rules_allow *a = field;

	take_patterns(rd, v, &a->regexes, &a->nr_regexes, &a->alloc_regexes);
}

static int is_commit(const char *s)
{
	size_t n = strlen(s);

	return (n == 40 || n == 64) && strspn(s, "0123456789abcdef") == n;
}

/* gitleaks compares whole ids: a short one would excuse nothing. */
static void take_commits(struct rules_reading *rd, const struct toml *v,
			 void *field)
{
	struct rules_words *w = field;

	rules_take_lower(rd, v, w);
	for (size_t i = 0; i < w->nr; i++)
		if (!is_commit(w->list[i]))
			rules_take_wrong(rd, v->line, v->key,
					 "has an item that is no commit's "
					 "whole id, 40 or 64 digits");
}

static void take_condition(struct rules_reading *rd, const struct toml *v,
			   void *field)
{
	const char *s = rules_take_text(rd, v);
	int *out = field;

	if (!s)
		return;
	*out = !strcasecmp(s, "AND") || !strcmp(s, "&&");
	if (!*out && *s && strcasecmp(s, "OR") != 0 &&
	    strcmp(s, "||") != 0)
		rules_take_wrong(rd, v->line, v->key,
				 "should be \"AND\" or \"OR\"");
}

static void take_target(struct rules_reading *rd, const struct toml *v,
			void *field)
{
	const char *s = rules_take_text(rd, v);
	enum rules_target *out = field;

	if (!s || !*s || !strcasecmp(s, "secret"))
		return;
	if (!strcasecmp(s, "match"))
		*out = RULES_MATCH;
	else if (!strcasecmp(s, "line"))
		*out = RULES_LINE;
	else
		rules_take_wrong(rd, v->line, v->key,
				 "should be \"secret\", \"match\" or "
				 "\"line\"");
}

#define ALLOW(field) offsetof(struct rules_allow, field)

/* An allow-list; rule is NULL for a global one. */
static void allow(struct rules_reading *rd, const struct toml *v,
		  struct rules_rule *rule)
{
	static const struct rules_key keys[] = {
		{ "description", rules_take_ignored, 0 },
		{ "condition", take_condition, ALLOW(all) },
		{ "commits", take_commits, ALLOW(commits) },
		{ "paths", take_paths, 0 },
		{ "regexes", take_regexes, 0 },
		{ "regexTarget", take_target, ALLOW(target) },
		{ "stopwords", rules_take_lower, ALLOW(stopwords) },
		{ "targetRules", rules_take_words, ALLOW(rules) },
	};
	struct rules *r = rd->rules;
	struct rules_allow *a;
	int errors = rd->errors;

	if (!rules_take_is(rd, v, TOML_TABLE))
		return;
	a = mem_zalloc(sizeof(*a));
	a->file = rd->file;
	a->line = v->line;
	MEM_GROW(r->allows, r->nr_allows, r->alloc_allows);
	r->allows[r->nr_allows++] = a;
	/* without targetRules inside a rule */
	rules_take_keys(rd, v, keys,
			sizeof(keys) / sizeof(*keys) - (rule != NULL), a);
	if (errors == rd->errors && !a->nr_paths && !a->nr_regexes &&
	    !a->stopwords.nr && !a->commits.nr)
		rules_take_wrong(rd, v->line, "allow-list",
				 "has no commits, paths, regexes or "
				 "stopwords");
	if (!rule)
		return;
	rules_words_add(&a->rules, rule->id ? rule->id : "",
			rule->id ? strlen(rule->id) : 0);
	MEM_GROW(rule->allows, rule->nr_allows, rule->alloc_allows);
	rule->allows[rule->nr_allows++] = a;
}

/* [allowlist] is the older form of [[allowlists]]. */
void rules_take_allows(struct rules_reading *rd, const struct toml *v,
		       struct rules_rule *rule)
{
	if (v->type == TOML_TABLE)
		allow(rd, v, rule);
	else if (rules_take_is(rd, v, TOML_ARRAY))
		for (size_t i = 0; i < v->nr; i++)
			allow(rd, v->items[i], rule);
}
