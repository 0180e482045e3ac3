#ifndef RULES_INTERNAL_H
#define RULES_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/* The rules' insides; for rules*.c and scan*.c only. */

/* One regex of the set, numbered so that a scanner can keep its code. */
struct rules_pattern {
	char *text;
	char *owner; /* "rule 'ID'" or "allow-list", for messages */
	const char *file;
	int line;
	size_t number;
};

struct rules_words {
	char **list;
	size_t nr, alloc;
};

enum rules_target { RULES_SECRET = 0, RULES_MATCH, RULES_LINE };

struct rules_allow {
	const char *file;
	int line;
	int all; /* condition AND: every kind that is there must hold */
	enum rules_target target;
	struct rules_pattern **paths, **regexes;
	size_t nr_paths, alloc_paths, nr_regexes, alloc_regexes;
	struct rules_words stopwords; /* lower-cased */
	struct rules_words rules;     /* ids it is for; none: all */
};

/* Another rule that must match nearby; bounds of -1 are none. */
struct rules_required {
	char *id;
	int line;
	int64_t lines, columns;
	size_t rule; /* its index, known when all is loaded */
};

/* No keyword can be shown to lie in every match. */
#define RULES_ANYWHERE SIZE_MAX

struct rules_rule {
	char *id, *description;
	const char *file;
	int line;
	struct rules_pattern *regex, *path; /* at least one is set */
	double entropy;
	int64_t group;
	struct rules_words keywords; /* lower-cased */
	int skip_report;
	struct rules_required *required;
	size_t nr_required, alloc_required;
	const struct rules_allow **allows;
	size_t nr_allows, alloc_allows;
	/*
	 * Every match has one of the keywords at most this many bytes after
	 * its start, or RULES_ANYWHERE.
	 */
	size_t before;
};

struct rules {
	int builtin;
	struct rules_words files;
	struct rules_rule *list;
	size_t nr, alloc;
	struct rules_pattern **patterns;
	size_t nr_patterns, alloc_patterns;
	struct rules_allow **allows; /* all of them, to be freed */
	size_t nr_allows, alloc_allows;
};

/* [extend] of one file. */
struct rules_extend {
	int line;
	int use_default;
	char *path;
	struct rules_words disabled;
};

void rules_words_add(struct rules_words *w, const char *word, size_t len);
void rules_words_clear(struct rules_words *w);

struct toml;

/* The tree of one file into r and extend. 0, or -1 with every error logged. */
int rules_read(struct rules *r, const char *file, const struct toml *root,
	       struct rules_extend *extend);

/* Put base (emptied) below r as [extend] says. */
void rules_merge(struct rules *r, struct rules *base,
		 const struct rules_extend *extend);
/* The rule of that id, or NULL. */
struct rules_rule *rules_find(const struct rules *r, const char *id);
void rules_rule_clear(struct rules_rule *rule);

/*
 * Read a regex without compiling it. Returns 0 and *before for those keywords
 * (struct rules_rule), or -1 and *why, a constant, for what Go's RE2 refuses.
 */
int rules_shape(const char *regex, const struct rules_words *keywords,
		size_t *before, const char **why);

/*
 * Compile with the options that make PCRE2 mean what Go means. flags are
 * added (PCRE2_ANCHORED). Returns pcre2_code *, or NULL and a sentence part
 * in why.
 */
void *rules_compile(const struct rules_pattern *p, uint32_t flags, char *why,
		    size_t size);

#endif
