/* Unit tests of hint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "hint.h"

static int names(const char *sentence, const char *key)
{
	return sentence != NULL && strstr(sentence, key) != NULL;
}

static int line_names(const char *line, const char *key)
{
	return names(hint_of_line(line, strlen(line)), key);
}

static void words_name_their_key(void **state)
{
	(void)state;
	assert_true(line_names("fatal: Out of memory, malloc failed (tried to "
			       "allocate 5242881 bytes)", "backend.memory"));
	assert_true(line_names("warning: suboptimal pack - out of memory",
			       "backend.memory"));
	assert_true(line_names("git: error while loading shared libraries: "
			       "libz.so.1: failed to map segment from shared "
			       "object", "backend.memory"));
	assert_true(line_names("error: cannot create async thread: Resource "
			       "temporarily unavailable", "backend.processes"));
	assert_true(line_names("error: /x/pre-receive died of signal 24",
			       "backend.cpu"));
	assert_true(line_names("fatal: write error: File too large",
			       "backend.fileSize"));
	assert_true(line_names("fatal: cannot open '/x': Too many open files",
			       "backend.files"));
	assert_null(hint_of_line("fatal: bad object", 17));
	assert_null(hint_of_line("", 0));
	/* only so many bytes are looked at */
	assert_null(hint_of_line("File too large", 8));
}

static void statuses_name_their_key(void **state)
{
	(void)state;
	assert_true(names(hint_of_status(128 + 24), "backend.cpu"));
	assert_true(names(hint_of_status(128 + 25), "backend.fileSize"));
	assert_null(hint_of_status(0));
	assert_null(hint_of_status(128));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_name_their_key),
		cmocka_unit_test(statuses_name_their_key),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("hint", tests, NULL, NULL);
}
