/*
 * A pack, given to git upload-pack: a whole one at once, one that is being made
 * as it grows. Waits for the file to change, each time with a bound, and never
 * gives a byte that is not there.
 */
#include "packs.h"
#include "packs-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nothing is announced when its maker is killed while git is silent. */
#define WAIT_MS 500
/* inotify(7) has a limit for each user; then time has to do. */
#define BLIND_MS 20
/*
 * git writes 8 KiB at a time. What comes quickly is taken in larger pieces:
 * from this on, so much later.
 */
#define BULK (64 << 10)
#define PAUSE_MS 10
/* Bytes of our pipe to upload-pack: a few of its packets. */
#define PIPE (256 << 10)
/* One sendfile(2). */
#define PIECE ((size_t)64 << 20)

struct giving {
	const struct packs *p;
	const struct packs_file *f;
	uint64_t sent;
	struct packs_words words;
	int watch; /* inotify, or -1 */
};

/*
 * Have the next change announced: that one only, for each costs him who writes
 * as much as there are readers.
 */
static void arm(const struct giving *g)
{
	char path[32];

	/* the call takes no descriptor */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", g->f->fd);
	if (g->watch >= 0)
		inotify_add_watch(g->watch, path,
				  IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE |
					  IN_ONESHOT);
}

static void wait_change(const struct giving *g)
{
	struct pollfd p = { .fd = g->watch, .events = POLLIN };
	char events[4096];

	if (poll(&p, 1, g->watch >= 0 ? WAIT_MS : BLIND_MS) <= 0)
		return;
	while (read(g->watch, events, sizeof(events)) > 0)
		;
}

static ssize_t copy_some(int fd, off_t at, uint64_t most)
{
	static char data[PIPE];
	size_t want = most < sizeof(data) ? (size_t)most : sizeof(data);
	ssize_t n = pread(fd, data, want, at);

	return n <= 0 ? n : write(STDOUT_FILENO, data, (size_t)n);
}

/* Up to this size of the file. Returns 0 or -1. */
static int send_to(struct giving *g, off_t end)
{
	uint64_t size = end > PACKS_HEAD ? (uint64_t)end - PACKS_HEAD : 0;

	while (g->sent < size) {
		uint64_t left = size - g->sent;
		off_t at = (off_t)(PACKS_HEAD + g->sent);
		ssize_t n = sendfile(STDOUT_FILENO, g->f->fd, &at,
				     left < PIECE ? (size_t)left : PIECE);

		/* a file system without it */
		if (n < 0 && (errno == EINVAL || errno == ENOSYS))
			n = copy_some(g->f->fd, at, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		g->sent += (uint64_t)n;
	}
	return 0;
}

static void say(struct giving *g)
{
	if (g->p->progress)
		packs_words_give(&g->words, g->f->fd);
}

/* One look. Returns as packs_give, or 2: there will be more. */
static int look(struct giving *g)
{
	/* it is whole before its maker goes: looked at in this order */
	int alive = packs_file_alive(g->f->fd);
	struct stat st;

	if (fstat(g->f->fd, &st) < 0)
		return 1;
	say(g);
	if (send_to(g, st.st_size) < 0)
		return -1;
	if (packs_file_is_whole(&st))
		return 0;
	return alive ? 2 : 1;
}

static int follow(struct giving *g)
{
	int armed = 0, rc;

	for (;;) {
		uint64_t before = g->sent;

		rc = look(g);
		if (rc != 2)
			return rc;
		if (g->sent > before) {
			if (g->sent >= BULK)
				poll(NULL, 0, PAUSE_MS);
		} else if (armed) {
			wait_change(g);
			armed = 0;
		} else {
			/* what has changed just now is not announced */
			arm(g);
			armed = 1;
		}
	}
}

int packs_give(const struct packs *p, const struct packs_file *f,
	       uint64_t *sent)
{
	struct giving g = { .p = p, .f = f, .watch = -1 };
	struct stat st;
	int rc;

	/* where that is refused, it is passed on in smaller pieces */
	fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE);
	if (fstat(f->fd, &st) == 0 && packs_file_is_whole(&st)) {
		say(&g);
		rc = send_to(&g, st.st_size);
	} else {
		g.watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		rc = follow(&g);
		if (g.watch >= 0)
			close(g.watch);
	}
	*sent = g.sent;
	return rc;
}
