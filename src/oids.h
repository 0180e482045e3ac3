#ifndef OIDS_H
#define OIDS_H

#include <stddef.h>
#include <stdint.h>

#include "oid.h"

/*
 * A set of object ids that remembers the order in which they came: the first
 * has index 0. Members cannot be removed. Hashed with a key of its own, so
 * that nobody chooses ids that collide.
 */
struct oids {
	struct oid *list;
	size_t nr, alloc;
	uint32_t *table; /* index + 1 into list, 0 for an empty slot */
	size_t size;     /* of table; a power of two, or 0 */
	uint64_t seed;
};

#define OIDS_INIT { 0 }

/* Index of id, which is added if need be; *added (may be NULL) says so. */
size_t oids_put(struct oids *s, const struct oid *id, int *added);
/* Index of id, or -1. */
ptrdiff_t oids_find(const struct oids *s, const struct oid *id);
/* Free; harmless when done twice. */
void oids_clear(struct oids *s);

#endif
