/*
 * The gate's refusals: HTTP status, stable code, words. Pure: a table, and a
 * mapping from faults. A repository that is denied and one that is not there
 * share one entry, so that a client cannot tell them apart.
 */
#include "refusal.h"

#include <stddef.h>

const struct refusal refusal_bad_request = {
	.status = 400, .code = "bad-request",
	.sentence = "the request is not one that git makes",
	.remedy = "use a git client; the operator's log has the cause"
};
const struct refusal refusal_not_found = {
	.status = 404, .code = "not-found",
	.sentence = "there is no such repository here, or it is not for you",
	.remedy = "check its name, or ask the operator of this gate"
};
const struct refusal refusal_dumb_protocol = {
	.status = 403, .code = "bad-request",
	.sentence = "only git's smart HTTP protocol is served here",
	.remedy = "use git 1.6.6 or later, and a repository's own URL"
};
const struct refusal refusal_bad_method = {
	.status = 405, .code = "bad-request",
	.sentence = "that method does not exist here",
	.remedy = "use a git client"
};
const struct refusal refusal_overloaded = {
	.status = 503, .code = "overloaded", .retry = 1, .retry_after = 10,
	.sentence = "the gate is busy with this repository",
	.remedy = "try again in a moment"
};
const struct refusal refusal_full = {
	.status = 503, .code = "overloaded", .retry = 1, .retry_after = 10,
	.sentence = "the gate is full",
	.remedy = "try again in a moment"
};
const struct refusal refusal_share = {
	.status = 503, .code = "overloaded", .retry = 1, .retry_after = 10,
	.sentence = "you have too many requests under way here",
	.remedy = "let some of them end, then try again"
};
const struct refusal refusal_late = {
	.status = 503, .code = "overloaded", .retry = 1, .retry_after = 30,
	.sentence = "the gate is busy, and this request has waited too long "
		    "for its turn",
	.remedy = "try again in a moment"
};
const struct refusal refusal_shed = {
	.status = 503, .code = "overloaded", .retry = 1, .retry_after = 10,
	.sentence = "the gate is full, and of all requests this one came "
		    "slowest",
	.remedy = "try again, over a faster connection if there is one"
};
const struct refusal refusal_internal = {
	.status = 500, .code = "internal", .retry = 1,
	.sentence = "the gate could not do this",
	.remedy = "try again; if it stays, give the operator the id below"
};
const struct refusal refusal_cannot_scan = {
	.status = 500, .code = "cannot-scan",
	.sentence = "could not tell whether this push may pass: the scanner "
		    "cannot be run",
	.remedy = "nothing was taken; give the operator the id below"
};
const struct refusal refusal_too_large = {
	.status = 413, .code = "too-large",
	.sentence = "the request is larger than this gate takes",
	.remedy = "push or fetch less at once"
};
const struct refusal refusal_timed_out = {
	.status = 504, .code = "timeout", .retry = 1,
	.sentence = "the gate waited too long for the rest of the request",
	.remedy = "try again; the connection to the gate may have stalled"
};
const struct refusal refusal_untaken = {
	.status = 504, .code = "timeout", .retry = 1,
	.sentence = "the gate waited too long for its answer to be taken",
	.remedy = "try again"
};
const struct refusal refusal_over = {
	.status = 504, .code = "timeout", .retry = 1,
	.sentence = "this took longer than the gate gives to one request",
	.remedy = "try again; if it is that large, fetch or push less at once"
};
const struct refusal refusal_stopping = {
	.status = 503, .code = "timeout", .retry = 1, .retry_after = 10,
	.sentence = "the gate is being stopped, and this was not done in time",
	.remedy = "try again in a moment"
};
const struct refusal refusal_limit = {
	.status = 500, .code = "limit",
	.sentence = "git met a limit of this gate while it worked on this",
	.remedy = "fetch or push less at once, or give the operator the id "
		  "below"
};
const struct refusal refusal_silent = {
	.status = 504, .code = "timeout", .retry = 1,
	.sentence = "git said nothing for too long and was ended",
	.remedy = "try again; if it stays, give the operator the id below"
};
const struct refusal refusal_cut = {
	.status = 400, .code = "bad-request",
	.sentence = "the request was cut off: less of it came than it said",
	.remedy = "try again; the connection to the gate may be bad"
};
const struct refusal refusal_behind = {
	.status = 400, .code = "bad-request",
	.sentence = "more follows behind its objects",
	.remedy = "send nothing behind the pack"
};
const struct refusal refusal_too_long = {
	.status = 400, .code = "bad-request",
	.sentence = "more of the request came than it said",
	.remedy = "use a git client; the operator's log has the cause"
};
const struct refusal refusal_damaged = {
	.status = 400, .code = "bad-request",
	.sentence = "the request says that it is compressed with gzip, but it "
		    "is not, or not whole",
	.remedy = "try again with a git client"
};
const struct refusal refusal_encoding = {
	.status = 415, .code = "bad-request",
	.sentence = "the request is compressed in a way that git does not use",
	.remedy = "use gzip or no compression: a git client"
};
const struct refusal refusal_no_push = {
	.status = 403, .code = "denied",
	.sentence = "you may fetch from this repository, but not push",
	.remedy = "ask the operator of this gate for a rule"
};
const struct refusal refusal_no_change = {
	.status = 403, .code = "denied",
	.remedy = "push to a reference that you may change, or ask the "
		  "operator of this gate for a rule",
	.ref_reason = "denied by the gate's rules"
};

void refusal_of_fault(enum fault_kind kind, struct refusal *out)
{
	const struct fault_text *text = fault_text(kind);

	/* what is not there upstream looks like what is not allowed here */
	if (kind == FAULT_NOT_FOUND) {
		*out = refusal_not_found;
		return;
	}
	if (kind == FAULT_BUSY) {
		*out = refusal_overloaded;
		return;
	}
	*out = (struct refusal){ .status = 502, .code = text->code,
				 .retry = text->retry,
				 .sentence = text->sentence,
				 .remedy = text->remedy };
	if (kind == FAULT_TIMEOUT)
		out->status = 504;
	if (kind == FAULT_LOCAL || kind == FAULT_NO_SPACE)
		out->status = 500;
}
