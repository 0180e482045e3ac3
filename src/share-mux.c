/*
 * The control socket of an ssh master: messages of PROTOCOL.mux, built, sent
 * and received, each within a deadline. Takes bytes from the master, which is
 * an ssh of ours; believes no length, and never waits without a bound.
 */
#include "share-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "local.h"

/* A full queue of connections: how long until the next attempt. */
#define AGAIN_MS 10

/* Returns 0 when fd is ready, or -1, errno set. */
static int ready(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	while (poll(&p, 1, clock_left(deadline)) <= 0)
		if (clock_left(deadline) == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
	return 0;
}

static int again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static int send_all(int fd, const void *data, size_t n, int64_t deadline)
{
	const char *p = data;
	ssize_t sent;

	while (n > 0) {
		if (ready(fd, POLLOUT, deadline) < 0)
			return -1;
		sent = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && !again())
			return -1;
		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
		}
	}
	return 0;
}

static int receive_all(int fd, void *data, size_t n, int64_t deadline)
{
	char *p = data;
	ssize_t got;

	while (n > 0) {
		if (ready(fd, POLLIN, deadline) < 0)
			return -1;
		got = recv(fd, p, n, MSG_DONTWAIT);
		if (got == 0)
			errno = ECONNRESET;
		if (got == 0 || (got < 0 && !again()))
			return -1;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return 0;
}

static void put_u32(unsigned char *p, uint32_t n)
{
	p[0] = (unsigned char)(n >> 24);
	p[1] = (unsigned char)(n >> 16);
	p[2] = (unsigned char)(n >> 8);
	p[3] = (unsigned char)n;
}

static uint32_t get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* The first four bytes are the length of the rest. */
void share_mux_begin(struct mux_message *m, enum mux type)
{
	m->len = 4;
	share_mux_number(m, (uint32_t)type);
}

void share_mux_number(struct mux_message *m, uint32_t n)
{
	/* what is built here is short, but for one string, which is checked */
	if (m->len + 4 > sizeof(m->data))
		return;
	put_u32(m->data + m->len, n);
	m->len += 4;
}

int share_mux_string(struct mux_message *m, const char *s)
{
	size_t n = strlen(s);

	if (n > sizeof(m->data) - m->len - 4 - 256) {
		errno = EMSGSIZE;
		return -1;
	}
	share_mux_number(m, (uint32_t)n);
	memcpy(m->data + m->len, s, n);
	m->len += n;
	return 0;
}

int share_mux_send(int fd, struct mux_message *m, int64_t deadline)
{
	put_u32(m->data, (uint32_t)(m->len - 4));
	return send_all(fd, m->data, m->len, deadline);
}

int share_mux_pass(int fd, int passed, int64_t deadline)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	char byte = '\0';
	struct iovec io = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
	for (;;) {
		if (ready(fd, POLLOUT, deadline) < 0)
			return -1;
		if (sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
			return 0;
		if (!again())
			return -1;
	}
}

int share_mux_receive(int fd, struct mux_message *m, enum mux *type,
		      int64_t deadline)
{
	if (receive_all(fd, m->data, 4, deadline) < 0)
		return -1;
	m->len = get_u32(m->data);
	m->at = 0;
	if (m->len < 4 || m->len > sizeof(m->data)) {
		errno = EPROTO;
		return -1;
	}
	if (receive_all(fd, m->data, m->len, deadline) < 0)
		return -1;
	*type = (enum mux)share_mux_next(m);
	return 0;
}

uint32_t share_mux_next(struct mux_message *m)
{
	uint32_t n;

	if (m->len - m->at < 4)
		return 0;
	n = get_u32(m->data + m->at);
	m->at += 4;
	return n;
}

static int connect_to(const char *path, int64_t deadline)
{
	struct sockaddr_un sa;
	int fd, saved;

	if (local_address(&sa, path))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	while (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		/* its queue is full: it may be busy, or stopped */
		if (errno == EAGAIN && clock_left(deadline) > 0) {
			poll(NULL, 0, AGAIN_MS);
			continue;
		}
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int share_mux_open(const char *path, int64_t deadline)
{
	int fd = connect_to(path, deadline), saved;
	struct mux_message m;
	enum mux type;

	if (fd < 0)
		return -1;
	share_mux_begin(&m, MUX_HELLO);
	share_mux_number(&m, MUX_VERSION);
	if (share_mux_send(fd, &m, deadline) == 0 &&
	    share_mux_receive(fd, &m, &type, deadline) == 0) {
		if (type == MUX_HELLO && share_mux_next(&m) == MUX_VERSION)
			return fd;
		errno = EPROTO;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* One request without more, and its answer, which is of this type. */
static int ask(int fd, enum mux what, enum mux wanted, struct mux_message *m,
	       int64_t deadline)
{
	enum mux type;

	share_mux_begin(m, what);
	share_mux_number(m, 1);
	if (share_mux_send(fd, m, deadline) < 0 ||
	    share_mux_receive(fd, m, &type, deadline) < 0)
		return -1;
	if (type == wanted && share_mux_next(m) == 1)
		return 0;
	errno = EPROTO;
	return -1;
}

pid_t share_mux_alive(int fd, int64_t deadline)
{
	struct mux_message m;

	if (ask(fd, MUX_C_ALIVE_CHECK, MUX_S_ALIVE, &m, deadline) < 0)
		return -1;
	return (pid_t)share_mux_next(&m);
}

int share_mux_order(int fd, enum mux what, int64_t deadline)
{
	struct mux_message m;

	return ask(fd, what, MUX_S_OK, &m, deadline);
}
