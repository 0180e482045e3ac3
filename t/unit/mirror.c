/* What mirrors remember, who may touch them, and their references. */
#include <setjmp.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "clock.h"
#include "config.h"
#include "mirror.h"
#include "mirror-internal.h"
#include "mirror-keep.h"
#include "mirror-lock-internal.h"

static char git_suffix[] = ".git", no_suffix[] = "";
static char name_a[] = "a", name_b[] = "b", name_c[] = "c";
static char url_a[] = "ssh://git@forge.example:2222/srv/git/";
static char url_b[] = "ssh://git@forge.example:2222/opt/";
static char url_c[] = "https://forge.example/";
static struct config_upstream upstreams[] = {
	{ .name = name_a, .url = url_a, .suffix = git_suffix },
	{ .name = name_b, .url = url_b, .suffix = git_suffix },
	{ .name = name_c, .url = url_c, .suffix = no_suffix },
};
static char pattern_a[] = "a/*", pattern_b[] = "git/*", pattern_c[] = "*";
static struct config_repo repos[] = {
	{ .pattern = pattern_a, .upstream = &upstreams[0] },
	{ .pattern = pattern_b, .upstream = &upstreams[1] },
	{ .pattern = pattern_c, .upstream = &upstreams[2] },
};
static char mirrors[] = "/m";
static const struct config conf = {
	.mirrors = mirrors, .upstreams = upstreams, .nr_upstreams = 3,
	.repos = repos, .nr_repos = 3,
};

static void test_names(void **state)
{
	static const char *const names[] = {
		"a/web", "a/b.github/c", "a/x.gitx", "a/~u+v=w@z_-.y", "git/a",
		"git/a/web", "z", "a.git.d/z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct config_repo *r = config_find(&conf, names[i]);
		char name[ROUTE_NAME_MAX + 1];
		struct buf path = BUF_INIT;

		assert_int_equal(mirror_path(&conf, r, names[i], &path), 0);
		assert_ptr_equal(mirror_name(&conf, path.data, name), r);
		assert_string_equal(name, names[i]);
		buf_clear(&path);
	}
}

static void test_no_names(void **state)
{
	static const char *const paths[] = {
		"/m/ssh_git@forge.example_2222/srv/git/b/web.git",
		"/m/ssh_git@forge.example_22/srv/git/a/web.git",
		"/m/ssh_forge.example_2222/srv/git/a/web.git",
		"/m/ssh_git@forge.example_2222/srv/git/a/web",
		"/m/ssh_git@forge.example_2222/srv/git/a/%2.git",
		"/m/ssh_git@forge.example_2222/srv/git/a/%zz.git",
		"/m/.git", "/m", "",
	};
	char name[ROUTE_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		assert_null(mirror_name(&conf, paths[i], name));
}

static int hangs_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0;
}

static struct mirror_wait soon(int ms)
{
	return (struct mirror_wait){ .refresh = clock_ms() + ms,
				     .push = clock_ms() + ms, .client = -1 };
}

static void test_care_and_refresh(void **state)
{
	struct mirror_wait wait = soon(50);
	enum fault_kind fault;
	struct buf busy = BUF_INIT;
	int watch, other;

	(void)state;
	assert_int_equal(mirror_lock_care("/m/x", 0, &watch), 0);
	assert_int_equal(mirror_lock_care("/m/x", 0, &other), -1);
	assert_int_equal(mirror_lock_refresh("/m/x", &wait, &busy, &fault),
			 MIRROR_TURN_RUN);
	/* one that finds nothing new disturbs nobody */
	assert_false(hangs_up(watch));
	/* one that does tells it to end, and waits for that, bounded */
	assert_int_equal(mirror_lock_settle("/m/x", &wait), -1);
	assert_true(hangs_up(watch));
	assert_int_equal(mirror_lock_care_end("/m/x", watch), 1);
	assert_int_equal(mirror_lock_settle("/m/x", &wait), 0);
	assert_int_equal(mirror_lock_care("/m/x", 0, &watch), -1);
	mirror_lock_done("/m/x", FAULT_NONE);
	assert_int_equal(mirror_lock_care("/m/x", 0, &watch), 0);
	assert_int_equal(mirror_lock_care_end("/m/x", watch), 0);
	buf_clear(&busy);
}

