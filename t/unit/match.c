/* match.c: what the patterns of the configuration match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "clock.h"
#include "match.h"
#include "mem.h"

static const struct {
	const char *pattern, *text;
	int yes, icase;
} cases[] = {
	{ "", "", 1, 1 },
	{ "", "a", 0, 0 },
	{ "a", "", 0, 0 },
	{ "*", "", 1, 1 },
	{ "**", "", 1, 1 },
	{ "?", "", 0, 0 },
	{ "?", "/", 1, 1 },
	{ "*?", "", 0, 0 },
	{ "*?*", "x", 1, 1 },
	{ "acme/*", "acme/web", 1, 1 },
	{ "acme/*", "acme/", 1, 1 },
	{ "acme/*", "acme", 0, 0 },
	{ "acme/*", "acme/a/b", 1, 1 },
	{ "acme/*", "xacme/web", 0, 0 },
	{ "*.x", "a.x.x", 1, 1 },
	{ "*.x", "a.x.y", 0, 0 },
	{ "a*b*c", "a-b-b-c", 1, 1 },
	{ "a*b*c", "a-c-b", 0, 0 },
	{ "Acme/?eb", "acme/Web", 0, 1 },
	{ "a[b]", "ab", 0, 0 },
	{ "a[b]", "a[b]", 1, 1 },
	{ "a\\*", "a*", 0, 0 },
	{ "@", "`", 0, 0 }, /* neighbours of the letters are no letters */
	{ "[", "{", 0, 0 },
	{ "\xc3\x84", "\xc3\xa4", 0, 0 },
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int yes = match_glob(cases[i].pattern, cases[i].text);
		int icase = match_glob_icase(cases[i].pattern, cases[i].text);
		if (yes != cases[i].yes || icase != cases[i].icase)
			fail_msg("%s on %s: %d, %d", cases[i].pattern,
				 cases[i].text, yes, icase);
	}
}

/* Many stars on a text that almost matches: exponential for the naive. */
static void hostile_is_fast(void **state)
{
	enum { STARS = 200, BYTES = 20000 };
	char *pattern = mem_zalloc(2 * STARS + 2);
	char *text = mem_zalloc(BYTES + 1);
	int64_t began = clock_ms();

	(void)state;
	for (int i = 0; i < STARS; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	pattern[2 * STARS] = 'b';
	memset(text, 'a', BYTES);
	assert_int_equal(match_glob(pattern, text), 0);
	assert_true(clock_ms() - began < 5000);
	free(pattern);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(hostile_is_fast),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
