#ifndef DESK_H
#define DESK_H

struct workers;

/*
 * What is asked of the responder at STATE/control, by its own user only. A
 * connection is one request, a line, and its answer, to the end:
 *
 *   status       the sessions under way, the mirrors, what is parked
 *   sync NAME    ask the upstream now: "ok NAME" or "failed CODE SENTENCE"
 *                (GIT'S WORDS)
 *
 * and of git-gate-askpass, under a key that it makes of an upstream's
 * settings (vault.h):
 *
 *   token KEY    "have TOKEN"; "mint": make one; or "wait": another does
 *   renew KEY    likewise, when the upstream did not accept the token
 *   keep KEY UNTIL TOKEN
 *                keep it until then, UNIX seconds
 *   loose KEY    tokens of this upstream cannot be kept
 *
 * and by what tokens are known in an upstream's words (veil.h):
 *
 *   mark NAME MARK...
 *                of a token that the upstream's git gets now
 *   marks NAME   of the last ones
 *
 * Each connection has a thread of its own, few at a time, so that none keeps
 * the responder or the others waiting; whoever comes above that reads "busy".
 */
struct desk;

struct desk *desk_open(struct workers *w);

/* Serve this connection; it is taken over. */
void desk_take(struct desk *d, int fd);

/* Wait up to timeout_ms for all to end. Returns 0, and it is freed, or -1. */
int desk_close(struct desk *d, int timeout_ms);

#endif
