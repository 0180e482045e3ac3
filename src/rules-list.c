/*
 * What people are told of rules: takes a set, gives each rule's id, words and
 * place. Judges nothing.
 */
#include <string.h>

#include "rules-internal.h"
#include "rules.h"

void rules_info(const struct rules *r, size_t place, struct rules_info *out)
{
	const struct rules_rule *rule = &r->list[place];

	*out = (struct rules_info){
		.id = rule->id,
		.description = rule->description ? rule->description : "",
		.file = rule->file,
		.line = rule->line,
		.keywords = (const char *const *)rule->keywords.list,
		.nr_keywords = rule->keywords.nr,
		.tags = (const char *const *)rule->tags.list,
		.nr_tags = rule->tags.nr,
		.entropy = rule->entropy,
		.only_path = !rule->regex,
		.skip_report = rule->skip_report,
	};
}

ptrdiff_t rules_place(const struct rules *r, const char *id)
{
	const struct rules_rule *rule = rules_find(r, id);

	return rule ? rule - r->list : -1;
}
