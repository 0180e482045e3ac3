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
enum body_end {
	BODY_COMPLETE = 0,
	BODY_CUT,       /* the client left, or sent less than it said */
	BODY_SILENT,    /* the client sent nothing for too long */
	BODY_TOO_LARGE, /* more than max, or than it said */
	BODY_STOPPED,   /* the sink said so; the rest was not read */
};

/* Returns 0, or -1 to stop. */
typedef int body_sink(void *arg, const void *data, size_t n);

/*
 * Read all of it into sink (NULL: thrown away, which still bounds it).
 * length is -1 where the client gave none.
 */
enum body_end body_read(struct FCGX_Request *fcgi, int64_t length,
			uint64_t max, struct session *session,
			body_sink *sink, void *arg);

#endif
