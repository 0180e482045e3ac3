/*
 * A fetch that is answered without git: the packets that git gave to the very
 * same request before, and the pack between them, which is kept. Takes a
 * request that may pass and has its place; gives that answer while the
 * repository is provably what it was (advert.c) and the pack's file too, or has
 * git's answer remembered for those who ask next. A pack that is being made is
 * git's to give.
 */
#include "serve.h"
#include "serve-internal.h"

#include <fcgiapp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advert.h"
#include "asked.h"
#include "log.h"
#include "mem.h"
#include "packets.h"
#include "packs.h"
#include "recorded.h"
#include "reply.h"
#include "stream.h"

/* Longest request that is looked up, bytes: a thousand commits and more. */
#define BODY_MAX 65536
/*
 * Of the pack in one packet: side-band-64k allows for 65520 bytes with five of
 * its own, side-band for 1000 (gitprotocol-capabilities(5)). A client that was
 * sent more than that has the larger one.
 */
#define PACKET_MAX 65515
#define SMALL_MAX 995
/* A packet's length and its band. */
#define PACKET_HEAD 5

/* What is kept: this, and the packets before and behind the pack. */
struct replay {
	struct packs_kept pack;
	size_t packet;         /* bytes of the pack in one packet */
	size_t header, before; /* bytes; the header is of what is before */
};

_Static_assert(PACKS_LAST == RECORDED_LAST, "a pack's end");

/* An answer on its way. */
struct giving {
	struct serve *s;
	struct stream stream;
	struct packets packets;
	char data[PACKET_HEAD + PACKET_MAX]; /* what a record may be of */
};

/* --- give ---------------------------------------------------------------- */

static enum stream_end send_some(struct giving *g, const char *data, size_t n)
{
	struct session *session = g->s->session;
	enum session_turn turn;
	enum stream_end end;

	if (session_left(session) == 0)
		return STREAM_OVER;
	session_writing(session);
	end = stream_send_large(&g->stream, data, n);
	turn = session_written(session, INT64_MAX);
	if (end == STREAM_OK && turn != TURN_OK)
		end = turn == TURN_GONE ? STREAM_GONE : STREAM_OVER;
	if (end == STREAM_OK)
		session_count(session, 0, n);
	return end;
}

static enum stream_end send_packets(struct giving *g, const char *data,
				    size_t n)
{
	packets_feed(&g->packets, data, n);
	return send_some(g, data, n);
}

/* Sets *cut: the file has no more. */
static enum stream_end send_pack(struct giving *g, const struct replay *r,
				 int fd, int *cut)
{
	enum stream_end end = STREAM_OK;
	uint64_t at = 0;
	char head[PACKET_HEAD + 1];

	while (end == STREAM_OK && at < r->pack.size) {
		uint64_t left = r->pack.size - at;
		size_t n = left < r->packet ? (size_t)left : r->packet;

		if (packs_kept_read(fd, at, g->data + PACKET_HEAD, n) < 0) {
			*cut = 1;
			break;
		}
		snprintf(head, sizeof(head), "%04zx\1", PACKET_HEAD + n);
		memcpy(g->data, head, PACKET_HEAD);
		end = send_packets(g, g->data, PACKET_HEAD + n);
		at += n;
	}
	return end;
}

static const struct refusal *why_not(enum stream_end end)
{
	switch (end) {
	case STREAM_LATE:
		return &refusal_untaken;
	case STREAM_OVER:
		return &refusal_over;
	case STREAM_OK:
	case STREAM_GONE:
		break;
	}
	return &refusal_internal;
}

/* As serve-answer.c has it of git's. */
static void break_off(struct giving *g, enum stream_end end)
{
	struct serve *s = g->s;
	struct buf last = BUF_INIT;

	if (end == STREAM_OK) {
		s->audit.code = refusal_internal.code;
		buf_adds(&s->detail, "the pack that is kept was cut");
		log_error("%s: the pack that is kept was cut while it was "
			  "given", s->git_dir.data);
	}
	serve_note_failure(s, end);
	reply_last(&s->route, &s->commands, &g->packets, why_not(end),
		   s->session->id, &last);
	stream_break(&g->stream, &last);
	buf_clear(&last);
}

