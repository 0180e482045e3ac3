/*
 * One session over a shared connection: hands the master our standard input,
 * and pipes for what the command says, which is passed on. Until its first
 * byte of output the upstream has been told nothing but the command, since in
 * git's protocol a server speaks first; so far another connection can take
 * this one's place. Never gives the master what others wait for the end of:
 * with a dead network it would keep that open.
 */
#include "share.h"
#include "share-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "log.h"

/* The upstream opens a session: one way there and back, on a good day. */
#define OPEN_MS 5000
/* To make sure that the master has let go of our input. */
#define RETIRE_MS 2000
/* After so long without a byte: is git there, is the master stopped? And when
   it has gone, its output will not end any more. */
#define LOOK_MS 5000
/* At once through the pipe; its usual size (pipe(7)). */
#define CHUNK 65536
/* As ssh(1) ends when its connection fails. */
#define SSH_FAILED 255

struct session {
	struct share *s;
	int from[2];  /* what the command says on its output and error; -1 at
			 the end of it */
	int given;    /* bytes of its output have been passed on */
	int over;     /* the master has closed the control connection */
	int status;   /* of the command, or -1: not told yet */
	int pidfd;    /* the master's */
	int stopped;  /* it was found stopped at the last look */
};

/* The request and its three descriptors; 0, or -1 with errno set. */
static int request(struct session *n, const char *command,
		   const char *protocol, const int to[2], int64_t deadline)
{
	static const uint32_t flags[] = {
		0, 0, 0, 0,  /* terminal, X11, agent, subsystem */
		0xffffffff   /* no escape character */
	};
	struct mux_message m;
	int fd = n->s->fd;

	share_mux_begin(&m, MUX_C_NEW_SESSION);
	share_mux_number(&m, 2); /* the request's number */
	share_mux_string(&m, "");
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		share_mux_number(&m, flags[i]);
	share_mux_string(&m, ""); /* the terminal's type */
	if (share_mux_string(&m, command) < 0 ||
	    (protocol && share_mux_string(&m, protocol) < 0))
		return -1;
	if (share_mux_send(fd, &m, deadline) < 0 ||
	    share_mux_pass(fd, STDIN_FILENO, deadline) < 0 ||
	    share_mux_pass(fd, to[0], deadline) < 0)
		return -1;
	return share_mux_pass(fd, to[1], deadline);
}

/* The master says so once the upstream has agreed, or has not. */
static enum share_end await_open(struct session *n, int64_t deadline)
{
	struct mux_message m;
	enum mux type;

	if (share_mux_receive(n->s->fd, &m, &type, deadline) < 0)
		return SHARE_LOST;
	return type == MUX_S_SESSION_OPENED ? SHARE_DONE : SHARE_REFUSED;
}

/*
 * The first byte: from here on what git says is for this connection, so the
 * master alone keeps our standard input.
 */
static void commit(struct session *n)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	n->given = 1;
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		close(null);
	}
}

static void close_from(struct session *n, int which)
{
	close(n->from[which]);
	n->from[which] = -1;
}

/* Returns what splice(2) does. */
static ssize_t move(int from, int to)
{
	ssize_t got = splice(from, NULL, to, NULL, CHUNK, SPLICE_F_MOVE);
	char data[4096];

	/* it takes no file that is open for appending, as a log is */
	if (got < 0 && errno == EINVAL) {
		got = read(from, data, sizeof(data));
		if (got > 0 && write(to, data, (size_t)got) != got)
			return -1;
	}
	return got;
}

/*
 * Pass on what there is, of output (0) or error (1). When nobody reads it any
 * more the command is to see that, as it would of a pipe; its status counts
 * all the same, since git closes first and waits then.
 */
static void pass_on(struct session *n, int which)
{
	static const int to[2] = { STDOUT_FILENO, STDERR_FILENO };
	struct pollfd full = { .fd = to[which], .events = POLLOUT };
	ssize_t got = move(n->from[which], to[which]);

	if (got > 0 && which == 0 && !n->given)
		commit(n);
	/* others may have made it non-blocking */
	if (got < 0 && errno == EAGAIN)
		poll(&full, 1, LOOK_MS);
	else if (got == 0 || (got < 0 && errno != EINTR))
		close_from(n, which);
}

