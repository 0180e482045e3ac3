/*
 * A set of object ids: open addressing over an array in order of arrival.
 * Takes and gives ids; knows nothing of objects. Ids come from clients, who
 * can choose some bits of them, so that places depend on a random number.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mem.h"
#include "oids.h"

/* Two rounds over 16 bytes, which even of SHA-1 are more than chance. */
static size_t place(const struct oids *s, const struct oid *id)
{
	uint64_t words[2], hash;

	/* the multiplier is the 64-bit golden ratio (Knuth, 6.4) */
	memcpy(words, id->raw, sizeof(words));
	hash = (words[0] ^ s->seed) * UINT64_C(0x9e3779b97f4a7c15);
	hash ^= hash >> 29;
	hash = (hash ^ words[1]) * UINT64_C(0x9e3779b97f4a7c15);
	hash ^= hash >> 32;
	return (size_t)hash & (s->size - 1);
}

/* The slot that holds id, or the empty one where it would go. */
static uint32_t *slot(const struct oids *s, const struct oid *id)
{
	size_t i = place(s, id);

	while (s->table[i] && !oid_equal(&s->list[s->table[i] - 1], id))
		i = (i + 1) & (s->size - 1);
	return &s->table[i];
}

static void grow(struct oids *s)
{
	size_t i;

	if (!s->size &&
	    getrandom(&s->seed, sizeof(s->seed), 0) != sizeof(s->seed))
		s->seed = (uint64_t)(uintptr_t)s;
	s->size = s->size ? s->size * 2 : 64;
	free(s->table);
	s->table = mem_array(s->size, sizeof(*s->table));
	for (i = 0; i < s->nr; i++)
		*slot(s, &s->list[i]) = (uint32_t)(i + 1);
}

size_t oids_put(struct oids *s, const struct oid *id, int *added)
{
	uint32_t *at;

	/* at most half full, so that searches stay short */
	if (s->nr * 2 >= s->size)
		grow(s);
	at = slot(s, id);
	if (added)
		*added = !*at;
	if (*at)
		return *at - 1;
	MEM_GROW(s->list, s->nr, s->alloc);
	s->list[s->nr++] = *id;
	*at = (uint32_t)s->nr;
	return s->nr - 1;
}

ptrdiff_t oids_find(const struct oids *s, const struct oid *id)
{
	if (!s->size)
		return -1;
	return (ptrdiff_t)*slot(s, id) - 1;
}

void oids_clear(struct oids *s)
{
	free(s->list);
	free(s->table);
	memset(s, 0, sizeof(*s));
}
