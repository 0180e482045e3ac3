#ifndef OIDSET_H
#define OIDSET_H

#include <stddef.h>
#include <stdint.h>
#include <git2.h>

/*
 * A set of object ids that remembers the order in which they came: the first
 * has index 0. Members cannot be removed.
 */
struct oidset {
	git_oid *list;
	size_t nr, alloc;
	uint32_t *table; /* index + 1 into list, 0 for an empty slot */
	size_t size;     /* of table; a power of two, or 0 */
	uint64_t seed;
};

#define OIDSET_INIT { 0 }

/* Index of id, which is added if need be; *added (may be NULL) says so. */
size_t oidset_put(struct oidset *s, const git_oid *id, int *added);
/* Index of id, or -1. */
ptrdiff_t oidset_find(const struct oidset *s, const git_oid *id);
/* Free; harmless when done twice. */
void oidset_clear(struct oidset *s);

#endif
