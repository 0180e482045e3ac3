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
	size_t number; /* in the set */
	const char *file;
	int line;
	int all; /* condition AND: every kind that is there must hold */
	enum rules_target target;
	struct rules_pattern **paths, **regexes;
	size_t nr_paths, alloc_paths, nr_regexes, alloc_regexes;
	struct rules_words stopwords; /* lower-cased */
	struct rules_words commits;   /* hexadecimal, lower-cased */
	struct rules_words rules;     /* ids it is for; none: all */
};

/* Another rule that must match nearby; bounds of -1 are none. */
struct rules_required {
	char *id;
	int line;
	int64_t lines, columns;
	size_t rule; /* its index, known when all is loaded */
};

/* No bound on a number of bytes or lines. */
#define RULES_UNBOUND SIZE_MAX

/* A set of bytes. */
struct rules_set {
	uint64_t bits[4];
};

static inline int rules_set_has(const struct rules_set *s, int c)
{
	return s->bits[(c & 255) >> 6] >> (c & 63) & 1;
}

/* What is known of every match of a regex, without matching. */
struct rules_shape {
	size_t min, reach; /* bytes; the most that it spans or looks at */
	size_t lines;      /* newlines in it, at most */
	/* so many bytes of a set stand in a row in it, 0: nothing known */
	size_t run_len, run_before;
	struct rules_set run;
	/*
	 * One of some words is in it, at most so many bytes after its start,
	 * all of them of lead; from there on, at most `after` bytes.
	 */
	size_t before, after;
	struct rules_set lead;
	/* before is 0, and there the edge of a word must be */
	int edge;
	size_t groups; /* that capture */
};

struct rules_rule {
	char *id, *description;
	const char *file;
	int line;
	struct rules_pattern *regex, *path; /* at least one is set */
	double entropy;
	int64_t group;
	struct rules_words keywords; /* lower-cased */
	struct rules_words tags;     /* for reports */
	int skip_report;
	struct rules_required *required;
	size_t nr_required, alloc_required;
	const struct rules_allow **allows;
	size_t nr_allows, alloc_allows;
	/* of the regex, when all is loaded (rules-wake.c) */
	struct rules_shape shape;
	struct rules_words wakes; /* as the index has it; none: always awake */
	int located; /* wakes are the words of shape; else, the keywords */
	int loose;   /* awake, it may still lack a keyword in the text */
	int known;   /* these were derived before, and stay */
};

/* Every distinct word that can wake a rule (rules-index.c). */
struct rules_index;

struct rules {
	int builtin; /* const, and never freed */
	int on_builtin; /* it extends the built-in set */
	struct rules_words files;
	struct rules_rule *list;
	size_t nr, alloc;
	struct rules_pattern **patterns;
	size_t nr_patterns, alloc_patterns;
	struct rules_allow **allows; /* all of them, to be freed */
	size_t nr_allows, alloc_allows;
	const struct rules_index *index; /* made when all rules are there */
};

/* [extend] of one file. */
struct rules_extend {
	int line;
	int use_default;
	char *path;
	struct rules_words disabled;
};

/*
 * The index of all rules' wakes: distinct, numbered from 0. A lower-case
 * letter of a wake stands for both cases, an upper-case one for itself.
 */
struct rules_index *rules_index_new(const struct rules *r);
void rules_index_free(struct rules_index *x);
/* A word's text and length; the rules (indices into r->list) it can wake. */
size_t rules_index_count(const struct rules_index *x);
const char *rules_index_word(const struct rules_index *x, uint32_t word,
			     size_t *len);
const uint32_t *rules_index_rules(const struct rules_index *x, uint32_t word,
				  size_t *nr);

void rules_words_add(struct rules_words *w, const char *word, size_t len);
void rules_words_clear(struct rules_words *w);

struct toml;

/* The tree of one file into r and extend. 0, or -1 with every error logged. */
int rules_read(struct rules *r, const char *file, const struct toml *root,
	       struct rules_extend *extend);

/* Put base (emptied) below r as [extend] says. */
void rules_merge(struct rules *r, struct rules *base,
		 const struct rules_extend *extend);
/* The built-in set, made by rules-prepare.c when the programs are built. */
extern const struct rules rules_prepared;
/* A copy that can be merged; it has no index. */
struct rules *rules_copy(const struct rules *from);
/* The rule of that id, or NULL. */
struct rules_rule *rules_find(const struct rules *r, const char *id);
void rules_rule_clear(struct rules_rule *rule);

/*
 * Read a regex without compiling it. Returns 0, *out, and the words that out
 * speaks of (words may be NULL; none: before, after and lead mean nothing);
 * or -1 and *why, a constant, for what Go's RE2 refuses.
 */
int rules_shape(const char *regex, struct rules_shape *out,
		struct rules_words *words, const char **why);
/* Fill shape, wakes, located and loose. */
void rules_wake(struct rules_rule *rule);

/*
 * The regex, which rules_shape has taken, with bytes for characters beyond
 * ASCII where Go counts these. Returns 0, or -1 and *why, a constant, for what
 * cannot be said in bytes.
 */
struct buf;
int rules_runes(const char *regex, struct buf *out, const char **why);

/*
 * Compile with the options that make PCRE2 mean what Go means. flags are
 * added (PCRE2_ANCHORED). Returns pcre2_code *, or NULL and a sentence part
 * in why.
 */
void *rules_compile(const struct rules_pattern *p, uint32_t flags, char *why,
		    size_t size);

#endif
