#ifndef SESSION_H
#define SESSION_H

#include <stdint.h>
#include <sys/types.h>

struct buf;

/*
 * The table of sessions under way: for limits, `git gate status` and the
 * watchdog. One entry per request, owned by the worker that serves it.
 */
enum session_stage {
	STAGE_HEAD, /* reading parameters */
	STAGE_MIRROR,
	STAGE_BODY,
	STAGE_BACKEND,
	STAGE_SCAN,    /* the hook says so */
	STAGE_FORWARD, /* likewise: from here on it is left to finish */
	STAGE_REPLY,
};

struct session {
	char id[17];
	char who[65];
	char addr[65];
	char repo[256];
	char operation[17]; /* "fetch", "push", "refs" */
	enum session_stage stage;
	int64_t began;    /* clock_ms() */
	int64_t deadline; /* past it the watchdog shuts fd */
	uint64_t in, out; /* bytes */
	pid_t pid;        /* of the backend, or 0 */
	int fd;           /* the FastCGI connection */
	int in_use;
};

/*
 * Make room for n sessions. Call once, before any other. wake_fd (an eventfd)
 * is written when session_watch is to be called sooner than it had said.
 */
void session_table(unsigned n, int wake_fd);
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
enum session_stage session_stage_now(const struct session *s);

/* How many are under way. */
unsigned session_number(void);

/*
 * End the connections of sessions past their deadline. Returns milliseconds
 * until the next deadline, or -1 when none is under way.
 */
int session_watch(void);

/* This session may not run longer than left_ms from now. */
void session_limit(struct session *s, int64_t left_ms);
/* None may. */
void session_hurry(int64_t left_ms);

/* The table as text: a header, then a line each. */
void session_print(struct buf *out);

#endif
