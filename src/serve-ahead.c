/*
 * Of a large push that comes fast git is started before the body is whole: it
 * indexes what is there while the rest is sent. Takes each piece once it is
 * spooled; a client that dawdles has its git ended, which is started again
 * when the body is there. git never gets a body's last bytes before its end,
 * and the hook lets none pass before git has read them (control.h).
 */
#include "serve-internal.h"

#include <stdlib.h>

#include "clock.h"
#include "mem.h"

/* From so many bytes on there is time to be won. */
#define AHEAD_BYTES (8 << 20)
/* Bytes a millisecond, 16 Mbit/s: who is slower keeps a git waiting, idle. */
#define AHEAD_RATE (2 << 10)
/* So does who sends nothing for so long. */
#define AHEAD_STALL_MS 1000
/* How often it is asked whether another waits for its place. */
#define LOOK_MS 100
/* What is given at a time; the last one, whole or not, is held back. */
#define PIECE ((uint64_t)4096)

/* By then it is known what is pushed: serve-body.c. */
_Static_assert(AHEAD_BYTES > COMMANDS_BYTES_MAX, "commands come first");

static int is_fast(const struct serve *s, int64_t now)
{
	return (uint64_t)(now - s->body_began) * AHEAD_RATE <= s->spool.len;
}

static void begin(struct serve *s)
{
	const char *detail;

	if (!serve_place_ahead(s))
		return;
	if (serve_push_begin(s, 0, &detail) != NULL) {
		session_whole(s->session);
		session_place_end(s->session);
		return;
	}
	s->ahead = mem_zalloc(sizeof(*s->ahead));
	serve_answer_begin(s, s->ahead);
	if (s->ahead->backend == NULL)
		serve_ahead_end(s, 0);
}

/*
 * Its place may be another's while it waits for the client. That of git is
 * waited for with a whole body only, and in turn: step_backend.
 */
static int has_place(struct serve *s, int64_t now)
{
	if (now - s->body_last > AHEAD_STALL_MS || !is_fast(s, now))
		return 0;
	/* who waits comes first: it does not depend on this one's client */
	if (now - s->ahead_looked >= LOOK_MS) {
		s->ahead_looked = now;
		if (session_is_wanted(s->session))
			return 0;
	}
	return session_written(s->session, 0) == TURN_OK;
}

static void go_on(struct serve *s, int64_t now)
{
	if (has_place(s, now))
		backend_feed(s->ahead->backend,
			     (s->spool.len - 1) / PIECE * PIECE);
	else
		serve_ahead_end(s, 0);
}

int serve_is_fed(const struct serve *s)
{
	return serve_is_push(s) && s->spool.len >= AHEAD_BYTES;
}

void serve_ahead(struct serve *s)
{
	int64_t now;

	if (!serve_is_fed(s) || s->not_ahead)
		return;
	now = clock_ms();
	if (s->ahead != NULL)
		go_on(s, now);
	else if (is_fast(s, now))
		begin(s);
	s->not_ahead = s->ahead == NULL;
	s->body_last = clock_ms();
	if (s->ahead != NULL)
		session_writing(s->session);
}

void serve_ahead_end(struct serve *s, int whole)
{
	struct answer *a = s->ahead;

	if (a == NULL)
		return;
	/* that it is whole is said once it may forward: serve_answer */
	if (whole && session_written(s->session, 0) == TURN_OK)
		return;
	if (a->backend != NULL)
		backend_abandon(a->backend);
	session_whole(s->session);
	serve_answer_clear(a);
	free(a);
	s->ahead = NULL;
	serve_push_end(s, 1);
	session_place_end(s->session);
}
