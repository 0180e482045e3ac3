/*
 * What of the mirrors' upkeep is due, and when: takes note of mirrors that got
 * objects and of activity, lets one thread sleep until there is something to
 * do. Without activity nobody wakes it. Never touches a file.
 */
#include "mirror-keep.h"
#include "mirror-internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"

/* Of the times a delay is doubled; ten minutes of delay become ten hours. */
#define TRIES_MAX 6
/* One that is never quiet has its turn after so many delays. */
#define OVERDUE 10
/* Looking for mirrors that nobody uses goes over all of them. */
#define REMOVE_MS (60 * 60 * 1000)

struct note {
	struct note *next;
	char *path;
	int64_t first, last; /* clock_ms() */
	unsigned tries;
};

static struct note *notes;
static int stopping, again;
/* At the start there may be some that have been unused for long. */
static int active = 1;
static int64_t remove_at;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_cond_t changed;

static void init_changed(void)
{
	clock_condition(&changed);
}

static void lock(void)
{
	pthread_once(&once, init_changed);
	pthread_mutex_lock(&mutex);
}

static void put(const char *path, unsigned tries, int64_t first)
{
	struct note *n;

	lock();
	for (n = notes; n; n = n->next)
		if (!strcmp(n->path, path))
			break;
	if (!n) {
		n = mem_zalloc(sizeof(*n));
		n->path = mem_strdup(path);
		n->first = first;
		n->next = notes;
		notes = n;
	}
	n->last = clock_ms();
	if (n->first > first)
		n->first = first;
	if (n->tries < tries)
		n->tries = tries;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
}

void mirror_due_note(const char *path)
{
	put(path, 0, clock_ms());
}

/* What did not end in its turn has another one as late. */
static void later(const struct mirror_due *due)
{
	put(due->path, due->tries < TRIES_MAX ? due->tries + 1 : TRIES_MAX,
	    due->overdue ? clock_ms() : due->first);
}

void mirror_due_done(const struct mirror_due *due, int rc)
{
	if (rc > 0)
		later(due);
	else if (!rc && due->overdue)
		mirror_due_note(due->path);
}

void mirror_due_active(void)
{
	lock();
	active = 1;
	if (clock_ms() >= remove_at)
		pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
}

void mirror_due_again(void)
{
	lock();
	again = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
}

void mirror_due_stop(void)
{
	lock();
	stopping = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
	mirror_lock_care_stop();
}

int mirror_due_stopping(void)
{
	int is;

	lock();
	is = stopping;
	pthread_mutex_unlock(&mutex);
	return is;
}

static int64_t due_at(const struct note *n, int64_t delay_ms)
{
	int64_t quiet = n->last + (delay_ms << n->tries);
	int64_t overdue = n->first + delay_ms * OVERDUE;

	return quiet < overdue ? quiet : overdue;
}

/* The one that is due first; NULL: there is none. */
static struct note **earliest(int64_t delay_ms)
{
	struct note **best = NULL, **p;
	int64_t first = INT64_MAX;

	for (p = &notes; *p; p = &(*p)->next)
		if (due_at(*p, delay_ms) < first) {
			first = due_at(*p, delay_ms);
			best = p;
		}
	return best;
}

static void take(struct note **p, int64_t delay_ms, struct mirror_due *due)
{
	struct note *n = *p;

	*p = n->next;
	due->path = n->path;
	due->tries = n->tries;
	due->first = n->first;
	due->overdue = clock_ms() >= n->first + delay_ms * OVERDUE;
	free(n);
}

/* What is due now; else when to look again is in *at. Returns -1: nothing. */
static int next_task(int64_t delay_ms, int removes, struct mirror_due *due,
		     int64_t *at)
{
	int64_t now = clock_ms();
	struct note **first = delay_ms < 0 ? NULL : earliest(delay_ms);

	*at = first ? due_at(*first, delay_ms) : INT64_MAX;
	if (stopping)
		return MIRROR_TASK_STOP;
	if (again) {
		again = 0;
		return MIRROR_TASK_AGAIN;
	}
	if (removes && active && now >= remove_at) {
		active = 0;
		remove_at = now + REMOVE_MS;
		return MIRROR_TASK_REMOVE;
	}
	if (first && *at <= now) {
		take(first, delay_ms, due);
		return MIRROR_TASK_CARE;
	}
	if (removes && active && remove_at < *at)
		*at = remove_at;
	return -1;
}

enum mirror_task mirror_due_wait(int64_t delay_ms, int removes,
				 struct mirror_due *due)
{
	int64_t at;
	int task;

	due->path = NULL;
	due->tries = 0;
	lock();
	while ((task = next_task(delay_ms, removes, due, &at)) < 0) {
		if (at == INT64_MAX)
			pthread_cond_wait(&changed, &mutex);
		else
			clock_wait(&changed, &mutex, at);
	}
	pthread_mutex_unlock(&mutex);
	return (enum mirror_task)task;
}
