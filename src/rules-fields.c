/*
 * Tables of the fields that rules are made of. What copies or writes a set
 * goes by them; nothing else is here.
 */
#include "rules-fields.h"

#include "rules-internal.h"

/* A size that changed says that a table below wants a line. */
#define KNOWN(type, size)                                                      \
	_Static_assert(sizeof(void *) != 8 || sizeof(struct type) == (size),   \
		       "struct " #type " has a field that no table has")
KNOWN(rules_pattern, 40);
KNOWN(rules_rule, 344);
KNOWN(rules_allow, 152);
KNOWN(rules_required, 40);

#define FIELD(type, field, kind)                                               \
	{ #field, kind, offsetof(struct type, field), NULL, 0 }
#define LIST(type, field, count)                                               \
	{ #field, RULES_PATTERNS, offsetof(struct type, field), #count,        \
	  offsetof(struct type, count) }
#define END { NULL, RULES_INT, 0, NULL, 0 }

const struct rules_field rules_fields_pattern[] = {
	FIELD(rules_pattern, text, RULES_TEXT),
	FIELD(rules_pattern, owner, RULES_TEXT),
	FIELD(rules_pattern, line, RULES_INT),
	FIELD(rules_pattern, number, RULES_SIZE),
	END,
};

const struct rules_field rules_fields_rule[] = {
	FIELD(rules_rule, id, RULES_TEXT),
	FIELD(rules_rule, description, RULES_TEXT),
	FIELD(rules_rule, line, RULES_INT),
	FIELD(rules_rule, regex, RULES_PATTERN),
	FIELD(rules_rule, path, RULES_PATTERN),
	FIELD(rules_rule, entropy, RULES_DOUBLE),
	FIELD(rules_rule, group, RULES_INT64),
	FIELD(rules_rule, keywords, RULES_WORDS),
	FIELD(rules_rule, tags, RULES_WORDS),
	FIELD(rules_rule, skip_report, RULES_INT),
	FIELD(rules_rule, shape.min, RULES_SIZE),
	FIELD(rules_rule, shape.reach, RULES_SIZE),
	FIELD(rules_rule, shape.lines, RULES_SIZE),
	FIELD(rules_rule, shape.run_len, RULES_SIZE),
	FIELD(rules_rule, shape.run_before, RULES_SIZE),
	FIELD(rules_rule, shape.run, RULES_SET),
	FIELD(rules_rule, shape.before, RULES_SIZE),
	FIELD(rules_rule, shape.after, RULES_SIZE),
	FIELD(rules_rule, shape.lead, RULES_SET),
	FIELD(rules_rule, shape.edge, RULES_INT),
	FIELD(rules_rule, shape.groups, RULES_SIZE),
	FIELD(rules_rule, wakes, RULES_WORDS),
	FIELD(rules_rule, located, RULES_INT),
	FIELD(rules_rule, loose, RULES_INT),
	FIELD(rules_rule, known, RULES_INT),
	END,
};

const struct rules_field rules_fields_allow[] = {
	FIELD(rules_allow, number, RULES_SIZE),
	FIELD(rules_allow, line, RULES_INT),
	FIELD(rules_allow, all, RULES_INT),
	FIELD(rules_allow, target, RULES_INT),
	LIST(rules_allow, paths, nr_paths),
	LIST(rules_allow, regexes, nr_regexes),
	FIELD(rules_allow, stopwords, RULES_WORDS),
	FIELD(rules_allow, commits, RULES_WORDS),
	FIELD(rules_allow, rules, RULES_WORDS),
	END,
};

const struct rules_field rules_fields_required[] = {
	FIELD(rules_required, id, RULES_TEXT),
	FIELD(rules_required, line, RULES_INT),
	FIELD(rules_required, lines, RULES_INT64),
	FIELD(rules_required, columns, RULES_INT64),
	FIELD(rules_required, rule, RULES_SIZE),
	END,
};
