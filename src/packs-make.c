/*
 * The making of a pack, by a process that belongs to no session: it is an
 * orphan of the responder's, with a process group of its own, so that the end
 * of the client that came first does not end it, and the responder's does. Has
 * git write into the file, and ends when nobody reads it, its time is over, or
 * there is no more room; whole or not, it says so in the file.
 */
#include "packs.h"
#include "packs-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "mem.h"

/* From one look at its readers, the room and what git says to the next. */
#define LOOK_MS 100
/* Until the process between us and the responder is gone. */
#define ORPHAN_MS 2000
/* Where its descriptors are: its git gets the first three. */
enum { MAKER = 3, DIRECTORY = 4, WORDS = 5, FIRST_OTHER = 6 };

/* Be the responder's. Returns 0; -1: it is no longer there. */
static int belong(const struct packs *p)
{
	int64_t deadline = clock_ms() + ORPHAN_MS;

	while (getppid() != p->responder)
		if (clock_left(deadline) == 0)
			return -1;
		else
			poll(NULL, 0, 1);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -1;
	return getppid() == p->responder ? 0 : -1;
}

/* These, in this order, and nothing else. Returns 0 or -1. */
static int place(int from[FIRST_OTHER])
{
	int i;

	for (i = 0; i < FIRST_OTHER; i++) {
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FIRST_OTHER);
		if (from[i] < 0)
			return -1;
	}
	for (i = 0; i < FIRST_OTHER; i++)
		if (dup3(from[i], i, i < MAKER ? 0 : O_CLOEXEC) < 0)
			return -1;
	return close_range(FIRST_OTHER, ~0U, 0);
}

static void limit_file(uint64_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur > size) {
		limit.rlim_cur = limit.rlim_max = size;
		setrlimit(RLIMIT_FSIZE, &limit);
	}
}

/* It says how far it is to whoever comes, wants the first to know or not. */
static pid_t start_git(const struct packs *p)
{
	pid_t parent = getpid(), pid;
	char **argv;
	size_t nr = 0;

	while (p->argv[nr] != NULL)
		nr++;
	argv = mem_array(nr + 2, sizeof(*argv));
	memcpy(argv, p->argv, nr * sizeof(*argv));
	argv[nr] = (char *)(uintptr_t)"--progress";
	pid = fork();
	if (pid != 0) {
		free(argv);
		return pid;
	}
	/* it does not outlive us, nor write more than there may be; that it is
	   an error, and not a signal, is so from the responder on */
	limit_file(p->size);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
	    getppid() == parent)
		execve(p->git, argv, p->envp);
	_exit(127);
}

/* Is it worth going on? */
static int goes_on(const struct packs *p, uint64_t *room, int64_t deadline)
{
	struct stat st;
	int rc;

	if (clock_left(deadline) == 0 || packs_file_alone(MAKER))
		return 0;
	if (fstat(MAKER, &st) < 0)
		return 0;
	if ((uint64_t)st.st_blocks * 512 <= *room)
		return 1;
	/* it is larger than was thought; what it takes is counted by now */
	*room = (uint64_t)st.st_blocks * 512;
	if (packs_lock(p) < 0)
		return 1;
	rc = packs_room(p, 0);
	packs_unlock(p);
	return rc == 0;
}

/* Returns 0: git has ended well. */
static int wait_git(const struct packs *p, pid_t pid, int words)
{
	static struct packs_words said;
	struct pollfd end = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int64_t deadline = clock_ms() + p->total_ms;
	struct stat st;
	uint64_t room;
	int status;

	if (end.fd < 0 || fstat(MAKER, &st) < 0)
		return -1;
	room = (uint64_t)st.st_blocks * 512;
	/* what it says is not read at each word: a pipe has room for more */
	while (poll(&end, 1, LOOK_MS) <= 0) {
		while (packs_words_take(&said, words, MAKER) > 0)
			;
		if (!goes_on(p, &room, deadline))
			return -1;
	}
	while (packs_words_take(&said, words, MAKER) > 0)
		;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* In the process that makes it. Ends with it: so does git, and the lock. */
static void make(struct packs *p, const struct packs_file *f)
{
	int in = packs_memory(p->input->data, p->input->len);
	int out, err[2];
	char path[32];
	pid_t pid;

	/* git is not to have the lock, which belongs to what is open */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->maker);
	out = open(path, O_WRONLY | O_CLOEXEC);
	if (in < 0 || out < 0 || lseek(out, PACKS_HEAD, SEEK_SET) < 0 ||
	    pipe2(err, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    place((int[]){ in, out, err[1], f->maker, p->fd, err[0] }) < 0)
		return;
	p->fd = DIRECTORY;
	/* git is not to find its standard error full */
	fcntl(STDERR_FILENO, F_SETFL, 0);
	/* the end of the session is not to be git's, nor ours */
	if (setpgid(0, 0) < 0 || (pid = start_git(p)) < 0 || belong(p) < 0 ||
	    wait_git(p, pid, WORDS) < 0 || packs_file_whole(MAKER) < 0)
		packs_file_remove(p, MAKER);
}

int packs_make(struct packs *p, struct packs_file *f)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			make(p, f);
		_exit(pid < 0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		packs_file_remove(p, f->maker);
	close(f->maker);
	f->maker = -1;
	return status == 0 ? 0 : -1;
}
