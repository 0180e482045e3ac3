/*
 * The input of a git that gets it through a pipe, since not all of it was there
 * when it was started, or to see that it reads all of it: takes how far the
 * file has come, gives it a pipe's worth at a time. Never waits.
 */
#include "backend-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
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

static int has_got(const struct backend_feed *f, uint64_t upto)
{
	return f->to >= 0 && (uint64_t)f->at >= upto;
}

/* What is in the pipe can be asked at either end. */
static int is_empty(const struct backend_feed *f, uint64_t upto)
{
	int n;

	return has_got(f, upto) && ioctl(f->to, FIONREAD, &n) == 0 && n == 0;
}

/*
 * git reads its input in blocks, and keeps to itself what of the last one was
 * not of the pack. So the last byte goes alone: only who wants it reads it.
 */
int backend_feed_rest(struct backend_feed *f)
{
	backend_feed_to(f, f->end - 1);
	if (is_empty(f, f->end - 1))
		backend_feed_to(f, f->end);
	if (!is_empty(f, f->end))
		return 0;
	end(f);
	f->is_read = 1;
	return 1;
}

int backend_feed_waits(const struct backend_feed *f)
{
	return has_got(f, f->end - 1);
}
