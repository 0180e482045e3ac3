/*
 * The witness's own process. Takes descriptors of connections with their
 * numbers; when the responder is gone, breaks what it still holds, and ends.
 * Has nothing else open, reads nothing of what is said, logs nothing.
 */
#include "witness-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"

/* As ps(1) shows it; at most 15 bytes (prctl(2)). */
#define NAME "gate-witness"
/* FastCGI specification, 3.3: a header, at most so much content and padding. */
#define RECORD_HEAD 8
#define RECORD_REST (65535 + 255)
/*
 * lighttpd, where it stores whole answers first, ends this one well whatever
 * comes: so its last bytes, a record of FCGI_STDOUT, are what git cannot take
 * for a packet's length (gitprotocol-common(5)), and shows.
 */
#define LAST "gone"
#define LAST_SIZE (RECORD_HEAD + sizeof(LAST) - 1)
/*
 * Then what is no record. The responder may have been killed within one: what
 * comes is taken for its rest, and only behind that for a header. FILL is no
 * version and no type; to those who look at neither all of it is one record.
 */
#define FILL 0xff
#define FILL_SIZE (RECORD_HEAD + RECORD_REST)
/* A client that takes nothing for so long is given up. */
#define BREAK_MS 60000
/* Room for that much beside what waits to be taken, as the kernel counts. */
#define ROOM (256 << 10)

struct answer {
	unsigned id;
	size_t sent; /* of last_bytes */
};

/* By the number of its descriptor in the responder. */
struct held {
	struct pollfd *all; /* fd is -1 where there is none */
	struct answer *answers;
	size_t nr;
};

/* They are the responder's: who looks for that by them is not to find us. */
static void forget_arguments(char **argv)
{
	size_t n = strlen(argv[0]);
	char **p;

	/* the environment's strings follow, whatever environ is by now */
	for (p = argv; *p != NULL; p++)
		memset(*p, 0, strlen(*p));
	for (p++; *p != NULL; p++)
		memset(*p, 0, strlen(*p));
	memcpy(argv[0], NAME, n < strlen(NAME) ? n : strlen(NAME));
	prctl(PR_SET_NAME, NAME, 0, 0, 0);
}

/* Returns our end of the pair, the only descriptor but 0 to 2; -1: none. */
static int keep_only(int from)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int i;

	if (null < 0)
		return -1;
	for (i = 0; i <= STDERR_FILENO; i++)
		if (dup2(null, i) < 0)
			return -1;
	if (from != STDERR_FILENO + 1 &&
	    dup3(from, STDERR_FILENO + 1, O_CLOEXEC) < 0)
		return -1;
	/* by number, for what started us may have left anything open */
	if (syscall(SYS_close_range, STDERR_FILENO + 2, ~0U, 0) < 0)
		return -1;
	return STDERR_FILENO + 1;
}

static int settle(int from, char **argv)
{
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	struct rlimit files;
	size_t i;

	/* who ends the responder's group or terminal is not to end us */
	setsid();
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	forget_arguments(argv);
	if (chdir("/") < 0)
		return -1;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return keep_only(from);
}

/* fd takes the place of what is there, if anything; -1: nothing does. */
static void place(struct held *h, size_t number, unsigned id, int fd)
{
	if (number >= h->nr) {
		if (fd < 0)
			return;
		/* no larger, for poll(2) takes no more than may be open */
		h->all = mem_resize(h->all, number + 1, sizeof(*h->all));
		h->answers =
			mem_resize(h->answers, number + 1, sizeof(*h->answers));
		while (h->nr <= number)
			h->all[h->nr++].fd = -1;
	}
	if (h->all[number].fd >= 0)
		close(h->all[number].fd);
	h->all[number].fd = fd;
	h->answers[number] = (struct answer){ .id = id };
}

/* The descriptor that came beside a word, or -1. */
static int take_fd(struct msghdr *message)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/*
 * Until the responder has ended: no bound but that. Returns 0 then, and -1 when
 * it may still be there: its answers are to be left alone.
 */
static int watch(int from, struct held *h)
{
	union witness_control control;
	struct witness_word word = { .number = -1 };
	struct iovec part;
	struct msghdr message;
	ssize_t n;

	do {
		part = (struct iovec){ .iov_base = &word,
				       .iov_len = sizeof(word) };
		message = (struct msghdr){ .msg_iov = &part,
					   .msg_iovlen = 1,
					   .msg_control = &control,
					   .msg_controllen =
						   sizeof(control.room) };
		n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
		if (n == (ssize_t)sizeof(word) && word.number >= 0)
			place(h, (size_t)word.number, word.id,
			      take_fd(&message));
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 || errno == ECONNRESET ? 0 : -1;
}

static char last_bytes[LAST_SIZE + FILL_SIZE];

static void make_last_bytes(void)
{
	/* FCGI_VERSION_1, FCGI_STDOUT, the request's id, and lengths */
	const char head[RECORD_HEAD] = { 1, 6, 0, 0, 0, sizeof(LAST) - 1 };

	memcpy(last_bytes, head, sizeof(head));
	memcpy(last_bytes + sizeof(head), LAST, sizeof(LAST) - 1);
	memset(last_bytes + LAST_SIZE, FILL, FILL_SIZE);
}

/* Returns 1 when all of it is on its way, or nothing can be. */
static int send_last(int fd, struct answer *a)
{
	ssize_t n;

	last_bytes[2] = (char)(a->id >> 8);
	last_bytes[3] = (char)a->id;
	while (a->sent < sizeof(last_bytes)) {
		n = send(fd, last_bytes + a->sent, sizeof(last_bytes) - a->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n < 0 && errno != EINTR)
			return 1;
		a->sent += n < 0 ? 0 : (size_t)n;
	}
	return 1;
}

/* One turn over all of them. Returns how many are left. */
static size_t break_some(struct held *h)
{
	size_t i, left = 0;

	for (i = 0; i < h->nr; i++) {
		if (h->all[i].fd >= 0 &&
		    send_last(h->all[i].fd, &h->answers[i]))
			place(h, i, 0, -1);
		left += h->all[i].fd >= 0;
	}
	return left;
}

/* Most at once; a client that is slow takes what it was sent before. */
static void break_all(struct held *h)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int64_t until = clock_ms() + BREAK_MS;
	int room = ROOM;
	size_t i;

	make_last_bytes();
	for (i = 0; i < h->nr; i++) {
		h->all[i].events = POLLOUT;
		if (h->all[i].fd >= 0)
			setsockopt(h->all[i].fd, SOL_SOCKET, SO_SNDBUF, &room,
				   sizeof(room));
	}
	while (break_some(h) > 0 && clock_left(until) > 0)
		poll(h->all, (nfds_t)h->nr, clock_left(until));
	/* over TCP a reset says it, too */
	for (i = 0; i < h->nr; i++)
		if (h->all[i].fd >= 0)
			setsockopt(h->all[i].fd, SOL_SOCKET, SO_LINGER, &reset,
				   sizeof(reset));
}

void witness_process(int from, char **argv)
{
	struct held h = { .nr = 0 };

	from = settle(from, argv);
	if (from >= 0 && watch(from, &h) == 0)
		break_all(&h);
	_exit(from < 0);
}