struct joiner {
	pthread_t thread;
	enum mirror_turn turn;
	enum fault_kind fault;
};

static void *join(void *arg)
{
	struct mirror_wait wait = soon(20000);
	struct buf busy = BUF_INIT;
	struct joiner *j = arg;

	j->turn = mirror_lock_refresh("/m/x", &wait, &busy, &j->fault);
	if (j->turn == MIRROR_TURN_RUN)
		mirror_lock_done("/m/x", j->fault);
	buf_clear(&busy);
	return NULL;
}

static unsigned users(const char *path)
{
	struct entry *e = mirror_lock_enter(path);
	unsigned n = e->users - 1; /* without us */

	mirror_lock_leave(e);
	return n;
}

/*
 * What a refresh comes to when it is the second of the two that one who came
 * during the first has waited for, the other one being its own.
 */
static struct joiner joined(enum fault_kind fault)
{
	struct mirror_wait wait = soon(20000);
	struct joiner first = { .fault = FAULT_NONE };
	struct joiner j[2] = { first, first };
	struct buf busy = BUF_INIT;
	int64_t until = clock_ms() + 20000;

	assert_int_equal(mirror_lock_refresh("/m/x", &wait, &busy,
					     &first.fault), MIRROR_TURN_RUN);
	for (int i = 0; i < 2; i++) {
		j[i].fault = fault;
		assert_int_equal(pthread_create(&j[i].thread, NULL, join,
						&j[i]), 0);
	}
	while (users("/m/x") < 3 && clock_ms() < until)
		poll(NULL, 0, 1);
	mirror_lock_done("/m/x", FAULT_NONE);
	for (int i = 0; i < 2; i++)
		pthread_join(j[i].thread, NULL);
	buf_clear(&busy);
	/* one has run at least, for what ended began before they came */
	return j[0].turn == MIRROR_TURN_RUN ? j[1] : j[0];
}

static void test_joiners(void **state)
{
	struct joiner j = joined(FAULT_AUTH);

	(void)state;
	assert_int_equal(j.turn, MIRROR_TURN_JOINED);
	assert_int_equal(j.fault, FAULT_AUTH);
	assert_int_equal(joined(FAULT_NONE).turn, MIRROR_TURN_JOINED);
	/* these two are of who waited, and not of the upstream */
	assert_int_equal(joined(FAULT_BUSY).turn, MIRROR_TURN_RUN);
	assert_int_equal(joined(FAULT_TIMEOUT).turn, MIRROR_TURN_RUN);
}

static void test_care_and_push(void **state)
{
	struct mirror_wait wait = soon(50);
	char *path = NULL;
	int watch, sweep;

	(void)state;
	assert_int_equal(mirror_lock_care("/m/x", 0, &watch), 0);
	/* a push tells it to end, and waits for that, bounded */
	assert_int_equal(mirror_lock_push("/m/x", "id", NULL, &wait), -1);
	assert_true(hangs_up(watch));
	assert_int_equal(mirror_lock_care_end("/m/x", watch), 1);
	assert_int_equal(mirror_lock_push("/m/x", "id", NULL, &wait), 0);
	assert_int_equal(mirror_lock_care("/m/x", 0, &watch), -1);
	assert_int_equal(mirror_lock_forward("id", &path), 1);
	assert_string_equal(path, "/m/x");
	assert_int_equal(mirror_lock_care("/m/x", 0, &watch), -1);
	assert_int_equal(mirror_lock_push_end("/m/x", "id", 0, &sweep), 1);
	assert_int_equal(mirror_lock_care("/m/x", 0, &watch), 0);
	mirror_lock_care_stop();
	assert_true(hangs_up(watch));
	assert_int_equal(mirror_lock_care_end("/m/x", watch), 1);
	free(path);
}

