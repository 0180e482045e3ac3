#ifndef KEEPER_H
#define KEEPER_H

struct workers;

/*
 * The thread of the responder that looks after mirrors while it is quiet:
 * repacks them, one at a time, and removes those that nobody uses, as
 * [maintenance] says. It sleeps until there is something to do.
 */
struct keeper;

/* Returns NULL, logged, on failure. */
struct keeper *keeper_start(struct workers *w);

/* The configuration was read anew. */
void keeper_reload(void);

/* What it does is to end; it begins nothing any more. Does not wait. */
void keeper_stop(void);

/* After that: wait up to timeout_ms. Returns 0, and it is freed, or -1. */
int keeper_join(struct keeper *k, int timeout_ms);

#endif
