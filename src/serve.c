/*
 * The story of one request. Takes an accepted FastCGI request, gives one
 * answer and one audit line; each step either goes on or says why not, and
 * serve_request frees what any of them acquired.
 */
#include "serve.h"
#include "serve-internal.h"

#include <errno.h>
#include <fcgiapp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "mirror.h"
#include "mirror-keep.h"
#include "passed.h"
#include "reply.h"

/* One request, when the gate is full. */
#define FULL_MS 200
/* An advertisement counts for the RPCs that follow it, this long. */
#define ADVERTISED_MS 60000

int serve_refuse(struct serve *s, const struct refusal *why,
		 const char *detail)
{
	s->why = *why;
	s->audit.verdict = "refused";
	s->audit.code = why->code;
	if (detail != NULL && s->detail.len == 0)
		buf_adds(&s->detail, detail);
	return -1;
}

void serve_note_rule(struct serve *s, const struct decision *d)
{
	buf_reset(&s->rule);
	if (d->rule != NULL)
		buf_addf(&s->rule, "%s:%d", s->c->name, d->rule->line);
	else
		buf_adds(&s->rule, "none");
}

static int refuse_fault(struct serve *s, enum fault_kind kind)
{
	const struct fault_text *text = fault_text(kind);
	struct refusal why;

	refusal_of_fault(kind, &why);
	/* the code may say less than what the log has; it says no more */
	if (strcmp(why.code, text->code) != 0)
		return serve_refuse(s, &why, text->code);
	if (kind == FAULT_LOCAL)
		mirror_error_words(s->git_dir.data, text->code, &s->detail);
	return serve_refuse(s, &why, text->sentence);
}

static const char *operation(const struct serve *s)
{
	if (s->route.service == SERVICE_RECEIVE_PACK)
		return "push";
	if (s->route.service == SERVICE_UPLOAD_PACK)
		return "fetch";
	return "-";
}

static int step_request(struct serve *s)
{
	const char *error;
	int rc = request_read(s->fcgi->envp, &s->req, &error);

	log_set_id(s->session->id);
	s->audit.id = s->session->id;
	s->audit.who = s->req.who;
	s->audit.addr = s->req.addr;
	session_name(s->session, s->req.who, s->req.addr, "", "-");
	if (rc < 0)
		return serve_refuse(s, &refusal_bad_request, error);
	if (*s->req.path == '\0')
		return serve_refuse(s, &refusal_bad_request,
			      "the web server passes no PATH_INFO; see "
			      "git-gated(8)");
	return 0;
}

static int step_route(struct serve *s)
{
	route_find(s->req.method, s->req.path, s->req.query, &s->route);
	s->audit.op = operation(s);
	s->audit.repo = s->route.repo;
	switch (s->route.kind) {
	case ROUTE_ADVERTISE:
	case ROUTE_RPC:
	case ROUTE_HEALTH:
		return 0;
	case ROUTE_DUMB:
		return serve_refuse(s, &refusal_dumb_protocol,
				    "not the smart protocol");
	case ROUTE_BAD_METHOD:
		return serve_refuse(s, &refusal_bad_method, s->req.method);
	case ROUTE_BAD_NAME:
		return serve_refuse(s, &refusal_not_found, s->route.error);
	case ROUTE_NONE:
		break;
	}
	return serve_refuse(s, &refusal_not_found, "no such page");
}

/* Pushing to what one may read is denied by name; all else is not there. */
static int refuse_denied(struct serve *s, const struct decision *d)
{
	struct decision see = policy_decide(s->c, s->req.who, OP_FETCH,
					    s->route.repo, NULL);

	if (d->verdict == VERDICT_ERROR)
		return serve_refuse(s, &refusal_bad_request, "REMOTE_USER is malformed");
	if (d->verdict == VERDICT_NOT_FOUND)
		return serve_refuse(s, &refusal_not_found, "no [repo] has this name");
	serve_note_rule(s, d);
	if (see.verdict == VERDICT_ALLOW)
		return serve_refuse(s, &refusal_no_push, "denied");
	return serve_refuse(s, &refusal_not_found, "denied");
}

static int step_policy(struct serve *s)
{
	struct decision d;

	s->repo = config_repo(s->c, s->route.repo);
	session_name(s->session, s->req.who, s->req.addr, s->route.repo,
		     operation(s));
	if (s->route.service == SERVICE_RECEIVE_PACK)
		d = policy_may_push(s->c, s->req.who, s->route.repo);
	else
		d = policy_decide(s->c, s->req.who, OP_FETCH, s->route.repo,
				  NULL);
	if (d.verdict != VERDICT_ALLOW || s->repo == NULL)
		return refuse_denied(s, &d);
	serve_note_rule(s, &d);
	s->known = 1;
	return 0;
}

/*
 * The upstream is asked at each advertisement. An RPC follows one: a fetch asks
 * again only if that was long ago, for protocol v2 tells references in the
 * RPC; a push needs none, its lease is what the upstream judges.
 */
