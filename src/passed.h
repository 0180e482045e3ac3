#ifndef PASSED_H
#define PASSED_H

#include <stddef.h>

struct config;
struct updates;

/*
 * The proof that a push was judged: git runs a push without its pre-receive
 * when that file is gone, and says nothing. So pre-receive leaves a note of
 * the updates that passed, STATE/passed/ID, and git, told to leave all
 * references to a proc-receive hook, without which it refuses, updates them
 * only when that hook finds the same updates in the note. A line of one that
 * the upstream did not take ends with " refused REASON".
 */

/*
 * From pre-receive: these updates pass, but for those that have a reason.
 * Replaces an earlier note of this id. Returns 0, or -1, logged: there is none.
 */
int passed_write(const struct config *c, const char *id,
		 const struct updates *u);

/*
 * From proc-receive: take the note, so that it counts once. Returns the
 * updates in u, or -1, logged: there is none.
 */
int passed_take(const struct config *c, const char *id, struct updates *u);

/* From the responder, when the session ends: whatever was left. */
void passed_remove(const struct config *c, const char *id);

/* From the responder, at start: whatever an earlier process left. */
void passed_clean(const struct config *c);

#endif
