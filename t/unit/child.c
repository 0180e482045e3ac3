/*
 * Unit tests of child: this program runs itself as the child, which tells
 * what it was given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "child-internal.h"
#include "clock.h"
#include "log.h"

static char self[4096];

/* --- the child's side: each prints on descriptor 1 or exits ---------------- */

static int tell_fds(void)
{
	struct stat st;
	int fd;

	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && fstat(fd, &st) == 0)
			printf("%d:%c%lu ", fd, S_ISCHR(st.st_mode) ? 'c' : 'f',
			       S_ISCHR(st.st_mode) ? 0UL
						   : (unsigned long)st.st_ino);
	return 0;
}

static int tell_signals(void)
{
	struct sigaction action;
	sigset_t mask;
	int i;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (i = 1; i < 65; i++) {
		if (sigismember(&mask, i) == 1)
			printf("blocked:%d ", i);
		if (sigaction(i, NULL, &action) == 0 &&
		    action.sa_handler != SIG_DFL)
			printf("%s:%d ", action.sa_handler == SIG_IGN
				       ? "ignored" : "handled", i);
	}
	return 0;
}

static int tell_limits(void)
{
	static const int which[] = { RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE,
				     RLIMIT_CPU, RLIMIT_NPROC, RLIMIT_NOFILE };
	struct rlimit l;
	size_t i;

	for (i = 0; i < sizeof(which) / sizeof(*which); i++) {
		getrlimit(which[i], &l);
		printf("%lld/%lld ", (long long)l.rlim_cur,
		       (long long)l.rlim_max);
	}
	return 0;
}

static int tell_group(void)
{
	int sig = 0;
	char dir[4096];

	prctl(PR_GET_PDEATHSIG, &sig);
	printf("%s %s %d %s", getpgrp() == getpid() ? "leads" : "follows",
	       getcwd(dir, sizeof(dir)), sig == SIGTERM, getenv("NAME"));
	return 0;
}

/* A parent that starts a child, says its number, and is killed. */
static int be_killed(void)
{
	const char *argv[] = { "/bin/sleep", "60", NULL };
	struct child c = CHILD_INIT;

	child_init();
	c.argv = argv;
	if (child_start(&c) < 0)
		return 1;
	printf("%d", (int)c.pid);
	fflush(stdout);
	raise(SIGKILL);
	return 1;
}

static int spin(void)
{
	volatile unsigned long n = 0;

	for (;;)
		n++;
	return 1;
}

static int write_much(void)
{
	char bytes[4096] = { 0 };
	int i;

	for (i = 0; i < 1024; i++)
		if (write(1, bytes, sizeof(bytes)) != sizeof(bytes))
			return errno == EFBIG ? 7 : 8;
	return 0;
}

/* On standard error: a MiB, a byte more. */
static int say_mib(void)
{
	char bytes[4096] = { 0 };
	int i;

	for (i = 0; i < 256; i++)
		if (write(2, bytes, sizeof(bytes)) != sizeof(bytes))
			return 8;
	return 0;
}

static int say_more(void)
{
	return say_mib() != 0 || write(2, "", 1) != 1 ? 8 : 0;
}

static const struct {
	const char *name;
	int (*fn)(void);
} sides[] = {
	{ "fds", tell_fds }, { "signals", tell_signals },
	{ "limits", tell_limits }, { "group", tell_group },
	{ "killed", be_killed }, { "spin", spin }, { "write", write_much },
	{ "mib", say_mib }, { "more", say_more },
};

static int child_side(const char *name)
{
	size_t i;
	int rc;

	for (i = 0; i < sizeof(sides) / sizeof(*sides); i++)
		if (strcmp(name, sides[i].name) == 0) {
			rc = sides[i].fn();
			fflush(stdout);
			return rc;
		}
	return 99;
}

/* --- our side ---------------------------------------------------------------- */

/* What the named side says, at most so much of it. */
static int ask_words(struct child *c, const char *side, size_t max,
		     struct buf *out, struct buf *err)
{
	const char *argv[] = { self, side, NULL };
	/* a sanitizer in the child has handlers of its own */
	static const char *const env[] = {
		"ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_sigbus=0:"
		"handle_sigfpe=0",
		"TSAN_OPTIONS=handle_segv=0:handle_sigbus=0:handle_sigfpe=0",
		"NAME=value", NULL
	};

	c->argv = argv;
	c->envp = env;
	return child_run(c, NULL, max, 20000, out, err);
}

static int ask(struct child *c, const char *side, struct buf *out)
{
	return ask_words(c, side, 65536, out, NULL);
}

static void handler(int sig)
{
	(void)sig;
}

