/*
 * The git that answers, with a CGI header or behind a preset one. Takes an
 * environment and an input, which is complete, or comes and is handed on piece
 * by piece (backend-feed.c); gives how it ended. The header is held
 * back until the first byte of a body, so that a backend that fails before it
 * has said anything leaves the caller free to say why. Each wait has a bound.
 */
#include "backend.h"
#include "backend-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "clock.h"
#include "config.h"
#include "env.h"
#include "hint.h"
#include "log.h"
#include "mem.h"
#include "refusal.h"
#include "session.h"

/* SIGTERM to SIGKILL. */
#define GRACE_MS 2000
/* What the hook gets past its own bound, to say so and end. */
#define FORWARD_MARGIN 40000
/* Between the end of its output and its exit. */
#define EXIT_MS 10000
/* How often it is asked whether git has read what it was given. */
#define READ_MS 5

/* Returns -1 when there is nobody to read on for. */
static int read_out(struct backend *b)
{
	ssize_t n = read(b->out, b->run->chunk, BACKEND_CHUNK);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n > 0)
		return backend_send(b, b->run->chunk, (size_t)n);
	close(b->out);
	b->out = -1;
	return 0;
}

/*
 * Nothing has come for as long as there is: may it be ended? Once the hook
 * forwards, a little later; it bounds that by itself.
 */
static int is_over(struct backend *b)
{
	int quiet = clock_left(b->quiet_until) == 0;

	if (!quiet && session_left(b->run->session) > 0)
		return 0;
	if (!session_may_stop(b->run->session)) {
		if (!b->extended)
			b->quiet_until = clock_ms() + b->forward_ms;
		else if (quiet)
			return 1;
		b->extended = 1;
		return 0;
	}
	if (quiet) {
		backend_fail(b, "the backend said nothing for "
			     "session.backendTimeout");
		b->run->refusal = &refusal_silent;
	} else {
		backend_fail_over(b);
	}
	return 1;
}

/* Its input, where it gets that from us; its hook waits for the end of it. */
static void feed(struct backend *b)
{
	if (b->feed.to >= 0 && backend_feed_rest(&b->feed))
		session_has_read(b->run->session);
}

static int pause_ms(const struct backend *b)
{
	int left = clock_left(b->quiet_until);

	return backend_feed_waits(&b->feed) && left > READ_MS ? READ_MS : left;
}

/*
 * Move bytes until its output ends. Returns -1 when it is to be stopped.
 * Once the hook forwards, a client that left stops nothing: what the
 * upstream takes is to be recorded here too.
 */
