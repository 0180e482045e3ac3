/*
 * Processes: started in a group of their own, with exactly three descriptors
 * and the environment given; waited for with a bound; ended as a group. Takes
 * argv and envp as they are; never searches a path, never runs a shell.
 */
#include "child.h"
#include "child-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "mem.h"

/* For children that are stopped because they overran. */
#define GRACE_MS 2000

int child_pipe(int fds[2])
{
	return pipe2(fds, O_CLOEXEC);
}

/*
 * Pids of children that somebody waits for: all others that end are orphans.
 * Guarded, since workers start and reap at the same time.
 */
static pthread_mutex_t owned_lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t *owned;
static size_t owned_nr, owned_alloc;
/* The one started last, while it runs; a handler can read this. */
static volatile sig_atomic_t newest;

void child_kill_newest(void)
{
	pid_t group = (pid_t)newest;

	if (group > 0)
		kill(-group, SIGKILL);
}

static void own(pid_t pid)
{
	MEM_GROW(owned, owned_nr, owned_alloc);
	owned[owned_nr++] = pid;
	newest = pid;
}

static void disown(pid_t pid)
{
	size_t i;

	pthread_mutex_lock(&owned_lock);
	if (newest == pid)
		newest = 0;
	for (i = 0; i < owned_nr; i++)
		if (owned[i] == pid)
			owned[i] = owned[--owned_nr];
	pthread_mutex_unlock(&owned_lock);
}

static int is_owned(pid_t pid)
{
	size_t i;

	for (i = 0; i < owned_nr; i++)
		if (owned[i] == pid)
			return 1;
	return 0;
}

void child_reap_orphans(void)
{
	siginfo_t info = { 0 };

	/* an owned one in front hides others; its owner calls this after it */
	pthread_mutex_lock(&owned_lock);
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid > 0 && !is_owned(info.si_pid)) {
		waitpid(info.si_pid, NULL, WNOHANG);
		info.si_pid = 0;
	}
	pthread_mutex_unlock(&owned_lock);
}

static int spawn(struct child *c)
{
	int rc;

	/* it may end before we know its number: nobody else reaps meanwhile */
	pthread_mutex_lock(&owned_lock);
	rc = child_spawn(c);
	if (rc == 0)
		own(c->pid);
	pthread_mutex_unlock(&owned_lock);
	return rc;
}

int child_start(struct child *c)
{
	int rc;

	c->pid = 0;
	rc = spawn(c);
	if (rc != 0) {
		/* which directory matters for what is in it alone */
		int named = c->dir != NULL && strcmp(c->dir, "/") != 0;

		c->pid = 0;
		log_error("%s: cannot be run: %s%s%s", c->argv[0],
			  strerror(rc), named ? ", in " : "",
			  named ? c->dir : "");
		return -1;
	}
	c->pidfd = pidfd_open(c->pid, 0);
	if (c->pidfd < 0) {
		log_error("%s: pidfd_open: %s", c->argv[0], strerror(errno));
		child_stop(c, 0);
		return -1;
	}
	return 0;
}

void child_init(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* Reap without waiting: the exit status, or -1 while it runs. */
static int reap(struct child *c)
{
	int status;
	pid_t pid;

	do {
		pid = waitpid(c->pid, &status, WNOHANG);
	} while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return -1;
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->pidfd = -1;
	disown(c->pid);
	c->pid = 0;
	child_reap_orphans();
	if (pid < 0)
		return 128; /* not our child any more: nothing is known */
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 128 + WTERMSIG(status);
}

int child_wait(struct child *c, int timeout_ms)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
	int64_t deadline = clock_ms() + timeout_ms;
	int status;

	if (c->pid == 0)
		return 128;
	for (;;) {
		status = reap(c);
		if (status >= 0 || clock_left(deadline) == 0)
			return status;
		/* without a pidfd (child_start failed late) look again soon */
		poll(&p, 1, p.fd >= 0 ? clock_left(deadline) : 1);
	}
}

/*
 * Wait until the group, whose leader has been reaped, has no members left that
 * are ours to reap (orphans come to us: child_init). Returns 0, or -1 when
 * there still are some at the deadline.
 */
static int group_gone(pid_t group, int64_t deadline)
{
	for (;;) {
		siginfo_t info;

		if (waitid(P_PGID, (id_t)group, &info, WEXITED | WNOHANG) < 0) {
			if (errno == ECHILD)
				return 0;
		} else if (clock_left(deadline) == 0) {
			return -1;
		} else {
			/* nothing announces the end of an orphan to a thread */
			poll(NULL, 0, 5);
		}
	}
}

static void end_group(pid_t group, int64_t deadline)
{
	if (group_gone(group, deadline) == 0)
		return;
	kill(-group, SIGKILL);
	group_gone(group, clock_ms() + GRACE_MS);
}