static void give(struct serve *s, const struct replay *r, size_t n, int fd)
{
	const char *text = (const char *)(r + 1);
	struct giving *g = mem_zalloc(sizeof(*g));
	enum stream_end end;
	int cut = 0;

	g->s = s;
	g->stream = (struct stream){ .fd = s->fd, .session = s->session,
				     .id = (unsigned)s->fcgi->requestId,
				     .write_ms = s->c->write_ms };
	session_stage(s->session, STAGE_BACKEND);
	packets_feed(&g->packets, text + r->header, r->before - r->header);
	end = send_some(g, text, r->before);
	if (end == STREAM_OK)
		end = send_pack(g, r, fd, &cut);
	n -= sizeof(*r) + r->before;
	if (end == STREAM_OK && !cut)
		end = send_packets(g, text + r->before, n);
	session_place_end(s->session);
	s->audit.verdict = "served";
	if (end != STREAM_OK || cut)
		break_off(g, end);
	free(g);
}

/* --- remember ------------------------------------------------------------ */

void serve_replay_copy(void *arg, const char *data, size_t n)
{
	recorded_feed(arg, data, n);
}

void serve_replay_end(struct serve *s, int *good)
{
	struct recorded *r = s->record;
	struct replay head = { .packet = PACKET_MAX };

	if (r == NULL)
		return;
	s->record = NULL;
	head.pack.size = r->pack;
	memcpy(head.pack.last, r->last, sizeof(head.pack.last));
	*good = *good && recorded_whole(r) &&
		packs_kept_find(s->c, &head.pack) == 0;
	if (*good) {
		if (r->packet <= SMALL_MAX)
			head.packet = r->packet;
		head.header = r->header;
		head.before = r->before.len;
		advert_add(s->making, (const char *)&head, sizeof(head));
		advert_add(s->making, r->before.data, r->before.len);
		advert_add(s->making, r->after.data, r->after.len);
	}
	recorded_clear(r);
	free(r);
}

/* --- decide -------------------------------------------------------------- */

/* Returns 1 when it was given. */
static int give_found(struct serve *s, struct advert *found)
{
	size_t n;
	const char *data = advert_data(found, &n);
	const struct replay *r = (const struct replay *)data;
	int fd = packs_kept_open(s->c, &r->pack);

	if (fd < 0) {
		advert_discard(found);
		return 0;
	}
	give(s, r, n, fd);
	close(fd);
	advert_release(found);
	return 1;
}

static int is_fetch(const struct serve *s, const struct buf *body)
{
	return s->route.kind == ROUTE_RPC &&
	       s->route.service == SERVICE_UPLOAD_PACK &&
	       asked_find(&s->route, s->req.git_protocol, body->data,
			  body->len) == ASKED_OTHER;
}

static int answer(struct serve *s, const struct buf *body)
{
	struct advert *found = NULL;
	enum advert_turn turn;

	turn = serve_advert_find(s, ASKED_PACK, body, &found);
	if (turn == ADVERT_FOUND && give_found(s, found))
		return 1;
	/* the pack has gone: what git answers now is remembered */
	if (turn == ADVERT_FOUND)
		turn = serve_advert_find(s, ASKED_PACK, body, &found);
	if (turn == ADVERT_FOUND)
		advert_release(found);
	if (turn == ADVERT_MAKE)
		s->record = mem_zalloc(sizeof(*s->record));
	return 0;
}

int serve_replay(struct serve *s)
{
	struct buf body = BUF_INIT;
	int done = 0;

	buf_adds(&body, "");
	if (s->c->packs > 0 && s->c->adverts > 0 && s->making == NULL &&
	    s->spool.len > 0 && s->spool.len <= BODY_MAX &&
	    !serve_is_stale(s) && spool_read(&s->spool, &body) == 0 &&
	    is_fetch(s, &body))
		done = answer(s, &body);
	buf_clear(&body);
	return done;
}
