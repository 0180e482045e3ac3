#ifndef IGNORE_H
#define IGNORE_H

#include <stddef.h>

struct finding;

/*
 * A file of fingerprints, one a line, as gitleaks takes .gitleaksignore:
 * "COMMIT:PATH:RULE:LINE" or "PATH:RULE:LINE", '\' standing for '/', '#' for
 * comments; and our own, of 40 digits. It is the operator's: one that a
 * repository brings along is never looked for.
 */
struct ignore;

/*
 * Returns NULL, logged, when it cannot be read. A line that is none of these
 * is warned of with file and line: it ignores nothing. With decides, the file
 * is part of what a gate decides by, and one that others can write is an
 * error.
 */
struct ignore *ignore_load(const char *file, int decides);
void ignore_free(struct ignore *g);

/* The line that says so, from 1, or 0. */
int ignore_has(const struct ignore *g, const struct finding *f);
/* How many lines say something. */
size_t ignore_count(const struct ignore *g);

#endif