/* One that is overdue: others wait, for a while. */
static void test_turn(void **state)
{
	struct mirror_wait brief = soon(50), wait;
	int watch, sweep;

	(void)state;
	assert_int_equal(mirror_lock_care("/m/x", 300, &watch), 0);
	assert_int_equal(mirror_lock_push("/m/x", "id", NULL, &brief), -1);
	brief = soon(50);
	assert_int_equal(mirror_lock_settle("/m/x", &brief), -1);
	assert_false(hangs_up(watch));
	/* its turn is over */
	wait = soon(400);
	assert_int_equal(mirror_lock_push("/m/x", "id", NULL, &wait), -1);
	assert_true(hangs_up(watch));
	assert_int_equal(mirror_lock_care_end("/m/x", watch), 1);
	/* those that there are do not end in time */
	wait = soon(50);
	assert_int_equal(mirror_lock_push("/m/x", "id", NULL, &wait), 0);
	assert_int_equal(mirror_lock_care("/m/x", 50, &watch), -1);
	assert_int_equal(mirror_lock_push("/m/x", "other", NULL, &wait), 0);
	mirror_lock_push_end("/m/x", "other", 0, &sweep);
	mirror_lock_push_end("/m/x", "id", 0, &sweep);
}

static void *care_in_turn(void *arg)
{
	int *watch = arg;

	if (mirror_lock_care("/m/x", 20000, watch))
		*watch = -1;
	return NULL;
}

static int waits_for_turn(const char *path)
{
	struct entry *e = mirror_lock_enter(path);
	int waits = mirror_lock_turn(e);

	mirror_lock_leave(e);
	return waits;
}

/* While it waits for a push to end no other begins. */
static void test_turn_comes(void **state)
{
	struct mirror_wait wait = soon(20000);
	int64_t until = clock_ms() + 20000;
	enum fault_kind fault;
	struct buf busy = BUF_INIT;
	pthread_t thread;
	int watch, sweep;

	(void)state;
	assert_int_equal(mirror_lock_push("/m/x", "id", NULL, &wait), 0);
	assert_int_equal(pthread_create(&thread, NULL, care_in_turn, &watch),
			 0);
	while (!waits_for_turn("/m/x") && clock_ms() < until)
		poll(NULL, 0, 1);
	wait = soon(50);
	assert_int_equal(mirror_lock_push("/m/x", "other", NULL, &wait), -1);
	assert_int_equal(mirror_lock_refresh("/m/x", &wait, &busy, &fault),
			 MIRROR_TURN_LATE);
	mirror_lock_push_end("/m/x", "id", 0, &sweep);
	pthread_join(thread, NULL);
	assert_true(watch >= 0 && !hangs_up(watch));
	/* its turn is not the end of the gate's */
	mirror_lock_care_stop();
	assert_true(hangs_up(watch));
	assert_int_equal(mirror_lock_care_end("/m/x", watch), 1);
	assert_int_equal(users("/m/x"), 0);
	buf_clear(&busy);
}

static int count(const char *path, void *arg)
{
	assert_string_equal(path, "/m/x");
	++*(int *)arg;
	return 0;
}

static void test_alone(void **state)
{
	int runs = 0, watch;

	(void)state;
	mirror_lock_hold("/m/x");
	mirror_lock_hold("/m/x");
	assert_int_equal(mirror_lock_alone("/m/x", count, &runs), 1);
	mirror_lock_release("/m/x");
	assert_int_equal(mirror_lock_alone("/m/x", count, &runs), 1);
	mirror_lock_release("/m/x");
	assert_int_equal(mirror_lock_alone("/m/x", count, &runs), 0);
	assert_int_equal(mirror_lock_care("/m/x", 0, &watch), 0);
	assert_int_equal(mirror_lock_alone("/m/x", count, &runs), 1);
	mirror_lock_care_end("/m/x", watch);
	assert_int_equal(runs, 1);
}

