/* Properties of request.c: what a hostile client can put into parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "request.h"

static int read_one(const char *param, struct request *out,
		    const char **error)
{
	char copy[8192];
	char *params[] = { copy, NULL };

	strncpy(copy, param, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	return request_read(params, out, error);
}

static int takes(const char *param)
{
	struct request r;
	const char *error = "unset";
	int rc = read_one(param, &r, &error);

	assert_true((rc == 0) == (error == NULL));
	return rc == 0;
}

static void what_is_not_given_is_empty(void **state)
{
	char *params[] = { NULL };
	struct request r;
	const char *error;

	(void)state;
	assert_int_equal(request_read(params, &r, &error), 0);
	assert_string_equal(r.method, "");
	assert_string_equal(r.path, "");
	assert_string_equal(r.who, "");
	assert_string_equal(r.git_protocol, "");
	assert_int_equal(r.content_length, -1);
}

static void after_an_error_every_field_can_be_read(void **state)
{
	char method[] = "REQUEST_METHOD=G\nET", path[] = "PATH_INFO=/x";
	char *params[] = { method, path, NULL };
	struct request r;
	const char *error;

	(void)state;
	assert_int_equal(request_read(params, &r, &error), -1);
	assert_non_null(error);
	assert_string_equal(r.method, "");
	assert_non_null(r.path);
	assert_non_null(r.server_protocol);
}

static void lengths_are_digits_or_nothing(void **state)
{
	struct request r;
	const char *error;

	(void)state;
	assert_true(takes("CONTENT_LENGTH="));
	assert_true(takes("CONTENT_LENGTH=0"));
	assert_int_equal(read_one("CONTENT_LENGTH=123456789012345678", &r,
				  &error), 0);
	assert_int_equal(r.content_length, 123456789012345678);
	assert_false(takes("CONTENT_LENGTH=-1"));
	assert_false(takes("CONTENT_LENGTH=+1"));
	assert_false(takes("CONTENT_LENGTH= 1"));
	assert_false(takes("CONTENT_LENGTH=1,1"));
	assert_false(takes("CONTENT_LENGTH=0x10"));
	assert_false(takes("CONTENT_LENGTH=1234567890123456789"));
}

static void control_bytes_are_refused(void **state)
{
	(void)state;
	assert_true(takes("REMOTE_USER=ada@example.org"));
	assert_true(takes("REMOTE_USER=\xc3\xa9va"));
	assert_false(takes("REMOTE_USER=ada\nroot"));
	assert_false(takes("REMOTE_USER=ada\x7f"));
	assert_false(takes("PATH_INFO=/a\rb"));
	assert_false(takes("REMOTE_ADDR=\033[2J"));
}

static void values_are_bounded(void **state)
{
	char param[8000] = "REMOTE_USER=";

	(void)state;
	memset(param + 12, 'a', 64);
	assert_true(takes(param));
	memset(param + 12, 'a', 65);
	assert_false(takes(param));
	memset(param, 'a', sizeof(param) - 1);
	memcpy(param, "PATH_INFO=/", 11);
	assert_false(takes(param));
}

static void check_encoding(const char *value, const char *want)
{
	char param[64] = "HTTP_CONTENT_ENCODING=";
	char *params[] = { param, NULL };
	struct request r;
	const char *error;

	strncat(param, value, sizeof(param) - strlen(param) - 1);
	assert_int_equal(request_read(params, &r, &error), 0);
	assert_string_equal(r.content_encoding, want);
}

static void encodings_have_one_name(void **state)
{
	(void)state;
	check_encoding("", "");
	check_encoding("identity", "");
	check_encoding("gzip", "gzip");
	check_encoding("x-gzip", "gzip");
	check_encoding("GZip", "gzip");
	/* not ours: who takes the body refuses these */
	check_encoding("deflate", "deflate");
	check_encoding("gzip, gzip", "gzip, gzip");
	check_encoding(" gzip", " gzip");
	assert_false(takes("HTTP_CONTENT_ENCODING=gzip\n"));
}

static void protocols_are_known_ones(void **state)
{
	(void)state;
	assert_true(takes("GIT_PROTOCOL=version=2"));
	assert_true(takes("HTTP_GIT_PROTOCOL=version=2:x=y"));
	assert_false(takes("GIT_PROTOCOL=version=2;id"));
	assert_false(takes("GIT_PROTOCOL=$(id)"));
}

static void only_whole_names_count(void **state)
{
	struct request r;
	const char *error;

	(void)state;
	assert_int_equal(read_one("REMOTE_USERS=x", &r, &error), 0);
	assert_string_equal(r.who, "");
	assert_int_equal(read_one("HTTP_REMOTE_USER=x", &r, &error), 0);
	assert_string_equal(r.who, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_given_is_empty),
		cmocka_unit_test(after_an_error_every_field_can_be_read),
		cmocka_unit_test(lengths_are_digits_or_nothing),
		cmocka_unit_test(control_bytes_are_refused),
		cmocka_unit_test(values_are_bounded),
		cmocka_unit_test(encodings_have_one_name),
		cmocka_unit_test(protocols_are_known_ones),
		cmocka_unit_test(only_whole_names_count),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
