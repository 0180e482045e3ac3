#ifndef CHILD_H
#define CHILD_H

#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Limits of the child and of each of its own, setrlimit(2); 0: as ours. */
struct child_limits {
	uint64_t memory;    /* allocated, bytes; RLIMIT_DATA */
	uint64_t file_size; /* of one file, bytes */
	unsigned cpu_s;     /* of one process, seconds */
	unsigned processes; /* of the user, in all */
	unsigned files;     /* open in one process */
	int idle; /* works only when nobody else wants processor or disk */
};

/*
 * Processes. To run one:
 *
 *   1. struct child c = CHILD_INIT; set argv (argv[0] is an absolute path,
 *      no search is made), envp (the whole environment, NULL means empty),
 *      and where wanted dir, in, out, err.
 *   2. child_start(), then child_wait() or child_stop(); or child_run() for
 *      both and the output.
 *
 * The child leads a process group of its own, has default signal handling, an
 * empty signal mask, and exactly descriptors 0, 1 and 2: whatever else is open
 * is closed in it. in, out and err stay the caller's, to close whether
 * the start succeeded or not; -1 gives the child /dev/null.
 *
 * It gets SIGTERM when the thread that started it ends: that thread waits for
 * it. Of signals SIGXFSZ alone stays ignored in it: at a file_size limit its
 * writes fail instead.
 */
struct child {
	const char *const *argv;
	const char *const *envp;
	const char *dir; /* working directory, or NULL for the caller's */
	int in, out, err;
	const struct child_limits *limits; /* NULL: as ours; for the start */
	int watch; /* for child_run: who waits for the answer, or -1 */

	pid_t pid; /* 0 when nothing runs */
	int pidfd; /* readable (poll) when the child has ended */
};

#define CHILD_INIT                                                             \
	{ .in = -1, .out = -1, .err = -1, .watch = -1, .pidfd = -1 }

/*
 * Once per process, before anything else here: a closed pipe and a file that
 * gets too large are errors and not signals, and orphans of our children
 * become ours, to be ended and reaped with their group.
 */
void child_init(void);

/* Returns 0, or -1, logged: argv[0] could not be executed. */
int child_start(struct child *c);

/*
 * Wait up to timeout_ms (at least 0; there is no endless wait). Returns the
 * exit status, 128 + N for a child ended by signal N, or -1 when it still
 * runs. A child that ended is reaped.
 */
int child_wait(struct child *c, int timeout_ms);

/*
 * End the whole process group: SIGTERM, then SIGKILL after grace_ms, and reap
 * the leader. Harmless when nothing runs. Returns as child_wait.
 */
int child_stop(struct child *c, int grace_ms);

/*
 * The same for what is left of the group of a leader that has been reaped:
 * one that was killed waited for none of its own. Harmless when nothing is.
 */
void child_stop_rest(pid_t leader, int grace_ms);

/*
 * Start, give it all of in_data (may be NULL), collect at most max bytes each
 * of its output and of what it says on standard error (NULL: /dev/null; 1 MiB
 * at most),
 * and wait, timeout_ms in all; out and err of the struct are not used. More
 * output than max, or the time running out, or the other side of the socket
 * watch hanging up, stops the child. Returns the exit status as child_wait
 * does, CHILD_TIMEOUT, CHILD_TOO_LONG, CHILD_UNWANTED, or -1 when it could not
 * be started.
 */
enum { CHILD_TIMEOUT = 1000, CHILD_TOO_LONG = 1001, CHILD_UNWANTED = 1002 };
int child_run(struct child *c, const struct buf *in_data, size_t max,
	      int timeout_ms, struct buf *out, struct buf *err);

/*
 * From a signal handler of a program that runs one child at a time: end that
 * one's group at once.
 */
void child_kill_newest(void);

/*
 * Reap what came to us as orphans of our children (child_init) and has ended.
 * For a main loop, on SIGCHLD.
 */
void child_reap_orphans(void);

/*
 * A pipe with both ends close-on-exec. Returns 0, or -1 with errno set.
 */
int child_pipe(int fds[2]);

#endif
