#ifndef TRUST_H
#define TRUST_H

#include <stddef.h>

struct buf;
struct stat;

/*
 * Who else could have written a file that decides something? Called with each
 * fault, a sentence with its remedy, that lives until it returns.
 */
typedef void trust_fn(void *arg, const char *what);

/*
 * path was opened, and st is of it: a regular file that only root and the
 * effective user can write or replace. Its directory is looked at as well, and
 * where path is a link, the file's own. Returns how many faults there are.
 */
int trust_check(const char *path, const struct stat *st, trust_fn *fn,
		void *arg);

/*
 * All of such a file, at most max bytes, appended to out. what is what it
 * holds, for the words ("rules"). Returns 0; 1: it is not there, which is not
 * logged; -1: it cannot be read or is not to be trusted, logged.
 */
int trust_read(const char *path, const char *what, size_t max,
	       struct buf *out);

#endif
