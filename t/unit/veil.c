/* Unit tests of veil. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "veil.h"

#define TOKEN "hush-4fe1c0ffee"
/* printf robot:hush-4fe1c0ffee | base64 */
#define BASIC "cm9ib3Q6aHVzaC00ZmUxYzBmZmVl"

static struct veil of(const char *user, const char *token)
{
	struct buf text = BUF_INIT;
	struct veil v;

	veil_text(user, token, strlen(token), &text);
	veil_read(&v, text.len ? text.data : "");
	buf_clear(&text);
	return v;
}

static void shows(const struct veil *v, const char *words, const char *wanted)
{
	struct buf out = BUF_INIT;

	buf_adds(&out, "");
	veil_words(v, words, strlen(words), &out);
	assert_string_equal(out.data, wanted);
	buf_clear(&out);
}

static void tokens_are_cut_out(void **state)
{
	struct veil v = of("robot", TOKEN);

	(void)state;
	assert_int_equal(v.nr, 2);
	shows(&v, TOKEN, "[token]");
	shows(&v, "x" TOKEN "y", "x[token]y");
	shows(&v, TOKEN TOKEN " and " TOKEN, "[token][token] and [token]");
	shows(&v, "Authorization: Basic " BASIC "=", "Authorization: Basic "
						     "[token]=");
	shows(&v, BASIC " is " TOKEN, "[token] is [token]");
}

static void other_words_stay(void **state)
{
	struct veil v = of("robot", TOKEN), none = VEIL_INIT;

	(void)state;
	shows(&v, "", "");
	shows(&v, "hush", "hush");
	shows(&v, "hush-4fe1c0ffef", "hush-4fe1c0ffef");
	shows(&v, "Create a pull request at https://forge.example/new",
	      "Create a pull request at https://forge.example/new");
	shows(&none, TOKEN, TOKEN);
}

/* Of 1 to 3 bytes in the last group; the padding is not looked for. */
static void all_lengths_are_known(void **state)
{
	struct veil a = of("robot", TOKEN "a"), b = of("robot", TOKEN "ab");

	(void)state;
	shows(&a, "cm9ib3Q6aHVzaC00ZmUxYzBmZmVlYQ==.", "[token]==.");
	shows(&b, "cm9ib3Q6aHVzaC00ZmUxYzBmZmVlYWI=.", "[token]=.");
}

static void short_ones_would_be_everywhere(void **state)
{
	struct veil v = of("x", "of");

	(void)state;
	shows(&v, "out of order", "out of order");
}

static void text_is_read_or_left(void **state)
{
	struct veil v;

	(void)state;
	veil_read(&v, "10:00000000000000ff 20:1");
	assert_int_equal(v.nr, 2);
	assert_int_equal(v.marks[0].n, 10);
	assert_int_equal(v.marks[0].hash, 255);
	/* cut off, and what is none */
	veil_read(&v, "10:ff 20:");
	assert_int_equal(v.nr, 1);
	veil_read(&v, "busy");
	assert_int_equal(v.nr, 0);
	veil_read(&v, "2:1");
	assert_int_equal(v.nr, 0);
	veil_read(&v, "99999999999999999999999:1");
	assert_int_equal(v.nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_cut_out),
		cmocka_unit_test(other_words_stay),
		cmocka_unit_test(all_lengths_are_known),
		cmocka_unit_test(short_ones_would_be_everywhere),
		cmocka_unit_test(text_is_read_or_left),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("veil", tests, NULL, NULL);
}
