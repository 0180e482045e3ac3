/*
 * Places: which sessions may have a backend at work. Takes caps and the table
 * of sessions, gives places in turn, the next one to the client that has the
 * fewest. Numbers are counted when they are needed, never kept, so that none
 * can leak.
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

/*
 * A client that does not take what one read of a pipe gave (64 KiB) in this
 * time, keeps its backend waiting: that one needs no place meanwhile.
 */
#define STALL_MS 100
/* Nothing announces that a client has stalled: look again. */
#define LOOK_MS 250
/* Waiting for an upstream costs less than a backend at work. */
#define MIRROR_TIMES 4
/* Slow is a body that comes with fewer bytes a second, after so long. */
#define SLOW_RATE (64 << 10)
#define SLOW_AFTER_MS 2000

/* Those of the configuration that is in force. */
static struct session_caps caps;
static uint64_t turns;
static int64_t granted; /* clock_ms() of the last look at the queue */

static int same_client(const struct session *a, const struct session *b)
{
	return strcmp(a->client, b->client) == 0;
}

/* Does it hold a place, and need it now? */
static int works(const struct session *s, int64_t now)
{
	return s->in_use && s->place == PLACE_HELD &&
	       s->stage != STAGE_FORWARD &&
	       (s->writing == 0 || now - s->writing < STALL_MS);
}

/* What others have at the moment that a session asks. */
struct count {
	unsigned all, client, repo;
};

static struct count count_working(const struct session *s, int64_t now)
{
	struct count n = { 0, 0, 0 };
	unsigned i;

	for (i = 0; i < session_top; i++) {
		const struct session *other = &session_entries[i];

		if (other == s || other->pool != s->pool ||
		    !works(other, now))
			continue;
		n.all++;
		n.client += same_client(other, s);
		n.repo += strcmp(other->repo, s->repo) == 0;
	}
	return n;
}

static unsigned cap_of_all(int pool)
{
	return pool == POOL_MIRROR ? caps.all * MIRROR_TIMES : caps.all;
}

/* Its own share first: that is what a client can do something about. */
static enum session_cap cap_met(const struct count *n, int pool)
{
	if (n->client >= caps.client)
		return CAP_CLIENT;
	if (n->repo >= caps.repo)
		return CAP_REPO;
	return n->all >= cap_of_all(pool) ? CAP_ALL : CAP_NONE;
}

static int fits(const struct count *n, int pool)
{
	return cap_met(n, pool) == CAP_NONE;
}

enum session_cap session_cap(const struct session *s)
{
	enum session_cap cap;

	pthread_mutex_lock(&session_lock);
	cap = (enum session_cap)s->cap;
	pthread_mutex_unlock(&session_lock);
	return cap;
}

static int same_ask(const struct session *a, const struct session *b)
{
	return a->pool == b->pool && same_client(a, b) &&
	       strcmp(a->repo, b->repo) == 0;
}

/* The waiting session that is next, or NULL while none may run. */
static struct session *next_waiter(int64_t now)
{
	struct session *next = NULL;
	const struct session *counted = NULL;
	struct count n = { 0, 0, 0 };
	unsigned fewest = 0, i;

	for (i = 0; i < session_top; i++) {
		struct session *s = &session_entries[i];

		if (!s->in_use || s->place != PLACE_WAITING)
			continue;
		/* a long queue is mostly of one client for one repository */
		if (counted == NULL || !same_ask(s, counted))
			n = count_working(s, now);
		counted = s;
		if (!fits(&n, s->pool))
			continue;
		if (next == NULL || n.client < fewest ||
		    (n.client == fewest && s->number < next->number)) {
			next = s;
			fewest = n.client;
		}
	}
	return next;
}

void session_place_grant(void)
{
	int64_t now = clock_ms();
	struct session *s;
	uint64_t one = 1;

	granted = now;
	while ((s = next_waiter(now)) != NULL) {
		s->place = PLACE_HELD;
		if (write(s->wake_fd, &one, sizeof(one)) < 0)
			log_warn("eventfd: %s", strerror(errno));
	}
}

void session_place_count(unsigned *working, unsigned *waiting,
			 struct session_caps *most)
{
	int64_t now = clock_ms();
	unsigned i;

	*most = caps;
	*working = *waiting = 0;
	for (i = 0; i < session_top; i++) {
		*working += works(&session_entries[i], now);
		*waiting += session_entries[i].in_use &&
			    session_entries[i].place == PLACE_WAITING;
	}
}

int session_spare(void)
{
	unsigned working, waiting;
	struct session_caps most;

	pthread_mutex_lock(&session_lock);
	session_place_count(&working, &waiting, &most);
	pthread_mutex_unlock(&session_lock);
	return waiting == 0 && working < most.all;
}

/* May one more wait? One client gets half of the room. */
static int queue_has_room(const struct session *s)
{
	unsigned all = 0, client = 0, i;

	for (i = 0; i < session_top; i++) {
		const struct session *other = &session_entries[i];

		if (!other->in_use || other->place != PLACE_WAITING)
			continue;
		all++;
		client += same_client(other, s);
	}
	return all < caps.waiting && client < (caps.waiting + 1) / 2;
}

enum session_turn session_arrive(struct session *s,
				 const struct session_caps *c)
{
	unsigned here = 0, i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_top; i++)
		here += session_entries[i].in_use &&
			same_client(&session_entries[i], s);
	pthread_mutex_unlock(&session_lock);
	return here > c->share ? TURN_SHARE : TURN_OK;
}

