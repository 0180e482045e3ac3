#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

struct buf;
struct config;

/*
 * Two sockets in STATE, which only the operator's user can open:
 *   control  stream: what desk.h answers, one request a connection
 *   notes    datagrams from our hooks: stages, log and audit lines
 */
struct control {
	int stream_fd;
	int notes_fd;
	int was_left; /* an earlier responder did not end by itself */
	char *stream_path;
	char *notes_path;
};

#define CONTROL_INIT { .stream_fd = -1, .notes_fd = -1 }

/* The responder's side. Returns 0, or -1, logged. */
int control_open(struct control *ctl, const struct config *c);
/* Take a connection at the stream socket: a descriptor, or -1: none waits. */
int control_accept(struct control *ctl);
/* Take the waiting notes: log lines are logged, the rest the caller is told. */
struct control_listener {
	void (*stage)(const char *id, const char *stage);
	/* 1; 0: not yet; -1: no */
	int (*may_forward)(const char *id);
	int (*is_whole)(const char *id);
};
void control_take_notes(struct control *ctl,
			const struct control_listener *listener);
void control_close(struct control *ctl);

/*
 * The other side: one request, a line as desk.h has it, and its whole answer.
 * timeout_ms bounds each silence. Returns 0, or -1: nobody answers, which is
 * logged unless quiet.
 */
int control_ask(const struct config *c, const char *request, int timeout_ms,
		int quiet, struct buf *out);

/*
 * From a hook, before the first byte goes to the upstream: may it? The
 * responder then finishes what was begun whatever the client does. Waits for
 * a refresh of the mirror to end, up to timeout_ms. Returns 1; 0: it still
 * runs; -1: the session has ended, or nobody answers (logged).
 */
int control_may_forward(const struct config *c, const char *id,
			int64_t timeout_ms);
/*
 * From a hook whose push is large (GIT_GATE_AHEAD): has git read the request to
 * its end? As above, 0: more of it may still come, or stands behind the pack.
 */
int control_is_whole(const struct config *c, const char *id,
		     int64_t timeout_ms);

/*
 * From a hook: "stage ID scan", "log ID LEVEL text"; may get lost. Returns 0,
 * or -1: no responder took it.
 */
int control_note(const struct config *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
