#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

struct findings;

/*
 * Findings as text for people: each with rule, commit, path:line, redacted
 * secret and fingerprint, at most max of them and a count of the rest, then
 * what to do. Secrets are never printed.
 */
void report_text(FILE *to, const struct findings *fs, unsigned max);

/* gitleaks' JSON report: an array, "[]" when there is nothing. */
void report_json(FILE *to, const struct findings *fs);

/*
 * The machine-readable last line of every refusal, and of nothing else:
 * "git-gate: refused code=CODE retry=yes|no [KEY=VALUE ...] id=ID".
 * extra is NULL or further " key=value" words.
 */
void report_refused(FILE *to, const char *code, int retry, const char *extra,
		    const char *id);

#endif
