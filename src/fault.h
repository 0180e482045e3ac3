#ifndef FAULT_H
#define FAULT_H

#include <stddef.h>

struct buf;

/*
 * Why the upstream could not be asked, or did not take a push; judged from
 * the exit status and words of git and ssh. Pure.
 */
enum fault_kind {
	FAULT_NONE = 0,
	FAULT_UNREACHABLE, /* no route, refused, no such host, cut off */
	FAULT_AUTH,        /* the upstream does not accept our credential */
	FAULT_HOST_KEY,    /* unknown or changed host key */
	FAULT_AGENT,       /* the gate's SSH agent does not answer */
	FAULT_TOKEN,       /* tokenFile or tokenCommand gives no token */
	FAULT_NOT_FOUND,   /* no such repository there, or not for us */
	FAULT_FORBIDDEN,   /* it is there, and our credential may not */
	FAULT_MOVED,       /* the upstream names another address for it */
	FAULT_REJECTED,    /* the upstream refused a reference */
	FAULT_STALE,       /* the lease is lost: the reference moved meanwhile */
	FAULT_NOT_ATOMIC,  /* several references, and no atomic push there */
	FAULT_UNKNOWN,     /* cut off: whether it took the push is not known */
	FAULT_NO_SPACE,    /* here or there */
	FAULT_TIMEOUT,     /* ours: the bound was met */
	FAULT_BUSY,        /* no turn at the mirror in time */
	FAULT_LOCAL,       /* a fault of the gate itself */
	FAULT_OTHER,       /* an answer that we do not know */
	FAULT_KINDS
};

/* What is said of each kind; constants. */
struct fault_text {
	const char *code;     /* stable, machine-readable: "upstream-auth" */
	int retry;            /* worth trying again soon */
	const char *sentence; /* what happened, for the client */
	const char *remedy;   /* what the client can do */
};
const struct fault_text *fault_text(enum fault_kind kind);

/*
 * exit_status: as child_run returns it. words: all that git and ssh wrote on
 * standard error, and of a push also its porcelain lines; cleaned or not.
 */
enum fault_kind fault_judge(int exit_status, const char *words, size_t n);

/*
 * Of the words of a push that failed: it had not begun to send, so that the
 * upstream cannot have taken anything of it.
 */
int fault_is_early(const char *words, size_t n);

/*
 * The words on one line, for the log: joined by "; ", without git's general
 * advice and what follows on any cause, at most some hundred bytes. Appended
 * to out.
 */
void fault_words(const char *words, size_t n, struct buf *out);

#endif
