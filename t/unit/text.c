/* Properties of text.c: no foreign byte can act on a terminal or a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "text.h"

static void check(const char *in, size_t n, const char *want)
{
	struct buf b = BUF_INIT;

	text_clean(&b, in, n);
	buf_room(&b, 0);
	assert_string_equal(b.data, want);
	buf_clear(&b);
}

static void controls_are_replaced(void **state)
{
	(void)state;
	check("a\033[31mb\r\nc\td\x7f", 13, "a?[31mb??c d?");
	check("a\0b", 3, "a?b");
	check("\xc2\x9b", 2, "??");             /* C1: CSI */
	check("\xe2\x80\xae", 3, "???");        /* right-to-left override */
	check("\xe2\x81\xa6", 3, "???");        /* isolate */
}

static void utf8_passes_and_what_is_not_does_not(void **state)
{
	(void)state;
	check("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
	      "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	check("\xc0\xaf", 2, "??");             /* overlong */
	check("\xed\xa0\x80", 3, "???");        /* surrogate */
	check("\xf4\x90\x80\x80", 4, "????");   /* past U+10FFFF */
	check("\xe2\x82", 2, "??");             /* cut short */
}

static void every_byte_string_comes_out_clean(void **state)
{
	unsigned seed = 1;
	int round, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		char in[16];
		struct buf b = BUF_INIT;
		size_t k;

		for (i = 0; i < (int)sizeof(in); i++) {
			seed = seed * 1103515245 + 12345;
			in[i] = (char)(seed >> 16);
		}
		text_clean(&b, in, sizeof(in));
		for (k = 0; k < b.len; k++) {
			unsigned char c = (unsigned char)b.data[k];

			assert_true(c >= 0x20 && c != 0x7f);
		}
		buf_clear(&b);
	}
}

static void a_cut_text_is_whole_characters(void **state)
{
	char out[8];

	(void)state;
	assert_string_equal(text_clean_to(out, sizeof(out), "1234567"),
			    "1234567");
	assert_string_equal(text_clean_to(out, sizeof(out), "12345678"),
			    "1234...");
	assert_string_equal(text_clean_to(out, sizeof(out),
					  "123\xe2\x82\xac" "5678"),
			    "123...");
}

static void a_secret_is_not_shown(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	text_redact(&b, "abcdefghijklmnopqrstuvwxyz", 26);
	assert_string_equal(b.data, "abcd\xe2\x80\xa6 (26 bytes)");
	buf_reset(&b);
	text_redact(&b, "abc", 3);
	assert_string_equal(b.data, "\xe2\x80\xa6 (3 bytes)");
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controls_are_replaced),
		cmocka_unit_test(utf8_passes_and_what_is_not_does_not),
		cmocka_unit_test(every_byte_string_comes_out_clean),
		cmocka_unit_test(a_cut_text_is_whole_characters),
		cmocka_unit_test(a_secret_is_not_shown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
