/* Unit tests of token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "token.h"

/* The time that this text says; -1: it is refused. */
static int64_t expires(const char *text)
{
	struct token t;

	return token_read(text, strlen(text), &t) ? -1 : t.expires;
}

static int64_t at(const char *time)
{
	char text[256] = "abc\nexpires=";

	strncat(text, time, sizeof(text) - strlen(text) - 1);
	return expires(text);
}

static size_t length(const char *text, size_t n)
{
	struct token t;

	return token_read(text, n, &t) ? 0 : t.len;
}

static void first_line_is_the_token(void **state)
{
	static char long_one[TOKEN_MAX + 1];

	(void)state;
	assert_int_equal(length("abc", 3), 3);
	assert_int_equal(length("abc\n", 4), 3);
	assert_int_equal(length("abc\r\n", 5), 3);
	assert_int_equal(length("a b c\nmore\n\nand more", 20), 5);
	assert_int_equal(length("", 0), 0);
	assert_int_equal(length("\nabc\n", 5), 0);
	assert_int_equal(length("\r\nabc", 5), 0);
	assert_int_equal(length("ab\0c\n", 5), 0);
	assert_int_equal(length("ab\tc\n", 5), 0);
	assert_int_equal(length("ab\033c\n", 5), 0);
	assert_int_equal(length("ab\rc\n", 5), 0);
	/* no newline within what there is */
	assert_int_equal(length("abc\ndef", 3), 3);
	memset(long_one, 'x', sizeof(long_one));
	assert_int_equal(length(long_one, TOKEN_MAX), TOKEN_MAX);
	assert_int_equal(length(long_one, TOKEN_MAX + 1), 0);
}

static void times_are_read(void **state)
{
	(void)state;
	assert_int_equal(expires("abc"), 0);
	assert_int_equal(expires("abc\n\nnote=x\nexpire=1\n"), 0);
	assert_int_equal(at("1800000000"), 1800000000);
	assert_int_equal(expires("abc\npassword_expiry_utc=1800000000\r\n"),
			 1800000000);
	assert_int_equal(at("1970-01-01T00:00:01Z"), 1);
	assert_int_equal(at("2000-02-29T12:34:56Z"), 951827696);
	assert_int_equal(at("2024-03-01T00:00:00Z"), 1709251200);
	assert_int_equal(at("2027-01-15t08:00:00.999+00:00"), 1800000000);
	assert_int_equal(at("2027-01-15T08:00:00.5z"), 1800000000);
	assert_int_equal(at("2100-03-01T00:00:00Z"), 4107542400);
	assert_int_equal(at("9999-12-31T23:59:59Z"), 253402300799);
	/* twice the same is one time */
	assert_int_equal(expires("a\nexpires=7\npassword_expiry_utc=7\n"), 7);
}

static void other_times_are_refused(void **state)
{
	static const char *const wrong[] = {
		"", "0", "-1", "+5", " 5", "5 ", "1e9", "1234567890123",
		"999999999999", "soon", "2027-01-15", "2027-01-15T08:00Z",
		"2027-01-15T08:00:00", "2027-01-15 08:00:00Z",
		"2027-01-15T08:00:00+01:00", "2027-01-15T08:00:00.Z",
		"2027-13-01T00:00:00Z", "2027-00-01T00:00:00Z",
		"2027-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
		"2027-04-31T00:00:00Z", "2027-01-00T00:00:00Z",
		"2027-01-15T24:00:00Z", "2027-01-15T08:60:00Z",
		"2027-01-15T08:00:61Z", "1969-12-31T23:59:59Z",
		"2027-01-15T08:00:00Zx", "x027-01-15T08:00:00Z",
		"2027-+1-15T08:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (at(wrong[i]) != -1)
			fail_msg("%s is taken", wrong[i]);
	assert_int_equal(expires("a\nexpires=7\nexpires=8\n"), -1);
}

/* What is wrong is said without the text. */
static void messages_have_no_token(void **state)
{
	static const char text[] = "hush-hush\nexpires=hush-hush\n";
	struct token t;
	const char *wrong = token_read(text, sizeof(text) - 1, &t);

	(void)state;
	assert_non_null(wrong);
	assert_null(strstr(wrong, "hush"));
}

static int shows(const char *words, const char *secret)
{
	return token_may_show(words, strlen(words), secret, strlen(secret));
}

static void words_beside_a_token(void **state)
{
	(void)state;
	assert_true(shows("cannot reach vault.example: timed out", ""));
	assert_true(shows("", "hush-hush"));
	assert_true(shows("exit 3", "hush-hush"));
	assert_false(shows("bad hush-hush", "hush-hush"));
	/* a part of it, or one word of several */
	assert_false(shows("bad ush-", "hush-hush"));
	assert_false(shows("got abc", "{ abc }"));
	assert_true(shows("got abd", "{ abc }"));
	/* never printed, and looks like one */
	assert_false(shows("x: Bearer ghp_16C7e42F292c6912E7710c83", ""));
	assert_true(shows("20261231235959000000000 is too late", ""));
}

/* The time that is none, as far as people may see it. */
static void is_shown(const char *text, const char *bad)
{
	struct token t;

	assert_non_null(token_read(text, strlen(text), &t));
	if (!bad) {
		assert_null(t.bad);
		return;
	}
	assert_non_null(t.bad);
	assert_int_equal(t.bad_len, strlen(bad));
	assert_memory_equal(t.bad, bad, t.bad_len);
}

static void a_bad_time_is_shown(void **state)
{
	(void)state;
	is_shown("hush-hush\nexpires=tomorrow\n", "tomorrow");
	is_shown("hush-hush\nexpires=hush\n", NULL);
	is_shown("hush-hush\nexpires=a\033b\n", NULL);
	is_shown("hush-hush\nexpires=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "\n", NULL);
	is_shown("hush-hush\nexpires=1\nexpires=2\n", NULL);
}

static void other_forms_are_named(void **state)
{
	static const struct {
		const char *text, *says;
	} forms[] = {
		{ "{\"token\": \"hush\"}\n", "JSON" },
		{ " {\n \"token\": \"hush\"\n}\n", "JSON" },
		{ "username=me\npassword=hush\n", "credential lines" },
		{ "password=hush\n", "credential lines" },
	};
	struct token t;

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const char *wrong = token_read(forms[i].text,
					       strlen(forms[i].text), &t);

		assert_non_null(wrong);
		assert_non_null(strstr(wrong, forms[i].says));
		assert_non_null(strstr(wrong, "the token alone"));
		assert_null(strstr(wrong, "hush"));
	}
	assert_int_equal(expires("passwordless\n"), 0);
}

static void some_time_is_left(void **state)
{
	(void)state;
	assert_int_equal(token_until(1000, 4600), 4540);
	assert_int_equal(token_until(1000, 1120), 1060);
	assert_int_equal(token_until(1000, 1100), 1050);
	assert_int_equal(token_until(1000, 1002), 1001);
	assert_int_equal(token_until(1000, 1001), 0);
	assert_int_equal(token_until(1000, 1000), 0);
	assert_int_equal(token_until(1000, 7), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_line_is_the_token),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(other_times_are_refused),
		cmocka_unit_test(messages_have_no_token),
		cmocka_unit_test(words_beside_a_token),
		cmocka_unit_test(a_bad_time_is_shown),
		cmocka_unit_test(other_forms_are_named),
		cmocka_unit_test(some_time_is_left),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
