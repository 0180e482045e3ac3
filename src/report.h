#ifndef REPORT_H
#define REPORT_H

#include <stddef.h>
#include <stdio.h>

struct findings;
struct rules;

/* How findings are shown to people. */
struct report_style {
	unsigned max;       /* findings shown; the rest is counted */
	unsigned width;     /* columns of a line, at least 40 */
	int colour;
	int is_pusher;      /* a client of the gate: not its operator */
	int is_staged; /* findings without a commit are in the index */
	const char *config; /* for commands that take -c, or NULL */
	/* commits at the end of a branch, hexadecimal */
	const char *const *tips;
	size_t nr_tips;
};

/*
 * Findings as text for people: each with rule, commit, path:line, redacted
 * secret and fingerprint, at most max of them and a count of the rest, then
 * what to do. Secrets are never printed.
 */
void report_text(FILE *to, const struct findings *fs,
		 const struct report_style *style);

/* Words behind first, in lines that fit so many columns. */
void report_line(FILE *to, unsigned width, const char *first,
		 const char *words);

/* gitleaks' JSON report: an array, "[]" when there is nothing. */
void report_json(FILE *to, const struct findings *fs, const struct rules *r);

/*
 * SARIF 2.1.0 (OASIS), with every rule of the set. version is our own.
 */
void report_sarif(FILE *to, const struct findings *fs, const struct rules *r,
		  const char *version);

/*
 * The machine-readable last line of every refusal, and of nothing else:
 * "git-gate: refused code=CODE retry=yes|no [KEY=VALUE ...] id=ID".
 * extra is NULL or further " key=value" words.
 */
void report_refused(FILE *to, const char *code, int retry, const char *extra,
		    const char *id);

#endif
