/*
 * The input of a git that was started before all of it was there: takes how
 * far the file has come, gives it a pipe's worth at a time. Never waits.
 */
#include "backend-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "child.h"

/* What an unprivileged user's pipe can be (pipe(7)); less is good too. */
#define PIPE_SIZE (1 << 20)
/* Bytes of one call. */
#define ONCE (1 << 20)

int backend_feed_open(struct backend_feed *f)
{
	int fds[2];

	if (child_pipe(fds) < 0)
		return -1;
	(void)fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE);
	if (fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0) {
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	f->to = fds[1];
	return fds[0];
}

static void end(struct backend_feed *f)
{
	close(f->to);
	f->to = -1;
}

void backend_feed_to(struct backend_feed *f, uint64_t upto)
{
	while (f->to >= 0 && (uint64_t)f->at < upto) {
		uint64_t left = upto - (uint64_t)f->at;
		ssize_t n = sendfile(f->to, f->from, &f->at,
				     left < ONCE ? (size_t)left : ONCE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		/* it reads no more; it will say why */
		if (n <= 0)
			end(f);
	}
}

void backend_feed_rest(struct backend_feed *f)
{
	backend_feed_to(f, f->end);
	if (f->to >= 0 && (uint64_t)f->at >= f->end)
		end(f);
}
