/* park-note.c: what is written is read back, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "park-internal.h"

#define ZERO "0000000000000000000000000000000000000000"
#define ONE "1111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222"

#define HEAD                                                                   \
	"git-gate push 1\nid 0123456789abcdef\n"                               \
	"time 2026-01-31T12:00:00Z\n"
#define WHOSE "who agent\nrepository acme/web\nupstream forge\nbundle 17\n"
#define UPDATE "update " ONE " " TWO " refs/heads/main\n"

static char path[] = "/tmp/unit-park.XXXXXX";

static int make_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	log_set_level(LOG_ERR);
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

/* Read this text. Returns as park_note_read. */
static int reads(const char *text, struct park *p)
{
	struct buf b = BUF_INIT;
	int rc;

	unlink(path);
	buf_adds(&b, text);
	assert_int_equal(buf_write_new(&b, path), 0);
	buf_clear(&b);
	rc = park_note_read(path, p);
	return rc;
}

static void comes_back(void **state)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct park p;

	(void)state;
	assert_int_equal(reads(HEAD "who -\nrepository acme/web\n"
			       "upstream forge\nbundle 17\n"
			       "option a \"b\" \\c\noption \n"
			       "create " ZERO " " ONE " refs/heads/a;b$(x)\n"
			       "update " ONE " " TWO " refs/heads/main\n"
			       "rewind " TWO " " ONE " refs/heads/side\n"
			       "delete " ONE " " ZERO " refs/tags/v1\n"
			       /* of what is not there */
			       "delete " ZERO " " ZERO " refs/tags/v0\n", &p),
			 0);
	assert_string_equal(p.id, "0123456789abcdef");
	assert_string_equal(p.who, "");
	assert_string_equal(p.name, "acme/web");
	assert_string_equal(p.upstream, "forge");
	assert_int_equal(p.time, 1769860800);
	assert_int_equal(p.bundle, 17);
	assert_int_equal(p.nr_options, 2);
	assert_string_equal(p.options[0], "a \"b\" \\c");
	assert_int_equal(p.updates.nr, 5);
	assert_int_equal(p.updates.list[2].op, OP_REWIND);
	assert_string_equal(p.updates.list[3].ref, "refs/tags/v1");
	assert_int_equal(park_note_write(&p, &first), 0);
	park_note_clear(&p);
	assert_int_equal(reads(first.data, &p), 0);
	assert_int_equal(park_note_write(&p, &second), 0);
	assert_string_equal(first.data, second.data);
	park_note_clear(&p);
	buf_clear(&first);
	buf_clear(&second);
}

/* How many lines are logged, which are of this alone. */
static void count(void *arg, enum log_level level, const char *line)
{
	unsigned *n = arg;

	assert_int_equal(level, LOG_ERR);
	assert_string_equal(line, "acme/web: push 0123456789abcdef: a value in "
				  "it has control characters; it is not kept");
	++*n;
}

/* A value that has lines of its own is not written. */
static void no_lines_within(void **state)
{
	char *values[] = { (char *)"a\nwho b", (char *)"a\rb", (char *)"\x7f",
			   (char *)"\x1b[2J" };
	struct buf out = BUF_INIT;
	char **fields[3], *was;
	unsigned lines = 0;
	struct park p;

	(void)state;
	assert_int_equal(reads(HEAD WHOSE "option x\n" UPDATE, &p), 0);
	log_set_tee(count, &lines, 1);
	fields[0] = &p.who;
	fields[1] = &p.options[0];
	fields[2] = &p.updates.list[0].ref;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 4; k++) {
			was = *fields[i];
			*fields[i] = values[k];
			assert_int_equal(park_note_write(&p, &out), -1);
			*fields[i] = was;
			buf_reset(&out);
		}
	log_set_tee(NULL, NULL, 0);
	assert_int_equal(lines, 12);
	assert_int_equal(park_note_write(&p, &out), 0);
	park_note_clear(&p);
	buf_clear(&out);
}

static void nothing_else_is_read(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		HEAD WHOSE, /* no update */
		HEAD UPDATE,
		"git-gate push 2\n" WHOSE UPDATE,
		WHOSE UPDATE,
		HEAD WHOSE "update " ONE " " TWO " refs/heads/main", /* cut */
		HEAD WHOSE WHOSE UPDATE, /* twice */
		HEAD WHOSE UPDATE "colour blue\n",
		HEAD WHOSE UPDATE "colour\n",
		HEAD WHOSE UPDATE "\n",
		HEAD WHOSE "fetch " ONE " " TWO " refs/heads/main\n",
		HEAD WHOSE "update " ZERO " " TWO " refs/heads/main\n",
		HEAD WHOSE "update " ONE " " ZERO " refs/heads/main\n",
		HEAD WHOSE "create " ONE " " TWO " refs/heads/main\n",
		HEAD WHOSE "delete " ONE " " TWO " refs/heads/main\n",
		HEAD WHOSE "update " ONE " 2222 refs/heads/main\n",
		HEAD WHOSE "update --all " TWO " refs/heads/main\n",
		HEAD WHOSE "update " ONE " " TWO " --mirror\n",
		HEAD WHOSE "update " ONE " " TWO " refs/heads/a..b\n",
		HEAD WHOSE "update " ONE " " TWO "\n",
		HEAD "who a\nrepository acme/web\nupstream forge\n"
		     "bundle -1\n" UPDATE,
		"git-gate push 1\nid ../../etc/passwd\n"
		"time 2026-01-31T12:00:00Z\n" WHOSE UPDATE,
		"git-gate push 1\nid 0123456789abcdef\ntime now\n" WHOSE UPDATE,
	};
	struct park p;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (!reads(texts[i], &p))
			fail_msg("number %zu was read", i);
	unlink(path);
	assert_int_equal(park_note_read(path, &p), -1);
	assert_int_equal(reads(HEAD WHOSE UPDATE, &p), 0);
	park_note_clear(&p);
}

static void ids(void **state)
{
	(void)state;
	assert_true(park_dir_id_ok("0123456789abcdef"));
	assert_false(park_dir_id_ok(""));
	assert_false(park_dir_id_ok("-"));
	assert_false(park_dir_id_ok("0123456789abcdeF"));
	assert_false(park_dir_id_ok("0123456789abcdef0"));
	assert_false(park_dir_id_ok("../456789abcdef0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(no_lines_within),
		cmocka_unit_test(nothing_else_is_read),
		cmocka_unit_test(ids),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_path, remove_path);
}
