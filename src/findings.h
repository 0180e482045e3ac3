#ifndef FINDINGS_H
#define FINDINGS_H

#include <stddef.h>

struct scan_finding;

/*
 * What a scan of a repository found: collected by walk, printed by report.
 * Holds no secret: only its redacted form and its hash.
 */
struct finding {
	char *rule;
	char *description;
	char commit[65];  /* hexadecimal, or "" (a ref's name, a file) */
	char *author;     /* "Name <mail>", or "" */
	char *date;       /* "2026-01-31T12:00:00Z", or "" */
	char *message;    /* first line of the commit's message, or "" */
	char *path;       /* file, or "commit message", "tag message", "ref" */
	unsigned line, column, end_line, end_column; /* of the match, from 1 */
	double entropy;   /* of the secret, bits per byte */
	char *redacted;
	char fingerprint[41]; /* git blob id of rule NUL path NUL secret, hex */
};

/* More are not kept, only counted. */
#define FINDINGS_MAX 2000

struct findings {
	struct finding *list;
	size_t nr, alloc;
	size_t more;      /* beyond FINDINGS_MAX */
	size_t objects;   /* scanned */
	size_t bytes;     /* scanned */
	char *unknown;    /* first reason for "could not tell", or NULL */
};

#define FINDINGS_INIT { 0 }

/* Where a finding lies. No part may hold a secret; NULL counts as "". */
struct finding_place {
	const char *commit, *author, *date, *message;
	const char *path;
};

/*
 * Add one, unless the same fingerprint is already there. text is what was
 * scanned. libgit2 must have been initialised (walk.h does).
 */
void findings_add(struct findings *fs, const struct scan_finding *f,
		  const char *text, const struct finding_place *at);
/* Note that something could not be scanned; the first reason is kept. */
void findings_unknown(struct findings *fs, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void findings_clear(struct findings *fs);

#endif
