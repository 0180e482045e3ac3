/*
 * The socket that the web server connects to: opened, inherited, accepted
 * from. Takes a name or descriptors, gives connections whose every read and
 * write has a bound; never leaves one open in a child.
 */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "local.h"
#include "log.h"

/* As nginx's own default; more wait in the web server. */
#define BACKLOG 511
/* What the kernel keeps of an answer for a slow client, twice (socket(7)). */
#define SEND_ROOM (64 << 10)

static int fail(const char *spec, const char *what, int fd)
{
	log_error("%s: %s: %s", spec, what, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* What bind(2) and listen(2) refuse most. */
static int fail_listening(const char *spec, int fd)
{
	const char *remedy = "";

	if (errno == ENOENT)
		remedy = "; make its directory";
	else if (errno == EACCES)
		remedy = "; the gate's user must be able to write in its "
			 "directory, or to use that port";
	else if (errno == EADDRINUSE)
		remedy = "; choose another, or stop who listens there";
	log_error("%s: cannot listen: %s%s", spec, strerror(errno), remedy);
	close(fd);
	return -1;
}

static int answers(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));

	if (fd >= 0)
		close(fd);
	/* a full queue is somebody's too */
	return rc == 0 || errno == EAGAIN;
}

static int open_unix(const char *path)
{
	struct sockaddr_un sa;
	struct stat st;
	int fd;

	if (local_address(&sa, path) < 0) {
		log_error("%s: too long for a socket's name (%zu bytes at "
			  "most)", path, LOCAL_PATH_MAX);
		return -1;
	}
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
		log_error("%s: exists and is not a socket", path);
		return -1;
	}
	if (answers(&sa)) {
		log_error("%s: somebody listens there already", path);
		return -1;
	}
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(path, "socket", fd);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    chmod(path, 0660) < 0 || listen(fd, BACKLOG) < 0)
		return fail_listening(path, fd);
	return fd;
}

static int is_loopback(const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	if (sa->sa_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static int bind_address(const char *spec, const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return fail(spec, "socket", fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return fail_listening(spec, fd);
	if (!is_loopback(ai->ai_addr))
		log_warn("%s: FastCGI has no authentication: whoever can reach "
			 "this address can claim to be any user", spec);
	return fd;
}

static int open_tcp(const char *spec)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST |
					      AI_NUMERICSERV };
	const char *colon = strrchr(spec, ':');
	struct addrinfo *list;
	char host[64];
	size_t n;
	int fd, rc;

	n = colon != NULL ? (size_t)(colon - spec) : 0;
	/* [::1]:9000 */
	if (n >= 2 && spec[0] == '[' && spec[n - 1] == ']') {
		spec++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(host)) {
		log_error("%s: neither a path (with a '/') nor ADDRESS:PORT",
			  spec);
		return -1;
	}
	snprintf(host, sizeof(host), "%.*s", (int)n, spec);
	rc = getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
			 colon + 1, &hints, &list);
	if (rc != 0) {
		log_error("%s: %s; give a numeric address and port", spec,
			  gai_strerror(rc));
		return -1;
	}
	fd = bind_address(spec, list);
	freeaddrinfo(list);
	return fd;
}

int listen_open(const char *spec)
{
	return strchr(spec, '/') != NULL ? open_unix(spec) : open_tcp(spec);
}

static int listens(int fd)
{
	int yes = 0;
	socklen_t n = sizeof(yes);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 && yes;
}

int listen_inherited(const char *fds, const char *pid)
{
	int from = STDIN_FILENO;
	int fd;

	if (fds != NULL && pid != NULL &&
	    strtol(pid, NULL, 10) == (long)getpid()) {
		if (strcmp(fds, "1") != 0) {
			log_error("LISTEN_FDS=%s: one socket is expected, with "
				  "Accept=no", fds);
			return -1;
		}
		from = 3; /* SD_LISTEN_FDS_START */
	}
	if (!listens(from)) {
		log_error("no socket was handed over as descriptor %d: start "
			  "with -s, or from lighttpd, spawn-fcgi or systemd",
			  from);
		return -1;
	}
	/* away from 0 to 2, and not for children */
	fd = fcntl(from, F_DUPFD_CLOEXEC, 10);
	if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return fail("the socket handed over", "fcntl", fd);
	if (from != STDIN_FILENO)
		close(from);
	return fd;
}

static struct timeval timeval_of(long ms)
{
	return (struct timeval){ .tv_sec = ms / 1000,
				 .tv_usec = ms % 1000 * 1000 };
}

int listen_accept(int fd, int stop_fd, long read_ms, long write_ms)
{
	struct timeval in = timeval_of(read_ms), out = timeval_of(write_ms);
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
			       { .fd = stop_fd, .events = POLLIN } };
	int on = 1, room = SEND_ROOM;

	for (;;) {
		int conn;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -1;
		if (p[1].revents != 0)
			return -1;
		conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (conn >= 0) {
			setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &in,
				   sizeof(in));
			setsockopt(conn, SOL_SOCKET, SO_SNDTIMEO, &out,
				   sizeof(out));
			/* less than the most there may be: stream_break */
			setsockopt(conn, SOL_SOCKET, SO_SNDBUF, &room,
				   sizeof(room));
			/* fails on a Unix socket, which needs none */
			setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &on,
				   sizeof(on));
			return conn;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS) {
			log_warn("accept: %s", strerror(errno));
			poll(&p[1], 1, 200); /* others will end */
		}
	}
}
