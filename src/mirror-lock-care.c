/*
 * Those who give way, in the table of who touches a mirror: maintenance, which
 * runs while there is no push and no reference changes, and is told to end; the
 * sessions that are served from it; and its removal, when nobody is there.
 */
#include "mirror-lock-internal.h"

#include <unistd.h>

#include "child.h"
#include "clock.h"

/* Others hold back meanwhile: what there is ends, and nothing more begins. */
static void wait_turn(struct entry *e, int turn_ms)
{
	const struct mirror_wait wait = { .refresh = clock_ms() + turn_ms,
					  .push = clock_ms() + turn_ms,
					  .client = -1 };

	e->turn = wait.push;
	while ((e->refreshing || e->pushes) && !mirror_lock_wait(e, &wait))
		;
}

int mirror_lock_care(const char *path, int turn_ms, int *watch)
{
	struct entry *e = mirror_lock_enter(path);
	int fds[2], rc = -1;

	if (turn_ms > 0 && !e->caring)
		wait_turn(e, turn_ms);
	if (!e->refreshing && !e->caring && !e->pushes && !child_pipe(fds)) {
		*watch = fds[0];
		e->care_fd = fds[1];
		e->caring = 1;
		e->users++; /* until mirror_lock_care_end */
		rc = 0;
	} else if (!e->caring) {
		e->turn = 0;
		mirror_lock_changed();
	}
	mirror_lock_leave(e);
	return rc;
}

int mirror_lock_care_end(const char *path, int watch)
{
	struct entry *e = mirror_lock_enter(path);
	int stopped = e->care_fd < 0;

	mirror_lock_stop_care(e, 1);
	close(watch);
	e->caring = 0;
	e->turn = 0;
	e->users--;
	mirror_lock_changed();
	mirror_lock_leave(e);
	return stopped;
}

void mirror_lock_care_stop(void)
{
	struct entry *e;

	pthread_mutex_lock(&mirror_lock_mutex);
	for (e = mirror_lock_entries; e; e = e->next)
		mirror_lock_stop_care(e, 1);
	pthread_mutex_unlock(&mirror_lock_mutex);
}

int mirror_lock_settle(const char *path, const struct mirror_wait *wait)
{
	struct entry *e = mirror_lock_enter(path);
	int rc = 0;

	mirror_lock_stop_care(e, 0);
	while (e->caring && !rc) {
		rc = mirror_lock_wait(e, wait);
		mirror_lock_stop_care(e, 0);
	}
	mirror_lock_leave(e);
	return rc;
}

void mirror_lock_hold(const char *path)
{
	struct entry *e = mirror_lock_enter(path);

	e->users++;
	mirror_lock_leave(e);
}

void mirror_lock_release(const char *path)
{
	struct entry *e = mirror_lock_enter(path);

	e->users--;
	mirror_lock_leave(e);
}

int mirror_lock_alone(const char *path, int (*fn)(const char *path, void *arg),
		      void *arg)
{
	struct entry *e = mirror_lock_enter(path);
	/* nobody but us, and none comes while the table is locked */
	int rc = e->users == 1 ? fn(path, arg) : 1;

	mirror_lock_leave(e);
	return rc;
}
