/*
 * What git-gated does to its own process at the start: limits, memory, the
 * background. Takes nothing from its environment, and empties it.
 */
#include "git-gated-self.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "log.h"

/* Descriptors of one request: connection, spool, two pipes, pidfd, eventfd. */
#define REQUEST_FILES 6
/* And of all the rest. */
#define OTHER_FILES 64

static void harden(void)
{
	struct rlimit none = { 0, 0 };

	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	if (clearenv() != 0)
		log_warn("clearenv failed");
}

/* The children get fewer. */
void git_gated_raise_files(const struct config *c)
{
	rlim_t need = (rlim_t)c->workers * REQUEST_FILES + OTHER_FILES;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_max < need)
		log_warn("%llu open files are allowed and %llu may be needed; "
			 "raise the limit (LimitNOFILE, ulimit -n) or lower "
			 "gate.workers", (unsigned long long)files.rlim_max,
			 (unsigned long long)need);
}

/*
 * Threads come and go: with an arena each, memory that one has freed would be
 * of no use to the others, and what all had at the worst moment would stay.
 */
static void bound_memory(void)
{
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_TRIM_THRESHOLD, 256 << 10);
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
}

void git_gated_harden(void)
{
	harden();
	bound_memory();
}

/* Its start has as long as in the foreground; its end is an answer, too. */
static int told(int fd)
{
	char word;
	ssize_t n;

	do
		n = read(fd, &word, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Standard error stays: the log goes there. */
static int leave_terminal(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int away = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	setsid();
	close(fd);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
	return away;
}

int git_gated_background(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
		log_error("socketpair: %s", strerror(errno));
		return -1;
	}
	switch (fork()) {
	case -1:
		log_error("fork: %s", strerror(errno));
		close(fds[0]);
		close(fds[1]);
		return -1;
	case 0:
		close(fds[0]);
		return leave_terminal(fds[1]);
	default:
		close(fds[1]);
		_exit(told(fds[0]) ? 0 : 1);
	}
}

void git_gated_started(int fd)
{
	/* who started us may have been ended meanwhile */
	if (send(fd, "", 1, MSG_NOSIGNAL) < 0)
		log_debug("whoever started this is gone: %s", strerror(errno));
	close(fd);
}
