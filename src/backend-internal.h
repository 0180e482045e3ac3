#ifndef BACKEND_INTERNAL_H
#define BACKEND_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"
#include "child.h"

struct backend_run;
struct config;

/* What the files of backend share; nobody else includes this. */

/* One read: what a pipe holds (pipe(7)). */
#define BACKEND_CHUNK 65536

/* backend-words.c: its standard error. */
struct backend_words {
	int fd; /* our end; -1: closed */
	struct buf line;
	int lines;
	const char *limit; /* which it ran into, in words; or NULL */
};

/* backend-feed.c: its input, through a pipe. */
struct backend_feed {
	int to;       /* our end of a pipe; -1: it gets no more that way */
	int from;     /* the file */
	off_t at;     /* how much it has got */
	uint64_t end; /* where the file ends, once that is known */
	int is_read;  /* to that end */
};

/* Returns the other end, the caller's to close, or -1 with errno set. */
int backend_feed_open(struct backend_feed *f);
/* Never waits: as much as it takes of what is there. */
void backend_feed_to(struct backend_feed *f, uint64_t upto);
/*
 * The same up to the end, which is known. Returns 1 once all of it has been
 * read, and the pipe is closed; else 0.
 */
int backend_feed_rest(struct backend_feed *f);
/* Is nothing left to do but to see that it has been read? No poll(2) tells. */
int backend_feed_waits(const struct backend_feed *f);

/* One that runs. */
struct backend {
	struct backend_run *run;
	struct child child;
	struct backend_feed feed;
	int out;         /* our end; -1: closed */
	struct backend_words words;
	struct buf head; /* until it has been sent */
	int head_sent, client_gone;
	int64_t quiet_until; /* the backend must say something before */
	int64_t silence_ms, forward_ms, total_ms;
	int extended; /* by forward_ms, once */
};

/* What [backend] bounds of a git that answers. */
struct child_limits backend_limits(const struct config *c);

/* Where the body begins in head, or 0 while the header is not whole. */
size_t backend_head_end(const struct buf *head);

/*
 * Turn the CGI header, the first end bytes of head, into ours, with more
 * (lines, each with CRLF) added. Returns 0; -1 when its status is not 200: such
 * an answer has no body that git would show, ours has.
 */
int backend_head_make(const struct buf *head, size_t end, const char *more,
		      struct buf *out);

void backend_words_read(struct backend_words *w);
/* What is left; never waits. */
void backend_words_rest(struct backend_words *w);
void backend_words_clear(struct backend_words *w);

/* backend-send.c: why it went wrong; the first reason counts. */
void backend_fail(struct backend *b, const char *reason);
void backend_fail_over(struct backend *b);
/*
 * Send what it said. Returns -1 when the client is no longer there, or is not
 * to get more.
 */
int backend_send(struct backend *b, const char *data, size_t n);
/*
 * Send the header once it is whole, with the body's first bytes; an empty
 * body is one when the output has ended and all went well (may_be_empty).
 */
int backend_send_head(struct backend *b, int may_be_empty);

#endif
