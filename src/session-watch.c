/*
 * The deadlines of sessions. Takes when each is over, gives waits that end by
 * then, and the watchdog, which ends the connection of a session past its
 * deadline: its worker then sees a client that left.
 */
#include "session.h"
#include "session-internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

/* From a deadline to the end of a connection whose stage did not end. */
#define LATE_MS 3000
/*
 * To the end that a reader is made to see. It sees its deadline by itself, but
 * for one that came nearer meanwhile; and a web server that cannot write any
 * more gives its client an error of its own in place of our answer.
 */
#define READ_MS 1000

static int wake_fd = -1;  /* the watchdog's */
static int hurry_fd = -1; /* eventfd, readable once everybody hurries */
static int64_t hurry; /* clock_ms() of everybody's deadline; 0: none */
static int64_t watched = INT64_MAX; /* clock_ms() of the next look at all */

static void wake(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		log_warn("eventfd: %s", strerror(errno));
}

int session_watch_open(int fd)
{
	wake_fd = fd;
	hurry_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return hurry_fd < 0 ? -1 : 0;
}

void session_watch_close(void)
{
	if (hurry_fd >= 0)
		close(hurry_fd);
	hurry_fd = -1;
}

/* When a session with this deadline is to be looked at, whatever its stage. */
static int64_t first_look(int64_t deadline)
{
	return deadline + (READ_MS < LATE_MS ? READ_MS : LATE_MS);
}

/* The watchdog sleeps until its next look: is that too late for this one? */
void session_due(const struct session *s)
{
	if (first_look(s->deadline) >= watched)
		return;
	watched = first_look(s->deadline);
	wake(wake_fd);
}

int session_hurried(struct session *s)
{
	if (s != NULL && hurry != 0 && s->deadline > hurry)
		s->deadline = hurry;
	return hurry != 0;
}

int session_left(const struct session *s)
{
	int left;

	pthread_mutex_lock(&session_lock);
	left = clock_left(s->deadline);
	pthread_mutex_unlock(&session_lock);
	return left;
}

int session_poll(const struct session *s, struct pollfd *p, unsigned n,
		 int timeout_ms)
{
	int left;

	pthread_mutex_lock(&session_lock);
	left = clock_left(s->deadline);
	/* it stays readable: who has seen it once is not to see it again */
	p[n] = (struct pollfd){ .fd = hurry == 0 ? hurry_fd : -1,
				.events = POLLIN };
	pthread_mutex_unlock(&session_lock);
	if (left > 0 && left < timeout_ms)
		timeout_ms = left;
	return poll(p, n + 1, timeout_ms);
}

int session_watch(void)
{
	int64_t now = clock_ms(), next = -1;
	unsigned i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_top; i++) {
		struct session *s = &session_entries[i];
		int reads = s->stage == STAGE_BODY || s->stage == STAGE_DRAIN;
		int64_t at = s->deadline +
			     (reads && !s->ended ? READ_MS : LATE_MS);

		/* one that forwards is left to finish; that has a bound too */
		if (!s->in_use || s->shut || s->stage == STAGE_FORWARD)
			continue;
		if (at <= now && reads && !s->ended) {
			/* it may read under a bound of before: it sees an end,
			   and can still answer */
			shutdown(s->fd, SHUT_RD);
			s->ended = 1;
			at = s->deadline + LATE_MS;
		}
		if (at <= now) {
			log_warn("session %s on %s: past its time, in stage %s",
				 s->id, s->repo, session_stage_name(s->stage));
			shutdown(s->fd, SHUT_RDWR);
			s->shut = 1;
		} else {
			/* its stage may be another by then */
			if (first_look(s->deadline) > now)
				at = first_look(s->deadline);
			if (next < 0 || at < next)
				next = at;
		}
	}
	watched = next < 0 ? INT64_MAX : next;
	pthread_mutex_unlock(&session_lock);
	return next < 0 ? -1 : clock_left(next) + 1;
}

void session_limit(struct session *s, int64_t left_ms)
{
	int64_t deadline = clock_ms() + left_ms;

	pthread_mutex_lock(&session_lock);
	if (s->deadline > deadline) {
		s->deadline = deadline;
		session_due(s);
	}
	pthread_mutex_unlock(&session_lock);
}

void session_hurry(int64_t left_ms)
{
	unsigned i;

	pthread_mutex_lock(&session_lock);
	hurry = clock_ms() + left_ms;
	for (i = 0; i < session_top; i++)
		if (session_entries[i].in_use &&
		    session_entries[i].deadline > hurry)
			session_entries[i].deadline = hurry;
	wake(hurry_fd);
	pthread_mutex_unlock(&session_lock);
}

