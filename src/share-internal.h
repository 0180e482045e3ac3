#ifndef SHARE_INTERNAL_H
#define SHARE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the files share*.c have in common; nobody else includes this. */

/* Messages of PROTOCOL.mux; those of a client are numbered, by us from 1. */
enum mux {
	MUX_HELLO = 0x00000001,
	MUX_C_NEW_SESSION = 0x10000002,
	MUX_C_ALIVE_CHECK = 0x10000004,
	MUX_C_TERMINATE = 0x10000005,
	MUX_C_STOP_LISTENING = 0x10000009,
	MUX_S_OK = (int)0x80000001,
	MUX_S_PERMISSION_DENIED = (int)0x80000002,
	MUX_S_FAILURE = (int)0x80000003,
	MUX_S_EXIT_MESSAGE = (int)0x80000004,
	MUX_S_ALIVE = (int)0x80000005,
	MUX_S_SESSION_OPENED = (int)0x80000006,
};
#define MUX_VERSION 4

/* How long a master may take to answer what needs no network. */
#define SHARE_ANSWER_MS 500

/* One message: a type, and numbers and strings that follow it. */
struct mux_message {
	unsigned char data[8192];
	size_t len, at;
};

/*
 * Connect and exchange hellos. Returns a descriptor, or -1 with errno set:
 * ENOENT and ECONNREFUSED when no process listens there.
 */
int share_mux_open(const char *path, int64_t deadline);

/* Is it alive? Returns its process id, or -1 with errno set. */
pid_t share_mux_alive(int fd, int64_t deadline);

/* An order that is answered with MUX_S_OK. Returns 0, or -1. */
int share_mux_order(int fd, enum mux what, int64_t deadline);

/* To build a message, and to send it. 0, or -1 with errno set. */
void share_mux_begin(struct mux_message *m, enum mux type);
void share_mux_number(struct mux_message *m, uint32_t n);
int share_mux_string(struct mux_message *m, const char *s);
int share_mux_send(int fd, struct mux_message *m, int64_t deadline);
/* Pass on a descriptor, as the master expects it after MUX_C_NEW_SESSION. */
int share_mux_pass(int fd, int passed, int64_t deadline);

/* Receive one message; its type is read already. 0, or -1 with errno set. */
int share_mux_receive(int fd, struct mux_message *m, enum mux *type,
		      int64_t deadline);
/* The next number in it; 0 when there is none. */
uint32_t share_mux_next(struct mux_message *m);

/*
 * Kill the masters of a control socket that are stopped. Returns 1 when there
 * was one, 0 when none.
 */
int share_kill_stopped(const char *path);

int share_is_stopped(pid_t pid); /* one process */

/* SIGTERM, and SIGKILL later, to all masters whose mark begins so. */
void share_end_marked(const char *text);

/* Tell the master of a socket to take no new session; kill it when it is
   stopped. Returns 0, or -1: it does not answer, and may still run. */
int share_retire(const char *path, int timeout_ms);

#endif
