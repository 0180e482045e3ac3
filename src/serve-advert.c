/*
 * The step before git is started: is its answer known? Takes a request that
 * may pass, and its body; gives the answer that was kept, or has git's kept
 * for those who ask next. What the answer depends on is named here, beside
 * the repository's state: whatever cgienv.c makes of a request goes into it.
 */
#include "serve.h"
#include "serve-internal.h"

#include <fcgiapp.h>
#include <inttypes.h>
#include <string.h>

#include "advert.h"
#include "asked.h"
#include "reply.h"
#include "stream.h"

/*
 * The user, his address and the session's id are in git's environment too, for
 * hooks and the reference log: no advertisement has them.
 */
static void make_key(const struct serve *s, const struct buf *body,
		     struct buf *key)
{
	const struct request *r = &s->req;

	buf_addf(key, "%" PRIu64 " %zu %d ", s->c->number,
		 (size_t)(s->repo - s->c->repos), (int)s->route.kind);
	/* with their NULs, and the one that can have any byte last */
	buf_add(key, r->git_protocol, strlen(r->git_protocol) + 1);
	buf_add(key, r->server_protocol, strlen(r->server_protocol) + 1);
	buf_add(key, body->data, body->len);
}

/* git-http-backend, the git that it starts, from beside it, and ours. */
static void name_programs(const struct serve *s, struct buf *beside,
			  const char *programs[4])
{
	const char *base = strrchr(s->backend, '/');

	buf_addf(beside, "%.*s/git", (int)(base - s->backend), s->backend);
	programs[0] = s->backend;
	programs[1] = beside->data;
	programs[2] = s->c->git;
	programs[3] = NULL;
}

enum advert_turn serve_advert_find(struct serve *s, enum asked asked,
				   const struct buf *body,
				   struct advert **found)
{
	struct buf key = BUF_INIT, beside = BUF_INIT;
	const char *programs[4];
	struct advert_ask ask = { .asked = asked, .programs = programs,
				  .git_dir = s->git_dir.data,
				  .most = (size_t)s->c->adverts };
	enum advert_turn turn;

	make_key(s, body, &key);
	name_programs(s, &beside, programs);
	ask.key = key.data;
	ask.key_len = key.len;
	turn = advert_find(&ask, found, &s->making);
	buf_clear(&key);
	buf_clear(&beside);
	return turn;
}

/* In the words of backend.c. */
void serve_note_failure(struct serve *s, enum stream_end end)
{
	s->broken = 1;
	s->audit.verdict = "failed";
	switch (end) {
	case STREAM_OK:
		break;
	case STREAM_LATE:
		s->audit.code = refusal_untaken.code;
		buf_adds(&s->detail, "the client took nothing for "
			 "session.writeTimeout");
		break;
	case STREAM_OVER:
		s->audit.code = refusal_over.code;
		buf_adds(&s->detail, "the session's time was over");
		break;
	case STREAM_GONE:
		buf_adds(&s->detail, "the client left");
		break;
	}
}

static void give(struct serve *s, const struct advert *a)
{
	struct stream stream = { .fd = s->fd, .session = s->session,
				 .id = (unsigned)s->fcgi->requestId,
				 .write_ms = s->c->write_ms };
	struct buf nothing = BUF_INIT;
	enum stream_end end;
	const char *data;
	size_t n;

	session_stage(s->session, STAGE_REPLY);
	data = advert_data(a, &n);
	end = stream_send_whole(&stream, data, n);
	if (end == STREAM_OK) {
		session_count(s->session, 0, n);
		s->audit.verdict = "served";
		return;
	}
	serve_note_failure(s, end);
	stream_break(&stream, &nothing);
}

int serve_advert(struct serve *s)
{
	struct advert *found = NULL;
	struct buf body = BUF_INIT;
	enum asked asked = ASKED_OTHER;

	buf_adds(&body, "");
	if (s->c->adverts > 0 && s->spool.len <= ASKED_BODY_MAX &&
	    spool_read(&s->spool, &body) == 0)
		asked = asked_find(&s->route, s->req.git_protocol, body.data,
				   body.len);
	if (asked != ASKED_OTHER && !serve_is_stale(s) &&
	    serve_advert_find(s, asked, &body, &found) == ADVERT_FOUND) {
		give(s, found);
		advert_release(found);
	}
	buf_clear(&body);
	return found != NULL;
}

int serve_advert_wanted(struct serve *s)
{
	struct advert *found = NULL;
	struct buf body = BUF_INIT;

	buf_adds(&body, "");
	if (serve_advert_find(s, ASKED_PUSH_REFS, &body, &found) ==
	    ADVERT_FOUND)
		advert_release(found);
	buf_clear(&body);
	return s->making != NULL;
}

void serve_advert_copy(void *arg, const char *data, size_t n)
{
	advert_add(arg, data, n);
}

void serve_advert_end(struct serve *s, int good)
{
	serve_replay_end(s, &good);
	if (s->making != NULL)
		advert_made(s->making, good);
	s->making = NULL;
}