int child_stop(struct child *c, int grace_ms)
{
	int64_t deadline = clock_ms() + grace_ms;
	pid_t group = c->pid;
	int status;

	if (group == 0)
		return 128;
	kill(-group, SIGTERM);
	status = child_wait(c, grace_ms);
	if (status < 0) {
		kill(-group, SIGKILL);
		while (status < 0)
			status = child_wait(c, 1000);
	}
	/* members that outlive their leader may still be tidying up */
	end_group(group, deadline);
	return status;
}

void child_stop_rest(pid_t leader, int grace_ms)
{
	/* its number is not another's while its group has members */
	if (group_gone(leader, clock_ms()) == 0)
		return;
	kill(-leader, SIGTERM);
	end_group(leader, clock_ms() + grace_ms);
}

/* Bytes of standard error at most, whatever may come on standard output. */
#define WORDS_MAX ((size_t)1 << 20)

/* The parent's ends of one run. */
struct run {
	struct child *c;
	int fds[3]; /* to its stdin, from its stdout and stderr; -1: closed */
	struct buf *bufs[3];
	const struct buf *input;
	size_t sent, max;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void feed(struct run *r)
{
	ssize_t n = write(r->fds[0], r->input->data + r->sent,
			  r->input->len - r->sent);

	if (n > 0)
		r->sent += (size_t)n;
	else if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || r->sent == r->input->len)
		close_fd(&r->fds[0]);
}

/* Returns -1 when there is more than max. */
static int drain(struct run *r, int which)
{
	struct buf *b = r->bufs[which];
	ssize_t n = read(r->fds[which], buf_room(b, 16384), 16384);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		close_fd(&r->fds[which]);
		return 0;
	}
	b->len += (size_t)n;
	b->data[b->len] = '\0';
	/* of what it says on standard error never more than a person reads */
	return b->len > r->max || (which == 2 && b->len > WORDS_MAX) ? -1 : 0;
}

/* Move bytes until all pipes are closed; 0, or why not to go on. */
static int pump(struct run *r, int64_t deadline)
{
	while (r->fds[0] >= 0 || r->fds[1] >= 0 || r->fds[2] >= 0) {
		struct pollfd p[4];
		int i, n;

		for (i = 0; i < 3; i++) {
			p[i].fd = r->fds[i];
			p[i].events = i == 0 ? POLLOUT : POLLIN;
			p[i].revents = 0;
		}
		p[3].fd = r->c->watch;
		p[3].events = POLLRDHUP;
		p[3].revents = 0;
		n = poll(p, 4, clock_left(deadline));
		if (n == 0)
			return CHILD_TIMEOUT;
		if (n < 0)
			continue;
		if (p[3].revents != 0)
			return CHILD_UNWANTED;
		if (p[0].revents != 0)
			feed(r);
		for (i = 1; i < 3; i++)
			if (p[i].revents != 0 && drain(r, i) < 0)
				return CHILD_TOO_LONG;
	}
	return 0;
}

/* A pipe whose end on our side does not block; *ours is which end. */
static int open_pipe(int *theirs, int *ours, int we_write)
{
	int fds[2];

	if (child_pipe(fds) < 0)
		return -1;
	*ours = fds[we_write];
	*theirs = fds[!we_write];
	return fcntl(*ours, F_SETFL, O_NONBLOCK);
}

static int run_pipes(struct run *r, int theirs[3], const struct buf *in,
		     struct buf *out, struct buf *err)
{
	if (in != NULL && in->len > 0 &&
	    open_pipe(&theirs[0], &r->fds[0], 1) < 0)
		return -1;
	if (out != NULL && open_pipe(&theirs[1], &r->fds[1], 0) < 0)
		return -1;
	if (err != NULL && open_pipe(&theirs[2], &r->fds[2], 0) < 0)
		return -1;
	return 0;
}

int child_run(struct child *c, const struct buf *in_data, size_t max,
	      int timeout_ms, struct buf *out, struct buf *err)
{
	struct run r = { .c = c, .fds = { -1, -1, -1 },
			 .bufs = { NULL, out, err }, .input = in_data,
			 .max = max };
	int64_t deadline = clock_ms() + timeout_ms;
	int theirs[3] = { -1, -1, -1 };
	int status = -1, i, rc;

	if (run_pipes(&r, theirs, in_data, out, err) < 0)
		log_error("%s: pipe: %s", c->argv[0], strerror(errno));
	else {
		c->in = theirs[0];
		c->out = theirs[1];
		c->err = theirs[2];
		status = child_start(c);
		c->in = c->out = c->err = -1;
	}
	for (i = 0; i < 3; i++)
		close_fd(&theirs[i]);
	if (status == 0) {
		rc = pump(&r, deadline);
		status = rc == 0 ? child_wait(c, clock_left(deadline)) : -1;
		if (status < 0) {
			child_stop(c, GRACE_MS);
			status = rc != 0 ? rc : CHILD_TIMEOUT;
		}
	}
	for (i = 0; i < 3; i++)
		close_fd(&r.fds[i]);
	return status;
}
