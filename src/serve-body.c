/*
 * The body of a request in its story: read whole into the spool, inflated, the
 * head of a push held against policy as it comes. A refused push is read to
 * its end too, without being kept, since git shows an answer only after that.
 */
#include "serve-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "body.h"
#include "clock.h"
#include "gunzip.h"

/* What is read of a request that policy has not let through. */
#define STRANGER_BYTES (1 << 20)
/* How long a fetch's is read, or one of those. */
#define SHORT_MS 5000
/* Of a request that has no body, or of one too many. */
#define HASTE_BYTES (64 << 10)
#define HASTE_MS 500
/* A flush-pkt, "0000", which ends the commands of a push. */
#define FLUSH_LEN 4

static int is_push(const struct serve *s)
{
	return s->route.service == SERVICE_RECEIVE_PACK;
}

static int is_gzip(const struct serve *s)
{
	return strcmp(s->req.content_encoding, "gzip") == 0;
}

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
		 new_zero   ? "delete"
		 : old_zero ? "create"
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

/*
 * A push of nothing ends with its commands: git sends one to try the
 * connection. What follows would be stored, but never looked at.
 */
static int is_padded(const struct serve *s)
{
	const struct commands *c = &s->commands;

	return c->state == COMMANDS_DONE && c->nr == 0 &&
	       s->spool.len > c->total + FLUSH_LEN;
}

/* Every byte of a body that may still be wanted. */
static int take_body(void *arg, const void *data, size_t n)
{
	struct serve *s = arg;

	if (is_push(s) && s->commands.state == COMMANDS_MORE) {
		commands_feed(&s->commands, data, n);
		if (check_commands(s) < 0)
			return -1;
	}
	if (spool_add(&s->spool, s->c->spool, data, n) < 0)
		return serve_refuse(s, &refusal_internal,
				    "the body could not be spooled");
	if (is_push(s) && is_padded(s))
		return serve_refuse(s, &refusal_bad_request,
				    "more follows a push of nothing");
	if (is_push(s))
		serve_ahead(s);
	return 0;
}

