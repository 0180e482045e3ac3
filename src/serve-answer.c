/*
 * The step that answers: has git do what was asked, and ends the answer, or
 * breaks one that has no end. Takes a request that may pass and its body, gives
 * what goes into the audit record.
 */
#include "serve.h"
#include "serve-internal.h"

#include <fcgiapp.h>
#include <stdlib.h>

#include "backend.h"
#include "cgienv.h"
#include "direct.h"
#include "env.h"
#include "packs.h"
#include "reply.h"
#include "stream.h"

/* A flush-pkt, "0000". */
#define FLUSH_LEN 4

int serve_is_push(const struct serve *s)
{
	return s->route.kind == ROUTE_RPC &&
	       s->route.service == SERVICE_RECEIVE_PACK;
}

/* The end of a push's answer, and before it what git could not say. */
static enum backend_end end_push(struct serve *s, struct backend_run *run)
{
	struct buf last = BUF_INIT;
	enum stream_end end;

	if (run->refusal != NULL)
		reply_note(&s->commands, run->refusal, s->session->id, &last);
	buf_adds(&last, "0000");
	end = stream_send(&run->stream, last.data, last.len);
	/* what is half sent is no more: nothing of it may be sent again */
	run->stream.head_left = run->stream.data_left = 0;
	buf_clear(&last);
	return end == STREAM_OK ? BACKEND_DONE : BACKEND_GONE;
}

/*
 * Of a push policy has decided, and http.receivepack says nothing; of a fetch
 * the repository may have its own will (git-http-backend(1)).
 */
static const char *backend_for(const struct serve *s)
{
	return s->route.service == SERVICE_RECEIVE_PACK ||
			       direct_may(s->git_dir.data, s->spool.len)
		       ? NULL : s->backend;
}

/*
 * The git that answers, started. What it needs until its end is the caller's;
 * all else is needed for the start alone. Returns NULL: it could not be.
 */
static struct backend *start(struct serve *s, struct answer *a)
{
	struct env env = ENV_INIT;
	struct cgienv_command cmd = CGIENV_COMMAND_INIT;
	struct backend *backend = NULL;

	cgienv_fill(&env, s->c, s->repo, &s->req, s->session->id, &s->route,
		    s->git_dir.data, s->spool.len);
	if (s->route.kind == ROUTE_RPC && !serve_is_push(s))
		packs_env(&env, s->c);
	/* its hook asks us whether git has read all of it: control.h */
	if (a->run.fed) {
		env_set(&env, "GIT_GATE_AHEAD", "yes");
		session_reads(s->session);
	}
	cgienv_command(&cmd, s->c, backend_for(s), &s->req, &s->route,
		       s->git_dir.data);
	a->run.argv = cmd.argv;
	a->run.preset = cmd.preset.data;
	a->run.env = &env;
	a->run.in = a->run.fed ? s->spool.fd : spool_rewind(&s->spool);
	if (a->run.in >= 0)
		backend = backend_start(s->c, &a->run);
	a->run.argv = NULL;
	a->run.preset = NULL;
	a->run.env = NULL;
	env_clear(&env);
	buf_clear(&cmd.preset);
	return backend;
}

void serve_answer_begin(struct serve *s, struct answer *a)
{
	a->run = (struct backend_run){ .client = s->fd, .session = s->session,
				       .id = (unsigned)s->fcgi->requestId,
				       .is_push = serve_is_push(s),
				       .fed = serve_is_fed(s) };
	serve_stale(s, &a->headers, &a->note);
	/* how old it is was not known before */
	if (a->headers.len > 0 || a->note.len > 0)
		serve_advert_end(s, 0);
	if (s->record != NULL) {
		a->run.copy = serve_replay_copy;
		a->run.copy_arg = s->record;
	} else if (s->making != NULL) {
		a->run.copy = serve_advert_copy;
		a->run.copy_arg = s->making;
	}
	a->run.headers = a->headers.data;
	a->run.note = a->note.len > 0 ? &a->note : NULL;
	a->backend = start(s, a);
}

void serve_answer_clear(struct answer *a)
{
	buf_clear(&a->headers);
	buf_clear(&a->note);
	free(a->run.chunk);
}

/* For the audit record; of a push the hook's says what became of it. */
static void note_end(struct serve *s, enum backend_end end,
		     const struct backend_run *run)
{
	s->broken = end != BACKEND_DONE;
	/* git says to a client in its own words that it met a limit */
	s->audit.verdict = s->broken || run->refusal != NULL ? "failed"
							     : "served";
	if (run->refusal != NULL)
		s->audit.code = run->refusal->code;
	if (run->reason != NULL)
		buf_adds(&s->detail, run->reason);
}

/* An answer that was begun and has no end gets one that no client takes. */
static void break_off(struct serve *s, struct backend_run *run)
{
	struct buf last = BUF_INIT;

	reply_last(&s->route, &s->commands, &run->packets, run->refusal,
		   s->session->id, &last);
	stream_break(&run->stream, &last);
	buf_clear(&last);
}

/* Its end, and what the client is told of that. */
static int finish(struct serve *s, struct answer *a)
{
	struct backend_run *run = &a->run;
	enum backend_end end = BACKEND_SILENT;

	/* what git sends to try a connection before a large push */
	run->may_be_empty = s->route.kind == ROUTE_RPC &&
			    s->spool.len <= FLUSH_LEN;
	session_stage(s->session, STAGE_BACKEND);
	session_whole(s->session);
	if (a->backend != NULL)
		end = backend_end(a->backend, s->spool.len);
	session_place_end(s->session);
	serve_advert_end(s, end == BACKEND_DONE && !run->spoke &&
			 run->refusal == NULL);
	note_end(s, end, run);
	if (end == BACKEND_DONE && run->held)
		end = end_push(s, run);
	if (run->refusal == NULL)
		run->refusal = &refusal_internal;
	if (end == BACKEND_CUT || end == BACKEND_GONE)
		break_off(s, run);
	if (end != BACKEND_SILENT)
		return 0;
	return serve_refuse(s, run->refusal, NULL);
}

int serve_answer(struct serve *s)
{
	struct answer own = { .backend = NULL };
	struct answer *a = s->ahead != NULL ? s->ahead : &own;
	int rc;

	if (a == &own)
		serve_answer_begin(s, a);
	rc = finish(s, a);
	serve_answer_clear(a);
	free(s->ahead);
	s->ahead = NULL;
	return rc;
}
