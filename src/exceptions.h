#ifndef EXCEPTIONS_H
#define EXCEPTIONS_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Findings that the operator has accepted: one file, in git-config syntax,
 * that he keeps in git,
 *
 *   [exception "FINGERPRINT"]
 *           reason = a key of the test server
 *           repo = acme/web
 *           expires = 2027-01-31
 *           by = ada
 *           date = 2026-11-22T10:00:00Z
 *
 * of which reason alone must be there. Times are seconds since 1970, UTC.
 */
struct exception {
	char fingerprint[41]; /* of struct finding */
	char *reason;
	char *repo;           /* a glob over repositories' names; NULL: all */
	char *by;             /* who allowed it, or NULL */
	int64_t date;         /* when, or 0 */
	int64_t expires;      /* the last second it holds, or 0: for ever */
	int line;             /* of its section */
};

struct exceptions {
	char *file;
	struct exception *list;
	size_t nr, alloc;
	int missing; /* there is no such file yet */
	int icase;   /* set by callers: repositories match in either case */
};

#define EXCEPTIONS_REASON_MAX 500 /* bytes */
/* One that expires within this time is called so. Seconds. */
#define EXCEPTIONS_SOON ((int64_t)7 * 24 * 60 * 60)

/*
 * Read and check the file; one that is not there is empty. Every error is
 * logged with file and line: syntax, an unknown key, a value, a file that
 * others can write or replace. Returns NULL on any.
 */
struct exceptions *exceptions_load(const char *file);
void exceptions_free(struct exceptions *x);

enum exception_state {
	EXCEPTION_EXPIRED = 0,
	EXCEPTION_SOON,
	EXCEPTION_ACTIVE,
};
enum exception_state exceptions_state(const struct exception *e, int64_t now);

/*
 * The one that holds for this finding in this repository (NULL: one that is
 * for all of them), or else one that has expired, or NULL.
 */
const struct exception *exceptions_find(const struct exceptions *x,
					const char *fingerprint,
					const char *repo, int64_t now);

/* Has it expired, with no later one of the same finding and repository? */
int exceptions_is_over(const struct exceptions *x, const struct exception *e,
		       int64_t now);

/* Log a warning for each that is over or soon will be. */
void exceptions_warn(const struct exceptions *x, int64_t now);

/* Is this a fingerprint? 1 or 0. */
int exceptions_is_fingerprint(const char *s);

/*
 * "30d", "12h", "8w" from now, or "2027-01-31", whose last second counts, or
 * that with "T10:00:00Z". Returns 0, or -1: none of these, or later than the
 * year 9999.
 */
int exceptions_time(const char *text, int64_t now, int64_t *out);
/* "2027-01-31T10:00:00Z" */
void exceptions_show_time(int64_t when, struct buf *out);

/*
 * Append one, whose reason has no control character. The file is replaced as
 * a whole or not at all, keeps owner and mode, and is locked meanwhile; one
 * that does not load is left alone. Returns 0, or -1, logged.
 */
int exceptions_add(const char *file, const struct exception *e);

#endif