/* Times and sizes as git-gate.conf(5) has them, in the largest whole unit. */
struct unit {
	const char *name;
	uint64_t n;
};
static const struct unit times[] = {
	{ "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};
static const struct unit sizes[] = {
	{ "g", 1 << 30 }, { "m", 1 << 20 }, { "k", 1 << 10 }, { "", 1 },
};

/* The audit record names the key that ended it, and its value. */
static int refuse_bound(struct serve *s, const struct refusal *why,
			const char *what, uint64_t value,
			const struct unit *unit)
{
	while (value % unit->n != 0)
		unit++;
	buf_addf(&s->detail, "%s = %" PRIu64 "%s", what, value / unit->n,
		 unit->name);
	return serve_refuse(s, why, NULL);
}

/* git could not write a pack that is larger than its file may be. */
static uint64_t most(const struct serve *s)
{
	const struct config *c = s->c;

	if (!is_push(s))
		return c->max_request;
	return c->file_size > 0 && c->file_size < c->max_body ? c->file_size
							      : c->max_body;
}

static int refuse_large(struct serve *s)
{
	if (is_push(s) && most(s) < s->c->max_body)
		return refuse_bound(s, &refusal_too_large,
				    "more came than backend.fileSize",
				    s->c->file_size, sizes);
	if (is_push(s))
		return refuse_bound(s, &refusal_too_large,
				    "more came than session.maxBody",
				    s->c->max_body, sizes);
	return refuse_bound(s, &refusal_too_large,
			    "more came than session.maxRequest",
			    s->c->max_request, sizes);
}

/* Its time ends early when the gate is told to stop. */
static int refuse_over(struct serve *s)
{
	if (clock_ms() - s->session->began >= s->c->total_ms)
		return refuse_bound(s, &refusal_over,
				    "its body took all of "
				    "session.sessionTimeout",
				    s->c->total_ms, times);
	return refuse_bound(s, &refusal_stopping, "its body was not there after "
			    "session.stopTimeout", s->c->stop_ms, times);
}

/* What came, and what was said to come. */
static int refuse_length(struct serve *s, const struct refusal *why)
{
	buf_addf(&s->detail, "%" PRIu64 " bytes of the body came",
		 s->session->in);
	if (s->req.content_length >= 0)
		buf_addf(&s->detail, ", CONTENT_LENGTH = %" PRId64,
			 s->req.content_length);
	else
		buf_adds(&s->detail, ", then the connection broke");
	return serve_refuse(s, why, NULL);
}

static int refuse_body(struct serve *s, enum body_end end)
{
	switch (end) {
	case BODY_COMPLETE:
		return 0;
	case BODY_STOPPED:
		return -1;
	case BODY_TOO_LARGE:
		return refuse_large(s);
	case BODY_TOO_LONG:
		return refuse_length(s, &refusal_too_long);
	case BODY_CUT:
		return refuse_length(s, &refusal_cut);
	case BODY_SILENT:
		return refuse_bound(s, &refusal_timed_out,
				    "nothing came for session.readTimeout",
				    s->c->read_ms, times);
	case BODY_OVER:
		return refuse_over(s);
	case BODY_SHED:
		return serve_refuse(s, &refusal_shed,
				    "its body came slowest when all of "
				    "gate.workers were taken");
	case BODY_BOMB:
		return serve_refuse(s, &refusal_too_large, "it inflates to "
				    "more than 64 times its size");
	case BODY_DAMAGED:
		break;
	}
	return serve_refuse(s, &refusal_damaged, "the body is not one whole "
			    "gzip stream");
}

/* Nothing more comes, or nobody waits for it; the rest of others is drained. */
static int is_read(enum body_end end)
{
	return end == BODY_COMPLETE || end == BODY_CUT || end == BODY_SILENT ||
	       end == BODY_OVER || end == BODY_SHED;
}

static int check_type(struct serve *s)
{
	char type[64];

	snprintf(type, sizeof(type), "application/x-%s-request",
		 route_service_name(s->route.service));
	if (strcmp(s->req.content_type, type) != 0)
		return serve_refuse(s, &refusal_bad_request,
				    "wrong Content-Type");
	if (*s->req.content_encoding != '\0' && !is_gzip(s))
		return serve_refuse(s, &refusal_encoding,
				    "a Content-Encoding that is not gzip");
	return 0;
}

int serve_body(struct serve *s)
{
	struct body body = { .fcgi = s->fcgi,
			     .session = s->session,
			     .length = s->req.content_length,
			     .max = most(s),
			     .gzip = is_gzip(s) };
	enum body_end end;

	if (check_type(s) < 0)
		return -1;
	session_stage(s->session, STAGE_BODY);
	s->body_began = clock_ms();
	end = body_read(&body, take_body, s);
	serve_ahead_end(s, end == BODY_COMPLETE);
	s->body_read = is_read(end);
	s->session->taken = end == BODY_COMPLETE;
	if (refuse_body(s, end) < 0)
		return -1;
	if (is_push(s) && s->commands.state != COMMANDS_DONE)
		return serve_refuse(s, &refusal_bad_request,
				    "the push ends in its commands");
	return 0;
}

struct drain {
	struct serve *s;
	int commands;          /* those of a push are wanted */
	struct gunzip *gunzip; /* for them alone; NULL: plain */
};

/* A refused push is answered in its own terms: which references, how. */
static int take_commands(void *arg, const void *data, size_t n)
{
	struct commands *commands = arg;

	return commands_feed(commands, data, n) == COMMANDS_MORE ? 0 : -1;
}

static int drain(void *arg, const void *data, size_t n)
{
	struct drain *d = arg;

	if (!d->commands)
		return 0;
	/* once they are whole the rest is not even inflated */
	if (d->gunzip != NULL)
		gunzip_feed(d->gunzip, data, n, take_commands,
			    &d->s->commands);
	else
		take_commands(&d->s->commands, data, n);
	return 0;
}

/* The middle of a gzip stream tells nothing: it is read from its start. */
static int wants_commands(const struct serve *s)
{
	if (!is_push(s) || s->commands.state != COMMANDS_MORE)
		return 0;
	return *s->req.content_encoding == '\0' ||
	       (is_gzip(s) && s->session->in == 0);
}

/*
 * How much more of a request is taken in, and for how long. git shows what a
 * push was refused for once all of it has been sent; all else that a git
 * client sends after an answer is short, and so is our patience.
 */
static uint64_t patience(const struct serve *s, int64_t *ms)
{
	if (s->haste || s->route.kind != ROUTE_RPC) {
		*ms = HASTE_MS;
		return HASTE_BYTES;
	}
	*ms = SHORT_MS;
	if (!s->known)
		return STRANGER_BYTES;
	/* a session's time is this one's, and it is the first to make room */
	if (is_push(s))
		*ms = session_left(s->session);
	return most(s);
}

/*
 * Take in what the client still sends, or the web server gives it an error of
 * its own in place of ours. A GET's empty body is read for the same reason.
 */
void serve_drain(struct serve *s)
{
	struct body body = { .fcgi = s->fcgi,
			     .session = s->session,
			     .length = -1 };
	struct drain d = { .s = s, .commands = wants_commands(s) };
	int64_t ms;

	if (s->body_read)
		return;
	body.max = patience(s, &ms);
	session_limit(s->session, ms);
	session_stage(s->session, STAGE_DRAIN);
	if (d.commands && is_gzip(s))
		d.gunzip = gunzip_new();
	s->session->taken = body_read(&body, drain, &d) == BODY_COMPLETE;
	gunzip_free(d.gunzip);
	session_stage(s->session, STAGE_REPLY);
	s->body_read = 1;
}
