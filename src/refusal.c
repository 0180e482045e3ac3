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
	.remedy = "push in smaller parts"
};
const struct refusal refusal_timed_out = {
	.status = 504, .code = "timeout", .retry = 1,
	.sentence = "the gate waited too long for the rest of the request",
	.remedy = "try again"
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
