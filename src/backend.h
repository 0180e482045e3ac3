#ifndef BACKEND_H
#define BACKEND_H

#include <stdint.h>
#include "packets.h"
#include "stream.h"

struct backend;
struct buf;
struct config;
struct env;
struct refusal;
struct session;

/*
 * The git that answers: its input from the spool, its output streamed to the
 * client as it comes, its standard error to the log. In a process group of
 * its own, with a bound on every wait, always reaped.
 */
enum backend_end {
	BACKEND_DONE = 0,   /* it answered, and the answer went out */
	BACKEND_SILENT,     /* nothing has been sent: the caller may reply */
	BACKEND_CUT,        /* the answer was begun and could not be ended */
	BACKEND_GONE,       /* the client left */
};

struct backend_run {
	const char *const *argv; /* what is run, by its absolute path */
	const char *preset; /* of its answer, before its output, or "" */
	struct env *env;
	int in;              /* its standard input, at the start */
	int fed;             /* from that file, of which all may not be there */
	int client;          /* descriptor of the FastCGI connection */
	unsigned id;         /* the request's in it */
	int may_be_empty;    /* no answer at all is one, to a lone flush */
	int is_push;
	const char *headers; /* more response headers, each with CRLF, or "" */
	/* a packet for the side-band of a fetch, where there is one, or NULL */
	const struct buf *note;
	/* gets what is sent to the client, header and all; or NULL */
	void (*copy)(void *arg, const char *data, size_t n);
	void *copy_arg;
	struct session *session;
	const char *reason;  /* set: why, where something failed; a constant */
	/* set: for the client, or NULL; with BACKEND_DONE: git has said so */
	const struct refusal *refusal;
	struct packets packets; /* set: how far the answer came */
	int spoke;           /* set: it said something to the log */
	/* set with BACKEND_DONE: the caller sends the flush at its end */
	int held;
	struct stream stream;   /* set: likewise, for stream_break */
	/* what of the answer is under way; the caller frees it at the end */
	char *chunk;
};

/*
 * Start it: argv, preset, env and in are used, what else run has must live on.
 * Returns NULL, logged, with run->reason, where that cannot be.
 */
struct backend *backend_start(const struct config *c, struct backend_run *run);
/*
 * Of one that is fed: give it what it takes of the first upto bytes.
 * Never waits; that it reads no more shows at its end.
 */
void backend_feed(struct backend *b, uint64_t upto);
/*
 * To its end, with all of its input there, so many bytes: sends what it says.
 * Of one that is fed the session is told when it has read all of them. Logs
 * what goes wrong; frees it.
 */
enum backend_end backend_end(struct backend *b, uint64_t length);
/* Instead: end it at once, unheard. Before its input is whole, for then no
 * hook forwards. Frees it. */
void backend_abandon(struct backend *b);

/*
 * The same without a client, of at most max bytes: argv, a preset that is a
 * whole header, env and copy are used. Returns 0 when git answered, ended well
 * and said nothing else; else -1, and copy may have got nothing.
 */
int backend_apart(const struct config *c, const struct backend_run *run,
		  size_t max, int timeout_ms);

#endif
