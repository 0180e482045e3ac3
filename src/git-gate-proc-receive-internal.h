#ifndef GIT_GATE_PROC_RECEIVE_INTERNAL_H
#define GIT_GATE_PROC_RECEIVE_INTERNAL_H

#include <stddef.h>

struct config;
struct update;

/*
 * git-gate-proc-receive-refs.c: the mirror's references become what the
 * upstream has just taken, nr of them; those that cannot are logged, and left
 * to the next refresh.
 */
void proc_move_refs(const struct config *c, const struct update *const *list,
		    size_t nr);

#endif
