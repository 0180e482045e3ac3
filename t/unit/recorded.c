/* Answers without their packs, cut at every byte; and those that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "recorded.h"

#define HEADER "Status: 200 OK\r\nX: y\r\n\r\n"
/* 40 bytes */
#define PACK "PACKabcdefghijklmnopqrstuvwxyz0123456789"
#define BAND "002d\1" PACK

static void feed(struct recorded *r, const char *s, size_t n, size_t step)
{
	size_t at;

	*r = (struct recorded)RECORDED_INIT;
	for (at = 0; at < n; at += step)
		recorded_feed(r, s + at, n - at < step ? n - at : step);
}

static int is_whole(const char *s, size_t n)
{
	struct recorded r;
	int whole;

	feed(&r, s, n, n);
	whole = recorded_whole(&r);
	recorded_clear(&r);
	return whole;
}

static const char answer[] = HEADER "0014acknowledgments\n" "0001"
	"000dpackfile\n" "0009\2word" "0005\1" "0009\1PACK" "0007\2ok"
	"0029\1abcdefghijklmnopqrstuvwxyz0123456789" "0008\2end" "0000";

static void in_steps(void **state)
{
	size_t n = sizeof(answer) - 1, step;

	(void)state;
	for (step = 1; step <= n; step++) {
		struct recorded r;

		feed(&r, answer, n, step);
		assert_true(recorded_whole(&r));
		assert_int_equal(r.header, strlen(HEADER));
		assert_int_equal(r.pack, 40);
		assert_memory_equal(r.last, PACK + 8, RECORDED_LAST);
		assert_int_equal(r.packet, 36);
		assert_string_equal(r.before.data, HEADER
				    "0014acknowledgments\n" "0001"
				    "000dpackfile\n" "0009\2word");
		assert_string_equal(r.after.data, "0007\2ok" "0008\2end"
				    "0000");
		recorded_clear(&r);
	}
}

static void cut(void **state)
{
	size_t n = sizeof(answer) - 1, i;

	(void)state;
	for (i = 0; i < n; i++)
		assert_false(is_whole(answer, i));
}

static void other(void **state)
{
	static const char *const bad[] = {
		HEADER "0008NAK\n" "0000",             /* no pack */
		HEADER BAND "0000" "0000",             /* more behind it */
		HEADER BAND "0000" "0006\2x",
		HEADER BAND "0000" "000",
		HEADER BAND "0008NAK\n" "0000",        /* no side-band there */
		HEADER BAND "0004" "0000",
		HEADER BAND "0001" "0000",
		HEADER BAND "0006\3x" "0000",          /* an error */
		HEADER "0006\3x" BAND "0000",
		HEADER "0025\1PACKabcdefghijklmnopqrstuvwxyz01" "0000",
		HEADER "PACK" PACK,                    /* no packets */
		"no header" BAND "0000",
		"",
	};
	size_t i;

	(void)state;
	assert_true(is_whole(HEADER BAND "0000", strlen(HEADER BAND "0000")));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(is_whole(bad[i], strlen(bad[i])));
}

static void bounded(void **state)
{
	static const char words[] = "0069\2"
		"0123456789012345678901234567890123456789012345678901234567"
		"890123456789012345678901234567890123456789";
	struct recorded r = RECORDED_INIT;
	int i;

	(void)state;
	recorded_feed(&r, HEADER, strlen(HEADER));
	for (i = 0; i < 2000; i++)
		recorded_feed(&r, words, sizeof(words) - 1);
	recorded_feed(&r, BAND "0000", strlen(BAND "0000"));
	assert_false(recorded_whole(&r));
	assert_true(r.before.len <= 65536);
	recorded_clear(&r);
	/* of a header that never ends, too */
	r = (struct recorded)RECORDED_INIT;
	for (i = 0; i < 2000; i++)
		recorded_feed(&r, words, sizeof(words) - 1);
	assert_true(r.before.len <= 65536);
	recorded_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_steps),
		cmocka_unit_test(cut),
		cmocka_unit_test(other),
		cmocka_unit_test(bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
