/*
 * Answers that are kept: what counts as a change, when a time can be trusted,
 * what leads elsewhere; and the bound of their memory, on a made-up repository.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "advert.h"
#include "advert-internal.h"
#include "clock.h"

#define MS ((int64_t)1000000)
#define NOW ((int64_t)1700000000 * 1000 * MS + 123456789)

static struct state_seen file(int64_t ctime)
{
	return (struct state_seen){ .dev = 1, .ino = 2, .size = 41,
				    .mtime = ctime, .ctime = ctime,
				    .mode = S_IFREG | 0644,
				    .how = HOW_CONTENT };
}

static void a_change_is_seen(void **state)
{
	const struct state_seen a = file(NOW);
	struct state_seen b;

	(void)state;
	assert_true(advert_judge_same(&a, &a, 0));
#define CHANGED(field)                                                         \
	b = a;                                                                 \
	b.field++;                                                             \
	assert_false(advert_judge_same(&a, &b, 0))
	CHANGED(dev);
	CHANGED(ino);
	CHANGED(size);
	CHANGED(mtime);
	CHANGED(ctime);
	CHANGED(mode);
	CHANGED(uid);
	CHANGED(gid);
	b = a;
	b.mode = 0;
	assert_false(advert_judge_same(&a, &b, 0));
	assert_false(advert_judge_same(&b, &a, 0));
	assert_true(advert_judge_same(&b, &b, 0));
}

static void what_counts_for_a_while(void **state)
{
	struct state_seen a = file(NOW), b = file(NOW + 1);

	(void)state;
	a.how = b.how = HOW_WHILE;
	assert_false(advert_judge_same(&a, &b, 1));
	assert_true(advert_judge_same(&a, &b, 0));
	a.how = b.how = HOW_WHICH;
	assert_true(advert_judge_same(&a, &b, 1));
	b.ino++;
	assert_false(advert_judge_same(&a, &b, 1));
}

static void young_times_are_not_trusted(void **state)
{
	struct state_seen a = file(NOW), none = { .mode = 0 };
	struct state_seen whole = file((int64_t)1700000000 * 1000 * MS);

	(void)state;
	assert_false(advert_judge_settled(&a, NOW));
	assert_false(advert_judge_settled(&a, NOW + 20 * MS - 1));
	assert_true(advert_judge_settled(&a, NOW + 20 * MS));
	/* the clock was set back */
	assert_false(advert_judge_settled(&a, NOW - 3600 * 1000 * MS));
	/* a file system of whole seconds */
	assert_false(advert_judge_settled(&whole, whole.ctime + 2000 * MS));
	assert_true(advert_judge_settled(&whole, whole.ctime + 2020 * MS));
	/* mtime can be anything */
	a.mtime = 0;
	assert_false(advert_judge_settled(&a, NOW + 1));
	assert_true(advert_judge_settled(&none, NOW));
	a.how = HOW_WHICH;
	assert_true(advert_judge_settled(&a, NOW));
}

static int config_leads(const char *s)
{
	return advert_judge_config(s, strlen(s));
}

static int ref_leads(const char *s)
{
	return advert_judge_ref(s, strlen(s));
}

static void what_leads_elsewhere(void **state)
{
	(void)state;
	assert_false(config_leads("[core]\n\tbare = true\n"));
	assert_true(config_leads("[include]path = x"));
	assert_true(config_leads("x\n[IncludeIf \"gitdir:/\"]\n"));
	assert_false(config_leads("includ"));
	assert_false(ref_leads("0123456789012345678901234567890123456789\n"));
	assert_false(ref_leads("ref: refs/heads/main\n"));
	assert_false(ref_leads("ref:\t refs/heads/main\n"));
	assert_true(ref_leads("ref: FETCH_HEAD\n"));
	assert_true(ref_leads("ref: refs/../FETCH_HEAD\n"));
	assert_true(ref_leads("ref:"));
	assert_true(ref_leads("ref: refs"));
}

/* --- on disk ---------------------------------------------------------- */

