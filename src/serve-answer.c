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
 * The git that answers, to its end. note is filled, and stays as long as the
 * stream: a record of it may be half sent. All else is needed for git alone.
 */
static enum backend_end run_backend(struct serve *s, struct backend_run *run,
				    struct buf *note)
{
	struct env env = ENV_INIT;
	struct buf headers = BUF_INIT;
	struct cgienv_command cmd = CGIENV_COMMAND_INIT;
	enum backend_end end;

	serve_stale(s, &headers, note);
	/* how old it is was not known before */
	if (headers.len > 0 || note->len > 0)
		serve_advert_end(s, 0);
	if (s->record != NULL) {
		run->copy = serve_replay_copy;
		run->copy_arg = s->record;
	} else if (s->making != NULL) {
		run->copy = serve_advert_copy;
		run->copy_arg = s->making;
	}
	cgienv_fill(&env, s->c, s->repo, &s->req, s->session->id, &s->route,
		    s->git_dir.data, s->spool.len);
	if (s->route.kind == ROUTE_RPC && !serve_is_push(s))
		packs_env(&env, s->c);
	cgienv_command(&cmd, s->c, backend_for(s), &s->req, &s->route,
		       s->git_dir.data);
	run->argv = cmd.argv;
	run->preset = cmd.preset.data;
	run->env = &env;
	run->headers = headers.data;
	run->note = note->len > 0 ? note : NULL;
	run->in = spool_rewind(&s->spool);
	end = run->in < 0 ? BACKEND_SILENT : backend_run(s->c, run);
	run->argv = NULL;
	run->preset = run->headers = NULL;
	run->env = NULL;
	env_clear(&env);
	buf_clear(&cmd.preset);
	buf_clear(&headers);
	return end;
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

int serve_answer(struct serve *s)
{
	struct backend_run run = { .client = s->fd, .session = s->session,
				   .id = (unsigned)s->fcgi->requestId,
				   .is_push = serve_is_push(s) };
	struct buf note = BUF_INIT;
	enum backend_end end;

	/* what git sends to try a connection before a large push */
	run.may_be_empty = s->route.kind == ROUTE_RPC &&
			   s->spool.len <= FLUSH_LEN;
	session_stage(s->session, STAGE_BACKEND);
	end = run_backend(s, &run, &note);
	session_place_end(s->session);
	serve_advert_end(s, end == BACKEND_DONE && !run.spoke &&
			 run.refusal == NULL);
	note_end(s, end, &run);
	if (end == BACKEND_DONE && run.held)
		end = end_push(s, &run);
	if (run.refusal == NULL)
		run.refusal = &refusal_internal;
	if (end == BACKEND_CUT || end == BACKEND_GONE)
		break_off(s, &run);
	buf_clear(&note);
	free(run.chunk);
	if (end != BACKEND_SILENT)
		return 0;
	return serve_refuse(s, run.refusal, NULL);
}
