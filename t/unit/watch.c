/* session-watch.c: who watches over sessions sees one that has forwarded again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "session.h"

/* session-watch.c, LATE_MS */
#define LATE_MS 3000

static int wake, fds[2];

/* Has the watchdog been woken since it was last asked? */
static int was_woken(void)
{
	uint64_t count;

	return read(wake, &count, sizeof(count)) == sizeof(count);
}

static int is_open(void)
{
	char byte;

	return recv(fds[1], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* A session with so long left forwards: it is let be. */
static struct session *forwarding(int64_t left_ms)
{
	struct session *s;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	s = session_begin(fds[0], left_ms);
	assert_non_null(s);
	assert_true(was_woken());
	assert_int_equal(session_may_forward(s->id), 1);
	assert_int_equal(session_watch(), -1);
	assert_true(is_open());
	assert_false(was_woken());
	return s;
}

static void end(struct session *s)
{
	session_end(s);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(session_watch(), -1);
}

static void in_time(void **state)
{
	struct session *s = forwarding(60000);
	int next;

	(void)state;
	session_stage(s, STAGE_REPLY);
	assert_true(was_woken());
	next = session_watch();
	assert_in_range(next, 1, 60000 + LATE_MS);
	assert_true(is_open());
	end(s);
}

/* It has the time that any other has to end. */
static void late(void **state)
{
	struct session *s = forwarding(-60000);
	int next;

	(void)state;
	session_stage(s, STAGE_REPLY);
	assert_true(was_woken());
	next = session_watch();
	assert_in_range(next, 1, LATE_MS);
	assert_true(is_open());
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_time),
		cmocka_unit_test(late),
	};

	log_init("unit-watch", LOG_PLAIN);
	wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	session_table(1, wake);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