static void signals_are_reset(void **state)
{
	struct child c = CHILD_INIT;
	struct buf out = BUF_INIT;
	sigset_t mask, before;

	(void)state;
	signal(SIGUSR1, handler);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &mask, &before);
	assert_int_equal(ask(&c, "signals", &out), 0);
	sigprocmask(SIG_SETMASK, &before, &mask);
	assert_int_equal(sigismember(&mask, SIGTERM), 1);
	assert_int_equal(sigismember(&mask, SIGUSR2), 0);
	/* SIGXFSZ, as the header says */
	assert_non_null(out.data);
	assert_string_equal(out.data, "ignored:25 ");
	buf_clear(&out);
}

static void group_dir_and_environment(void **state)
{
	struct child c = CHILD_INIT;
	struct buf out = BUF_INIT;

	(void)state;
	c.dir = "/usr";
	assert_int_equal(ask(&c, "group", &out), 0);
	assert_string_equal(out.data, "leads /usr 1 value");
	buf_clear(&out);
}

/* However much of its output is wanted. */
static void words_are_bounded(void **state)
{
	struct child c = CHILD_INIT;
	struct buf out = BUF_INIT, err = BUF_INIT;

	(void)state;
	assert_int_equal(ask_words(&c, "mib", 8 << 20, &out, &err), 0);
	assert_int_equal(err.len, 1 << 20);
	buf_reset(&err);
	assert_int_equal(ask_words(&c, "more", 8 << 20, &out, &err),
			 CHILD_TOO_LONG);
	buf_reset(&err);
	assert_int_equal(ask_words(&c, "mib", 4096, &out, &err),
			 CHILD_TOO_LONG);
	buf_reset(&out);
	assert_int_equal(ask_words(&c, "write", 1 << 20, &out, &err),
			 CHILD_TOO_LONG);
	buf_clear(&out);
	buf_clear(&err);
}

static void limits_are_set(void **state)
{
	struct child_limits l = { .memory = 1 << 30, .file_size = 1 << 20,
				  .cpu_s = 7, .processes = 5000, .files = 77 };
	struct child_limits most = { .files = 1U << 31 };
	struct child c = CHILD_INIT;
	struct buf out = BUF_INIT;
	struct rlimit ours;

	(void)state;
	c.limits = &l;
	assert_int_equal(ask(&c, "limits", &out), 0);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	assert_non_null(strstr(out.data, "/-1 1048576/1048576 7/12 5000/5000 "
					 "77/77 "));
#else
	assert_string_equal(out.data, "68719476736/68719476736 "
				      "1073741824/1073741824 1048576/1048576 "
				      "7/12 5000/5000 77/77 ");
#endif
	/* one that is above ours is ours, and no error */
	getrlimit(RLIMIT_NOFILE, &ours);
	buf_reset(&out);
	c.limits = &most;
	assert_int_equal(ask(&c, "limits", &out), 0);
	snprintf(self + sizeof(self) - 64, 64, " %lld/%lld ",
		 (long long)ours.rlim_max, (long long)ours.rlim_max);
	assert_non_null(strstr(out.data, self + sizeof(self) - 64));
	buf_clear(&out);
}

static void a_child_that_spins_is_ended(void **state)
{
	struct child_limits l = { .cpu_s = 1 };
	struct child c = CHILD_INIT;

	(void)state;
	c.limits = &l;
	assert_int_equal(ask(&c, "spin", NULL), 128 + SIGXCPU);
}

static void a_file_that_grows_is_an_error(void **state)
{
	struct child_limits l = { .file_size = 1 << 20 };
	const char *argv[] = { self, "write", NULL };
	struct child c = CHILD_INIT;
	FILE *f = tmpfile();
	struct stat st;

	(void)state;
	c.argv = argv;
	c.out = fileno(f);
	c.limits = &l;
	assert_int_equal(child_start(&c), 0);
	assert_int_equal(child_wait(&c, 20000), 7);
	fstat(fileno(f), &st);
	assert_int_equal(st.st_size, 1 << 20);
	fclose(f);
}

