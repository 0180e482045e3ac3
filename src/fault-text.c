/*
 * What is said of each kind of fault: a code for programs, a sentence and a
 * remedy for people. Pure; the sentences name no host, path or credential.
 */
#include "fault.h"

static const struct fault_text texts[FAULT_KINDS] = {
	[FAULT_NONE] = { "none", 0, "nothing went wrong", "nothing to do" },
	[FAULT_UNREACHABLE] = { "upstream-unreachable", 1,
				"the upstream server cannot be reached",
				"try again in a while" },
	[FAULT_AUTH] = { "upstream-auth", 0,
			 "the upstream does not accept the gate's credential",
			 "tell the gate's operator" },
	[FAULT_HOST_KEY] = { "upstream-host-key", 0,
			     "the upstream does not prove that it is the "
			     "server that the gate knows",
			     "tell the gate's operator" },
	[FAULT_AGENT] = { "upstream-agent", 1,
			  "the gate's SSH agent is not available",
			  "try again in a while, or tell the gate's operator" },
	[FAULT_TOKEN] = { "upstream-token", 1,
			  "the gate cannot get its token for the upstream",
			  "try again in a while, or tell the gate's operator" },
	[FAULT_NOT_FOUND] = { "upstream-not-found", 0,
			      "the upstream has no such repository, or not "
			      "for this gate",
			      "check the name, or tell the gate's operator" },
	[FAULT_FORBIDDEN] = { "upstream-forbidden", 0,
			      "the upstream does not let the gate's account "
			      "do this; it may have been made private",
			      "tell the gate's operator" },
	[FAULT_MOVED] = { "upstream-moved", 0,
			  "the upstream says that the repository has moved",
			  "use its new name, or tell the gate's operator" },
	[FAULT_REJECTED] = { "upstream-rejected", 0,
			     "the upstream refused the push",
			     "see the upstream's own words above" },
	[FAULT_STALE] = { "upstream-stale", 1,
			  "a reference has moved on the upstream meanwhile",
			  "fetch, integrate the change and push again" },
	[FAULT_NOT_ATOMIC] = { "upstream-not-atomic", 0,
			       "the upstream cannot take several references as "
			       "one, so that all or none would change",
			       "push one reference at a time" },
	[FAULT_UNKNOWN] = { "upstream-unknown", 1,
			    "the connection to the upstream was lost, and "
			    "whether it took the push is not known",
			    "fetch to see, and push again" },
	[FAULT_NO_SPACE] = { "upstream-no-space", 1,
			     "there is no space left on the gate or upstream",
			     "tell the gate's operator" },
	[FAULT_TIMEOUT] = { "upstream-timeout", 1,
			    "the upstream did not answer in time",
			    "try again in a while" },
	[FAULT_BUSY] = { "overloaded", 1,
			 "the gate is busy with this repository",
			 "try again in a moment" },
	[FAULT_LOCAL] = { "gate-fault", 0, "the gate itself has a fault",
			  "tell the gate's operator" },
	[FAULT_OTHER] = { "upstream-error", 0,
			  "the upstream gave an answer that the gate does not "
			  "know",
			  "tell the gate's operator" },
};

const struct fault_text *fault_text(enum fault_kind kind)
{
	if ((unsigned)kind >= FAULT_KINDS)
		kind = FAULT_OTHER;
	return &texts[kind];
}
