/*
 * A request's place among others, in its story: at the door, before its body,
 * and before its git. Takes what session.c says, gives the refusal with the
 * key that held it up.
 */
#include "serve-internal.h"

#include <inttypes.h>

static struct session_caps caps_of(const struct config *c)
{
	return (struct session_caps){
		.all = c->max_sessions, .client = c->max_per_client,
		.repo = c->max_per_repo, .waiting = c->max_waiting,
		/* whatever one client does, half is left for others */
		.share = c->workers / 2,
	};
}

/* Which key held it up, and what that is. */
static void note_cap(struct serve *s)
{
	switch (session_cap(s->session)) {
	case CAP_NONE:
		break;
	case CAP_ALL:
		buf_addf(&s->detail, "no place, session.maxSessions = %u",
			 s->c->max_sessions);
		break;
	case CAP_CLIENT:
		buf_addf(&s->detail, "no place, session.maxPerClient = %u",
			 s->c->max_per_client);
		break;
	case CAP_REPO:
		buf_addf(&s->detail, "no place, session.maxPerRepository = %u",
			 s->c->max_per_repo);
		break;
	}
}

/* A client that has its share hears of that, not of the gate. */
static const struct refusal *share_or(struct serve *s,
				      const struct refusal *other)
{
	return session_cap(s->session) == CAP_CLIENT ? &refusal_share : other;
}

static int refuse_turn(struct serve *s, enum session_turn turn)
{
	switch (turn) {
	case TURN_OK:
		return 0;
	case TURN_SHARE:
		s->haste = 1;
		buf_addf(&s->detail, "this client has half of gate.workers = "
			 "%u", s->c->workers);
		return serve_refuse(s, &refusal_share, NULL);
	case TURN_FULL:
		note_cap(s);
		buf_addf(&s->detail, ", and no room in the queue, "
			 "session.maxWaiting = %u, half of it one client's",
			 s->c->max_waiting);
		return serve_refuse(s, share_or(s, &refusal_full), NULL);
	case TURN_LATE:
		note_cap(s);
		buf_addf(&s->detail, ", within session.queueTimeout = %" PRId64
			 "ms", s->c->queue_ms);
		return serve_refuse(s, share_or(s, &refusal_late), NULL);
	case TURN_GONE:
		return serve_refuse(s, &refusal_late, "the client left while "
				    "it waited for a place");
	case TURN_OVER:
		break;
	}
	return serve_refuse(s, &refusal_over, "its time was over while it "
			    "waited for a place");
}

int serve_arrive(struct serve *s)
{
	struct session_caps caps = caps_of(s->c);

	return refuse_turn(s, session_arrive(s->session, &caps));
}

int serve_enter(struct serve *s)
{
	struct session_caps caps = caps_of(s->c);

	return refuse_turn(s, session_enter(s->session, &caps));
}

int serve_place(struct serve *s, enum session_pool pool)
{
	struct session_caps caps = caps_of(s->c);

	return refuse_turn(s, session_place(s->session, pool, &caps,
					    s->c->queue_ms));
}

int serve_place_ahead(struct serve *s)
{
	struct session_caps caps = caps_of(s->c);

	if (!session_spare() || session_ahead(s->session, &caps) < 0)
		return 0;
	if (session_place(s->session, POOL_BACKEND, &caps, 0) == TURN_OK)
		return 1;
	session_whole(s->session);
	session_stage(s->session, STAGE_BODY);
	return 0;
}
