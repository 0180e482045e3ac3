#ifndef REFUSAL_H
#define REFUSAL_H

#include "fault.h"

/* Why a client does not get what it asked for, in words and for programs. */
struct refusal {
	int status;           /* HTTP status where HTTP can say it */
	const char *code;     /* stable, machine-readable: "denied" */
	int retry;            /* worth trying again */
	int retry_after;      /* seconds, 0 for none */
	const char *sentence; /* what and why; cleaned where it is shown */
	const char *remedy;   /* what to do, or NULL */
	const char *ref;      /* the reference meant, or NULL for all */
	const char *ref_reason; /* for its "ng" line, or NULL: code */
};

/* Those that need no words of the moment; git-gated(8) lists the codes. */
extern const struct refusal refusal_bad_request;
extern const struct refusal refusal_not_found; /* and for what is hidden */
extern const struct refusal refusal_dumb_protocol;
extern const struct refusal refusal_bad_method;
extern const struct refusal refusal_overloaded; /* by this repository */
extern const struct refusal refusal_full;       /* the gate as a whole */
extern const struct refusal refusal_share;      /* this client */
extern const struct refusal refusal_late;       /* waited for a place */
extern const struct refusal refusal_shed;       /* made room for others */
extern const struct refusal refusal_internal;
extern const struct refusal refusal_cannot_scan;
extern const struct refusal refusal_too_large;
extern const struct refusal refusal_timed_out;  /* nothing more came */
extern const struct refusal refusal_untaken;    /* the answer */
extern const struct refusal refusal_over;       /* the session's time */
extern const struct refusal refusal_stopping;   /* the gate is */
extern const struct refusal refusal_limit;      /* of [backend] */
extern const struct refusal refusal_silent;     /* the backend's */
extern const struct refusal refusal_cut;        /* body shorter than said */
extern const struct refusal refusal_too_long;   /* body longer than said */
extern const struct refusal refusal_behind;   /* more than a pack */
extern const struct refusal refusal_damaged;    /* body is not gzip */
extern const struct refusal refusal_encoding;   /* some other encoding */
extern const struct refusal refusal_no_push;   /* may fetch only */
extern const struct refusal refusal_no_change; /* sentence and ref are set */

/* The one for a fault of the upstream side; constants only. */
void refusal_of_fault(enum fault_kind kind, struct refusal *out);

#endif
