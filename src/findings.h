#ifndef FINDINGS_H
#define FINDINGS_H

#include <stddef.h>

#include "oids.h"

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
	char *encodings;  /* "", or "base64,percent": outermost first */
	unsigned line, column, end_line, end_column; /* of the match, from 1 */
	double entropy;   /* of the secret, bits per byte */
	char *redacted;
	char fingerprint[41]; /* git blob id of rule NUL path NUL secret, hex;
				 the path without lines within "(...)" */
};

/*
 * Is it to be left out? secret is of len bytes, and lives until it returns.
 * Called for each place where one is, before it is known whether another with
 * the same fingerprint is there.
 */
typedef int findings_judge(void *arg, const struct finding *f,
			   const char *secret, size_t len);

/* More are not kept, only counted. */
#define FINDINGS_MAX 2000

struct findings {
	struct finding *list;
	size_t nr, alloc;
	size_t more;      /* beyond FINDINGS_MAX */
	size_t objects;   /* scanned */
	size_t bytes;     /* scanned */
	char *unknown;    /* first reason for "could not tell", or NULL */
	int too_much;     /* it is one of time or memory, not of one object */
	findings_judge *judge; /* or NULL: all count */
	void *judge_arg;
	struct oids seen; /* fingerprints of those that count */
};

#define FINDINGS_INIT { .seen = OIDS_INIT }

/* Where a finding lies. No part may hold a secret; NULL counts as "". */
struct finding_place {
	const char *commit, *author, *date, *message;
	const char *path;
};

/* Add one, unless the same fingerprint is already there or judge says so. */
void findings_add(struct findings *fs, const struct scan_finding *f,
		  const struct finding_place *at);
/* Note that something could not be scanned; the first reason is kept. */
void findings_unknown(struct findings *fs, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same where all of it is too much: less of it could be scanned. */
void findings_too_much(struct findings *fs, const char *why);
void findings_clear(struct findings *fs);

/* The fingerprint of a secret: 40 digits and a NUL. */
void findings_fingerprint(const char *rule, const char *path,
			  const char *secret, size_t len, char out[41]);

#endif
