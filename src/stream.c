/*
 * A backend's answer, in records, to the web server. Takes bytes, sends them as
 * the client takes them; tells a client that takes nothing from one that has
 * left, and never lets a broken answer look whole.
 */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "buf.h"
#include "clock.h"
#include "session.h"
#include "witness.h"

/* FCGI_VERSION_1 and FCGI_STDOUT of the specification. */
#define FCGI_VERSION 1
#define FCGI_STDOUT_TYPE 6
/* Of one record: what stream_break can still send in one piece. */
#define RECORD_MAX 16384
/* Of one of an answer that is all there: the most, a multiple of 8. What is
   left of one still goes into LAST_ROOM. */
#define RECORD_WHOLE 65528
/* At the end, room for what is left of a record and a few words. */
#define LAST_ROOM (256 << 10)

/* Before what may be cut short: should we be killed, it breaks the answer. */
static void hold(struct stream *s)
{
	if (s->begun)
		return;
	s->begun = s->session->witnessed = 1;
	witness_hold(s->fd, s->id);
}

static void begin_record(struct stream *s, const char *data, size_t n)
{
	s->head[0] = FCGI_VERSION;
	s->head[1] = FCGI_STDOUT_TYPE;
	s->head[2] = (unsigned char)(s->id >> 8);
	s->head[3] = (unsigned char)s->id;
	s->head[4] = (unsigned char)(n >> 8);
	s->head[5] = (unsigned char)n;
	s->head[6] = 0; /* no padding */
	s->head[7] = 0;
	s->head_left = sizeof(s->head);
	s->data = data;
	s->data_left = n;
}

/* One send(2) that does not wait: how much it took, or -1 with errno. */
static ssize_t send_some(struct stream *s)
{
	struct iovec parts[2] = {
		{ .iov_base = s->head + sizeof(s->head) - s->head_left,
		  .iov_len = s->head_left },
		{ .iov_base = (char *)s->data, .iov_len = s->data_left },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t n = sendmsg(s->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	size_t head;

	if (n <= 0)
		return n;
	head = (size_t)n < s->head_left ? (size_t)n : s->head_left;
	s->head_left -= head;
	s->data += (size_t)n - head;
	s->data_left -= (size_t)n - head;
	return n;
}

/* Until there is room for more, or too late. */
static enum stream_end wait_room(const struct stream *s, int64_t until)
{
	/* and one of session_poll's */
	struct pollfd p[2] = { { .fd = s->fd, .events = POLLOUT | POLLRDHUP } };

	if (session_left(s->session) == 0)
		return STREAM_OVER;
	if (clock_left(until) == 0)
		return STREAM_LATE;
	session_poll(s->session, p, 1, clock_left(until));
	return p[0].revents & (POLLRDHUP | POLLHUP | POLLERR) ? STREAM_GONE
							      : STREAM_OK;
}

static enum stream_end send_record(struct stream *s)
{
	int64_t until = clock_ms() + s->write_ms;
	enum stream_end end = STREAM_OK;

	while (end == STREAM_OK && s->head_left + s->data_left > 0) {
		if (send_some(s) >= 0)
			until = clock_ms() + s->write_ms;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			end = wait_room(s, until);
		else if (errno != EINTR)
			end = STREAM_GONE;
	}
	return end;
}

static enum stream_end send_records(struct stream *s, const char *data,
				    size_t n, size_t most)
{
	enum stream_end end = STREAM_OK;

	hold(s);
	while (n > 0 && end == STREAM_OK) {
		size_t some = n < most ? n : most;

		begin_record(s, data, some);
		end = send_record(s);
		data += some;
		n -= some;
	}
	return end;
}

enum stream_end stream_send(struct stream *s, const char *data, size_t n)
{
	return send_records(s, data, n, RECORD_MAX);
}

enum stream_end stream_send_large(struct stream *s, const char *data,
				   size_t n)
{
	return send_records(s, data, n, RECORD_WHOLE);
}

enum stream_end stream_send_whole(struct stream *s, const char *data,
				   size_t n)
{
	if (n > RECORD_MAX)
		return send_records(s, data, n, RECORD_WHOLE);
	begin_record(s, data, n);
	/* a socket that is new has room for that much */
	if (send_some(s) >= 0 && s->head_left + s->data_left == 0)
		return STREAM_OK;
	hold(s);
	return send_record(s);
}

/* Returns 0 when all of the record is on its way. */
static int send_rest(struct stream *s)
{
	while (s->head_left + s->data_left > 0)
		if (send_some(s) < 0 && errno != EINTR)
			return -1;
	return 0;
}

void stream_break(struct stream *s, const struct buf *last)
{
	/*
	 * nginx, unbuffered, takes the end of a connection for that of an
	 * answer, and git then waits for what it thinks it was not sent. A
	 * record of a version that does not exist is an error to it; it is
	 * of FCGI_STDOUT and empty, for those who do not look.
	 */
	static const char broken[8] = { 9, FCGI_STDOUT_TYPE, 0, 1, 0, 0, 0, 0 };
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int room = LAST_ROOM, rc;

	/* the client may have taken nothing for long: room must be made */
	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	rc = send_rest(s);
	if (rc == 0 && last->len > 0) {
		begin_record(s, last->data, last->len);
		rc = send_rest(s);
	}
	if (rc == 0)
		rc = send(s->fd, broken, sizeof(broken),
			  MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
	/* over TCP a reset says it, too, and throws away what is not sent */
	if (rc != 0)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &reset,
			   sizeof(reset));
	else
		shutdown(s->fd, SHUT_WR);
}
