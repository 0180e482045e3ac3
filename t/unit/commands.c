/* commands.c: the head of a push, as git and as an attacker sends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "commands.h"
#include "mem.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define Z "0000000000000000000000000000000000000000"
#define A64 A "aaaaaaaaaaaaaaaaaaaaaaaa"
#define Z64 Z "000000000000000000000000"
#define MAIN "refs/heads/main"

static void add(struct buf *b, const char *line, size_t n)
{
	buf_addf(b, "%04zx", n + 4);
	buf_add(b, line, n);
}

/* A line of a string constant, NULs inside it included. */
#define LINE(b, s) add((b), (s), sizeof(s) - 1)

/* Whole, and once more byte by byte from memory of exactly that size. */
static void feed(struct commands *c, const struct buf *b)
{
	struct commands slow;

	commands_init(c);
	commands_feed(c, b->data, b->len);
	commands_init(&slow);
	for (size_t i = 0; i < b->len; i++) {
		char *one = mem_zalloc(1);
		*one = b->data[i];
		commands_feed(&slow, one, 1);
		free(one);
	}
	assert_int_equal(c->state, slow.state);
	assert_int_equal(c->nr, slow.nr);
	assert_int_equal(c->side_band, slow.side_band);
	assert_int_equal(c->error != NULL, c->state == COMMANDS_BAD);
	commands_clear(&slow);
}

static void ordinary(void **state)
{
	struct buf b = BUF_INIT;
	struct commands c;

	(void)state;
	LINE(&b, "shallow " A "\n");
	LINE(&b, Z " " B " " MAIN "\0 report-status-v2 side-band-64k "
		 "object-format=sha1 agent=git/2.39.5 push-options");
	LINE(&b, A " " Z " refs/tags/v1\n");
	buf_adds(&b, "0000PACK0001zzzz");
	feed(&c, &b);
	assert_int_equal(c.state, COMMANDS_DONE);
	assert_int_equal(c.nr, 2);
	assert_true(commands_is_zero(c.list[0].old));
	assert_int_equal(c.list[0].new[0], 'b'); /* in small letters */
	assert_string_equal(c.list[0].ref, MAIN);
	assert_true(commands_is_zero(c.list[1].new));
	assert_string_equal(c.list[1].ref, "refs/tags/v1");
	assert_int_equal(c.report_status, 1);
	assert_int_equal(c.side_band, 2);
	assert_int_equal(c.push_options, 1);
	commands_clear(&c);
	commands_clear(&c);
	buf_clear(&b);
}

static void probe_and_nothing(void **state)
{
	struct buf b = BUF_INIT;
	struct commands c;

	(void)state;
	buf_adds(&b, "0000");
	feed(&c, &b);
	assert_int_equal(c.state, COMMANDS_DONE);
	assert_int_equal(c.nr, 0);
	commands_clear(&c);
	buf_reset(&b);
	feed(&c, &b);
	assert_int_equal(c.state, COMMANDS_MORE);
	commands_clear(&c);
	buf_clear(&b);
}

static void sha256(void **state)
{
	struct buf b = BUF_INIT;
	struct commands c;

	(void)state;
	LINE(&b, Z64 " " A64 " " MAIN "\0side-band");
	buf_adds(&b, "0000");
	feed(&c, &b);
	assert_int_equal(c.state, COMMANDS_DONE);
	assert_string_equal(c.list[0].new, A64);
	assert_int_equal(c.side_band, 1);
	assert_int_equal(c.report_status, 0);
	commands_clear(&c);
	buf_clear(&b);
}

static void certificate(struct buf *b, const char *last)
{
	LINE(b, "push-cert\0report-status side-band-64k");
	LINE(b, "certificate version 0.1\n");
	LINE(b, "pusher Ada <ada@example.org> 1 +0000\n");
	LINE(b, "\n");
	LINE(b, Z " " A " " MAIN "\n");
	add(b, last, strlen(last));
	LINE(b, "-----BEGIN PGP SIGNATURE-----\n");
	LINE(b, "\n");
	LINE(b, A " " B " refs/heads/in-the-signature\n");
	LINE(b, "-----END PGP SIGNATURE-----\n");
}

/* A certificate ends in its own line or in the flush. */
static void certificates(void **state)
{
	(void)state;
	for (int ended = 0; ended < 2; ended++) {
		struct buf b = BUF_INIT;
		struct commands c;
		certificate(&b, A " " Z " refs/heads/old\n");
		if (ended)
			LINE(&b, "push-cert-end\n");
		buf_adds(&b, "0000");
		feed(&c, &b);
		assert_int_equal(c.state, COMMANDS_DONE);
		assert_int_equal(c.nr, 2);
		assert_string_equal(c.list[1].ref, "refs/heads/old");
		assert_int_equal(c.side_band, 2);
		commands_clear(&c);
		buf_clear(&b);
	}
}

