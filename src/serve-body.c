/*
 * The body of a request in its story: read whole into the spool, the head of
 * a push held against policy as it comes. A refused push is read to its end
 * too, without being kept, since git shows an answer only after that.
 */
#include "serve-internal.h"

#include <stdio.h>
#include <string.h>

#include "body.h"

/* What is read of a request that policy has not let through. */
#define STRANGER_BYTES (1 << 20)
#define STRANGER_MS 5000

/* One command of a push against policy. */
static int check_command(struct serve *s, const struct command *cmd)
{
	int old_zero = commands_is_zero(cmd->old);
	int new_zero = commands_is_zero(cmd->new);
	struct decision d = policy_may_change(s->c, s->req.who, s->route.repo,
					      cmd->ref, old_zero, new_zero);
	struct refusal why = refusal_no_change;

	if (d.verdict == VERDICT_ALLOW)
		return 0;
	serve_note_rule(s, &d);
	buf_addf(&s->sentence, "you may not %s %s in %s",
		 old_zero   ? "create"
		 : new_zero ? "delete"
			    : "change",
		 cmd->ref, s->route.repo);
	why.sentence = s->sentence.data;
	why.ref = cmd->ref;
	s->audit.ref = cmd->ref;
	return serve_refuse(s, &why, "denied");
}

static int check_commands(struct serve *s)
{
	size_t i;

	if (s->commands.state == COMMANDS_BAD)
		return serve_refuse(s, &refusal_bad_request, s->commands.error);
	if (s->commands.state == COMMANDS_MORE)
		return 0;
	for (i = 0; i < s->commands.nr; i++)
		if (check_command(s, &s->commands.list[i]) < 0)
			return -1;
	return 0;
}

/* Every byte of a body that may still be wanted. */
static int take_body(void *arg, const void *data, size_t n)
{
	struct serve *s = arg;

	/* a push that is gzip'd, which git's own is not, the hook judges */
	if (s->route.service == SERVICE_RECEIVE_PACK &&
	    s->commands.state == COMMANDS_MORE &&
	    *s->req.content_encoding == '\0') {
		commands_feed(&s->commands, data, n);
		if (check_commands(s) < 0)
			return -1;
	}
	if (spool_add(&s->spool, s->c->spool, data, n) < 0)
		return serve_refuse(s, &refusal_internal, "the body could not be spooled");
	return 0;
}

static int refuse_body(struct serve *s, enum body_end end)
{
	switch (end) {
	case BODY_COMPLETE:
		return 0;
	case BODY_STOPPED:
		return -1;
	case BODY_TOO_LARGE:
		return serve_refuse(s, &refusal_too_large, "session.maxBody, or more than "
					     "its CONTENT_LENGTH");
	case BODY_SILENT:
		return serve_refuse(s, &refusal_timed_out, "the client sent nothing");
	case BODY_CUT:
		break;
	}
	return serve_refuse(s, &refusal_bad_request, "the body was cut off");
}

int serve_body(struct serve *s)
{
	char type[64];
	enum body_end end;

	snprintf(type, sizeof(type), "application/x-%s-request",
		 route_service_name(s->route.service));
	if (strcmp(s->req.content_type, type) != 0)
		return serve_refuse(s, &refusal_bad_request, "wrong Content-Type");
	session_stage(s->session, STAGE_BODY);
	end = body_read(s->fcgi, s->req.content_length,
			s->route.service == SERVICE_RECEIVE_PACK
				? s->c->max_body
				: s->c->max_request,
			s->session, take_body, s);
	s->body_read = end != BODY_STOPPED && end != BODY_TOO_LARGE;
	if (refuse_body(s, end) < 0)
		return -1;
	if (s->route.service == SERVICE_RECEIVE_PACK &&
	    *s->req.content_encoding == '\0' &&
	    s->commands.state != COMMANDS_DONE)
		return serve_refuse(s, &refusal_bad_request, "the push ends in its commands");
	return 0;
}

/* A refused push is answered in its own terms: which references, how. */
static int take_commands(void *arg, const void *data, size_t n)
{
	struct serve *s = arg;

	if (s->route.service == SERVICE_RECEIVE_PACK &&
	    s->commands.state == COMMANDS_MORE)
		commands_feed(&s->commands, data, n);
	return 0;
}

/*
 * Take in what the client still sends, or the web server gives it an error of
 * its own in place of ours; the session's time and the receive time-out bound
 * this. A GET's empty body is read for the same reason. Who may not even push
 * here gets less patience: no git client sends a body after such an answer.
 */
void serve_drain(struct serve *s)
{
	uint64_t max = s->known ? UINT64_MAX : STRANGER_BYTES;

	if (!s->body_read) {
		if (!s->known)
			session_limit(s->session, STRANGER_MS);
		body_read(s->fcgi, -1, max, s->session, take_commands, s);
	}
	s->body_read = 1;
}
