#ifndef SHARE_H
#define SHARE_H

#include <stdint.h>
#include <sys/types.h>

struct config;
struct config_upstream;

/*
 * Connections to upstreams over ssh that outlive one operation: a master, an
 * ssh(1) in the background, holds one, and sessions go over it by the protocol
 * of its control socket (OpenSSH, PROTOCOL.mux, version 4). A socket is at
 * STATE/ssh/HASH, where HASH is over all that makes the connection, so that
 * another configuration never uses it. To run a command:
 *
 *   1. struct share s = SHARE_INIT; share_open().
 *   2. share_take(): 1, there is a master, alive and not too old.
 *   3. If not, share_begin(); when that gives 1, start the master with
 *      ControlPath = s.path and SHARE_MARK=s.path in its environment, then
 *      share_begun(), and 2 again.
 *   4. share_run() with what 2 took; whenever it does not say SHARE_DONE the
 *      upstream has seen nothing of standard input, and another connection
 *      can be used in its place.
 *   5. share_close().
 */
struct share {
	const struct config_upstream *u;
	char *path;   /* of the control socket; NULL: nothing is shared */
	char *begin;  /* of the file that is locked while a master starts */
	int lock, fd; /* fd: to the master that was taken */
	pid_t master;
};

#define SHARE_INIT { .lock = -1, .fd = -1 }
#define SHARE_MARK "GIT_GATE_SHARE"

/* Returns 0, or -1: connections of this upstream are not shared. */
int share_open(struct share *s, const struct config *c,
	       const struct config_upstream *u);

/*
 * A master that answers: 1; 0: there is none. One that is stopped is killed;
 * one that is too old, or older than a file that it was made with, takes no
 * new session from then on. Bounded by about a second.
 */
int share_take(struct share *s);

/*
 * To start a master: 1, nobody else does until share_begun() or share_close(),
 * and no socket is in the way. 0: another has just done it, or tries
 * still after some seconds, or it cannot be done here (logged).
 */
int share_begin(struct share *s);
void share_begun(struct share *s);

/* What became of a session. */
enum share_end {
	SHARE_DONE,    /* *status is the command's */
	SHARE_REFUSED, /* no further session on that connection */
	SHARE_LOST,    /* no byte came, and none will: the master is retired */
	SHARE_STUCK,   /* neither, and the master may yet read our input */
};

/*
 * Run a command of the upstream on standard input, output and error. protocol:
 * GIT_PROTOCOL for it, or NULL. Lasts as long as the command does, or until
 * our parent has gone.
 */
enum share_end share_run(struct share *s, const char *command,
			 const char *protocol, int *status);

/* Harmless when done twice. */
void share_close(struct share *s);

/*
 * End all masters of a state directory, whoever made them, and remove what
 * they left. To be called when nothing uses them: at a responder's start and
 * end. Returns in some seconds.
 */
void share_end_all(const struct config *c);

#endif
