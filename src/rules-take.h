#ifndef RULES_TAKE_H
#define RULES_TAKE_H

#include "rules-internal.h"
#include "toml.h"

/* Reading tables of keys; for rules-read.c, -allow.c and -take.c only. */
struct rules_reading {
	struct rules *rules;
	const char *file;
	const char *subject; /* "rule 'ID'", "rule file" */
	int errors;
	int foreign; /* it is of another program: said once */
};

/* Put the value of one key into a field; what is wrong is logged, counted. */
typedef void rules_take_fn(struct rules_reading *rd, const struct toml *v,
			   void *field);

struct rules_key {
	const char *name;
	rules_take_fn *take;
	size_t offset; /* of the field in the struct that is filled */
};

/* Says how many errors were not shown. Returns 0, or -1: there were any. */
int rules_take_end(struct rules_reading *rd);
/* Every key of table by its take function; unknown keys are errors. */
void rules_take_keys(struct rules_reading *rd, const struct toml *table,
		     const struct rules_key *keys, size_t nr, void *out);

/* Log "FILE:LINE: SUBJECT: WHAT WHY" and count it. */
void rules_take_wrong(struct rules_reading *rd, int line, const char *what,
		      const char *why);
/* Is v of that type? Said if not. */
int rules_take_is(struct rules_reading *rd, const struct toml *v,
		  enum toml_type type);
/* A string without NUL, or NULL, said. */
const char *rules_take_text(struct rules_reading *rd, const struct toml *v);
/* A regex that Go would take, numbered later, or NULL, said. */
struct rules_pattern *rules_take_regex(struct rules_reading *rd,
				       const struct toml *v);

rules_take_fn rules_take_string;  /* char * */
rules_take_fn rules_take_ignored; /* a string, checked */
rules_take_fn rules_take_tags;	  /* struct rules_words, that may be empty */
rules_take_fn rules_take_words;	  /* struct rules_words, none empty */
rules_take_fn rules_take_lower;	  /* the same, lower-cased */
rules_take_fn rules_take_flag;	  /* int */
rules_take_fn rules_take_count;	  /* int64_t */
rules_take_fn rules_take_entropy; /* double */
rules_take_fn rules_take_pattern; /* struct rules_pattern * */

/* Allow-lists of a rule, or (NULL) of all of them. */
void rules_take_allows(struct rules_reading *rd, const struct toml *v,
		       struct rules_rule *rule);

#endif
