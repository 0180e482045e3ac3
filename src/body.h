#ifndef BODY_H
#define BODY_H

#include <stddef.h>
#include <stdint.h>

struct FCGX_Request;
struct session;

/*
 * A request's body, to its end: libfcgi shows a broken connection as end of
 * file, so the end is believed only when no error was met and, where the
 * client gave a length, all of it came.
 */
struct body {
	struct FCGX_Request *fcgi; /* its socket has a receive time-out */
	struct session *session;   /* whose time bounds each wait, too */
	int64_t length; /* as the client said, of what comes; -1: it did not */
	uint64_t max;   /* bytes that may come, and that the sink may get */
	int gzip;       /* it is compressed: the sink gets it inflated */
};

enum body_end {
	BODY_COMPLETE = 0,
	BODY_CUT,       /* the client left, or sent less than it said */
	BODY_SILENT,    /* the client sent nothing for too long */
	BODY_OVER,      /* the session's time is over */
	BODY_SHED,      /* the session was ended to make room for others */
	BODY_TOO_LONG,  /* more than it said; the rest was not read */
	BODY_TOO_LARGE, /* more than max; likewise */
	BODY_BOMB,     /* inflates to far more than anything of git's */
	BODY_DAMAGED,   /* not gzip, or not all of it; likewise */
	BODY_STOPPED,   /* the sink said so; likewise */
};

/* Returns 0, or -1 to stop. */
typedef int body_sink(void *arg, const void *data, size_t n);

/* Read all of it into sink. */
enum body_end body_read(const struct body *body, body_sink *sink, void *arg);

#endif
