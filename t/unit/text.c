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

static void what_hides_or_turns_text_is_replaced(void **state)
{
	(void)state;
	check("\xd8\x9c", 2, "??");                 /* U+061C */
	check("\xe2\x80\x8e\xe2\x80\x8f", 6, "??????"); /* U+200E, U+200F */
	check("\xf3\xa0\x80\x80", 4, "????");       /* U+E0000 */
	check("\xf3\xa0\x81\xbf", 4, "????");       /* U+E007F */
	/* their neighbours */
	check("\xd8\x9b\xd8\x9d", 4, "\xd8\x9b\xd8\x9d");
	check("\xe2\x80\x8d\xe2\x80\x90", 6, "\xe2\x80\x8d\xe2\x80\x90");
	check("\xe2\x80\xa7\xe2\x80\xaf", 6, "\xe2\x80\xa7\xe2\x80\xaf");
	check("\xe2\x81\xa5\xe2\x81\xaa", 6, "\xe2\x81\xa5\xe2\x81\xaa");
	check("\xf3\xa0\x82\x80", 4, "\xf3\xa0\x82\x80");
	check("\xf3\x9f\xbf\xbf", 4, "\xf3\x9f\xbf\xbf");
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

static void mask(const char *in, const char *want)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "");
	text_mask(&b, in);
	assert_string_equal(b.data, want);
	buf_clear(&b);
}

#define CUT "\xe2\x80\xa6"
#define HEX40 "0123456789abcdef0123456789abcdef01234567"

static void a_token_in_a_name_is_cut(void **state)
{
	(void)state;
	mask("", "");
	mask("refs/heads/ghp_0123456789abcdefghijABCDEFGHIJ012345",
	     "refs/heads/ghp_" CUT);
	mask("a1b2c3d4e5f6g7h8", "a1b2" CUT);
	mask("x/a1b2c3d4e5+_=-78/y.a1b2c3d4e5f6g7h8", "x/a1b2" CUT "/y.a1b2"
	     CUT);
	/* upper case, one digit more: no object id */
	mask("0123456789ABCDEF0123456789ABCDEF01234567", "0123" CUT);
	mask(HEX40 "8", "0123" CUT);
	mask(HEX40 "-", "0123" CUT);
}

static void other_names_stay(void **state)
{
	(void)state;
	mask("a1b2c3d4e5f6g7h", "a1b2c3d4e5f6g7h"); /* 15 */
	mask("a-long-name-without-any", "a-long-name-without-any");
	mask("20261122-012345678", "20261122-012345678");
	mask("refs/heads/agent/7/fix.4", "refs/heads/agent/7/fix.4");
	mask(HEX40, HEX40);
	mask("x " HEX40 "/" HEX40, "x " HEX40 "/" HEX40);
	mask(HEX40 "89abcdef0123456789abcdef", HEX40
	     "89abcdef0123456789abcdef");
}

static void a_masked_text_is_clean(void **state)
{
	(void)state;
	mask("a\033b\n\xe2\x82\xac\xff", "a?b?\xe2\x82\xac?");
	mask("\na1b2c3d4e5f6g7h8\n", "?a1b2" CUT "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controls_are_replaced),
		cmocka_unit_test(utf8_passes_and_what_is_not_does_not),
		cmocka_unit_test(what_hides_or_turns_text_is_replaced),
		cmocka_unit_test(every_byte_string_comes_out_clean),
		cmocka_unit_test(a_cut_text_is_whole_characters),
		cmocka_unit_test(a_secret_is_not_shown),
		cmocka_unit_test(a_token_in_a_name_is_cut),
		cmocka_unit_test(other_names_stay),
		cmocka_unit_test(a_masked_text_is_clean),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