static char dir[] = "/tmp/git-gate.unit.XXXXXX";
static const char *const programs[] = { "/bin/sh", NULL };
static const char answer[] = "Status: 200 OK\r\n\r\n0008a b\n0000";

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void make(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int64_t stamp(void)
{
	struct timespec now;

	/* the clock that files are stamped with; it can lag on a busy host */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec * 1000 * MS + now.tv_nsec;
}

/* Longer than any tick, by the clock that files are stamped with. */
static void settle(void)
{
	int64_t until = stamp() + 60 * MS;
	int i;

	for (i = 0; i < 2000 && stamp() < until; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 5 * MS }, NULL);
}

static int make_repository(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	make("objects");
	make("objects/pack");
	make("refs");
	make("refs/heads");
	put("HEAD", "ref: refs/heads/main\n");
	put("config", "[core]\n\tbare = true\n");
	put("refs/heads/main", "0123456789012345678901234567890123456789\n");
	settle();
	return 0;
}

static int remove_repository(void **state)
{
	static const char *const names[] = {
		"refs/heads/main", "refs/heads/link", "config", "HEAD",
		"commondir", "refs/heads", "refs", "objects/pack", "objects",
		".",
	};
	char path[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	rmdir(dir);
	return 0;
}

static enum state_is look(void)
{
	struct advert_state s;
	enum state_is is = advert_state_take(&s, dir, programs, ASKED_REFS);

	advert_state_clear(&s);
	return is;
}

/*
 * What is seen of a change at once. On a busy machine it may be old by then,
 * and is made again: there is a moment when it is not.
 */
static int look_at_new_head(void)
{
	int64_t began;
	int seen, tries = 0;

	do {
		began = clock_ms();
		put("HEAD", "ref: refs/heads/other\n");
		seen = look();
	} while (seen != STATE_YOUNG && clock_ms() - began > 10 &&
		 ++tries < 1000);
	return seen;
}

static void states_of_a_repository(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(look(), STATE_GOOD);
	assert_int_equal(look_at_new_head(), STATE_YOUNG);
	put("commondir", "..\n");
	assert_int_equal(look(), STATE_STRANGE);
	snprintf(path, sizeof(path), "%s/commondir", dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/refs/heads/link", dir);
	assert_int_equal(symlink("main", path), 0);
	assert_int_equal(look(), STATE_STRANGE);
	assert_int_equal(unlink(path), 0);
	settle();
	assert_int_equal(look(), STATE_GOOD);
}

static enum advert_turn find(const char *key, size_t most,
			     struct advert **found,
			     struct advert_making **making)
{
	const struct advert_ask ask = { .asked = ASKED_REFS, .git_dir = dir,
					.key = key, .key_len = strlen(key),
					.programs = programs, .most = most };

	return advert_find(&ask, found, making);
}

/* Ask, and have it made of about size bytes if need be. */
static enum advert_turn get(const char *key, size_t most, size_t size)
{
	struct advert *found = NULL;
	struct advert_making *making = NULL;
	enum advert_turn turn = find(key, most, &found, &making);
	size_t n;

	if (turn == ADVERT_FOUND) {
		assert_memory_equal(advert_data(found, &n), "Status", 6);
		advert_release(found);
	}
	if (turn == ADVERT_MAKE) {
		advert_add(making, answer, sizeof(answer) - 1 - 4);
		for (n = 0; n < size; n += 1000) {
			char packet[1001];

			snprintf(packet, sizeof(packet), "03e8%0996d", 7);
			advert_add(making, packet, 1000);
		}
		advert_add(making, "0000", 4);
		advert_made(making, 1);
	}
	return turn;
}

static void kept_until_it_changes(void **state)
{
	struct advert_making *making = NULL;
	char path[128];

	(void)state;
	assert_int_equal(get("a", 1 << 20, 0), ADVERT_MAKE);
	assert_int_equal(get("a", 1 << 20, 0), ADVERT_FOUND);
	assert_int_equal(get("b", 1 << 20, 0), ADVERT_MAKE);
	put("refs/heads/main", "1123456789012345678901234567890123456789\n");
	assert_int_equal(get("a", 1 << 20, 0), ADVERT_NONE);
	settle();
	assert_int_equal(get("a", 1 << 20, 0), ADVERT_MAKE);
	/* what came and went while git answered; only the directory knows */
	assert_int_equal(find("c", 1 << 20, NULL, &making), ADVERT_MAKE);
	advert_add(making, answer, sizeof(answer) - 1);
	put("shallow", "");
	snprintf(path, sizeof(path), "%s/shallow", dir);
	assert_int_equal(unlink(path), 0);
	advert_made(making, 1);
	settle();
	/* changed while git answered; one that failed; one that is cut */
	assert_int_equal(find("c", 1 << 20, NULL, &making), ADVERT_MAKE);
	advert_add(making, answer, sizeof(answer) - 1);
	put("refs/heads/main", "2123456789012345678901234567890123456789\n");
	advert_made(making, 1);
	settle();
	assert_int_equal(find("c", 1 << 20, NULL, &making), ADVERT_MAKE);
	advert_add(making, answer, sizeof(answer) - 1);
	advert_made(making, 0);
	assert_int_equal(find("c", 1 << 20, NULL, &making), ADVERT_MAKE);
	advert_add(making, answer, sizeof(answer) - 2);
	advert_made(making, 1);
	assert_int_equal(get("c", 1 << 20, 0), ADVERT_NONE);
	assert_int_equal(get("a", 0, 0), ADVERT_NONE);
	advert_clear();
}

/* What was kept of another state is not given again: it takes no room. */
static void outdated_ones_go(void **state)
{
	size_t bytes, answers, i;
	char key[32];

	(void)state;
	for (i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "key %zu", i);
		assert_int_equal(get(key, 1 << 20, 0), ADVERT_MAKE);
	}
	advert_count(&bytes, &answers);
	assert_int_equal(answers, 20);
	put("refs/heads/main", "3123456789012345678901234567890123456789\n");
	settle();
	assert_int_equal(get("one", 1 << 20, 0), ADVERT_MAKE);
	assert_int_equal(get("two", 1 << 20, 0), ADVERT_MAKE);
	advert_count(&bytes, &answers);
	assert_int_equal(answers, 2);
	assert_int_equal(get("one", 1 << 20, 0), ADVERT_FOUND);
	advert_clear();
	advert_count(&bytes, &answers);
	assert_int_equal(bytes, 0);
}

static void memory_is_bounded(void **state)
{
	const size_t most = 256 << 10;
	struct advert *held = NULL;
	struct advert_making *making = NULL;
	size_t bytes, answers, i;
	char key[32];

	(void)state;
	for (i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "key %zu", i);
		assert_int_equal(get(key, most, i % 7 * 9000), ADVERT_MAKE);
		/* the first one is asked for now and then: it stays */
		assert_int_equal(get("key 0", most, 0), ADVERT_FOUND);
		advert_count(&bytes, &answers);
		assert_true(bytes <= most);
	}
	assert_true(answers > 3);
	/* too large for its share; then it is known for a while */
	assert_int_equal(get("large", most, most / 2), ADVERT_MAKE);
	assert_int_equal(get("large", most, 0), ADVERT_NONE);
	/* what is held counts, wherever it is */
	assert_int_equal(find("key 0", most, &held, &making), ADVERT_FOUND);
	advert_clear();
	advert_count(&bytes, &answers);
	assert_int_equal(answers, 0);
	assert_true(bytes > 0);
	advert_release(held);
	advert_count(&bytes, &answers);
	assert_int_equal(bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_seen),
		cmocka_unit_test(what_counts_for_a_while),
		cmocka_unit_test(young_times_are_not_trusted),
		cmocka_unit_test(what_leads_elsewhere),
		cmocka_unit_test(states_of_a_repository),
		cmocka_unit_test(kept_until_it_changes),
		cmocka_unit_test(outdated_ones_go),
		cmocka_unit_test(memory_is_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_repository,
				      remove_repository);
}