/* The exact cause, whatever fails, and nothing left running. */
static void causes_are_exact(void **state)
{
	const char *argv[] = { "/nonexistent/program", NULL };
	const char *text[] = { "/etc/passwd", NULL };
	const char *good[] = { "/bin/true", NULL };
	struct child c = CHILD_INIT;

	(void)state;
	c.argv = argv;
	assert_int_equal(child_spawn(&c), ENOENT);
	c.argv = text;
	assert_int_equal(child_spawn(&c), EACCES);
	c.argv = good;
	c.dir = "/nonexistent";
	assert_int_equal(child_spawn(&c), ENOENT);
	c.dir = "/etc/passwd";
	assert_int_equal(child_spawn(&c), ENOTDIR);
	c.dir = NULL;
	c.out = 987;
	assert_int_equal(child_spawn(&c), EBADF);
	assert_int_equal(c.pid, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Descriptor n of the child is to be what was fd in us. */
static void expect(struct buf *want, int n, int fd, ino_t inode)
{
	if (fd < 0)
		buf_addf(want, "%d:c0 ", n);
	else
		buf_addf(want, "%d:f%lu ", n, (unsigned long)inode);
}

static int lacks(int closed, const int fds[3])
{
	int i;

	for (i = 0; i < 3; i++)
		if (fds[i] >= 0 && fds[i] < 3 && (closed & (1 << fds[i])))
			return 1;
	return 0;
}

static int count_open(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			n++;
	return n;
}

/*
 * In a process of its own, whose descriptors 0 to 2 are files (or closed, a
 * bit each): all ways to hand on them, others and none. Exit status 0: good.
 */
static int try_ways(int closed)
{
	static const int from[] = { -1, 0, 1, 2, 9, 9 };
	struct stat st[10];
	struct child c = CHILD_INIT;
	int fd, way, open;

	for (fd = 0; fd < 10; fd++) {
		char name[] = "/tmp/git-gate-child.XXXXXX";
		int at = mkstemp(name);

		unlink(name);
		if (at != fd && (dup2(at, fd) < 0 || close(at) < 0))
			return 1;
		fstat(fd, &st[fd]);
	}
	for (fd = 0; fd < 3; fd++)
		if (closed & (1 << fd))
			close(fd);
	open = count_open();
	for (way = 0; way < 6 * 6 * 6; way++) {
		int fds[3] = { from[way % 6], from[way / 6 % 6],
			       from[way / 36] };
		const char *argv[] = { self, "fds", NULL };
		struct buf want = BUF_INIT, got = BUF_INIT;
		int out = fds[1] < 0 ? 9 : fds[1], i;

		/* what is closed cannot be given */
		if (lacks(closed, fds))
			continue;
		for (i = 0; i < 3; i++)
			expect(&want, i, fds[i],
			       fds[i] < 0 ? 0 : st[fds[i]].st_ino);
		c.argv = argv;
		c.in = fds[0];
		c.out = fds[1];
		c.err = fds[2];
		c.argv = argv;
		c.in = fds[0];
		c.out = fds[1];
		c.err = fds[2];
		if (ftruncate(out, 0) < 0)
			return 1;
		lseek(out, 0, SEEK_SET);
		if (child_start(&c) < 0 || child_wait(&c, 20000) != 0)
			return 2;
		lseek(out, 0, SEEK_SET);
		buf_read_fd(&got, out, 65536);
		/* to /dev/null it says nothing that we could read */
		if (fds[1] >= 0 && strcmp(got.data, want.data) != 0)
			return 3;
		/* ours are as they were */
		if (count_open() != open)
			return 4;
		buf_clear(&want);
		buf_clear(&got);
	}
	return 0;
}

static void any_descriptors_can_be_given(void **state)
{
	int closed, status;

	(void)state;
	for (closed = 0; closed < 8; closed++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(try_ways(closed));
		assert_true(pid > 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static void it_ends_with_its_parent(void **state)
{
	struct child c = CHILD_INIT;
	struct buf out = BUF_INIT;
	int64_t deadline = clock_ms() + 10000;
	pid_t pid;

	(void)state;
	assert_int_equal(ask(&c, "killed", &out), 128 + SIGKILL);
	pid = (pid_t)strtol(out.data, NULL, 10);
	assert_true(pid > 0);
	/* its orphan comes to us, and is reaped here (child_init) */
	while (kill(pid, 0) == 0 && clock_left(deadline) > 0) {
		child_reap_orphans();
		usleep(2000);
	}
	assert_int_equal(kill(pid, 0), -1);
	buf_clear(&out);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_are_reset),
		cmocka_unit_test(group_dir_and_environment),
		cmocka_unit_test(words_are_bounded),
		cmocka_unit_test(limits_are_set),
		cmocka_unit_test(a_child_that_spins_is_ended),
		cmocka_unit_test(a_file_that_grows_is_an_error),
		cmocka_unit_test(causes_are_exact),
		cmocka_unit_test(any_descriptors_can_be_given),
		cmocka_unit_test(it_ends_with_its_parent),
	};

	if (argc > 1)
		return child_side(argv[1]);
	if (readlink("/proc/self/exe", self, sizeof(self) - 128) < 0)
		return 1;
	log_init("child", LOG_PLAIN);
	child_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	(void)argv;
	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
