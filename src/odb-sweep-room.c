/*
 * Memory for texts, used again: a thread makes and drops a text for each
 * object, and fresh pages from the system would cost more than filling them.
 * Counts what is held; who asks keeps to the bound.
 */
#include <stdlib.h>
#include <string.h>

#include "odb-sweep-internal.h"

/* A spare one may be this much larger than what it is used for. */
#define ROOM_WASTE(len) (4 * (len) + 65536)
#define ROOM_STEP ((size_t)4096)
#define ROOM_MORE ((size_t)1 << 20)

static size_t size_for(size_t len)
{
	size_t more = len / 8 < ROOM_MORE ? len / 8 : ROOM_MORE;

	/* some more than now: the next version may be longer */
	return (len + more + ROOM_STEP) & ~(ROOM_STEP - 1);
}

/* The smallest spare one that fits; ODB_SPARES if none does. */
static unsigned best(const struct odb_rooms *r, size_t len)
{
	unsigned i, found = ODB_SPARES;

	for (i = 0; i < r->nr; i++)
		if (r->spare[i]->size >= len &&
		    r->spare[i]->size <= ROOM_WASTE(len) &&
		    (found == ODB_SPARES ||
		     r->spare[i]->size < r->spare[found]->size))
			found = i;
	return found;
}

size_t odb_room_cost(const struct odb_rooms *r, size_t len)
{
	return best(r, len) < ODB_SPARES ? 0 : size_for(len);
}

struct odb_room *odb_room_get(struct odb_rooms *r, size_t len)
{
	unsigned i = best(r, len);
	struct odb_room *room;
	size_t size;

	if (i < ODB_SPARES) {
		room = r->spare[i];
		r->spare[i] = r->spare[--r->nr];
		return room;
	}
	size = size_for(len);
	room = malloc(sizeof(*room) + size + ODB_SLACK);
	if (!room)
		return NULL;
	room->size = size;
	r->held += size;
	return room;
}

static void discard(struct odb_rooms *r, struct odb_room *room)
{
	r->held -= room->size;
	free(room);
}

void odb_room_put(struct odb_rooms *r, struct odb_room *room)
{
	unsigned i, small = 0;

	if (!room)
		return;
	if (room->size > r->keep) {
		discard(r, room);
		return;
	}
	if (r->nr < ODB_SPARES) {
		r->spare[r->nr++] = room;
		return;
	}
	/* large ones serve more texts */
	for (i = 1; i < r->nr; i++)
		if (r->spare[i]->size < r->spare[small]->size)
			small = i;
	if (r->spare[small]->size < room->size) {
		discard(r, r->spare[small]);
		r->spare[small] = room;
	} else {
		discard(r, room);
	}
}

void odb_rooms_clear(struct odb_rooms *r)
{
	while (r->nr)
		discard(r, r->spare[--r->nr]);
}