/* Commands cannot hide beside a certificate, or split over its lines. */
static void hidden_commands(void **state)
{
	struct buf b = BUF_INIT;
	struct commands c;

	(void)state;
	LINE(&b, Z " " A " refs/heads/before\n");
	LINE(&b, "push-cert\n");
	LINE(&b, "v\n\n" Z " " A " refs/he");
	LINE(&b, "ads/x\n" Z " " A " refs/heads/y\n-----BEGIN X\n");
	LINE(&b, "push-cert-end\n");
	LINE(&b, Z " " A " refs/heads/after\n");
	buf_adds(&b, "0000");
	feed(&c, &b);
	assert_int_equal(c.state, COMMANDS_DONE);
	assert_int_equal(c.nr, 4);
	assert_string_equal(c.list[0].ref, "refs/heads/before");
	assert_string_equal(c.list[1].ref, "refs/heads/after");
	assert_string_equal(c.list[2].ref, "refs/heads/x");
	assert_string_equal(c.list[3].ref, "refs/heads/y");
	commands_clear(&c);
	buf_clear(&b);
}

/* Raw bytes that are not the head of a push. */
static const struct {
	const char *bytes;
	size_t n;
} bad[] = {
#define RAW(s) { s, sizeof(s) - 1 }
	RAW("PACK"), RAW("0001"), RAW("0002"), RAW("0003"), RAW("0004"),
	RAW("fff1"), RAW("ffff"), RAW("-001"), RAW(" 040"), RAW("0x10"),
	RAW("00g0"), RAW("\0\0\0\0"), RAW("0005\n0000"), RAW("0005\0"),
	RAW("0009abcd\n0000"),
#undef RAW
};

static void not_a_push(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf b = BUF_INIT;
		struct commands c;
		buf_add(&b, bad[i].bytes, bad[i].n);
		feed(&c, &b);
		if (c.state != COMMANDS_BAD)
			fail_msg("%zu: %s was taken", i, bad[i].bytes);
		commands_clear(&c);
		buf_clear(&b);
	}
}

static const struct {
	const char *line;
	size_t n;
} bad_lines[] = {
#define L(s) { s, sizeof(s) - 1 }
	L(Z " " A), L(Z " " A " "), L(Z " " A "\n"), L(Z A " " MAIN),
	L(Z "  " A " " MAIN), L(Z " " A "  " MAIN), L(Z " " A "\t" MAIN),
	L(Z "0 " A " " MAIN), L("0 0 " MAIN), L(Z64 " " A " " MAIN),
	L(Z64 "0 " A64 "0 " MAIN), L("g" Z " " A " " MAIN),
	L(Z " " A " HEAD"), L(Z " " A " main"), L(Z " " A " refs/"),
	L(Z " " A " refs/heads/a b"), L(Z " " A " refs/heads/../x"),
	L(Z " " A " " MAIN "\n\n"), L(Z " " A " " MAIN "\0a\0b"),
	L("shallow "), L("shallow " A " "), L("shallow x"),
	L("shallow " A "\0side-band"), L("push-cert x"), L(" "), L("\0"),
	L("unshallow " A),
#undef L
};

static void malformed_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_lines) / sizeof(*bad_lines); i++) {
		struct buf b = BUF_INIT;
		struct commands c;
		add(&b, bad_lines[i].line, bad_lines[i].n);
		buf_adds(&b, "0000");
		feed(&c, &b);
		if (c.state != COMMANDS_BAD)
			fail_msg("%zu: %s was taken", i, bad_lines[i].line);
		commands_clear(&c);
		buf_clear(&b);
	}
}

static void expect_bad(struct buf *b)
{
	struct commands c;

	buf_adds(b, "0000");
	feed(&c, b);
	assert_int_equal(c.state, COMMANDS_BAD);
	/* It stays so, whatever comes. */
	assert_int_equal(commands_feed(&c, "0000", 4), COMMANDS_BAD);
	commands_clear(&c);
	buf_clear(b);
}

