/* Properties of buf.c, env.c and child.c. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "clock.h"
#include "env.h"
#include "log.h"

static void a_string_is_always_terminated(void **state)
{
	struct buf b = BUF_INIT;
	char *s = buf_take(&b);
	int i;

	(void)state;
	assert_string_equal(s, "");
	free(s);
	for (i = 0; i < 1000; i++) {
		buf_addf(&b, "%d,", i);
		assert_int_equal(b.data[b.len], '\0');
		assert_int_equal(strlen(b.data), b.len);
	}
	buf_drop(&b, b.len - 4);
	assert_string_equal(b.data, "999,");
	s = buf_take(&b);
	assert_string_equal(s, "999,");
	assert_null(b.data);
	free(s);
	buf_clear(&b);
}

static void a_file_over_its_bound_is_an_error(void **state)
{
	char path[] = "/tmp/git-gate-unit-XXXXXX";
	int fd = mkstemp(path);
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(write(fd, "0123456789", 10), 10);
	close(fd);
	assert_int_equal(buf_read_file(&b, path, 10), 0);
	assert_string_equal(b.data, "0123456789");
	assert_int_equal(buf_read_file(&b, path, 9), -1);
	assert_int_equal(errno, EFBIG);
	unlink(path);
	assert_int_equal(buf_read_file(&b, path, 9), -1);
	assert_int_equal(errno, ENOENT);
	buf_clear(&b);
}

static void a_new_file_is_whole_private_and_new(void **state)
{
	char dir[] = "/tmp/git-gate-unit-XXXXXX", path[64];
	struct buf b = BUF_INIT, back = BUF_INIT;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	buf_adds(&b, "text");
	assert_int_equal(buf_write_new(&b, path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(buf_read_file(&back, path, 10), 0);
	assert_string_equal(back.data, "text");
	assert_int_equal(buf_write_new(&b, path), -1);
	assert_int_equal(errno, EEXIST);
	unlink(path);
	rmdir(dir);
	buf_clear(&b);
	buf_clear(&back);
}

static void git_settings_are_counted(void **state)
{
	struct env e = ENV_INIT;
	const char *const *list;

	(void)state;
	env_config(&e, "a.b", "1");
	env_setf(&e, "X", "%0300d", 7);
	env_config(&e, "c.d", "x=y");
	list = env_list(&e);
	assert_string_equal(list[0], "GIT_CONFIG_KEY_0=a.b");
	assert_string_equal(list[1], "GIT_CONFIG_VALUE_0=1");
	assert_int_equal(strlen(list[2]), 302);
	assert_string_equal(list[4], "GIT_CONFIG_VALUE_1=x=y");
	assert_string_equal(list[5], "GIT_CONFIG_COUNT=2");
	assert_null(list[6]);
	assert_ptr_equal(env_list(&e), list);
	env_clear(&e);
}

static int run_shell(const char *script, const char *input, int timeout_ms,
		     struct buf *out)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	struct child c = CHILD_INIT;
	struct buf in = BUF_INIT, err = BUF_INIT;
	int status;

	buf_adds(&in, input);
	c.argv = argv;
	status = child_run(&c, &in, 65536, timeout_ms, out, &err);
	assert_int_equal(c.pid, 0);
	buf_clear(&in);
	buf_clear(&err);
	return status;
}

static void a_child_has_three_descriptors_and_no_environment(void **state)
{
	struct buf out = BUF_INIT;
	int leak = open("/dev/null", O_RDONLY); /* not close-on-exec */

	(void)state;
	setenv("SHOULD_NOT_PASS", "1", 1);
	assert_int_equal(run_shell("cat; echo \"${SHOULD_NOT_PASS-no}\"; "
				   "cd /proc/self/fd; echo *; exit 7",
				   "in\n", 5000, &out), 7);
	/* 3 is the shell's own, of the directory that it lists */
	assert_non_null(strstr(out.data, "in\nno\n0 1 2"));
	assert_null(strstr(out.data, "4"));
	close(leak);
	buf_clear(&out);
}

static void a_group_ends_as_a_whole_and_in_time(void **state)
{
	struct buf out = BUF_INIT;
	int64_t began = clock_ms();
	char *end;
	long pid;

	(void)state;
	/* the grandchild ignores SIGTERM and outlives its parent */
	assert_int_equal(run_shell("(trap '' TERM; exec sleep 300) & "
				   "echo $!; exec sleep 300", "", 200, &out),
			 CHILD_TIMEOUT);
	assert_true(clock_ms() - began < 20000);
	pid = strtol(out.data, &end, 10);
	assert_true(pid > 1);
	assert_int_equal(kill((pid_t)pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	buf_clear(&out);
}

static void endless_output_is_stopped(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(run_shell("exec yes", "", 20000, &out),
			 CHILD_TOO_LONG);
	buf_clear(&out);
}

static void take_line(void *arg, enum log_level level, const char *line)
{
	struct buf *out = arg;

	assert_int_equal(level, LOG_ERR);
	buf_adds(out, line);
}

static void what_cannot_be_run_is_an_error(void **state)
{
	struct buf said = BUF_INIT;
	const char *argv[] = { "/nonexistent/program", NULL };
	struct child c = CHILD_INIT;

	(void)state;
	c.argv = argv;
	log_set_tee(take_line, &said, 1);
	assert_int_equal(child_start(&c), -1);
	log_set_tee(NULL, NULL, 0);
	assert_string_equal(said.data, "/nonexistent/program: cannot be run: "
				       "No such file or directory");
	buf_clear(&said);
	assert_int_equal(child_stop(&c, 100), 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_string_is_always_terminated),
		cmocka_unit_test(a_file_over_its_bound_is_an_error),
		cmocka_unit_test(a_new_file_is_whole_private_and_new),
		cmocka_unit_test(git_settings_are_counted),
		cmocka_unit_test(
			a_child_has_three_descriptors_and_no_environment),
		cmocka_unit_test(a_group_ends_as_a_whole_and_in_time),
		cmocka_unit_test(endless_output_is_stopped),
		cmocka_unit_test(what_cannot_be_run_is_an_error),
	};

	child_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
