#ifndef RULES_FIELDS_H
#define RULES_FIELDS_H

#include <stddef.h>

/*
 * The fields of the rules' structs, for copying a set and for writing one as
 * C; for rules-*.c only. A field that is not in its table fails to compile
 * there. Fields that hold or point at what the set shares are not listed:
 * file, required and allows of a rule, and alloc of any list.
 */
enum rules_kind {
	RULES_TEXT,     /* char *, may be NULL */
	RULES_WORDS,    /* struct rules_words */
	RULES_PATTERN,  /* struct rules_pattern *, of the set, may be NULL */
	RULES_PATTERNS, /* the same, a list, and its length behind it */
	RULES_INT,
	RULES_INT64,
	RULES_SIZE,
	RULES_DOUBLE,
	RULES_SET, /* struct rules_set */
};

struct rules_field {
	const char *name; /* as C has it; NULL ends the table */
	enum rules_kind kind;
	size_t offset;
	const char *count; /* RULES_PATTERNS: the field of its length */
	size_t count_offset;
};

extern const struct rules_field rules_fields_pattern[], rules_fields_rule[],
	rules_fields_allow[], rules_fields_required[];

#endif
