/*
 * The last step of a push that passed, of a repository with an upstream: hand
 * it on, and tell the client what the upstream took. What each reference gets
 * for an answer stands in the note for proc-receive (passed.h); when nothing
 * was taken nothing of the push is left for git to keep.
 */
#include "git-gate-hook-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "config.h"
#include "control.h"
#include "forward.h"
#include "park.h"
#include "passed.h"
#include "report.h"

/* In a session of git-gated's, which from then on waits for us. */
static int ask_responder(const struct hook *h)
{
	int rc = 1;

	if (getenv("GIT_GATE_CONTROL"))
		rc = control_may_forward(h->config, h->id,
					 h->config->queue_ms);
	if (rc < 0)
		return hook_unknown(h, "gate-fault",
				    "the gate has given up this push",
				    hook_ask_operator);
	if (rc == 0)
		return hook_unknown(h, "overloaded", "the repository is busy",
				    "push again in a moment");
	return HOOK_DONE;
}

int hook_wait_whole(const struct hook *h)
{
	int rc = 1;

	if (getenv("GIT_GATE_AHEAD"))
		rc = control_is_whole(h->config, h->id, h->config->queue_ms);
	if (rc < 0)
		return hook_unknown(h, "gate-fault",
				    "the gate has given up this push",
				    hook_ask_operator);
	if (rc == 0)
		return hook_unknown(h, "bad-request",
				    "more follows behind its objects",
				    "send nothing behind the pack");
	return HOOK_DONE;
}

/* Did the upstream fail us so that the push is worth keeping? */
static int may_park(const struct hook *h, enum fault_kind fault)
{
	return h->config->park &&
	       (fault == FAULT_UNREACHABLE || fault == FAULT_AGENT ||
		fault == FAULT_TOKEN || fault == FAULT_TIMEOUT ||
		fault == FAULT_UNKNOWN);
}

/* Returns further words for the last line, or NULL. */
static const char *park(const struct hook *h, enum fault_kind fault)
{
	/* of these two it is not known what the upstream made of them */
	int sure = fault != FAULT_UNKNOWN && fault != FAULT_TIMEOUT;
	struct buf line = BUF_INIT;
	const char *extra = NULL;
	char kept[17];

	hook_limit_time(h, PARK_MS);
	switch (park_push(h->config, h->name, h->id, h->who, &h->updates,
			  kept)) {
	case 0:
		buf_addf(&line, "git-gate: %sit is %s the gate's operator as "
			 "%s; pushing again later does no harm",
			 sure ? "it is not on the upstream; " : "",
			 strcmp(kept, h->id) != 0 ? "parked already for"
						  : "kept for", kept);
		extra = "parked=yes";
		break;
	case 1:
		buf_adds(&line, "git-gate: it is not parked: there is no room "
				"for more");
		break;
	default:
		buf_adds(&line, "git-gate: it could not be parked");
		break;
	}
	hook_tell(NULL, line.data);
	buf_clear(&line);
	return extra;
}

static void explain(const struct hook *h, enum forward_end end,
		    const struct fault_text *text)
{
	struct buf line = BUF_INIT;
	size_t taken = 0;

	for (size_t i = 0; i < h->updates.nr; i++)
		taken += !h->updates.list[i].reason;
	if (end == FORWARD_SOME)
		buf_addf(&line, "git-gate: the push is clean, but the upstream "
			 "took %zu of its %zu references: %s; %s", taken,
			 h->updates.nr, text->sentence, text->remedy);
	else
		buf_addf(&line, "git-gate: the push is clean, but %s; %s",
			 text->sentence, text->remedy);
	hook_tell(NULL, line.data);
	buf_clear(&line);
}

/*
 * git asks proc-receive for each reference's answer only after it has moved
 * what is in the quarantine; if it asks it at all, which who started it knows.
 * Returns 0, or -1, logged: git is to refuse all.
 */
static int leave_answers(const struct hook *h, enum forward_end end)
{
	if (!getenv("GIT_GATE_ANSWERS")) {
		passed_remove(h->config, h->id);
		return -1;
	}
	if (passed_write(h->config, h->id, &h->updates))
		return -1;
	if (end == FORWARD_SOME || !hook_quarantine_empty())
		return 0;
	passed_remove(h->config, h->id);
	return -1;
}

int hook_forward(struct hook *h)
{
	enum fault_kind fault = FAULT_NONE;
	const struct fault_text *text;
	const char *extra = NULL;
	enum forward_end end;
	int status;

	hook_limit_time(h, h->config->queue_ms + h->config->forward_ms);
	status = ask_responder(h);
	if (status)
		return status;
	end = forward_push(h->config, h->repo, h->name, &h->updates,
			   h->objects, hook_tell, NULL,
			   hook_quarantine_prepare, &fault);
	text = fault_text(fault);
	hook_audit_forward(h, text->code);
	if (end == FORWARD_ALL)
		return HOOK_DONE;
	explain(h, end, text);
	if (end == FORWARD_NONE && may_park(h, fault))
		extra = park(h, fault);
	report_refused(stderr, text->code, text->retry, extra, h->id);
	return leave_answers(h, end) ? HOOK_REFUSED : HOOK_DONE;
}
