/*
 * Reading a request's body. Takes an accepted request, gives every byte,
 * inflated, to a sink and says how it ended; never takes a broken connection
 * for a complete body, nor waits longer than the session has time.
 */
#include "body.h"

#include <errno.h>
#include <fcgiapp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "gunzip.h"
#include "session.h"

/*
 * What git sends in gzip, names and ids in hexadecimal, becomes about twice as
 * large; a pack hardly at all. More than this is meant to fill a disk.
 */
#define RATIO 64
#define RATIO_FROM (1 << 20)
/* libfcgi reads so much at once. */
#define CHUNK 8192

struct reader {
	const struct body *body;
	body_sink *sink;
	void *arg;
	struct gunzip *gunzip;   /* NULL: plain */
	struct timeval patience; /* the socket's own receive time-out */
	int shorter;             /* the socket has less now: the session's */
	uint64_t got, given;     /* bytes that came, and that the sink got */
	enum body_end end;       /* when not to read on, why */
};

static int64_t ms_of(const struct timeval *tv)
{
	return (int64_t)tv->tv_sec * 1000 + tv->tv_usec / 1000;
}

static void set_patience(struct reader *r, const struct timeval *tv)
{
	setsockopt(r->body->fcgi->ipcFd, SOL_SOCKET, SO_RCVTIMEO, tv,
		   sizeof(*tv));
}

/*
 * The next wait is no longer than what is left of the session's time. Where
 * nothing is left there is no wait: returns -1.
 */
static int bound_wait(struct reader *r)
{
	int left = session_left(r->body->session);
	int64_t own = ms_of(&r->patience);
	struct timeval tv = { .tv_sec = left / 1000,
			      .tv_usec = left % 1000 * 1000 };

	if (left <= 0)
		return -1;
	if (own > 0 && left >= own)
		return 0;
	r->shorter = 1;
	set_patience(r, &tv);
	return 0;
}

/*
 * What is there, at least one byte unless it is the end: returns how many.
 * FCGX_GetStr waits for all that it is asked for, which a client that sends a
 * byte now and then could stretch for hours; so the first byte makes libfcgi
 * read once, and then what that read has brought is taken.
 */
static size_t read_some(FCGX_Stream *in, char chunk[CHUNK])
{
	int c = FCGX_GetChar(in), n;

	if (c < 0)
		return 0;
	chunk[0] = (char)c;
	n = (int)(in->stop - in->rdNext);
	if (n > CHUNK - 1)
		n = CHUNK - 1;
	return 1 + (size_t)FCGX_GetStr(chunk + 1, n, in);
}

/* Plain bytes on their way to the sink. */
static int give(void *arg, const void *data, size_t n)
{
	struct reader *r = arg;

	r->given += n;
	if (r->given > r->body->max)
		r->end = BODY_TOO_LARGE;
	else if (r->given > RATIO_FROM && r->given / RATIO > r->got)
		r->end = BODY_BOMB;
	else if (r->sink(r->arg, data, n) < 0)
		r->end = BODY_STOPPED;
	return r->end == BODY_COMPLETE ? 0 : -1;
}

static int take(struct reader *r, const char *data, size_t n)
{
	const struct body *b = r->body;

	r->got += n;
	session_count(b->session, n, 0);
	/* gzip can say nothing at any length */
	if (r->got > b->max)
		r->end = BODY_TOO_LARGE;
	else if (b->length >= 0 && r->got > (uint64_t)b->length)
		r->end = BODY_TOO_LONG;
	else if (r->gunzip == NULL)
		return give(r, data, n);
	else if (gunzip_feed(r->gunzip, data, n, give, r) == GUNZIP_DAMAGED)
		r->end = BODY_DAMAGED;
	return r->end == BODY_COMPLETE ? 0 : -1;
}

/* Nothing more came: is it the end? */
static enum body_end judge(struct reader *r)
{
	const struct body *b = r->body;
	int error = FCGX_GetError(b->fcgi->in);
	int complete = error == 0 &&
		       (b->length < 0 || r->got == (uint64_t)b->length);

	if (!complete && session_was_shed(b->session))
		return BODY_SHED;
	/* the watchdog shuts the connection of one whose time was cut short */
	if (!complete && session_left(b->session) == 0)
		return BODY_OVER;
	if (error == EAGAIN || error == EWOULDBLOCK)
		return r->shorter ? BODY_OVER : BODY_SILENT;
	if (!complete)
		return BODY_CUT;
	if (r->gunzip != NULL &&
	    gunzip_feed(r->gunzip, "", 0, give, r) != GUNZIP_DONE)
		return BODY_DAMAGED;
	return BODY_COMPLETE;
}

static void read_all(struct reader *r)
{
	FCGX_Stream *in = r->body->fcgi->in;
	char chunk[CHUNK];
	size_t n;

	do {
		/* with some in libfcgi's hands there is nothing to wait for */
		if (in->rdNext == in->stop && bound_wait(r) < 0) {
			r->end = BODY_OVER;
			return;
		}
		n = read_some(in, chunk);
		if (n == 0)
			r->end = judge(r);
	} while (n > 0 && take(r, chunk, n) == 0);
}

enum body_end body_read(const struct body *body, body_sink *sink, void *arg)
{
	struct reader r = { .body = body, .sink = sink, .arg = arg };
	socklen_t n = sizeof(r.patience);

	if (body->length >= 0 && (uint64_t)body->length > body->max)
		return BODY_TOO_LARGE;
	if (getsockopt(body->fcgi->ipcFd, SOL_SOCKET, SO_RCVTIMEO, &r.patience,
		       &n) < 0)
		return BODY_CUT;
	if (body->gzip)
		r.gunzip = gunzip_new();
	read_all(&r);
	gunzip_free(r.gunzip);
	if (r.shorter)
		set_patience(&r, &r.patience);
	return r.end;
}
