#ifndef SESSION_H
#define SESSION_H

#include <stdint.h>
#include <sys/types.h>

struct buf;
struct pollfd;

/*
 * The table of sessions under way: for limits, `git gate status` and the
 * watchdog. One entry per request, owned by the worker that serves it.
 */
enum session_stage {
	STAGE_HEAD, /* the request's own parameters */
	STAGE_MIRROR,
	STAGE_BODY,
	STAGE_QUEUE, /* waiting for a place */
	STAGE_BACKEND,
	STAGE_SCAN,    /* the hook says so */
	STAGE_FORWARD, /* likewise: from here on it is left to finish */
	STAGE_REPLY,
	STAGE_DRAIN,   /* what a refused client still sends */
};

struct session {
	char id[17];
	char who[65];
	char addr[65];
	char repo[256];
	char operation[17]; /* "fetch", "push" */
	enum session_stage stage;
	int64_t began;    /* clock_ms() */
	int64_t deadline; /* clock_ms(); its stages end before, by themselves */
	uint64_t in, out; /* bytes */
	pid_t pid;        /* of the backend, or 0 */
	int fd;           /* the FastCGI connection; valid until session_end */
	int in_use;
	int ended, shut;  /* for reading, and at all, by session_watch */
	int shed;         /* ended to make room for others */
	int stopping;     /* its backend is being ended: may not forward */
	int taken;        /* all that the web server had to say is read */
	int ahead;        /* its backend runs, and its body is not whole */
	int unread;       /* its backend has not read all of its body */
	int witnessed;    /* the witness has the connection, too */

	/* places, session-place.c */
	char client[66];  /* who, else address; whose share this counts to */
	int place;        /* enum session_place_state */
	int pool;         /* enum session_pool, of that place */
	int64_t writing;  /* clock_ms() since when the client takes nothing */
	uint64_t number;  /* of its turn in the queue */
	int cap;          /* enum session_cap, that it met last */
	int wake_fd;      /* eventfd, written when the place is given */
};

/*
 * Make room for n sessions. Call once, before any other. wake_fd (an eventfd)
 * is written when session_watch is to be called sooner than it had said.
 * Returns 0, or -1 with errno.
 */
int session_table(unsigned n, int wake_fd);
void session_table_free(void);

/*
 * A free entry, its id set: random, so that it names one session across
 * restarts and gates. There are as many as workers, so there always is one.
 */
struct session *session_begin(int fd, int64_t total_ms);
void session_end(struct session *s);

/* Change what others may read; values are copied and cut. */
void session_name(struct session *s, const char *who, const char *addr,
		  const char *repo, const char *operation);
void session_stage(struct session *s, enum session_stage stage);
void session_pid(struct session *s, pid_t pid);
void session_count(struct session *s, uint64_t in, uint64_t out);
/* The session with this id, by another process's word (the hook's). */
void session_stage_of(const char *id, enum session_stage stage);

/* How many are under way; how many of them forward. */
unsigned session_number(void);
unsigned session_forwarding(void);

/*
 * Milliseconds until the session's time is over, at least 0: the bound of
 * every wait. What waits for the client ends by itself then and can still say
 * why; session_watch is for what does not.
 */
int session_left(const struct session *s);

/*
 * poll(2) for what is at p, n of them with room for one more, until timeout_ms
 * or the session's deadline, unless that has passed. Ends, maybe with nothing
 * to be seen at p, also when the deadline comes nearer: so it need not look.
 */
int session_poll(const struct session *s, struct pollfd *p, unsigned n,
		 int timeout_ms);

/*
 * Shut the connections of sessions that are past their deadline and have not
 * ended within a few seconds. Returns milliseconds until it is to be called
 * again, or -1 when none is under way.
 */
int session_watch(void);

/* This session may not run longer than left_ms from now. */
void session_limit(struct session *s, int64_t left_ms);
/* None may, of those here and those that still begin. */
void session_hurry(int64_t left_ms);

/*
 * Forwarding is the one thing that is finished whatever the client does, so
 * between the hook that begins it and the worker that ends a backend one
 * decides for both. session_may_forward: the session is there and not being
 * ended; from now on it is in STAGE_FORWARD. session_may_stop: it is not
 * forwarding; from now on it may not begin to.
 */
int session_may_forward(const char *id);
int session_may_stop(struct session *s);

/*
 * Places: how many requests may be at work, in all, for one client and for one
 * repository; those whose backend runs, and, four times as many in all, those
 * that wait for an upstream. A session whose backend runs needs none while it
 * waits for others: for a client that does not take its answer, or for the
 * upstream of a push. Who finds none waits; the next one goes to the client
 * that has the fewest.
 */
enum session_pool { POOL_BACKEND, POOL_MIRROR };

/* Why there was no place. */
enum session_cap { CAP_NONE, CAP_ALL, CAP_CLIENT, CAP_REPO };

struct session_caps {
	unsigned all, client, repo;
	unsigned waiting; /* in all; one client may have half of them */
	unsigned share;   /* of requests that one client may have here */
};

enum session_turn {
	TURN_OK = 0,
	TURN_SHARE, /* the client has too many requests here */
	TURN_FULL,  /* too many wait */
	TURN_LATE,  /* waited timeout_ms */
	TURN_GONE,  /* the client left meanwhile */
	TURN_OVER,  /* the session's own time is over */
};

/* At the door, as soon as the client is known: has it too many already? */
enum session_turn session_arrive(struct session *s,
				 const struct session_caps *caps);
/* Before a body is read: could it wait at all? */
enum session_turn session_enter(struct session *s,
				const struct session_caps *caps);
/* Take a place, waiting up to timeout_ms. session_end gives it back, too. */
enum session_turn session_place(struct session *s, enum session_pool pool,
				const struct session_caps *caps,
				int64_t timeout_ms);
void session_place_end(struct session *s);
/* Is one left over, with nobody waiting for any? */
int session_spare(void);
/* After one of these was not TURN_OK. */
enum session_cap session_cap(const struct session *s);

/*
 * Around each piece of an answer. After one that the client was slow to take,
 * which lent the place to others, there may be none: then this waits until then
 * (clock_ms(); 0: not at all), no longer than the session has time. Returns as
 * session_place; after all but TURN_OK it has no place.
 */
void session_writing(struct session *s);
enum session_turn session_written(struct session *s, int64_t until);

/*
 * A backend may be started before the body is whole. It lends its place while
 * it waits for the client, but not more have one, in all and of one client,
 * than places: else -1. Until its body is whole, or it has been ended.
 */
int session_ahead(struct session *s, const struct session_caps *caps);
/* Does another wait for its place? */
int session_is_wanted(const struct session *s);
void session_whole(struct session *s);

/*
 * A backend is given its input, and has read all of it to its end. What is
 * whole, its hook asks: 1; 0: not yet; -1: no such session.
 */
void session_reads(struct session *s);
void session_has_read(struct session *s);
int session_is_whole(const char *id);

/*
 * All workers are taken: end a request that was refused and still sends, or
 * else the one whose body comes slowest, if any is slow. Returns 1 when one
 * was ended, else 0.
 */
int session_shed(void);
int session_was_shed(const struct session *s);

/* The table as text: a header, then a line each. */
void session_print(struct buf *out);

#endif