static void inconsistent(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	LINE(&b, Z " " A " " MAIN);
	LINE(&b, Z " " A " refs/heads/x");
	LINE(&b, Z " " A " " MAIN);
	expect_bad(&b);
	LINE(&b, Z " " A " " MAIN);
	LINE(&b, Z64 " " A64 " refs/heads/x");
	expect_bad(&b);
	certificate(&b, Z " " A " " MAIN "\n"); /* twice in it */
	expect_bad(&b);
	certificate(&b, "not a command\n");
	expect_bad(&b);
	LINE(&b, "push-cert\n");
	LINE(&b, "no empty line\n");
	expect_bad(&b);
	LINE(&b, "push-cert\n");
	LINE(&b, "x\0\n\n" Z " " A " " MAIN "\n");
	expect_bad(&b);
	certificate(&b, "\n");
	expect_bad(&b);
	LINE(&b, "push-cert\n");
	LINE(&b, "x\n");
	LINE(&b, "push-cert-end\n");
	LINE(&b, "push-cert\n");
	expect_bad(&b);
}

static void bounds(void **state)
{
	struct buf b = BUF_INIT, line = BUF_INIT;
	struct commands c;

	(void)state;
	/* As many commands as there may be, and one more. */
	for (int i = 0; i < COMMANDS_MAX; i++) {
		buf_reset(&line);
		buf_addf(&line, Z " " A " refs/heads/%d", i);
		add(&b, line.data, line.len);
	}
	buf_adds(&b, "0000");
	commands_init(&c);
	assert_int_equal(commands_feed(&c, b.data, b.len), COMMANDS_DONE);
	assert_int_equal(c.nr, COMMANDS_MAX);
	commands_clear(&c);
	b.len -= 4;
	LINE(&b, Z " " A " " MAIN);
	expect_bad(&b);

	/* The longest line that there may be is taken. */
	buf_reset(&line);
	buf_adds(&line, Z " " A " refs/heads/");
	while (line.len < 65516)
		buf_addc(&line, 'a');
	add(&b, line.data, line.len);
	buf_adds(&b, "0000");
	commands_init(&c);
	assert_int_equal(commands_feed(&c, b.data, b.len), COMMANDS_DONE);
	commands_clear(&c);
	buf_reset(&b);

	/* Shallow lines without end are not. */
	for (size_t n = 0; n <= COMMANDS_BYTES_MAX; n += 52)
		LINE(&b, "shallow " A);
	commands_init(&c);
	assert_int_equal(commands_feed(&c, b.data, b.len), COMMANDS_BAD);
	commands_clear(&c);
	buf_clear(&b);
	buf_clear(&line);
}

/* git-check-ref-format(1), below refs/. */
static const struct {
	const char *ref;
	int ok;
} refs[] = {
	{ MAIN, 1 }, { "refs/x", 1 }, { "refs/heads/a/b", 1 },
	{ "refs/heads/a.b", 1 }, { "refs/heads/@", 1 },
	{ "refs/heads/-x", 1 }, { "refs/heads/a./b", 1 },
	{ "refs/heads/\xc3\xa4", 1 }, { "refs/heads/a}b{", 1 },
	{ "refs/heads/lock", 1 },
	{ "", 0 }, { "refs", 0 }, { "refs/", 0 }, { "HEAD", 0 },
	{ "/refs/heads/a", 0 }, { "Refs/heads/a", 0 }, { "refs//a", 0 },
	{ "refs/heads/", 0 }, { "refs/heads//a", 0 }, { "refs/heads/.a", 0 },
	{ "refs/heads/a/.b", 0 }, { "refs/heads/a..b", 0 },
	{ "refs/heads/a.", 0 }, { "refs/heads/a.lock", 0 },
	{ "refs/heads/a.lock/b", 0 }, { "refs/heads/a@{b", 0 },
	{ "refs/heads/a b", 0 }, { "refs/heads/a~b", 0 },
	{ "refs/heads/a^b", 0 }, { "refs/heads/a:b", 0 },
	{ "refs/heads/a?b", 0 }, { "refs/heads/a*b", 0 },
	{ "refs/heads/a[b", 0 }, { "refs/heads/a\\b", 0 },
	{ "refs/heads/a\x01", 0 }, { "refs/heads/a\x7f", 0 },
	{ "refs/heads/a\n", 0 }, { "refs/../x", 0 },
};

static void ref_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refs) / sizeof(*refs); i++)
		if (commands_ref_ok(refs[i].ref) != refs[i].ok)
			fail_msg("%s", refs[i].ref);
	assert_true(commands_is_zero(Z64));
	assert_false(commands_is_zero(A));
	assert_false(commands_is_zero(""));
	assert_false(commands_is_zero("00x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary),
		cmocka_unit_test(probe_and_nothing),
		cmocka_unit_test(sha256),
		cmocka_unit_test(certificates),
		cmocka_unit_test(hidden_commands),
		cmocka_unit_test(not_a_push),
		cmocka_unit_test(malformed_lines),
		cmocka_unit_test(inconsistent),
		cmocka_unit_test(bounds),
		cmocka_unit_test(ref_names),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
