#ifndef SERVE_INTERNAL_H
#define SERVE_INTERNAL_H

#include <stdint.h>

#include "advert.h"
#include "audit.h"
#include "backend.h"
#include "buf.h"
#include "commands.h"
#include "config.h"
#include "policy.h"
#include "refusal.h"
#include "request.h"
#include "route.h"
#include "session.h"
#include "spool.h"
#include "stream.h"

struct FCGX_Request;
struct recorded;

/* A git that answers, and what it needs until its end. */
struct answer {
	struct backend_run run;
	struct backend *backend; /* NULL: it could not be started */
	struct buf headers, note;
};

/* One request on its way, owned by serve_request. */
struct serve {
	struct FCGX_Request *fcgi;
	int fd;
	const struct config *c;
	const char *backend;

	struct request req;
	struct route route;
	const struct config_repo *repo;
	struct session *session;
	struct buf git_dir;
	struct spool spool;
	struct commands commands;
	int body_read;
	int broken; /* the backend did not end by itself */
	int pushed; /* git has answered a push, to its end */
	int known;  /* policy has let it through */
	int haste;  /* there is no time for it */
	int in_use; /* the mirror at git_dir, by us */
	int64_t age_ms; /* of what an offline mirror serves; -1: fresh */
	struct advert_making *making; /* git's answer is to be kept there */
	struct recorded *record; /* this of it, which is a pack's */
	struct answer *ahead; /* begun before the body was whole; or NULL */
	int64_t body_began, body_last; /* clock_ms(), of the last piece */
	int64_t ahead_looked; /* likewise, for who waits */
	int not_ahead; /* it was tried, or is not to be */

	struct refusal why;
	struct buf sentence; /* why.sentence, where it is made here */
	struct audit audit;
	struct buf rule;   /* audit.rule */
	struct buf detail; /* audit.detail */
};

/*
 * Remember why not, for the client, and in detail for the audit record, unless
 * something said more before. Returns -1.
 */
int serve_refuse(struct serve *s, const struct refusal *why,
		 const char *detail);

/* The rule that decided, for the audit record. */
void serve_note_rule(struct serve *s, const struct decision *d);

/*
 * As early as the client is known, strangers too: has it too many requests
 * here? Before a body is taken in: could its backend run at all? And a place,
 * waited for. Each returns 0, or -1: refused.
 */
int serve_arrive(struct serve *s);
int serve_enter(struct serve *s);
int serve_place(struct serve *s, enum session_pool pool);
/*
 * One before the body is whole, where nobody waits for any: returns 1, to be
 * followed by session_whole; 0: none.
 */
int serve_place_ahead(struct serve *s);

/* The step that takes the body in. Returns 0, or -1: refused. */
int serve_body(struct serve *s);

/*
 * The step that answers without a git, where that is possible: returns 1 when
 * it did. Else s->making may be set; then serve_advert_copy takes the answer,
 * and serve_advert_end, harmless when called twice, says how it ended.
 */
int serve_advert(struct serve *s);
void serve_advert_copy(void *arg, const char *data, size_t n);
void serve_advert_end(struct serve *s, int good);
/* For who knows what is asked; ADVERT_MAKE: s->making is set. */
enum advert_turn serve_advert_find(struct serve *s, enum asked asked,
				   const struct buf *body,
				   struct advert **found);

/*
 * The same for a pack, with a place: returns 1 when it was given, or as much
 * of it as could be. Else s->record may be set, which serve_replay_copy fills
 * and serve_advert_end takes.
 */
int serve_replay(struct serve *s);
void serve_replay_copy(void *arg, const char *data, size_t n);
/* What was recorded, into s->making; sets *good to 0 if it cannot be. Harmless
   without a record. */
void serve_replay_end(struct serve *s, int *good);

/* For the audit record: why the client did not get all of what was kept. */
void serve_note_failure(struct serve *s, enum stream_end end);

/*
 * The same for an advertisement to who pushes that nobody has asked for:
 * returns 1 when s->making is set, since none is kept that is good.
 */
int serve_advert_wanted(struct serve *s);
/* For serve_again, or NULL: there is nothing to do. */
struct serve_again *serve_again_new(const struct serve *s);

/* Is it the RPC of a push? */
int serve_is_push(const struct serve *s);
/*
 * What a push needs before its git is started, waited for or had at once.
 * Returns NULL, and is followed by serve_push_end; or why not, with a detail
 * for the audit record.
 */
const struct refusal *serve_push_begin(struct serve *s, int wait,
				       const char **detail);
void serve_push_end(struct serve *s, int broken);
/* The step that has git answer. Returns 0, or -1: refused. */
int serve_answer(struct serve *s);
/*
 * Its start alone, of which the body may still come where serve_is_fed; and
 * what to do with it when it has ended.
 */
void serve_answer_begin(struct serve *s, struct answer *a);
void serve_answer_clear(struct answer *a);

/*
 * Of a large push that comes fast git is started before the body is whole:
 * for each of its pieces, once it is spooled. At its end, whole or not.
 */
void serve_ahead(struct serve *s);
void serve_ahead_end(struct serve *s, int whole);
/*
 * Is it one of so much? Whether it comes fast or not, git gets it from us, and
 * its hook lets nothing pass that git has not read all of.
 */
int serve_is_fed(const struct serve *s);

/*
 * Where what is served is not what the upstream has now, for it cannot be
 * asked: a header for programs, and for the answer of a fetch a packet of the
 * side-band for people. Each stays "" or gets the whole.
 */
void serve_stale(const struct serve *s, struct buf *headers, struct buf *note);
/* Is there either? Such an answer is never the same again. */
int serve_is_stale(const struct serve *s);

/* Read what is left of the body, keeping nothing but a push's commands. */
void serve_drain(struct serve *s);

#endif
