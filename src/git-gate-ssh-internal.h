#ifndef GIT_GATE_SSH_INTERNAL_H
#define GIT_GATE_SSH_INTERNAL_H

#include <stddef.h>

#include "buf.h"

/* What the files git-gate-ssh*.c share; nobody else includes this. */

struct config;
struct config_upstream;
struct env;

/* What git asked for. */
struct asked {
	const char *port;    /* or NULL */
	const char *family;  /* "-4", "-6" or NULL */
	int protocol;        /* GIT_PROTOCOL is to be sent */
	const char *dest;    /* [USER@]HOST */
	const char *command; /* for the upstream's shell */
};

/*
 * Dial the upstream's agent. Returns a connection to it, which the caller
 * closes, or -1, each attempt logged.
 */
int git_gate_ssh_dial(const struct config_upstream *u);

/* Has the agent at the other end gone since? No, if fd is -1. */
int git_gate_ssh_agent_ended(int fd);

/* The arguments of ssh, growing; starts zeroed. */
struct args {
	struct buf bufs[8];
	const char *list[96];
	size_t nr, nr_bufs;
};

/*
 * ssh for this one command; or, where control is a path, for a master with
 * its socket there. Returns 0, or -1, logged: a path that ssh cannot take.
 */
int git_gate_ssh_args(struct args *a, const struct config *c,
		      const struct config_upstream *u,
		      const struct asked *asked, const char *control);
void git_gate_ssh_args_clear(struct args *a);

/*
 * The environment of ssh, from nothing. protocol: GIT_PROTOCOL, or NULL;
 * control: as above, or NULL.
 */
void git_gate_ssh_env(struct env *e, const struct config *c,
		      const char *protocol, const char *control);

#endif