static void take_message(struct session *n)
{
	struct mux_message m;
	enum mux type;

	if (share_mux_receive(n->s->fd, &m, &type,
			      clock_ms() + SHARE_ANSWER_MS) < 0) {
		n->over = 1;
		return;
	}
	if (type == MUX_S_EXIT_MESSAGE) {
		share_mux_next(&m); /* the session's number */
		n->status = (int)(share_mux_next(&m) & 0xff);
	}
}

/* Twice in a row is no chance: somebody may stop and continue processes. */
static void look_at_master(struct session *n)
{
	int stopped = share_is_stopped(n->s->master);

	if (stopped && n->stopped && n->pidfd >= 0) {
		log_warn("the process that holds the connection to the "
			 "upstream is stopped; it is ended");
		pidfd_send_signal(n->pidfd, SIGKILL, NULL, 0);
	}
	n->stopped = stopped;
}

/* Until the command has ended, or the master, or git. */
static int run(struct session *n)
{
	pid_t git = getppid();

	while (!n->over || n->from[0] >= 0 || n->from[1] >= 0) {
		struct pollfd p[3] = {
			{ .fd = n->from[0], .events = POLLIN },
			{ .fd = n->from[1], .events = POLLIN },
			{ .fd = n->over ? -1 : n->s->fd, .events = POLLIN },
		};
		int nr = poll(p, 3, LOOK_MS);

		if (getppid() != git)
			return -1;
		if (nr == 0 && n->over)
			break;
		if (nr == 0)
			look_at_master(n);
		if (nr <= 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (p[i].revents != 0)
				pass_on(n, i);
		if (p[2].revents != 0)
			take_message(n);
	}
	return 0;
}

static enum share_end finish(const struct session *n, int rc, int *status)
{
	/* git has gone: what became of the command is of no interest */
	if (rc < 0)
		*status = SSH_FAILED;
	else if (n->status >= 0)
		*status = n->status;
	else if (!n->given)
		return SHARE_LOST;
	else {
		log_warn("Connection closed by the process that shares it, in "
			 "the middle of a session");
		*status = SSH_FAILED;
	}
	return SHARE_DONE;
}

/*
 * The master has our input, and nothing may come of it. When it answers an
 * order on a further connection, it has seen the end of this one before, and
 * has closed what it was given; when it is stopped, it is killed.
 */
static enum share_end abandon(struct share *s)
{
	close(s->fd);
	s->fd = -1;
	return share_retire(s->path, RETIRE_MS) < 0 ? SHARE_STUCK : SHARE_LOST;
}

/* A pipe, of which the master gets the one end. */
static int open_pipe(struct session *n, int which, int to[2])
{
	int fds[2];

	if (child_pipe(fds) < 0) {
		log_warn("pipe: %s", strerror(errno));
		return -1;
	}
	n->from[which] = fds[0];
	to[which] = fds[1];
	return 0;
}

static void close_all(const int fds[2])
{
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

enum share_end share_run(struct share *s, const char *command,
			 const char *protocol, int *status)
{
	struct session n = { .s = s, .from = { -1, -1 }, .status = -1,
			     .pidfd = pidfd_open(s->master, 0) };
	int64_t deadline = clock_ms() + OPEN_MS;
	enum share_end end = SHARE_REFUSED;
	int to[2] = { -1, -1 }, rc = -1;

	if (open_pipe(&n, 0, to) == 0 && open_pipe(&n, 1, to) == 0) {
		rc = request(&n, command, protocol, to, deadline);
		end = SHARE_LOST;
	}
	/* the ends of both are seen when the master closes its own */
	close_all(to);
	if (rc == 0)
		end = await_open(&n, deadline);
	if (end == SHARE_DONE)
		end = finish(&n, run(&n), status);
	if (end == SHARE_LOST)
		end = abandon(s);
	close_all(n.from);
	if (n.pidfd >= 0)
		close(n.pidfd);
	return end;
}