enum session_turn session_enter(struct session *s,
				const struct session_caps *c)
{
	enum session_turn turn = TURN_OK;
	struct count n;

	pthread_mutex_lock(&session_lock);
	caps = *c;
	s->pool = POOL_BACKEND;
	n = count_working(s, clock_ms());
	s->cap = cap_met(&n, s->pool);
	if (s->cap != CAP_NONE && !queue_has_room(s))
		turn = TURN_FULL;
	pthread_mutex_unlock(&session_lock);
	return turn;
}

/* Stand in the queue; session_lock is held. */
static enum session_turn queue_up(struct session *s)
{
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0)
		return TURN_FULL;
	s->number = turns++;
	s->place = PLACE_WAITING;
	return TURN_OK;
}

/* Take one at once, or wait for it. */
static enum session_turn ask(struct session *s, enum session_pool pool,
			     const struct session_caps *c)
{
	enum session_turn turn = TURN_OK;
	struct count n;

	pthread_mutex_lock(&session_lock);
	caps = *c;
	s->writing = 0;
	s->pool = pool;
	/* who waits and may run comes before us */
	session_place_grant();
	n = count_working(s, clock_ms());
	s->cap = cap_met(&n, pool);
	if (s->cap == CAP_NONE)
		s->place = PLACE_HELD;
	else if (queue_has_room(s))
		turn = queue_up(s);
	else
		turn = TURN_FULL;
	if (s->place == PLACE_WAITING)
		s->stage = STAGE_QUEUE;
	pthread_mutex_unlock(&session_lock);
	return turn;
}

static int is_held(struct session *s)
{
	int held;

	pthread_mutex_lock(&session_lock);
	/* one of all that wait looks */
	if (clock_ms() - granted >= LOOK_MS)
		session_place_grant();
	held = s->place == PLACE_HELD;
	pthread_mutex_unlock(&session_lock);
	return held;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static enum session_turn wait_turn(struct session *s, int64_t until)
{
	struct pollfd p[2] = { { .fd = s->wake_fd, .events = POLLIN },
			       { .fd = s->fd, .events = POLLRDHUP } };

	for (;;) {
		int left = session_left(s);

		if (is_held(s))
			return TURN_OK;
		if (p[1].revents != 0)
			return TURN_GONE;
		if (left == 0)
			return TURN_OVER;
		if (clock_left(until) == 0)
			return TURN_LATE;
		poll(p, 2, least(least(left, clock_left(until)), LOOK_MS));
	}
}

/* In the queue, if it stands there; then out of it. */
static enum session_turn wait_until(struct session *s, int64_t until)
{
	enum session_turn turn = TURN_OK;

	if (s->wake_fd >= 0)
		turn = wait_turn(s, until);
	if (turn != TURN_OK)
		session_place_end(s);
	pthread_mutex_lock(&session_lock);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	s->wake_fd = -1;
	pthread_mutex_unlock(&session_lock);
	return turn;
}

enum session_turn session_place(struct session *s, enum session_pool pool,
				const struct session_caps *c,
				int64_t timeout_ms)
{
	int64_t until = clock_ms() + timeout_ms;
	enum session_turn turn = ask(s, pool, c);

	return turn == TURN_OK ? wait_until(s, until) : turn;
}

void session_place_end(struct session *s)
{
	pthread_mutex_lock(&session_lock);
	s->place = PLACE_NONE;
	s->writing = 0;
	session_place_grant();
	pthread_mutex_unlock(&session_lock);
}

void session_writing(struct session *s)
{
	pthread_mutex_lock(&session_lock);
	s->writing = clock_ms();
	pthread_mutex_unlock(&session_lock);
}

enum session_turn session_written(struct session *s, int64_t until)
{
	int64_t now = clock_ms();
	struct count n;

	pthread_mutex_lock(&session_lock);
	/* its place may be another's by now; what forwards needs none */
	if (now - s->writing >= STALL_MS && s->stage != STAGE_FORWARD) {
		n = count_working(s, now);
		if (!fits(&n, s->pool))
			queue_up(s);
	}
	s->writing = 0;
	pthread_mutex_unlock(&session_lock);
	return wait_until(s, until);
}

/* Bytes a second, or -1 for one that nobody waits for; or it is not slow. */
static int64_t rate_of(const struct session *s, int64_t now)
{
	int64_t age = now - s->began;

	if (!s->in_use || s->shed)
		return SLOW_RATE;
	if (s->stage == STAGE_DRAIN)
		return -1;
	if (s->stage != STAGE_BODY || age < SLOW_AFTER_MS)
		return SLOW_RATE;
	return (int64_t)s->in * 1000 / age;
}

int session_shed(void)
{
	int64_t now = clock_ms(), slowest = SLOW_RATE;
	struct session *victim = NULL;
	unsigned i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_top; i++) {
		struct session *s = &session_entries[i];
		int64_t rate = rate_of(s, now);

		if (rate < slowest) {
			slowest = rate;
			victim = s;
		}
	}
	if (victim != NULL) {
		victim->shed = 1;
		/* its worker sees an end, and can still answer */
		shutdown(victim->fd, SHUT_RD);
	}
	pthread_mutex_unlock(&session_lock);
	return victim != NULL;
}
