/*
 * Who may touch a mirror now: a table keyed by path, for the threads of one
 * process. One refresh runs and others wait; it leaves alone the references of
 * pushes that are being forwarded, and no forward begins while it runs. Pushes
 * of very many references keep refreshes out instead, and take turns with
 * them. Every wait has a deadline. Never touches a file.
 */
#include "mirror-internal.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "commands.h"
#include "mem.h"

/* More than these are too many to be named to git in its arguments. */
#define REFS_MAX 200
#define REFS_BYTES 32768

/* A push under way, by its session's id. */
struct push {
	struct push *next;
	int forwards;
	int many;        /* references: too many to be left alone one by one */
	struct buf refs; /* a line each */
	char id[17];
};

struct entry {
	struct entry *next;
	char *path;
	unsigned users;  /* threads inside, and pushes under way */
	struct push *pushes;
	unsigned forwards; /* of them, those of many references */
	int refreshing, sweeping;
	int broken;       /* a push left something */
	int refresh_next; /* a refresh waits for forwards to end */
	int64_t asked;    /* clock_ms() when a forward was put off; 0: none */
	uint64_t started, ended; /* numbers of the last refresh */
	enum fault_kind fault;   /* of the one that ended last */
};

static struct entry *entries;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
/* One for all paths: waiters are few, at most one per worker. */
static pthread_cond_t changed;

static void init_changed(void)
{
	pthread_condattr_t attr;

	/* clock_ms() is monotonic, so the waits must be too. */
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attr);
	pthread_condattr_destroy(&attr);
}

/* The entry of a path, made when it is new; locks the table. */
static struct entry *enter(const char *path)
{
	struct entry *e;

	pthread_once(&once, init_changed);
	pthread_mutex_lock(&mutex);
	for (e = entries; e; e = e->next)
		if (!strcmp(e->path, path))
			break;
	if (!e) {
		e = mem_zalloc(sizeof(*e));
		e->path = mem_strdup(path);
		e->next = entries;
		entries = e;
	}
	e->users++;
	return e;
}

/* Unlocks the table; an entry that nobody uses is freed. */
static void leave(struct entry *e)
{
	struct entry **p = &entries;

	if (--e->users == 0) {
		while (*p != e)
			p = &(*p)->next;
		*p = e->next;
		free(e->path);
		free(e);
	}
	pthread_mutex_unlock(&mutex);
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

/* Has a forward been put off that may come before the next refresh? */
static int forward_asks(const struct entry *e)
{
	return !e->refresh_next && e->asked != 0 &&
	       clock_ms() - e->asked < ASKS_MS;
}

/* Returns 0, or -1 once the time has passed or nobody waits any more. */
static int wait_change(const struct entry *e, const struct mirror_wait *wait)
{
	int left = clock_left(e->refreshing ? wait->refresh : wait->push);
	int look = forward_asks(e) ? ASKS_MS / 4 : LOOK_MS;
	struct timespec ts;

	if (!left || has_left(wait->client))
		return -1;
	if (left > look)
		left = look;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += left / 1000;
	ts.tv_nsec += left % 1000 * 1000000L;
	if (ts.tv_nsec >= 1000000000L) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000L;
	}
	pthread_cond_timedwait(&changed, &mutex, &ts);
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
	struct entry *e = enter(path);
	/* What runs now began before we came: only the next one counts. */
	uint64_t first = e->started + 1;
	enum mirror_turn turn;

	for (;;) {
		if (e->ended >= first) {
			/* Its deadline may have been nearer than ours. */
			if (e->fault != FAULT_TIMEOUT) {
				*fault = e->fault;
				turn = MIRROR_TURN_JOINED;
				break;
			}
			first = e->started + 1;
		}
		if (!e->refreshing && !e->forwards && !forward_asks(e)) {
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
		if (wait_change(e, wait)) {
			/* others who wait say so again */
			e->refresh_next = 0;
			turn = MIRROR_TURN_LATE;
			break;
		}
	}
	leave(e);
	return turn;
}

void mirror_lock_done(const char *path, enum fault_kind fault)
{
	struct entry *e = enter(path);

	e->refreshing = 0;
	e->ended = e->started;
	e->fault = fault;
	pthread_cond_broadcast(&changed);
	e->users--;
	leave(e);
}

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
	struct entry *e = enter(path);
	struct push *push;
	int rc = 0;

	while (e->sweeping && !rc)
		rc = wait_change(e, wait);
	if (!rc) {
		push = push_of(id, commands);
		push->next = e->pushes;
		e->pushes = push;
		e->users++; /* until mirror_lock_push_end */
	}
	leave(e);
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

	pthread_mutex_lock(&mutex);
	for (e = entries; e; e = e->next)
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
	pthread_mutex_unlock(&mutex);
	return rc;
}

int mirror_lock_push_end(const char *path, const char *id, int broken,
			 int *sweep)
{
	struct entry *e = enter(path);
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
	pthread_cond_broadcast(&changed);
	leave(e);
	return forwarded;
}

void mirror_lock_swept(const char *path)
{
	struct entry *e = enter(path);

	e->sweeping = 0;
	pthread_cond_broadcast(&changed);
	e->users--;
	leave(e);
}
