/* Unit tests of vault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "vault.h"

#define SECRET "s3same-open-token"

static struct buf out;

static enum vault_answer ask(struct vault *v, const char *key, pid_t pid)
{
	buf_reset(&out);
	return vault_ask(v, key, pid, 0, &out);
}

static void keep(struct vault *v, const char *key, const char *token,
		 int64_t seconds)
{
	vault_keep(v, key, token, strlen(token), time(NULL) + seconds);
}

/* A process that lives until it is ended. */
static pid_t process(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		poll(NULL, 0, 30000);
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void one_makes_it_for_all(void **state)
{
	struct vault *v = vault_open();

	(void)state;
	assert_int_equal(ask(v, "a", getpid()), VAULT_MINT);
	assert_int_equal(ask(v, "a", getpid()), VAULT_WAIT);
	assert_int_equal(ask(v, "b", getpid()), VAULT_MINT);
	keep(v, "a", SECRET, 100);
	assert_int_equal(ask(v, "a", getpid()), VAULT_HAVE);
	assert_string_equal(out.data, SECRET);
	assert_int_equal(ask(v, "b", getpid()), VAULT_WAIT);
	keep(v, "a", "another", 100);
	assert_int_equal(ask(v, "a", getpid()), VAULT_HAVE);
	assert_string_equal(out.data, "another");
	vault_close(v);
}

static void the_turn_of_the_dead_ends(void **state)
{
	struct vault *v = vault_open();
	pid_t one = process(), two = process();

	(void)state;
	assert_int_equal(ask(v, "a", one), VAULT_MINT);
	assert_int_equal(ask(v, "a", two), VAULT_WAIT);
	end(one);
	assert_int_equal(ask(v, "a", two), VAULT_MINT);
	assert_int_equal(ask(v, "a", getpid()), VAULT_WAIT);
	end(two);
	/* one that is not there any more gets no turn that others wait for */
	assert_int_equal(ask(v, "a", two), VAULT_MINT);
	assert_int_equal(ask(v, "a", getpid()), VAULT_MINT);
	vault_close(v);
}

static void a_new_one_is_not_forgotten(void **state)
{
	struct vault *v = vault_open();

	(void)state;
	assert_int_equal(vault_ask(v, "a", getpid(), 1, &out), VAULT_MINT);
	keep(v, "a", SECRET, 100);
	buf_reset(&out);
	assert_int_equal(vault_ask(v, "a", getpid(), 1, &out), VAULT_HAVE);
	vault_close(v);
}

static void what_cannot_be_kept_keeps_nobody_waiting(void **state)
{
	struct vault *v = vault_open();

	(void)state;
	assert_int_equal(ask(v, "a", getpid()), VAULT_MINT);
	vault_loose(v, "a");
	assert_int_equal(ask(v, "a", getpid()), VAULT_MINT);
	assert_int_equal(ask(v, "a", getpid()), VAULT_MINT);
	keep(v, "a", SECRET, 100);
	assert_int_equal(ask(v, "a", getpid()), VAULT_HAVE);
	vault_close(v);
}

/* How often the secret stands between two addresses of ours. */
static int copies_in(int mem, unsigned long from, unsigned long to)
{
	static char chunk[65536];
	size_t n = strlen(SECRET);
	int found = 0;

	for (ssize_t got; from < to; from += (unsigned long)got) {
		size_t most = to - from < sizeof(chunk) ? to - from :
							  sizeof(chunk);

		got = pread(mem, chunk, most, (off_t)from);
		if (got < (ssize_t)n)
			break;
		for (const char *p = chunk, *end = chunk + got;
		     (p = memmem(p, (size_t)(end - p), SECRET, n)) != NULL; p++)
			found++;
		/* else it would be found here */
		memset(chunk, 0, sizeof(chunk));
		if (from + (unsigned long)got < to)
			got -= (ssize_t)n - 1;
	}
	return found;
}

/* The same of all that we can write to, but a sanitizer's books. */
static int copies(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), n = 0;
	unsigned long from, to;
	char line[512], mode[8];

	assert_non_null(maps);
	assert_true(mem >= 0);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 &&
		    !strncmp(mode, "rw", 2) && to - from < 64UL << 20)
			n += copies_in(mem, from, to);
	fclose(maps);
	close(mem);
	return n;
}

/* In its own pages, and gone at its end whether anybody asks or not. */
static void expired_ones_are_wiped(void **state)
{
	struct vault *v = vault_open();
	int left = 1;

	(void)state;
	vault_keep(v, "a", SECRET, strlen(SECRET), time(NULL) + 1);
	assert_true(copies() >= 1);
	for (int i = 0; i < 100 && left; i++) {
		poll(NULL, 0, 50);
		left = copies();
	}
	assert_int_equal(left, 0);
	assert_int_equal(ask(v, "a", getpid()), VAULT_MINT);
	vault_close(v);
}

static void many_keys_have_a_bound(void **state)
{
	struct vault *v = vault_open();
	char key[32];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		snprintf(key, sizeof(key), "key%d", i);
		keep(v, key, "x", 100);
	}
	assert_int_equal(ask(v, "key1999", getpid()), VAULT_HAVE);
	assert_int_equal(ask(v, "key0", getpid()), VAULT_MINT);
	vault_close(v);
}

/* Many ask at once: one of them makes it. */
static struct vault *shared;
static int made;

static void *asker(void *arg)
{
	struct buf b = BUF_INIT;
	enum vault_answer a;

	(void)arg;
	while ((a = vault_ask(shared, "a", getpid(), 0, &b)) != VAULT_HAVE) {
		if (a == VAULT_MINT) {
			__atomic_fetch_add(&made, 1, __ATOMIC_SEQ_CST);
			poll(NULL, 0, 50);
			keep(shared, "a", SECRET, 100);
		}
		poll(NULL, 0, 1);
	}
	buf_clear(&b);
	return NULL;
}

static void a_crowd_makes_one(void **state)
{
	pthread_t threads[16];

	(void)state;
	shared = vault_open();
	for (int i = 0; i < 16; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, asker,
						NULL), 0);
	for (int i = 0; i < 16; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(made, 1);
	vault_close(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* first: later ones leave what they were given in out */
		cmocka_unit_test(expired_ones_are_wiped),
		cmocka_unit_test(one_makes_it_for_all),
		cmocka_unit_test(the_turn_of_the_dead_ends),
		cmocka_unit_test(a_new_one_is_not_forgotten),
		cmocka_unit_test(what_cannot_be_kept_keeps_nobody_waiting),
		cmocka_unit_test(many_keys_have_a_bound),
		cmocka_unit_test(a_crowd_makes_one),
	};

	int rc;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	rc = cmocka_run_group_tests_name("vault", tests, NULL, NULL);
	buf_clear(&out);
	return rc;
}
