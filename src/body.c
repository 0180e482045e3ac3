/*
 * Reading a request's body. Takes an accepted request whose socket has a
 * receive time-out, gives every byte to a sink and says how it ended; never
 * takes a broken connection for a complete body.
 */
#include "body.h"

#include <errno.h>
#include <fcgiapp.h>

#include "session.h"

/* libfcgi's own buffer is 8 KiB; FCGX_GetStr waits for all that it is asked. */
#define CHUNK 8192

static enum body_end judge(struct FCGX_Request *fcgi, int64_t length,
			   uint64_t got)
{
	int error = FCGX_GetError(fcgi->in);

	if (error == EAGAIN || error == EWOULDBLOCK)
		return BODY_SILENT;
	if (error != 0 || (length >= 0 && got < (uint64_t)length))
		return BODY_CUT;
	if (length >= 0 && got > (uint64_t)length)
		return BODY_TOO_LARGE;
	return BODY_COMPLETE;
}

enum body_end body_read(struct FCGX_Request *fcgi, int64_t length,
			uint64_t max, struct session *session,
			body_sink *sink, void *arg)
{
	char chunk[CHUNK];
	uint64_t got = 0;
	int n;

	if (length >= 0 && (uint64_t)length > max)
		return BODY_TOO_LARGE;
	do {
		n = FCGX_GetStr(chunk, sizeof(chunk), fcgi->in);
		if (n <= 0)
			break;
		got += (uint64_t)n;
		session_count(session, (uint64_t)n, 0);
		if (got > max)
			return BODY_TOO_LARGE;
		if (sink != NULL && sink(arg, chunk, (size_t)n) < 0)
			return BODY_STOPPED;
	} while (n == CHUNK);
	return judge(fcgi, length, got);
}
