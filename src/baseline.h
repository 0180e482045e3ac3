#ifndef BASELINE_H
#define BASELINE_H

#include <stddef.h>

struct finding;

/*
 * What an earlier scan reported and is known since: a JSON report of ours or
 * of gitleaks, whose findings are not reported again.
 */
struct baseline;

/* Returns NULL, logged, when it cannot be read or is no such report. */
struct baseline *baseline_load(const char *file);
void baseline_free(struct baseline *b);

/* How many findings it has. */
size_t baseline_count(const struct baseline *b);

/*
 * Is this one of them? By our fingerprint, which a rebase does not change; in
 * gitleaks' reports by file and secret, whatever rule found it; where the
 * report is redacted, by rule, file, line and commit.
 */
int baseline_has(const struct baseline *b, const struct finding *f,
		 const char *secret, size_t len);

#endif
