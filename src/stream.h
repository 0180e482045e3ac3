#ifndef STREAM_H
#define STREAM_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct session;

/*
 * The answer of a backend on its way: records of FCGI_STDOUT (FastCGI
 * specification, 5.3 and 3.3), sent with a bound on every wait. Nothing else
 * is written to the connection meanwhile. Should we be killed meanwhile, the
 * witness breaks it; who closes the connection tells it before (witness_done).
 */
struct stream {
	int fd;
	unsigned id;            /* of the request */
	struct session *session;
	int64_t write_ms;       /* the client takes nothing for so long */
	unsigned char head[8];  /* of the record that is being sent */
	const char *data;       /* what of it is not sent, head first */
	size_t head_left, data_left;
	int begun;              /* the witness knows of it */
};

enum stream_end {
	STREAM_OK = 0,
	STREAM_LATE, /* it took nothing for write_ms */
	STREAM_OVER, /* the session's time is over */
	STREAM_GONE, /* the client left */
};

/*
 * Send all of data. Unless STREAM_OK is returned, data must stay where it is
 * until stream_break, for a record of it may be half sent.
 */
enum stream_end stream_send(struct stream *s, const char *data, size_t n);

/* The same in records as large as there may be, for who has much at once. */
enum stream_end stream_send_large(struct stream *s, const char *data,
				   size_t n);

/*
 * Send an answer that is all there, and nothing else. A small one goes in one
 * piece, which nothing can cut: the witness need not know.
 */
enum stream_end stream_send_whole(struct stream *s, const char *data,
				   size_t n);

/*
 * End an answer that cannot be ended, so that the web server does not take it
 * for whole: the rest of the record that is being sent, last (may be empty),
 * and a record that is none. Never waits. Nothing can be sent after this.
 */
void stream_break(struct stream *s, const struct buf *last);

#endif
