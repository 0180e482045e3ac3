/*
 * The start of one child: what happens between clone(2) and execve(2). Takes
 * a struct child, gives a process id or the errno of what failed. The child
 * borrows our memory until it has its own program, as with vfork(2), so it
 * makes system calls and nothing else; posix_spawn(3) would do the same, but
 * knows no resource limits.
 */
#include "child-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

/*
 * A sanitizer keeps books, on the stack and in its versions of the library's
 * functions, and the child would leave them wrong for us: hence no checks in
 * what it runs, and syscall(2) for every call.
 */
#define BARE __attribute__((no_sanitize("address", "thread", "undefined")))

/* The kernel's signal set, and at least its struct sigaction. */
#define KERNEL_SET (_NSIG / 8)
#define KERNEL_ACTION 64
/* SIGXCPU comes at the limit, and SIGKILL these seconds later. */
#define CPU_MORE_S 5
/*
 * Address space for each byte of memory. git upload-pack maps packs in windows
 * of 1 GiB and no setting stops it, but such maps cost memory that the kernel
 * can take back; so what is allocated has the limit, and this is far off.
 */
#define ADDRESSES 64
/* The weakest of each: setpriority(2), and ioprio_set(2)'s IOPRIO_CLASS_IDLE
   above its IOPRIO_CLASS_SHIFT, for a process, IOPRIO_WHO_PROCESS. */
#define NICE_MOST 19
#define IO_IDLE (3 << 13)
#define IO_WHO_PROCESS 1

/* Shared with the child. */
struct spawn {
	const struct child *c;
	pid_t parent;
	int error; /* errno of what failed in it */
};

/* Its stack; a page is in use. One child starts at a time (the header). */
static char stack[32768] __attribute__((aligned(64)));
/* All zero: SIG_DFL without flags, and the empty set. */
static const char zero[KERNEL_ACTION];

/*
 * Handlers are ours to run, not the child's, and an ignored signal would stay
 * ignored: all become the default, while all are still blocked. But SIGXFSZ,
 * which child_init ignores, stays so: then git meets an error that it reports,
 * and removes what it has begun.
 */
BARE static int reset_signals(void)
{
	int i;

	/* SIGKILL and SIGSTOP have no disposition to set */
	for (i = 1; i < _NSIG; i++)
		if (i != SIGXFSZ)
			syscall(SYS_rt_sigaction, i, zero, NULL, KERNEL_SET);
	return 0;
}

/*
 * Its end is asked for when the thread that started it ends, and that is a
 * thread which waits for it: so, when we are killed.
 */
BARE static int follow_parent(const struct spawn *s)
{
	if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
		return -1;
	/* we were killed before that call */
	if (syscall(SYS_getppid) != s->parent) {
		errno = ESRCH;
		return -1;
	}
	return 0;
}

/* fd, or /dev/null for -1, where nothing that is placed later is. */
BARE static int out_of_the_way(int fd)
{
	if (fd < 0)
		fd = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null",
				  O_RDWR | O_CLOEXEC);
	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	return (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

BARE static int place_fds(const struct child *c)
{
	int fds[3] = { c->in, c->out, c->err };
	int i;
	long rc;

	for (i = 0; i < 3; i++)
		if (fds[i] != i) {
			fds[i] = out_of_the_way(fds[i]);
			if (fds[i] < 0)
				return -1;
		}
	for (i = 0; i < 3; i++) {
		rc = fds[i] == i ? syscall(SYS_fcntl, i, F_SETFD, 0)
				 : syscall(SYS_dup3, fds[i], i, 0);
		if (rc < 0)
			return -1;
	}
	/* what was open before us, by whoever started us, too */
	return (int)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
}

/* 0 leaves it as it is; hard is what cannot be raised again. */
BARE static int limit(int what, uint64_t soft, uint64_t hard)
{
	struct { uint64_t soft, hard; } now, wanted = { soft, hard };

	if (soft == 0)
		return 0;
	if (syscall(SYS_prlimit64, 0, what, NULL, &now) < 0)
		return -1;
	/* a narrower one that we are under ourselves stays */
	if (wanted.hard > now.hard)
		wanted.hard = now.hard;
	if (wanted.soft > wanted.hard)
		wanted.soft = wanted.hard;
	return (int)syscall(SYS_prlimit64, 0, what, &wanted, NULL);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
BARE static uint64_t addresses(uint64_t memory)
{
	return memory < UINT64_MAX / ADDRESSES ? memory * ADDRESSES : memory;
}
#endif

BARE static int set_limits(const struct child_limits *l)
{
	if (l == NULL)
		return 0;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	/* our hook would run under it, and a sanitizer maps terabytes */
	if (limit(RLIMIT_DATA, l->memory, l->memory) < 0 ||
	    limit(RLIMIT_AS, addresses(l->memory), addresses(l->memory)) < 0)
		return -1;
#endif
	if (limit(RLIMIT_FSIZE, l->file_size, l->file_size) < 0 ||
	    limit(RLIMIT_CPU, l->cpu_s, (uint64_t)l->cpu_s + CPU_MORE_S) < 0 ||
	    limit(RLIMIT_NPROC, l->processes, l->processes) < 0)
		return -1;
	return limit(RLIMIT_NOFILE, l->files, l->files);
}

/* A kernel or a filter may refuse either: the work is done all the same. */
BARE static void step_back(void)
{
	syscall(SYS_ioprio_set, IO_WHO_PROCESS, 0, IO_IDLE);
	syscall(SYS_setpriority, PRIO_PROCESS, 0, NICE_MOST);
}

BARE static int chdir_to(const char *dir)
{
	return dir != NULL ? (int)syscall(SYS_chdir, dir) : 0;
}

/* The child's life with us. Returns only when it could not begin its own. */
BARE static int begin(void *arg)
{
	static const char *const nothing[] = { NULL };
	struct spawn *s = arg;
	const struct child *c = s->c;

	if (c->limits != NULL && c->limits->idle)
		step_back();
	if (reset_signals() == 0 && follow_parent(s) == 0 &&
	    syscall(SYS_setpgid, 0, 0) == 0 && place_fds(c) == 0 &&
	    chdir_to(c->dir) == 0 && set_limits(c->limits) == 0 &&
	    syscall(SYS_rt_sigprocmask, SIG_SETMASK, zero, NULL,
		    KERNEL_SET) == 0)
		syscall(SYS_execve, c->argv[0], c->argv,
			c->envp != NULL ? c->envp : nothing);
	s->error = errno;
	return 127;
}

int child_spawn(struct child *c)
{
	struct spawn s = { .c = c, .parent = getpid() };
	sigset_t all, before;
	pid_t pid;

	/* a handler of ours must not run in the child, on our memory */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/* CLONE_VFORK: we go on when it has its own program, or has ended */
	pid = clone(begin, stack + sizeof(stack),
		    CLONE_VM | CLONE_VFORK | SIGCHLD, &s);
	if (pid < 0)
		s.error = errno;
	else if (s.error != 0)
		waitpid(pid, NULL, 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (s.error == 0)
		c->pid = pid;
	return s.error;
}
