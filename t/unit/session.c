/* session.c: the table has gaps; who waits for long hears of a hurry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "session.h"

#define HOUR_MS 3600000
#define MANY 8

static const struct session_caps caps = {
	.all = 2, .client = 2, .repo = 2, .waiting = 4, .share = 3
};
static int wake_fd;

static struct session *begin(const char *who)
{
	struct session *s = session_begin(-1, HOUR_MS);

	assert_non_null(s);
	session_name(s, who, "127.0.0.1", "repo", "fetch");
	return s;
}

/* Who is in a gap's place counts, and who is behind one. */
static void gaps(void **state)
{
	struct session *s[MANY];
	struct buf text = BUF_INIT;
	int i;

	(void)state;
	for (i = 0; i < MANY; i++)
		s[i] = begin(i < 4 ? "one" : "two");
	assert_null(session_begin(-1, HOUR_MS));
	assert_int_equal(session_arrive(s[0], &caps), TURN_SHARE);
	assert_int_equal(session_place(s[5], POOL_BACKEND, &caps, 0), TURN_OK);
	assert_int_equal(session_place(s[6], POOL_BACKEND, &caps, 0), TURN_OK);
	assert_int_equal(session_place(s[2], POOL_BACKEND, &caps, 0),
			 TURN_LATE);
	session_end(s[1]);
	session_end(s[7]);
	session_end(s[4]);
	assert_int_equal(session_arrive(s[0], &caps), TURN_OK);
	/* the last of them still has its place, behind the gaps */
	assert_int_equal(session_place(s[2], POOL_BACKEND, &caps, 0),
			 TURN_LATE);
	s[1] = begin("one");
	assert_int_equal(session_arrive(s[0], &caps), TURN_SHARE);
	assert_true(session_may_forward(s[6]->id));
	assert_int_equal(session_forwarding(), 1);
	assert_int_equal(session_place(s[2], POOL_BACKEND, &caps, 0), TURN_OK);
	session_print(&text);
	assert_non_null(strstr(text.data, s[6]->id));
	assert_non_null(strstr(text.data, "6 of 8 sessions, 2 at work"));
	buf_clear(&text);
	session_end(s[6]);
	session_end(s[5]);
	/* whoever is last now */
	assert_false(session_may_forward("0123456789abcdef"));
	assert_true(session_may_forward(s[3]->id));
	for (i = 0; i < 4; i++)
		session_end(s[i]);
	assert_int_equal(session_number(), 0);
	assert_int_equal(session_watch(), -1);
	s[0] = begin("one");
	assert_true(session_watch() > 0);
	session_end(s[0]);
}

static atomic_int sleeper;

static void *wait_long(void *arg)
{
	struct pollfd p[1];

	sleeper = gettid();
	session_poll(arg, p, 0, 60000);
	return NULL;
}

static int sleeps(int tid)
{
	char path[64], state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %*s %c", &state), 1);
	fclose(f);
	return state == 'S';
}

static void hurry(void **state)
{
	struct session *s = begin("one");
	int64_t began = clock_ms();
	struct pollfd p[1];
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, wait_long, s), 0);
	while (sleeper == 0 || !sleeps(sleeper))
		sched_yield();
	session_hurry(1000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(clock_ms() - began < 30000);
	/* nobody sees it twice, or he would not wait any more */
	while (session_left(s) > 0)
		assert_int_equal(session_poll(s, p, 0, 60000), 0);
	assert_int_equal(session_poll(s, p, 0, 1), 0);
	session_end(s);
	/* who begins now is in a hurry, too */
	s = begin("one");
	assert_int_equal(session_left(s), 0);
	session_end(s);
}

static int open_table(void **state)
{
	(void)state;
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return session_table(MANY, wake_fd);
}

static int close_table(void **state)
{
	(void)state;
	session_table_free();
	return close(wake_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps),
		cmocka_unit_test(hurry),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, open_table, close_table);
}
