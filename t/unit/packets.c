/* Pkt-lines that pass by, cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"

/* Two lines, a flush, a delimiter and a side-band packet. */
static const char stream[] = "0006a\n" "0005b" "0000" "0001" "0007\1xy";
static const size_t ends[] = { 0, 6, 11, 15, 19, 26 };

static int is_end(size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (ends[i] == n)
			return 1;
	return 0;
}

static void test_every_cut(void **state)
{
	size_t n, at, len = sizeof(stream) - 1;

	(void)state;
	assert_int_equal(len, 26);
	for (n = 0; n <= len; n++) {
		struct packets whole = PACKETS_INIT, bytes = PACKETS_INIT;

		packets_feed(&whole, stream, n);
		for (at = 0; at < n; at++)
			packets_feed(&bytes, stream + at, 1);
		assert_int_equal(packets_whole(&whole), is_end(n));
		assert_int_equal(packets_whole(&bytes), is_end(n));
		assert_int_equal(packets_flushed(&whole), n == 15);
		assert_int_equal(packets_band(&whole), n > 23);
		assert_int_equal(packets_band(&bytes), n > 23);
	}
}

/* However it is cut, and whatever follows. */
static void test_told(void **state)
{
	static const struct {
		const char *stream;
		int told;
	} cases[] = {
		{ "0007\1xy" "0007\2xy" "0007\1xy" "0000", 1 },
		{ "0007\1x\2" "0007\3\2x" "0006\1\2" "0000", 0 },
		{ "0005\2", 1 },
		{ "0005", 0 },
		{ "0006a\2", 0 },
	};
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct packets whole = PACKETS_INIT, bytes = PACKETS_INIT;

		packets_feed(&whole, cases[i].stream, strlen(cases[i].stream));
		for (at = 0; cases[i].stream[at] != '\0'; at++)
			packets_feed(&bytes, cases[i].stream + at, 1);
		assert_int_equal(whole.told, cases[i].told);
		assert_int_equal(bytes.told, cases[i].told);
	}
}

static void test_band(void **state)
{
	static const struct {
		const char *stream;
		int band;
	} cases[] = {
		{ "000eversion 2\n", 0 },
		{ "000dpackfile\n", 1 },
		{ "0008NAK\n", 1 },
		{ "0008NAK\n0000", 1 },
		{ "000cACK abc\n", 1 },
		{ "000dpackfile\n0006\2x", 1 },
		{ "000dpackfile\n0006ab", 0 },
		{ "0005\1", 1 },
		{ "0007PAC", 0 },
		{ "", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct packets p = PACKETS_INIT;

		packets_feed(&p, cases[i].stream, strlen(cases[i].stream));
		assert_int_equal(packets_band(&p), cases[i].band);
	}
}

static void test_no_packets(void **state)
{
	static const char *const bad[] = { "PACK", "00g0", "0 00", "-001",
					   "0006a\nPACK" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct packets p = PACKETS_INIT;

		packets_feed(&p, bad[i], strlen(bad[i]));
		assert_int_equal(packets_whole(&p), 0);
		/* and never again */
		packets_feed(&p, "0000", 4);
		assert_int_equal(packets_whole(&p), 0);
	}
}

/* Where a packet of ours may go into an answer, fed in pieces of any size. */
static void test_place(void **state)
{
	static const struct {
		const char *stream;
		size_t place; /* 0: nowhere */
	} cases[] = {
		{ "000dpackfile\n0006\2x0006\1y0000", 13 },
		{ "0011shallow-info\n0001000dpackfile\n0006\2x", 34 },
		{ "0008NAK\n0006\2x0006\1y0000", 14 },
		{ "000cACK abc\n0008NAK\n0006\1x0006\1y", 26 },
		/* not yet certain, or never */
		{ "0008NAK\n", 0 },
		{ "0008NAK\n0000", 0 },
		{ "0008NAK\nPACK....", 0 },
		{ "0012packfile-uris\n", 0 },
		{ "000dpackfile", 0 },
		{ "0006\3x", 0 },
		{ "003d0123456789012345678901234567890123456789 refs/heads/main\n",
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t piece = 1; piece < 40; piece++) {
			const char *s = cases[i].stream;
			size_t len = strlen(s), at = 0, some;
			struct packets p = PACKETS_INIT;
			int there = 0;

			while (at < len && !there) {
				some = len - at < piece ? len - at : piece;
				at += packets_feed_to_band(&p, s + at, some,
							   &there);
			}
			assert_int_equal(there, cases[i].place > 0);
			assert_int_equal(at, there ? cases[i].place : len);
			if (there)
				assert_true(packets_whole(&p));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_band),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_no_packets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
