#ifndef SCAN_H
#define SCAN_H

#include <stddef.h>
#include <stdint.h>

struct rules;

/*
 * Text in, findings out; pure but for memory. Says "could not tell" rather
 * than "clean" whenever a limit was met.
 */
enum scan_result {
	SCAN_UNKNOWN = 0, /* could not tell: never taken for clean */
	SCAN_CLEAN,
	SCAN_FOUND,
};

struct scan_finding {
	const char *rule;        /* rule id; lives as long as the rules */
	const char *description; /* of the rule, likewise */
	size_t start, end;       /* the match, bytes from the text's start */
	size_t secret_start, secret_end; /* the secret inside it */
	unsigned line, column;   /* of the match, from 1 */
};

/* One thread's scratch memory for scanning with one set of rules. */
struct scanner;

struct scanner *scan_new(const struct rules *r);
void scan_free(struct scanner *s);

/*
 * Find the secrets in text. path (may be NULL) is the file's name, for rules
 * and allow-lists that look at it. fn is called once per finding, in order of
 * rule. On SCAN_UNKNOWN, *why (if why is not NULL) is a sentence part that
 * names the rule and limit and lives until the next call.
 */
typedef void scan_fn(void *arg, const struct scan_finding *f);
enum scan_result scan_text(struct scanner *s, const char *text, size_t len,
			   const char *path, scan_fn *fn, void *arg,
			   const char **why);

/*
 * Does any rule or allow-list look at paths? If not, a text that is clean is
 * clean under each name.
 */
int scan_minds_path(const struct scanner *s);

/*
 * Does this scanner find anything at all? Scans a made-up token that a rule
 * of the set must match (for a foreign rule set: that every regex runs).
 * Returns 0, or -1, logged.
 */
int scan_self_test(struct scanner *s);

/*
 * Would a scan with this rule file (NULL: the built-in rules) work? Loads it,
 * compiles all of it and runs the self-test. Returns how many rules there
 * are, or 0, logged.
 */
size_t scan_check(const char *rules_file);

#endif
