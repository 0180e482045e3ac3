#ifndef ACCEPT_H
#define ACCEPT_H

#include <stddef.h>
#include <stdint.h>

#include "oids.h"

struct baseline;
struct exception;
struct exceptions;
struct finding;
struct ignore;

/*
 * Which findings do not count: those that the operator has accepted
 * (exceptions.h, ignore.h) or that an earlier report has (baseline.h). Any
 * part may be NULL.
 */
struct accept {
	struct exceptions *exceptions;
	const char *repo; /* for exceptions of some repositories, or NULL */
	int64_t now;      /* seconds since 1970, for those that expire */
	struct ignore *ignore;
	struct baseline *baseline;

	/* what came of it */
	struct accept_use {
		/* NULL: a line of the fingerprints to be ignored */
		const struct exception *exception;
		int line;             /* of either's file */
		char *rule;           /* of the finding */
		char fingerprint[41]; /* of the finding */
		int over; /* the exception has expired: the finding counts */
	} *uses;          /* each exception and line once */
	size_t nr_uses, alloc_uses;
	/* findings left out, by fingerprint: by an exception, ... */
	struct oids excepted, ignored, known;
};

#define ACCEPT_INIT                                                            \
	{ .excepted = OIDS_INIT, .ignored = OIDS_INIT, .known = OIDS_INIT }

/* findings_judge; arg is a struct accept. */
int accept_judge(void *arg, const struct finding *f, const char *secret,
		 size_t len);

void accept_clear(struct accept *a);

#endif
