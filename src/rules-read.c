/*
 * The tree of one rule file into rules, by tables of keys. Takes TOML, fills
 * structs; every error is logged with file:line, not only the first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rules-take.h"
#include "text.h"

static void take_rule_allows(struct rules_reading *rd, const struct toml *v,
			     void *rule)
{
	rules_take_allows(rd, v, rule);
}

static void take_global_allows(struct rules_reading *rd, const struct toml *v,
			       void *rules)
{
	(void)rules;
	rules_take_allows(rd, v, NULL);
}

static void refuse_both(struct rules_reading *rd, const struct toml *table)
{
	if (toml_get(table, "allowlist") && toml_get(table, "allowlists"))
		rules_take_wrong(rd, toml_get(table, "allowlist")->line,
				 "allowlist",
				 "and allowlists cannot both be there");
}

#define NEED(field) offsetof(struct rules_required, field)

static void take_required(struct rules_reading *rd, const struct toml *v,
			  void *field)
{
	static const struct rules_key keys[] = {
		{ "id", rules_take_string, NEED(id) },
		{ "withinLines", rules_take_count, NEED(lines) },
		{ "withinColumns", rules_take_count, NEED(columns) },
	};
	struct rules_rule *rule = field;

	if (!rules_take_is(rd, v, TOML_ARRAY))
		return;
	for (size_t i = 0; i < v->nr; i++) {
		struct rules_required q = { .lines = -1, .columns = -1 };

		if (!rules_take_is(rd, v->items[i], TOML_TABLE))
			continue;
		q.line = v->items[i]->line;
		rules_take_keys(rd, v->items[i], keys,
				sizeof(keys) / sizeof(*keys), &q);
		if (!q.id)
			rules_take_wrong(rd, q.line, "required", "has no id");
		MEM_GROW(rule->required, rule->nr_required,
			 rule->alloc_required);
		rule->required[rule->nr_required++] = q;
	}
}

#define RULE(field) offsetof(struct rules_rule, field)

static void one_rule(struct rules_reading *rd, const struct toml *v)
{
	static const struct rules_key keys[] = {
		{ "id", rules_take_string, RULE(id) },
		{ "description", rules_take_string, RULE(description) },
		{ "regex", rules_take_pattern, RULE(regex) },
		{ "path", rules_take_pattern, RULE(path) },
		{ "entropy", rules_take_entropy, RULE(entropy) },
		{ "secretGroup", rules_take_count, RULE(group) },
		{ "keywords", rules_take_lower, RULE(keywords) },
		{ "tags", rules_take_tags, RULE(tags) },
		{ "skipReport", rules_take_flag, RULE(skip_report) },
		{ "required", take_required, 0 },
		{ "allowlist", take_rule_allows, 0 },
		{ "allowlists", take_rule_allows, 0 },
	};
	const struct toml *id = toml_get(v, "id");
	char subject[160], name[120];
	struct rules_rule rule = { .file = rd->file, .line = v->line };
	struct rules *r = rd->rules;

	/* the id may stand after what is wrong */
	text_clean_to(name, sizeof(name), id && id->text ? id->text : "");
	snprintf(subject, sizeof(subject), "rule '%s'", name);
	rd->subject = subject;
	rules_take_keys(rd, v, keys, sizeof(keys) / sizeof(*keys), &rule);
	refuse_both(rd, v);
	if (!rule.id || !*rule.id)
		rules_take_wrong(rd, v->line, "id", "is missing");
	else if (rules_find(r, rule.id))
		rules_take_wrong(rd, v->line, "id", "is already in use");
	if (!rule.id)
		rule.id = mem_strdup("");
	MEM_GROW(r->list, r->nr, r->alloc);
	r->list[r->nr++] = rule;
	rd->subject = "rule file";
}

static void take_rules(struct rules_reading *rd, const struct toml *v,
		       void *field)
{
	(void)field;
	if (!rules_take_is(rd, v, TOML_ARRAY))
		return;
	for (size_t i = 0; i < v->nr; i++)
		if (rules_take_is(rd, v->items[i], TOML_TABLE))
			one_rule(rd, v->items[i]);
}

#define EXTEND(field) offsetof(struct rules_extend, field)

static void take_extend(struct rules_reading *rd, const struct toml *v,
			void *field)
{
	static const struct rules_key keys[] = {
		{ "useDefault", rules_take_flag, EXTEND(use_default) },
		{ "path", rules_take_string, EXTEND(path) },
		{ "disabledRules", rules_take_words, EXTEND(disabled) },
	};
	struct rules_extend *e = field;

	if (!rules_take_is(rd, v, TOML_TABLE))
		return;
	e->line = v->line;
	rules_take_keys(rd, v, keys, sizeof(keys) / sizeof(*keys), e);
	if (e->path && !*e->path) {
		free(e->path);
		e->path = NULL;
	}
	if (e->path && e->use_default)
		rules_take_wrong(rd, v->line, "useDefault",
				 "and path cannot both be "
				 "there");
	if (e->disabled.nr && !e->path && !e->use_default)
		rules_take_wrong(rd, v->line, "disabledRules",
				 "has nothing to extend");
}

int rules_read(struct rules *r, const char *file, const struct toml *root,
	       struct rules_extend *extend)
{
	static const struct rules_key keys[] = {
		{ "title", rules_take_ignored, 0 },
		{ "description", rules_take_ignored, 0 },
		{ "minVersion", rules_take_ignored, 0 },
		{ "extend", take_extend, 0 },
		{ "allowlist", take_global_allows, 0 },
		{ "allowlists", take_global_allows, 0 },
		{ "rules", take_rules, 0 },
	};
	struct rules_reading rd = { .rules = r,
				    .file = file,
				    .subject = "rule file" };

	rules_take_keys(&rd, root, keys, sizeof(keys) / sizeof(*keys), extend);
	refuse_both(&rd, root);
	return rules_take_end(&rd);
}
