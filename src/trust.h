#ifndef TRUST_H
#define TRUST_H

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

#endif