static int pump(struct backend *b)
{
	while (b->out >= 0) {
		/* and one of session_poll's */
		struct pollfd p[5] = {
			{ .fd = b->out, .events = POLLIN },
			{ .fd = b->words.fd, .events = POLLIN },
			{ .fd = b->client_gone ? -1 : b->run->client,
			  .events = POLLRDHUP },
			{ .fd = -1, .events = POLLOUT },
		};
		int n;

		feed(b);
		if (!backend_feed_waits(&b->feed))
			p[3].fd = b->feed.to;
		n = session_poll(b->run->session, p, 4, pause_ms(b));
		if (n < 0 && errno != EINTR)
			return -1;
		if (p[0].revents != 0 || p[1].revents != 0 ||
		    p[3].revents != 0)
			b->quiet_until = clock_ms() + b->silence_ms;
		if (is_over(b))
			return -1;
		if (n <= 0)
			continue;
		if (p[1].revents != 0)
			backend_words_read(&b->words);
		if (p[2].revents != 0) {
			backend_fail(b, "the client left");
			b->client_gone = 1;
			if (session_may_stop(b->run->session))
				return -1;
		}
		if (p[0].revents != 0 && read_out(b) < 0 &&
		    session_may_stop(b->run->session))
			return -1;
	}
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int start(struct backend *b)
{
	int in = -1, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int rc = -1;

	if (child_pipe(out) < 0 || child_pipe(err) < 0 ||
	    (b->run->fed && (in = backend_feed_open(&b->feed)) < 0)) {
		log_error("backend: pipe: %s", strerror(errno));
	} else {
		b->child.argv = b->run->argv;
		b->child.envp = env_list(b->run->env);
		b->child.dir = "/";
		b->child.in = b->run->fed ? in : b->run->in;
		b->child.out = out[1];
		b->child.err = err[1];
		rc = child_start(&b->child);
	}
	close_fd(&in);
	close_fd(&out[1]);
	close_fd(&err[1]);
	b->out = out[0];
	b->words.fd = err[0];
	return rc;
}

/*
 * git ends with no word where what follows a pack is in the way of its own
 * (SIGPIPE); of whatever else it did not read all for it says something, to the
 * client or to us.
 */
static int is_behind(const struct backend *b)
{
	return b->run->fed && !b->feed.is_read && !b->run->packets.told &&
	       !b->run->spoke;
}

static void note_behind(struct backend *b)
{
	backend_fail(b, refusal_behind.sentence);
	b->run->refusal = &refusal_behind;
}

static enum backend_end finish(struct backend *b, int pumped)
{
	pid_t leader = b->child.pid;
	int status = -1;

	if (pumped == 0)
		status = child_wait(&b->child, EXIT_MS);
	/* whoever cleans up after it is to find none at work there */
	if (status > 0)
		child_stop_rest(leader, GRACE_MS);
	if (status < 0) {
		/* a hook that has not been told yes is not told so now */
		session_may_stop(b->run->session);
		status = child_stop(&b->child, GRACE_MS);
	}
	session_pid(b->run->session, 0);
	backend_words_rest(&b->words);
	b->run->spoke = b->words.lines > 0;
	if (b->words.limit == NULL)
		b->words.limit = hint_of_status(status);
	/* of the client's own doing, too: a hook's end leaves status 0 */
	if (b->words.limit != NULL && pumped == 0) {
		backend_fail(b, b->words.limit);
		b->run->refusal = &refusal_limit;
	} else if (pumped == 0 && status == 0 && is_behind(b)) {
		note_behind(b);
	}
	if (b->client_gone)
		return BACKEND_GONE;
	/* http-backend ends with 0 when it dies after its header, too */
	if (pumped == 0 && status == 0 && !b->head_sent &&
	    b->run->may_be_empty)
		pumped = backend_send_head(b, 1);
	if (pumped == 0 && b->head_sent && status == 0)
		return BACKEND_DONE;
	if (status != 0 && pumped == 0)
		log_warn("backend: exit status %d", status);
	backend_fail(b, "the backend failed");
	return b->head_sent ? BACKEND_CUT : BACKEND_SILENT;
}

static void free_backend(struct backend *b)
{
	close_fd(&b->feed.to);
	close_fd(&b->out);
	backend_words_clear(&b->words);
	buf_clear(&b->head);
	free(b);
}

struct backend *backend_start(const struct config *c, struct backend_run *run)
{
	const struct child_limits limits = backend_limits(c);
	struct backend *b = mem_zalloc(sizeof(*b));

	*b = (struct backend){ .run = run, .child = CHILD_INIT, .out = -1,
			       .words = { .fd = -1 },
			       .feed = { .to = -1, .from = run->in },
			       .silence_ms = c->backend_ms,
			       .total_ms = c->total_ms,
			       .forward_ms = c->forward_ms + FORWARD_MARGIN };
	b->child.limits = &limits;
	run->reason = NULL;
	run->refusal = NULL;
	run->packets = (struct packets)PACKETS_INIT;
	run->stream = (struct stream){ .fd = run->client, .id = run->id,
				       .session = run->session,
				       .write_ms = c->write_ms };
	/* as if it had come: alone it is a header without a body */
	buf_adds(&b->head, run->preset);
	if (start(b) < 0) {
		backend_fail(b, "the backend could not be started");
		free_backend(b);
		return NULL;
	}
	b->child.limits = NULL;
	session_pid(run->session, b->child.pid);
	return b;
}

void backend_feed(struct backend *b, uint64_t upto)
{
	backend_feed_to(&b->feed, upto);
}

enum backend_end backend_end(struct backend *b, uint64_t length)
{
	enum backend_end end;

	b->feed.end = length;
	b->run->chunk = mem_array(BACKEND_CHUNK, 1);
	b->quiet_until = clock_ms() + b->silence_ms;
	end = finish(b, pump(b));
	free_backend(b);
	return end;
}

void backend_abandon(struct backend *b)
{
	child_stop(&b->child, GRACE_MS);
	session_pid(b->run->session, 0);
	backend_words_rest(&b->words);
	free_backend(b);
}
