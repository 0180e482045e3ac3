/*
 * An ssh agent, dialled: takes its socket's path, gives whether it answers.
 * Asks for the list of keys, and uses none of them. Logs nothing.
 */
#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "local.h"

/* It has no more to do than to look into its memory. */
#define ANSWER_MS 2000

/* All n bytes before the deadline; 0 or -1, errno set. */
static int read_full(int fd, unsigned char *p, size_t n, int64_t deadline)
{
	while (n) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&pfd, 1, clock_left(deadline)) == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		got = recv(fd, p, n, MSG_DONTWAIT);
		if (got == 0)
			errno = ECONNRESET;
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return -1;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return 0;
}

/*
 * Ask for the list of identities, since a wedged agent still takes connections
 * (draft-miller-ssh-agent: request 11, answer 12 and a number of keys). One
 * that has just been started may not have its keys yet: where they are all we
 * have, none is a failure. Returns 0, or -1 with errno set.
 */
static int ask(int fd, int needs_key)
{
	static const unsigned char request[] = { 0, 0, 0, 1, 11 };
	static const unsigned char none[4];
	int64_t deadline = clock_ms() + ANSWER_MS;
	unsigned char answer[5], number[4];

	if (send(fd, request, sizeof(request), MSG_NOSIGNAL) !=
		    (ssize_t)sizeof(request) ||
	    read_full(fd, answer, sizeof(answer), deadline))
		return -1;
	errno = EPROTO;
	if (answer[4] != 12 || read_full(fd, number, sizeof(number), deadline))
		return -1;
	errno = ENOKEY;
	return needs_key && !memcmp(number, none, sizeof(none)) ? -1 : 0;
}

int agent_dial(const char *path, int needs_key)
{
	struct sockaddr_un sa;
	int fd, saved;

	if (local_address(&sa, path))
		return -1;
	/* Non-blocking: a full backlog fails at once, with EAGAIN. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)) &&
		       !ask(fd, needs_key)))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
