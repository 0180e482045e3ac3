/*
 * git pack-objects as if no pack were kept: in our place, or, where a client
 * has had the begin of a pack whose maker failed, run by us and gone on with
 * behind the very same bytes. Never gives what does not follow on them.
 */
#include "packs.h"
#include "packs-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"

#define CHUNK 65536
/* As git says it of itself: die(). */
#define FAILED 128

/* Returns 0 or -1. */
static int write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, data, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		data += done;
		n -= (size_t)done;
	}
	return 0;
}

int packs_memory(const void *data, size_t n)
{
	int fd = memfd_create("git-gate-pack", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write_all(fd, data, n) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* What was read, and then the rest: all that this process does. */
static void feed(const struct packs *p, int to)
{
	static char data[CHUNK];
	ssize_t n;

	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	if (write_all(to, p->input->data, p->input->len) < 0 || !p->more)
		return;
	while ((n = read(STDIN_FILENO, data, sizeof(data))) != 0)
		if (n < 0 ? errno != EINTR : write_all(to, data, (size_t)n) < 0)
			return;
}

/* What git is to read, from another process. Returns a descriptor, or -1. */
static int feeder(const struct packs *p)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	switch (fork()) {
	case -1:
		return -1;
	case 0:
		close(fds[0]);
		feed(p, fds[1]);
		_exit(0);
	default:
		return fds[0];
	}
}

int packs_own(const struct packs *p)
{
	int in = STDIN_FILENO;

	/* what was not read is git's to read */
	if (p->input != NULL) {
		in = p->more ? -1 : packs_memory(p->input->data,
						 p->input->len);
		if (in < 0)
			in = feeder(p);
		if (in < 0 || dup2(in, STDIN_FILENO) < 0)
			return FAILED;
	}
	execve(p->git, p->exec, p->envp);
	return FAILED;
}

/* Of the first bytes, which the client has. Returns 0; -1: others. */
static int compare(int file, uint64_t at, const char *data, size_t n)
{
	static char had[CHUNK];
	size_t got = 0;

	while (got < n) {
		ssize_t m = pread(file, had + got, n - got,
				  (off_t)(PACKS_HEAD + at + got));

		if (m < 0 && errno == EINTR)
			continue;
		if (m <= 0)
			return -1;
		got += (size_t)m;
	}
	return memcmp(had, data, n) == 0 ? 0 : -1;
}

/* Returns 0 at its end, or -1. */
static int pass_on(int from, int file, uint64_t sent)
{
	static char data[CHUNK];
	uint64_t at = 0;

	for (;;) {
		ssize_t n = read(from, data, sizeof(data));
		size_t same;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 && at >= sent ? 0 : -1;
		same = at >= sent ? 0 : (size_t)n;
		if (same > sent - at)
			same = (size_t)(sent - at);
		if (same > 0 && compare(file, at, data, same) < 0)
			return -1;
		if (write_all(STDOUT_FILENO, data + same, (size_t)n - same) < 0)
			return -1;
		at += (uint64_t)n;
	}
}

static pid_t start(const struct packs *p, int *from)
{
	pid_t parent = getpid(), pid;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		/* it has a while to go until it sees that nobody reads */
		if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0 &&
		    getppid() == parent && dup2(fds[1], STDOUT_FILENO) >= 0)
			packs_own(p);
		_exit(FAILED);
	}
	close(fds[1]);
	*from = fds[0];
	if (pid < 0)
		close(fds[0]);
	return pid;
}

int packs_own_rest(const struct packs *p, int file, uint64_t sent)
{
	int from, status = 0, rc;
	pid_t pid = start(p, &from);

	if (pid < 0)
		return FAILED;
	rc = pass_on(from, file, sent);
	close(from);
	if (rc < 0)
		kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return FAILED;
	return rc == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}