static int step_mirror(struct serve *s)
{
	enum fault_kind fault = FAULT_NONE;
	int rc;

	if (mirror_path(s->c, s->repo, s->route.repo, &s->git_dir) < 0)
		return serve_refuse(s, &refusal_not_found, "not in the hosted directory");
	if (s->repo->upstream != NULL) {
		mirror_use(s->git_dir.data);
		s->in_use = 1;
	}
	/* a hosted one that has a path is there */
	if (s->repo->upstream == NULL)
		return 0;
	if (s->route.kind == ROUTE_RPC &&
	    mirror_fresh_enough(s->c, s->repo, s->route.repo,
				serve_is_push(s) ? INT64_MAX
						 : ADVERTISED_MS))
		return 0;
	if (serve_place(s, POOL_MIRROR) < 0)
		return -1;
	session_stage(s->session, STAGE_MIRROR);
	rc = mirror_refresh(s->c, s->repo, s->route.repo, s->fd,
			    session_left(s->session), &s->age_ms, &fault);
	session_place_end(s->session);
	if (rc < 0)
		return refuse_fault(s, fault);
	if (rc == 0)
		s->age_ms = -1;
	return 0;
}

/*
 * git takes a push unasked when its pre-receive cannot be executed. The other
 * hook would stop that one, but after its objects have left quarantine.
 */
static int hook_is_there(const struct config *c)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc;

	buf_addf(&path, "%s/pre-receive", c->hooks);
	rc = stat(path.data, &st) < 0 ? -1 : access(path.data, X_OK);
	if (rc == 0 && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		rc = -1;
	}
	if (rc < 0)
		log_error("%s: %s; every push is refused until git can execute "
			  "it: git-gate check says what to do", path.data,
			  strerror(errno));
	buf_clear(&path);
	return rc == 0;
}

const struct refusal *serve_push_begin(struct serve *s, int wait,
				       const char **detail)
{
	*detail = "no pre-receive";
	if (!hook_is_there(s->c))
		return &refusal_cannot_scan;
	*detail = "waited for an ended push's objects";
	if (mirror_push_begin(s->c, s->repo, s->route.repo, s->session->id,
			      &s->commands, s->fd, wait) < 0)
		return &refusal_overloaded;
	return NULL;
}

void serve_push_end(struct serve *s, int broken)
{
	mirror_push_end(s->git_dir.data, s->session->id, broken);
	passed_remove(s->c, s->session->id);
}

static int answer_push(struct serve *s)
{
	const struct refusal *why;
	const char *detail;
	int rc = 0;

	if (s->ahead == NULL) {
		if ((why = serve_push_begin(s, 1, &detail)) != NULL)
			return serve_refuse(s, why, detail);
		rc = serve_place(s, POOL_BACKEND);
	}
	if (rc == 0)
		rc = serve_answer(s);
	s->pushed = rc == 0 && !s->broken;
	serve_push_end(s, s->broken);
	return rc;
}

static int step_backend(struct serve *s)
{
	int rc;

	if (serve_is_push(s))
		return answer_push(s);
	/* what is in memory needs no place */
	if (serve_advert(s))
		return 0;
	rc = serve_place(s, POOL_BACKEND);
	if (rc == 0 && serve_replay(s))
		return 0;
	if (rc == 0)
		rc = serve_answer(s);
	serve_advert_end(s, 0);
	return rc;
}

/* This worker is the last: make room, and be gone. */
static void hurry(struct serve *s)
{
	s->haste = 1;
	session_limit(s->session, FULL_MS);
	if (session_shed())
		log_warn("the gate is full; the slowest request is ended");
}

/* Returns 0 when the client has its answer, -1 when s->why is to be given. */
static int tell(struct serve *s)
{
	if (s->backend == NULL)
		hurry(s);
	if (step_request(s) < 0 || step_route(s) < 0)
		return -1;
	if (s->route.kind == ROUTE_HEALTH) {
		s->audit.verdict = NULL; /* a probe is no decision */
		reply_text(s->fcgi, 200, "ok\n");
		return 0;
	}
	if (s->backend == NULL)
		return serve_refuse(s, &refusal_full,
				    "gate.workers are all taken");
	if (serve_arrive(s) < 0 || step_policy(s) < 0 || serve_enter(s) < 0 ||
	    step_mirror(s) < 0)
		return -1;
	if (s->route.kind == ROUTE_RPC && serve_body(s) < 0)
		return -1;
	/* nothing of it is outstanding: it is not slow, whatever it waits for */
	session_stage(s->session, STAGE_QUEUE);
	return step_backend(s);
}

struct serve_again *serve_request(struct FCGX_Request *fcgi,
				  struct session *session,
				  const struct config *c, const char *backend)
{
	struct serve s = { .fcgi = fcgi, .fd = session->fd, .c = c,
			   .backend = backend, .session = session,
			   .spool = SPOOL_INIT, .age_ms = -1 };
	struct serve_again *again;
	int64_t began = clock_ms();

	commands_init(&s.commands);
	if (tell(&s) < 0) {
		session_stage(s.session, STAGE_REPLY);
		serve_drain(&s);
		reply_refuse(fcgi, &s.route, &s.commands, &s.why,
			     s.session->id);
	}
	serve_drain(&s);
	s.audit.rule = s.rule.data;
	s.audit.detail = s.detail.data;
	s.audit.in = s.session->in;
	s.audit.out = s.session->out;
	s.audit.ms = clock_ms() - began;
	if (s.audit.verdict != NULL)
		audit_log(&s.audit);
	session_stage(s.session, STAGE_REPLY);
	again = serve_again_new(&s);
	if (s.in_use)
		mirror_release(s.git_dir.data);
	spool_clear(&s.spool);
	commands_clear(&s.commands);
	buf_clear(&s.git_dir);
	buf_clear(&s.sentence);
	buf_clear(&s.rule);
	buf_clear(&s.detail);
	log_set_id(NULL);
	return again;
}
