#ifndef DESK_H
#define DESK_H

struct workers;

/*
 * What is asked of the responder at STATE/control, by its own user only. A
 * connection is one request, a line, and its answer, to the end:
 *
 *   status       the sessions under way
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
