/*
 * Pushes in the table of who touches a mirror: begun, forwarded, ended; and
 * the sweep after those that were broken off. Takes a path and a session's id,
 * says when it may go on. Never touches a file.
 */
#include "mirror-lock-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "commands.h"
#include "mem.h"

/* With more than these git would compare for too long, each with each; of
   names of a common length, all that a push can have. */
#define REFS_MAX COMMANDS_MAX
#define REFS_BYTES (2 << 20)

static struct push *push_of(const char *id, const struct commands *commands)
{
	struct push *p = mem_zalloc(sizeof(*p));
	size_t i, nr = commands ? commands->nr : 0;

	snprintf(p->id, sizeof(p->id), "%s", id);
	p->many = nr > REFS_MAX;
	for (i = 0; i < nr && !p->many; i++) {
		buf_addf(&p->refs, "%s\n", commands->list[i].ref);
		p->many = p->refs.len > REFS_BYTES;
	}
	return p;
}

static void free_push(struct push *p)
{
	buf_clear(&p->refs);
	free(p);
}

int mirror_lock_push(const char *path, const char *id,
		     const struct commands *commands,
		     const struct mirror_wait *wait)
{
	struct entry *e = mirror_lock_enter(path);
	struct push *push;
	int rc = 0;

	/* the hook reads packs that maintenance replaces: not at once */
	mirror_lock_stop_care(e, 0);
	while ((e->sweeping || e->caring || mirror_lock_turn(e)) && !rc) {
		rc = mirror_lock_wait(e, wait);
		mirror_lock_stop_care(e, 0);
	}
	if (!rc) {
		push = push_of(id, commands);
		push->next = e->pushes;
		e->pushes = push;
		e->users++; /* until mirror_lock_push_end */
	}
	mirror_lock_leave(e);
	return rc;
}

static struct push **find(struct entry *e, const char *id)
{
	struct push **p = &e->pushes;

	while (*p && strcmp((*p)->id, id) != 0)
		p = &(*p)->next;
	return p;
}

int mirror_lock_forward(const char *id, char **path)
{
	struct entry *e;
	struct push *push = NULL;
	int rc = -1;

	pthread_mutex_lock(&mirror_lock_mutex);
	for (e = mirror_lock_entries; e; e = e->next)
		if ((push = *find(e, id)))
			break;
	if (push && (e->refreshing || (push->many && e->refresh_next))) {
		e->asked = clock_ms();
		rc = 0;
	} else if (push) {
		e->asked = 0;
		e->forwards += push->many && !push->forwards;
		push->forwards = 1;
		*path = mem_strdup(e->path);
		rc = 1;
	}
	pthread_mutex_unlock(&mirror_lock_mutex);
	return rc;
}

int mirror_lock_push_end(const char *path, const char *id, int broken,
			 int *sweep)
{
	struct entry *e = mirror_lock_enter(path);
	struct push **at = find(e, id), *push = *at;
	int forwarded = 0;

	if (push) {
		*at = push->next;
		forwarded = push->forwards;
		e->forwards -= push->many && forwarded;
		free_push(push);
	}
	e->broken |= broken;
	e->users--;
	*sweep = e->broken && !e->pushes;
	if (*sweep) {
		e->broken = 0;
		e->sweeping = 1;
		e->users++; /* until mirror_lock_swept */
	}
	mirror_lock_changed();
	mirror_lock_leave(e);
	return forwarded;
}

int mirror_lock_still(const char *path)
{
	struct entry *e = mirror_lock_enter(path);
	int rc = e->pushes || e->sweeping ? -1 : 0;

	if (!rc) {
		e->sweeping = 1;
		e->users++; /* until mirror_lock_swept */
	}
	mirror_lock_leave(e);
	return rc;
}

void mirror_lock_swept(const char *path)
{
	struct entry *e = mirror_lock_enter(path);

	e->sweeping = 0;
	mirror_lock_changed();
	e->users--;
	mirror_lock_leave(e);
}
