#ifndef RULES_H
#define RULES_H

#include <stddef.h>

/*
 * Secret-scanning rules in gitleaks' TOML format: loaded once, const after
 * and shared by threads. Regexes are compiled where they are first needed
 * (scan.h), so that a hook starts fast; one that does not compile there makes
 * the scan "could not tell". rules_compile_all tells beforehand.
 */
struct rules;

/* The rules built into the program; ready at once, const, shared by all. */
struct rules *rules_builtin(void);

/*
 * Rules from a file. Every error is logged with file:line; an unknown key, a
 * regex that Go's RE2 would refuse, or zero rules is an error. Returns NULL
 * on any error.
 */
struct rules *rules_load(const char *file);
/*
 * The same of rules that a gate decides by: the file, and each that it
 * extends, must be one that only root and the effective user can write or
 * replace (trust.h).
 */
struct rules *rules_load_trusted(const char *file);

/*
 * Compile every regex and look for traps. Returns 0, or -1 when one does not
 * compile; errors and traps (warnings) are logged with file:line.
 */
int rules_compile_all(const struct rules *r);

/*
 * Log a warning with file:line for what is in order and hardly meant: half an
 * anchor, flags that gitleaks would carry on, what excuses every secret.
 */
void rules_warn_traps(const struct rules *r);

void rules_free(struct rules *r);

size_t rules_count(const struct rules *r);

/* What people are told of a rule; all of it lives as long as the rules. */
struct rules_info {
	const char *id, *description; /* "" for none */
	const char *file;
	int line;
	const char *const *keywords, *const *tags;
	size_t nr_keywords, nr_tags;
	double entropy;   /* 0 for none */
	int only_path;    /* it finds files by their names */
	int skip_report;  /* it is there for others alone */
};

/* The rule at this place, 0 to rules_count() - 1. */
void rules_info(const struct rules *r, size_t place, struct rules_info *out);
/* The place of a rule, or -1. */
ptrdiff_t rules_place(const struct rules *r, const char *id);

#endif
