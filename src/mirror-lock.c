/*
 * Who may touch a mirror now: a table keyed by path, for the threads of one
 * process. One refresh runs and others wait; it leaves alone the references of
 * pushes that are being forwarded, and no forward begins while it runs. Pushes
 * of very many references keep refreshes out instead, and take turns with
 * them. Maintenance gives way to all of them. Every wait has a deadline.
 */
#include "mirror-lock-internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"

struct entry *mirror_lock_entries;
pthread_mutex_t mirror_lock_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
/* One for all paths: waiters are few, at most one per worker. */
static pthread_cond_t changed;

static void init_changed(void)
{
	clock_condition(&changed);
}

struct entry *mirror_lock_enter(const char *path)
{
	struct entry *e;

	pthread_once(&once, init_changed);
	pthread_mutex_lock(&mirror_lock_mutex);
	for (e = mirror_lock_entries; e; e = e->next)
		if (!strcmp(e->path, path))
			break;
	if (!e) {
		e = mem_zalloc(sizeof(*e));
		e->path = mem_strdup(path);
		e->care_fd = -1;
		e->next = mirror_lock_entries;
		mirror_lock_entries = e;
	}
	e->users++;
	return e;
}

void mirror_lock_leave(struct entry *e)
{
	struct entry **p = &mirror_lock_entries;

	if (--e->users == 0) {
		while (*p != e)
			p = &(*p)->next;
		*p = e->next;
		free(e->path);
		free(e);
	}
	pthread_mutex_unlock(&mirror_lock_mutex);
}

/* The client does not announce its end to a condition: look now and then. */
#define LOOK_MS 500
/* A forward that was put off asks again within this time, or is no more. */
#define ASKS_MS 200

static int has_left(int client)
{
	struct pollfd p = { .fd = client, .events = POLLRDHUP };

	return client >= 0 && poll(&p, 1, 0) > 0;
}

int mirror_lock_forward_asks(const struct entry *e)
{
	return !e->refresh_next && e->asked != 0 &&
	       clock_ms() - e->asked < ASKS_MS;
}

int mirror_lock_wait(const struct entry *e, const struct mirror_wait *wait)
{
	int left = clock_left(e->refreshing ? wait->refresh : wait->push);
	int look = mirror_lock_forward_asks(e) ? ASKS_MS / 4 : LOOK_MS;

	if (!left || has_left(wait->client))
		return -1;
	clock_wait(&changed, &mirror_lock_mutex,
		   clock_ms() + (left < look ? left : look));
	return 0;
}

static void add_busy(const struct entry *e, struct buf *busy)
{
	const struct push *p;

	for (p = e->pushes; p; p = p->next)
		if (p->forwards && p->refs.len)
			buf_add(busy, p->refs.data, p->refs.len);
}

enum mirror_turn mirror_lock_refresh(const char *path,
				     const struct mirror_wait *wait,
				     struct buf *busy, enum fault_kind *fault)
{
	struct entry *e = mirror_lock_enter(path);
	/* What runs now began before we came: only the next one counts. */
	uint64_t first = e->started + 1;
	enum mirror_turn turn;

	for (;;) {
		if (e->ended >= first) {
			/* Its deadline may have been nearer, its client gone. */
			if (e->fault != FAULT_TIMEOUT &&
			    e->fault != FAULT_BUSY) {
				*fault = e->fault;
				turn = MIRROR_TURN_JOINED;
				break;
			}
			first = e->started + 1;
		}
		if (!e->refreshing && !e->forwards && !mirror_lock_turn(e) &&
		    !mirror_lock_forward_asks(e)) {
			e->refreshing = 1;
			e->refresh_next = 0;
			e->started++;
			e->users++; /* until mirror_lock_done */
			add_busy(e, busy);
			turn = MIRROR_TURN_RUN;
			break;
		}
		/* those that forward end, and no more begin before us */
		if (e->forwards)
			e->refresh_next = 1;
		if (mirror_lock_wait(e, wait)) {
			/* others who wait say so again */
			e->refresh_next = 0;
			turn = MIRROR_TURN_LATE;
			break;
		}
	}
	mirror_lock_leave(e);
	return turn;
}

void mirror_lock_done(const char *path, enum fault_kind fault)
{
	struct entry *e = mirror_lock_enter(path);

	e->refreshing = 0;
	e->ended = e->started;
	e->fault = fault;
	pthread_cond_broadcast(&changed);
	e->users--;
	mirror_lock_leave(e);
}

void mirror_lock_changed(void)
{
	pthread_cond_broadcast(&changed);
}

void mirror_lock_stop_care(struct entry *e, int now)
{
	if (e->care_fd < 0 || (!now && clock_ms() < e->turn))
		return;
	close(e->care_fd);
	e->care_fd = -1;
}

int mirror_lock_turn(const struct entry *e)
{
	return !e->caring && clock_ms() < e->turn;
}
