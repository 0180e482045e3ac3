/*
 * What the git that answers says, on its way to the client: the header held
 * back until the first byte of a body, a note put in, the flush at the end of
 * a push's answer kept. Takes its bytes as they come, sends FastCGI records.
 */
#include "backend.h"
#include "backend-internal.h"

#include <string.h>

#include "buf.h"
#include "clock.h"
#include "refusal.h"
#include "session.h"

/* Longest CGI header block taken; http-backend's is about 200 bytes. */
#define HEADER_MAX 16384
/* A flush-pkt (gitprotocol-common(5)). */
#define FLUSH "0000"

void backend_fail(struct backend *b, const char *reason)
{
	if (b->run->reason == NULL)
		b->run->reason = reason;
}

void backend_fail_over(struct backend *b)
{
	int whole = clock_ms() - b->run->session->began >= b->total_ms;

	backend_fail(b, whole ? "it took longer than session.sessionTimeout"
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
	turn = session_written(b->run->session, INT64_MAX);
	if (end == STREAM_OK && turn != TURN_OK)
		end = turn == TURN_GONE ? STREAM_GONE : STREAM_OVER;
	/* the backend waited for the client, not we for it */
	b->quiet_until = clock_ms() + b->silence_ms;
	switch (end) {
	case STREAM_OK:
		session_count(b->run->session, 0, n);
		return 0;
	case STREAM_LATE:
		backend_fail(b, "the client took nothing for session.writeTimeout");
		b->run->refusal = &refusal_untaken;
		break;
	case STREAM_OVER:
		backend_fail_over(b);
		break;
	case STREAM_GONE:
		backend_fail(b, "the client left");
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
		size_t n = header->len - at < BACKEND_CHUNK ? header->len - at
							    : BACKEND_CHUNK;

		memcpy(b->run->chunk, header->data + at, n);
		rc = send_bytes(b, b->run->chunk, n);
		at += n;
	}
	return rc;
}

int backend_send_head(struct backend *b, int may_be_empty)
{
	size_t end = backend_head_end(&b->head);
	struct buf header = BUF_INIT;
	int rc;

	if (end == 0 && b->head.len > HEADER_MAX) {
		backend_fail(b, "the backend's header is too long");
		return -1;
	}
	if (end == 0 || (end == b->head.len && !may_be_empty))
		return 0;
	rc = backend_head_make(&b->head, end, b->run->headers, &header);
	if (rc < 0) {
		backend_fail(b, "the backend refused");
	} else {
		b->head_sent = 1;
		add_body(b, b->head.data + end, b->head.len - end, &header);
		rc = send_first(b, &header);
	}
	buf_clear(&header);
	buf_clear(&b->head);
	return rc;
}

int backend_send(struct backend *b, const char *data, size_t n)
{
	if (b->head_sent && b->run->held) {
		/* it was not the end */
		b->run->held = 0;
		if (send_bytes(b, FLUSH, strlen(FLUSH)) < 0)
			return -1;
	}
	if (b->head_sent)
		return send_body(b, data, n);
	buf_add(&b->head, data, n);
	return backend_send_head(b, 0);
}