static void test_crowd(void **state)
{
	unsigned most[] = { 8, 8, 16 };

	(void)state;
	for (int u = 0; u < 3; u += 2) {
		for (unsigned i = 0; i < most[u]; i++)
			assert_int_equal(mirror_crowd_enter(&upstreams[u],
							    clock_ms(), -1), 0);
		assert_int_equal(mirror_crowd_enter(&upstreams[u], clock_ms(),
						    -1), -1);
	}
	/* another path on the same server */
	assert_int_equal(mirror_crowd_enter(&upstreams[1], clock_ms(), -1), -1);
	mirror_crowd_leave(&upstreams[0]);
	assert_int_equal(mirror_crowd_enter(&upstreams[1], clock_ms(), -1), 0);
	for (int u = 0; u < 3; u += 2)
		for (unsigned i = 0; i < most[u]; i++)
			mirror_crowd_leave(&upstreams[u]);
}

/* Of a path that has no mirror. */
static void take_error(void *arg, const char *path, const char *code,
		       int64_t ago_ms)
{
	assert_true(ago_ms >= 0);
	buf_addf(arg, "%s %s\n", path, code);
}

static void test_errors(void **state)
{
	struct mirror_job job = { .path = "/m/none" };
	struct buf all = BUF_INIT;
	char path[32];

	(void)state;
	mirror_error_set(&job, FAULT_AUTH);
	mirror_error_set(&job, FAULT_UNREACHABLE);
	mirror_error_each(take_error, &all);
	assert_string_equal(all.data, "/m/none upstream-unreachable\n");
	/* however many there are, some are kept */
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/m/%03d", i);
		job.path = path;
		mirror_error_set(&job, FAULT_NOT_FOUND);
	}
	buf_reset(&all);
	mirror_error_each(take_error, &all);
	assert_true(all.len < 10000);
	assert_non_null(strstr(all.data, "/m/999 upstream-not-found\n"));
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/m/%03d", i);
		mirror_error_clear(path);
	}
	buf_reset(&all);
	buf_adds(&all, "");
	mirror_error_each(take_error, &all);
	assert_string_equal(all.data, "");
	buf_clear(&all);
}

#define DELAY 40

static atomic_int noting;

static void *note_often(void *arg)
{
	(void)arg;
	while (noting) {
		mirror_due_note("/m/busy");
		poll(NULL, 0, DELAY / 10);
	}
	return NULL;
}

