#ifndef INDEX_H
#define INDEX_H

#include <stddef.h>

#include "oid.h"

/*
 * A work tree's index, gitformat-index(5), versions 2 to 4, read by ourselves:
 * what the next commit would have. Every byte of it is taken for hostile.
 */
struct index_entry {
	const char *path; /* ended by a NUL; of a sparse directory, in '/' */
	size_t path_len;
	struct oid id;
	unsigned mode;    /* as in a tree: 0100644, 0120000, ... */
	unsigned stage;   /* 0, or 1 to 3 of a conflict */
};

/* Strings live until it returns. Other than 0 ends the reading. */
typedef int index_fn(void *arg, const struct index_entry *e);

/*
 * Each entry of the file but those that are only meant to be added, in order
 * of path. Returns 0; what fn returned; or -1 and *why, a sentence part that
 * is a constant: it cannot be read, is malformed, or is split. A file that is
 * not there is empty.
 */
int index_each(const char *file, size_t raw_len, index_fn *fn, void *arg,
	       const char **why);

#endif
