/*
 * The address of `git gate up`: reads it, finds out whether it is free, and
 * asks over HTTP whether the gate answers there. Takes numeric addresses, so
 * that nothing is looked up; keeps no descriptor open.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "log.h"
#include "up-address.h"

static int parse_port(const char *text, unsigned *port)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return -1;
	n = strtoul(text, &end, 10);
	if (*end || n > 65535)
		return -1;
	*port = (unsigned)n;
	return 0;
}

static int set_host(struct up_address *a, const char *host)
{
	const char *v4 = strcmp(host, "localhost") ? host : "127.0.0.1";

	if (inet_pton(AF_INET, v4, &a->sa.v4.sin_addr) == 1) {
		a->sa.v4.sin_family = AF_INET;
		a->sa.v4.sin_port = htons((in_port_t)a->port);
		a->len = sizeof(a->sa.v4);
		snprintf(a->host, sizeof(a->host), "%s", v4);
		/* all of 127.0.0.0/8 stays on this machine (RFC 1122) */
		a->loopback = ntohl(a->sa.v4.sin_addr.s_addr) >> 24 == 127;
		return 0;
	}
	memset(&a->sa, 0, sizeof(a->sa));
	if (inet_pton(AF_INET6, host, &a->sa.v6.sin6_addr) == 1) {
		a->sa.v6.sin6_family = AF_INET6;
		a->sa.v6.sin6_port = htons((in_port_t)a->port);
		a->len = sizeof(a->sa.v6);
		snprintf(a->host, sizeof(a->host), "[%s]", host);
		a->loopback = IN6_IS_ADDR_LOOPBACK(&a->sa.v6.sin6_addr);
		return 0;
	}
	return -1;
}

int up_address_parse(const char *text, struct up_address *out)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;

	memset(out, 0, sizeof(*out));
	if (!n || n >= sizeof(host) + 2 || parse_port(colon + 1, &out->port))
		goto bad;
	if (text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (memchr(text, ':', n)) {
		goto bad; /* IPv6 without brackets */
	}
	if (n >= sizeof(host))
		goto bad;
	memcpy(host, text, n);
	host[n] = '\0';
	if (!set_host(out, host))
		return 0;
bad:
	log_error("--listen: not an address and a port; write 127.0.0.1:8080 or "
		  "[::1]:8080");
	return -1;
}

int up_address_claim(struct up_address *a)
{
	int on = 1, ret = -1;
	int fd = socket(a->sa.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* web servers set SO_REUSEADDR too: connections of old are no hurdle */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		log_error("cannot make a socket: %s", strerror(errno));
	else if (bind(fd, &a->sa.any, a->len) || listen(fd, 1))
		log_error("cannot listen on %s:%u: %s; choose another address "
			  "with --listen, port 0 for any that is free",
			  a->host, a->port, strerror(errno));
	else if (getsockname(fd, &a->sa.any, &a->len))
		log_error("cannot tell the port: %s", strerror(errno));
	else
		ret = 0;
	if (fd >= 0)
		close(fd);
	if (!ret)
		a->port = ntohs(a->sa.any.sa_family == AF_INET
					? a->sa.v4.sin_port
					: a->sa.v6.sin6_port);
	return ret;
}

/* Wait until fd is ready for events; 1 or 0. */
static int ready(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, clock_left(deadline)) == 1;
}

/* Connected within the deadline? */
static int connected(int fd, const struct up_address *a, int64_t deadline)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (!connect(fd, &a->sa.any, a->len))
		return 1;
	if (errno != EINPROGRESS || !ready(fd, POLLOUT, deadline))
		return 0;
	return !getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) && !error;
}

int up_address_answers(const struct up_address *a, int timeout_ms)
{
	static const char ask[] = "GET /-/health HTTP/1.0\r\n"
				  "Host: localhost\r\n\r\n";
	int64_t deadline = clock_ms() + timeout_ms;
	/* "HTTP/1.1 200 ": the status is all that matters */
	char head[13] = "";
	size_t have = 0;
	ssize_t n;
	int fd = socket(a->sa.any.sa_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return 0;
	/* so few bytes fit into an empty send buffer at once */
	if (connected(fd, a, deadline) &&
	    send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) == sizeof(ask) - 1) {
		while (have < sizeof(head) && ready(fd, POLLIN, deadline)) {
			n = recv(fd, head + have, sizeof(head) - have, 0);
			if (n <= 0)
				break;
			have += (size_t)n;
		}
	}
	close(fd);
	return have == sizeof(head) && !memcmp(head, "HTTP/1.", 7) &&
	       !memcmp(head + 8, " 200 ", 5);
}