static void test_due(void **state)
{
	struct mirror_due due;
	pthread_t thread;
	int64_t began, first;

	(void)state;
	assert_int_equal(mirror_due_wait(DELAY, 1, &due), MIRROR_TASK_REMOVE);
	mirror_due_active(); /* within the hour */
	began = clock_ms();
	mirror_due_note("/m/one");
	mirror_due_note("/m/one");
	assert_int_equal(mirror_due_wait(DELAY, 1, &due), MIRROR_TASK_CARE);
	assert_string_equal(due.path, "/m/one");
	assert_true(clock_ms() - began >= DELAY);

	/* interrupted twice: four times as long */
	mirror_due_done(&due, 1);
	free(due.path);
	assert_int_equal(mirror_due_wait(DELAY, 1, &due), MIRROR_TASK_CARE);
	mirror_due_done(&due, 1);
	free(due.path);
	began = clock_ms();
	assert_int_equal(mirror_due_wait(DELAY, 1, &due), MIRROR_TASK_CARE);
	assert_int_equal(due.tries, 2);
	assert_true(due.overdue || clock_ms() - began >= 3 * DELAY);
	free(due.path);

	/* interrupted each time: ten delays after the first it is overdue */
	began = clock_ms();
	mirror_due_note("/m/one");
	do {
		assert_int_equal(mirror_due_wait(DELAY, 1, &due),
				 MIRROR_TASK_CARE);
		first = due.first;
		mirror_due_done(&due, 1);
		free(due.path);
	} while (!due.overdue && due.tries < 5);
	assert_true(due.overdue);
	assert_true(due.tries <= 3);
	assert_true(clock_ms() - began >= 10 * DELAY);
	/* and then as late again */
	assert_int_equal(mirror_due_wait(DELAY, 1, &due), MIRROR_TASK_CARE);
	assert_true(due.first >= first + 10 * DELAY);
	free(due.path);
	/* a turn that was overdue was for a part: the rest when it is quiet */
	due.overdue = 1;
	due.path = strdup("/m/one");
	mirror_due_done(&due, 0);
	free(due.path);
	assert_int_equal(mirror_due_wait(DELAY, 1, &due), MIRROR_TASK_CARE);
	assert_string_equal(due.path, "/m/one");
	assert_false(due.overdue);
	/* and no more after that, nor after a failure */
	mirror_due_done(&due, 0);
	due.overdue = 1;
	mirror_due_done(&due, -1);
	free(due.path);
	mirror_due_note("/m/other");
	assert_int_equal(mirror_due_wait(DELAY, 1, &due), MIRROR_TASK_CARE);
	assert_string_equal(due.path, "/m/other");
	free(due.path);

	/* one that is never quiet */
	noting = 1;
	began = clock_ms();
	assert_int_equal(pthread_create(&thread, NULL, note_often, NULL), 0);
	assert_int_equal(mirror_due_wait(DELAY, 1, &due), MIRROR_TASK_CARE);
	assert_string_equal(due.path, "/m/busy");
	assert_true(clock_ms() - began >= DELAY);
	noting = 0;
	pthread_join(thread, NULL);
	free(due.path);

	mirror_due_again();
	assert_int_equal(mirror_due_wait(-1, 1, &due), MIRROR_TASK_AGAIN);
	assert_null(due.path);
	mirror_due_stop();
	assert_int_equal(mirror_due_wait(DELAY, 1, &due), MIRROR_TASK_STOP);
	assert_true(mirror_due_stopping());
}

#define OID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char root[] = "/tmp/mirror-XXXXXX";

/* A file below root, in a directory that is there. */
static void put(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void drop(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(remove(path), 0);
}

static void make(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void test_refs(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(mirror_refs_read(root, &out), 0);
	assert_int_equal(out.len, 0);
	make("refs");
	make("refs/heads");
	make("refs/heads/a");
	put("refs/heads/a/b", OID_A "\n");
	put("refs/heads/a/c.lock", "");
	put("packed-refs", "# pack-refs with: peeled fully-peeled sorted \n"
	    OID_B " refs/heads/a/b\n" OID_B " refs/notes/n\n"
	    OID_B " refs/tags/v1\n^" OID_A "\n");
	assert_int_equal(mirror_refs_read(root, &out), 0);
	assert_string_equal(out.data, OID_A "\trefs/heads/a/b\n"
				      OID_B "\trefs/tags/v1\n");
	/* what only git can resolve or judge */
	put("refs/heads/s", "ref: refs/heads/a/b\n");
	assert_int_equal(mirror_refs_read(root, &out), -1);
	put("refs/heads/s", OID_A);
	assert_int_equal(mirror_refs_read(root, &out), -1);
	drop("refs/heads/s");
	put("packed-refs", "nonsense\n");
	assert_int_equal(mirror_refs_read(root, &out), -1);
	drop("packed-refs");
	assert_int_equal(mirror_refs_read(root, &out), 0);
	assert_string_equal(out.data, OID_A "\trefs/heads/a/b\n");
	drop("refs/heads/a/c.lock");
	drop("refs/heads/a/b");
	drop("refs/heads/a");
	drop("refs/heads");
	drop("refs");
	assert_int_equal(rmdir(root), 0);
	buf_clear(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_names),
		cmocka_unit_test(test_care_and_refresh),
		cmocka_unit_test(test_joiners),
		cmocka_unit_test(test_care_and_push),
		cmocka_unit_test(test_turn),
		cmocka_unit_test(test_turn_comes),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_refs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("mirror", tests, NULL, NULL);
}
