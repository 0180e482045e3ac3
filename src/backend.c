/*
 * The git that answers, with a CGI header or behind a preset one. Takes a
 * complete input and an environment, gives how it ended. The header is held
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

/* Longest CGI header block taken; http-backend's is about 200 bytes. */
#define HEADER_MAX 16384
/* One read: what a pipe holds (pipe(7)). */
#define CHUNK 65536
/* A flush-pkt (gitprotocol-common(5)). */
#define FLUSH "0000"
/* SIGTERM to SIGKILL. */
#define GRACE_MS 2000
/* What the hook gets past its own bound, to say so and end. */
#define FORWARD_MARGIN 40000
/* Between the end of its output and its exit. */
#define EXIT_MS 10000

struct backend {
	struct backend_run *run;
	struct child child;
	int out;         /* our end; -1: closed */
	struct backend_words words;
	struct buf head; /* until it has been sent */
	int head_sent, client_gone;
	int64_t quiet_until; /* the backend must say something before */
	int64_t silence_ms, forward_ms, total_ms;
	int extended; /* by forward_ms, once */
};

/* A session's deadline may come nearer (SIGTERM): look again. */
#define LOOK_MS 1000

static void fail(struct backend *b, const char *reason)
{
	if (b->run->reason == NULL)
		b->run->reason = reason;
}

static void fail_over(struct backend *b)
{
	int whole = clock_ms() - b->run->session->began >= b->total_ms;

	fail(b, whole ? "it took longer than session.sessionTimeout"
		      : "it was not done after session.stopTimeout");
	b->run->refusal = whole ? &refusal_over : &refusal_stopping;
}

/* Returns -1 when the client is no longer there, or is not to get more. */
static int send_bytes(struct backend *b, const char *data, size_t n)
{
	enum session_turn turn;
	enum stream_end end;

	if (b->client_gone)
		return 0; /* read on for a push that must finish */
	if (b->run->copy != NULL)
		b->run->copy(b->run->copy_arg, data, n);
	session_writing(b->run->session);
	end = stream_send(&b->run->stream, data, n);
	turn = session_written(b->run->session);
	if (end == STREAM_OK && turn != TURN_OK)
		end = turn == TURN_GONE ? STREAM_GONE : STREAM_OVER;
	/* the backend waited for the client, not we for it */
	b->quiet_until = clock_ms() + b->silence_ms;
	switch (end) {
	case STREAM_OK:
		session_count(b->run->session, 0, n);
		return 0;
	case STREAM_LATE:
		fail(b, "the client took nothing for session.writeTimeout");
		b->run->refusal = &refusal_untaken;
		break;
	case STREAM_OVER:
		fail_over(b);
		break;
	case STREAM_GONE:
		fail(b, "the client left");
		break;
	}
	b->client_gone = 1;
	return -1;
}

/*
 * The flush at the end of a push's answer waits until git has ended: something
 * may have to be said before it. Returns how much is to go now.
 */
static size_t hold_back(struct backend *b, const char *data, size_t n)
{
	packets_feed(&b->run->packets, data, n);
	if (!b->run->is_push || n < strlen(FLUSH) ||
	    !packets_flushed(&b->run->packets))
		return n;
	b->run->held = 1;
	return n - strlen(FLUSH);
}

/* Where the note goes, if it is in these bytes: then it is not to go again. */
static size_t before_note(struct backend *b, const char *data, size_t n,
			  const struct buf **note)
{
	size_t some = 0;
	int there = 0;

	*note = b->run->note;
	if (*note != NULL)
		some = packets_feed_to_band(&b->run->packets, data, n, &there);
	if (!there)
		*note = NULL;
	else
		b->run->note = NULL;
	return some;
}

/* The body's next bytes, behind the header. */
static void add_body(struct backend *b, const char *data, size_t n,
		     struct buf *out)
{
	const struct buf *note;
	size_t some = before_note(b, data, n, &note);

	buf_add(out, data, some);
	if (note != NULL)
		buf_add(out, note->data, note->len);
	buf_add(out, data + some, hold_back(b, data + some, n - some));
}

static int send_body(struct backend *b, const char *data, size_t n)
{
	const struct buf *note;
	size_t some = before_note(b, data, n, &note);

	if (some > 0 && send_bytes(b, data, some) < 0)
		return -1;
	if (note != NULL && send_bytes(b, note->data, note->len) < 0)
		return -1;
	return send_bytes(b, data + some, hold_back(b, data + some, n - some));
}

/* What is under way must stay: it goes the way of all that follows. */
static int send_first(struct backend *b, const struct buf *header)
{
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && at < header->len) {
		size_t n = header->len - at < CHUNK ? header->len - at : CHUNK;

		memcpy(b->run->chunk, header->data + at, n);
		rc = send_bytes(b, b->run->chunk, n);
		at += n;
	}
	return rc;
}

/*
 * Send the header once it is whole, with the body's first bytes; an empty
 * body is one when the output has ended and all went well (may_be_empty).
 */
