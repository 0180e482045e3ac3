/*
 * One bounded `git push`: takes its arguments, hands on each line as it comes,
 * gives its exit status. Knows nothing of what the lines mean.
 */
#include "forward-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"

/* Bytes of one line. */
#define LINE_MAX_BYTES 4000
/* Of fewer objects git gives a second thread few or none, for each thread's
   part is to be twice pack.window (git-config(1), 10); it starts it all the
   same. */
#define THREAD_OBJECTS 40

struct run {
	struct forward *f;
	int fds[2];          /* from its stdout and stderr; -1: closed */
	struct buf lines[2]; /* begun, not ended */
};

/* Bytes to lines; what a line has over the bound is dropped. */
static void take_bytes(struct run *p, int which, const char *s, size_t n)
{
	struct buf *b = &p->lines[which];

	for (size_t i = 0; i < n; i++) {
		if (s[i] != '\n' && s[i] != '\r') {
			if (b->len < LINE_MAX_BYTES)
				buf_addc(b, s[i]);
			continue;
		}
		if (b->len)
			forward_words(p->f, which, b->data, b->len);
		buf_reset(b);
	}
}

/* Returns 1 when there was something. */
static int drain(struct run *p, int which)
{
	char bytes[8192];
	ssize_t n = read(p->fds[which], bytes, sizeof(bytes));

	if (n > 0) {
		take_bytes(p, which, bytes, (size_t)n);
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	take_bytes(p, which, "\n", 1);
	close(p->fds[which]);
	p->fds[which] = -1;
	return 0;
}

/*
 * Relay until both pipes are closed, or git has ended (what it started may
 * still hold them). Returns 0, or -1 when the deadline has passed.
 */
static int relay(struct run *p, const struct child *child, int64_t deadline)
{
	while (p->fds[0] >= 0 || p->fds[1] >= 0) {
		struct pollfd fds[3] = {
			{ .fd = p->fds[0], .events = POLLIN },
			{ .fd = p->fds[1], .events = POLLIN },
			{ .fd = child->pidfd, .events = POLLIN },
		};
		int got = 0, left = clock_left(deadline);

		if (!left)
			return -1;
		if (poll(fds, 3, left) <= 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (fds[i].revents)
				got |= drain(p, i);
		if (fds[2].revents && !got)
			break;
	}
	return 0;
}

/*
 * What receive-pack told the hook about where the objects are. Without
 * GIT_QUARANTINE_PATH: the receive-pack of a file:// upstream would take it
 * for its own, and refuse every update. Nothing is updated here by a push.
 */
static void copy_git_env(struct env *e)
{
	static const char *const names[] = {
		"GIT_DIR",
		"GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (getenv(names[i]))
			env_set(e, names[i], getenv(names[i]));
}

/* Start git, with p->fds the other ends. Returns 0 or -1, logged. */
static int start(struct run *p, struct child *child)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, rc = -1;

	if (child_pipe(out) || child_pipe(err) ||
	    fcntl(out[0], F_SETFL, O_NONBLOCK) ||
	    fcntl(err[0], F_SETFL, O_NONBLOCK)) {
		log_error("pipe: %s", strerror(errno));
	} else {
		child->out = out[1];
		child->err = err[1];
		rc = child_start(child);
	}
	p->fds[0] = out[0];
	p->fds[1] = err[0];
	for (int i = 0; i < 2; i++) {
		if (rc && p->fds[i] >= 0)
			close(p->fds[i]);
		if (rc)
			p->fds[i] = -1;
	}
	if (out[1] >= 0)
		close(out[1]);
	if (err[1] >= 0)
		close(err[1]);
	return rc;
}

int forward_run(struct forward *f, char **argv)
{
	struct run p = { .f = f, .fds = { -1, -1 } };
	struct child child = CHILD_INIT;
	struct env e = ENV_INIT;
	int status = -1;

	gitenv_base(&e, f->c);
	gitenv_upstream(&e, f->c, f->r->upstream);
	/* the last value of a setting counts */
	if (f->objects > 0 && f->objects < THREAD_OBJECTS)
		env_config(&e, "pack.threads", "1");
	if (f->new_token == FORWARD_TOKEN_WANTED) {
		gitenv_new_token(&e);
		f->new_token = FORWARD_TOKEN_ASKED;
	}
	copy_git_env(&e);
	child.argv = (const char *const *)argv;
	child.envp = env_list(&e);
	if (!start(&p, &child)) {
		if (f->meanwhile)
			f->meanwhile();
		status = relay(&p, &child, f->deadline);
		if (!status)
			status = child_wait(&child, clock_left(f->deadline));
		if (status < 0) {
			child_stop(&child, 2000);
			status = CHILD_TIMEOUT;
		}
	}
	for (int i = 0; i < 2; i++) {
		if (p.fds[i] >= 0)
			close(p.fds[i]);
		buf_clear(&p.lines[i]);
	}
	env_clear(&e);
	return status;
}