static int send_head(struct backend *b, int may_be_empty)
{
	size_t end = backend_head_end(&b->head);
	struct buf header = BUF_INIT;
	int rc;

	if (end == 0 && b->head.len > HEADER_MAX) {
		fail(b, "the backend's header is too long");
		return -1;
	}
	if (end == 0 || (end == b->head.len && !may_be_empty))
		return 0;
	rc = backend_head_make(&b->head, end, b->run->headers, &header);
	if (rc < 0) {
		fail(b, "the backend refused");
	} else {
		b->head_sent = 1;
		add_body(b, b->head.data + end, b->head.len - end, &header);
		rc = send_first(b, &header);
	}
	buf_clear(&header);
	buf_clear(&b->head);
	return rc;
}

/* Returns -1 when there is nobody to read on for. */
static int read_out(struct backend *b)
{
	char *chunk = b->run->chunk;
	ssize_t n = read(b->out, chunk, CHUNK);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		close(b->out);
		b->out = -1;
		return 0;
	}
	if (b->head_sent && b->run->held) {
		/* it was not the end */
		b->run->held = 0;
		if (send_bytes(b, FLUSH, strlen(FLUSH)) < 0)
			return -1;
	}
	if (b->head_sent)
		return send_body(b, chunk, (size_t)n);
	buf_add(&b->head, chunk, (size_t)n);
	return send_head(b, 0);
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
		fail(b, "the backend said nothing for session.backendTimeout");
		b->run->refusal = &refusal_silent;
	} else {
		fail_over(b);
	}
	return 1;
}

/*
 * Move bytes until its output ends. Returns -1 when it is to be stopped.
 * Once the hook forwards, a client that left stops nothing: what the
 * upstream takes is to be recorded here too.
 */
static int pump(struct backend *b)
{
	while (b->out >= 0) {
		struct pollfd p[3] = {
			{ .fd = b->out, .events = POLLIN },
			{ .fd = b->words.fd, .events = POLLIN },
			{ .fd = b->client_gone ? -1 : b->run->client,
			  .events = POLLRDHUP },
		};
		int left = clock_left(b->quiet_until);
		int n = poll(p, 3, left < LOOK_MS ? left : LOOK_MS);

		if (n < 0 && errno != EINTR)
			return -1;
		if (p[0].revents != 0 || p[1].revents != 0)
			b->quiet_until = clock_ms() + b->silence_ms;
		if (is_over(b))
			return -1;
		if (n <= 0)
			continue;
		if (p[1].revents != 0)
			backend_words_read(&b->words);
		if (p[2].revents != 0) {
			fail(b, "the client left");
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

static int start(struct backend *b)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int rc = -1;

	if (child_pipe(out) < 0 || child_pipe(err) < 0) {
		log_error("backend: pipe: %s", strerror(errno));
	} else {
		b->child.argv = b->run->argv;
		b->child.envp = env_list(b->run->env);
		b->child.dir = "/";
		b->child.in = b->run->in;
		b->child.out = out[1];
		b->child.err = err[1];
		rc = child_start(&b->child);
	}
	if (out[1] >= 0)
		close(out[1]);
	if (err[1] >= 0)
		close(err[1]);
	b->out = out[0];
	b->words.fd = err[0];
	return rc;
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
		fail(b, b->words.limit);
		b->run->refusal = &refusal_limit;
	}
	if (b->client_gone)
		return BACKEND_GONE;
	/* http-backend ends with 0 when it dies after its header, too */
	if (pumped == 0 && status == 0 && !b->head_sent &&
	    b->run->may_be_empty)
		pumped = send_head(b, 1);
	if (pumped == 0 && b->head_sent && status == 0)
		return BACKEND_DONE;
	if (status != 0 && pumped == 0)
		log_warn("backend: exit status %d", status);
	fail(b, "the backend failed");
	return b->head_sent ? BACKEND_CUT : BACKEND_SILENT;
}

enum backend_end backend_run(const struct config *c, struct backend_run *run)
{
	struct backend b = { .run = run, .child = CHILD_INIT,
			     .out = -1, .words = { .fd = -1 },
			     .silence_ms = c->backend_ms,
			     .total_ms = c->total_ms,
			     .forward_ms = c->forward_ms + FORWARD_MARGIN };
	const struct child_limits limits = backend_limits(c);
	enum backend_end end = BACKEND_SILENT;

	b.child.limits = &limits;
	run->reason = NULL;
	run->refusal = NULL;
	run->packets = (struct packets)PACKETS_INIT;
	run->stream = (struct stream){ .fd = run->client, .id = run->id,
				       .session = run->session,
				       .write_ms = c->write_ms };
	run->chunk = mem_array(CHUNK, 1);
	/* as if it had come: alone it is a header without a body */
	buf_adds(&b.head, run->preset);
	if (start(&b) < 0) {
		fail(&b, "the backend could not be started");
	} else {
		session_pid(run->session, b.child.pid);
		b.quiet_until = clock_ms() + b.silence_ms;
		end = finish(&b, pump(&b));
	}
	if (b.out >= 0)
		close(b.out);
	backend_words_clear(&b.words);
	buf_clear(&b.head);
	return end;
}
