/* Properties of decode.c: what was encoded is read in its place, what was not
 * is left, and both whatever part of the text is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "decode.h"

/* Every piece, in brackets; inside, what was encoded stands between < and >. */
static int show(void *arg, const struct decode_piece *p)
{
	struct buf *out = arg;
	size_t at = 0;

	if (p->packed) {
		buf_addf(out, "{%s %zu-%zu: %zu}", p->encoding,
			 p->stretch.start, p->stretch.end, p->len);
		return 0;
	}
	buf_addc(out, '[');
	for (size_t i = 0; i < p->nr; i++) {
		buf_add(out, p->data + at, p->decoded[i].start - at);
		buf_addc(out, '<');
		at = p->decoded[i].start;
		buf_add(out, p->data + at, p->decoded[i].end - at);
		buf_addc(out, '>');
		at = p->decoded[i].end;
	}
	buf_add(out, p->data + at, p->len - at);
	buf_addc(out, ']');
	return 0;
}

static char *pieces(const char *text, size_t len, struct span where)
{
	struct decoder *d = decode_new();
	struct buf out = BUF_INIT;

	assert_int_equal(decode_each(d, text, len, &where, 1, show, &out), 0);
	decode_free(d);
	return buf_take(&out);
}

static void check(const char *text, const char *want)
{
	size_t len = strlen(text);
	char *got = pieces(text, len, (struct span){ 0, len });

	assert_string_equal(got, want);
	free(got);
}

static void base64_of_text_is_read(void **state)
{
	(void)state;
	check("password: cGFzc3dvcmQgaXMgaHVudGVyMg== # x\n",
	      "[password: <password is hunter2> # x\n]");
	/* both alphabets, and no padding */
	check("a Pz8_Pj4-IGFuZCA_Pz8 b", "[a <?\?\?>>> and ?\?\?> b]");
	check("a Pz8/Pj4+IGFuZCA/Pz8 b", "[a <?\?\?>>> and ?\?\?> b]");
	/* UTF-16, as PowerShell takes it */
	check("-enc cABhAHMAcwB3AG8AcgBkAD0AeAA=", "[-enc <password=x>]");
	check("/v8AcABhAHMAcwB3AG8AcgBk", "[<password>]");
	/* the letter of an escaped end of line is not the first digit */
	check("\"x\\ncGFzc3dvcmQgaXMgaHVudGVyMg==\"",
	      "[\"x\\n<password is hunter2>\"]");
	/* a part of what looks like more digits */
	check("https://x.example/reset/cGFzc3dvcmQgaXMgaHVudGVyMg==",
	      "[https://x.example/reset/<password is hunter2>]");
	/* what follows the text is left as it is */
	check("cGFzc3dvcmQgaXMgaHVudGVy/////////////////////",
	      "[<password is hunter>/////////////////////]");
}

static void lines_of_base64_are_one(void **state)
{
#define LINE_1 "TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVyIGFkaXBp"
#define LINE_2 "c2NpbmcgZWxpdCwgc2VkIGRvIGVpdXNtb2Q="
#define BOTH "Lorem ipsum dolor sit amet, consectetur adipiscing elit, " \
	     "sed do eiusmod"
	(void)state;
	check("k: |\n" LINE_1 "\n" LINE_2 "\n", "[k: |\n<" BOTH ">\n]");
	check(LINE_1 "\r\n" LINE_2, "[<" BOTH ">]");
	check("  " LINE_1 "\n  " LINE_2 "\nx: y",
	      "[  <" BOTH ">\nx: y]");
	check("'" LINE_1 "\\\n" LINE_2 "'", "['<" BOTH ">']");
	check("\"" LINE_1 "\\n" LINE_2 "\"", "[\"<" BOTH ">\"]");
	check("\"" LINE_1 "\\r\\n" LINE_2 "\"", "[\"<" BOTH ">\"]");
	/* what follows is no line of it */
	check(LINE_1 "\nnext: value",
	      "[<Lorem ipsum dolor sit amet, consectetur adipi>\nnext: value]");
}

static void what_is_packed_is_given_as_it_is(void **state)
{
#define GZIP "H4sIAAAAAAAAA0vOzy0oSi0uTk1RKEvNSSwpLU5V"
	(void)state;
	check("a: " GZIP " b", "{base64 3-43: 30}");
	check("a: " GZIP "\n" LINE_1 "\nb", "{base64 3-104: 75}");
	check("  " GZIP "\r\n  KM==\r\n", "{base64 2-50: 31}");
	check("x 1f8b0800000000000003cb4bcc4d55c84d2c2e2e4949cc4b2dca y",
	      "{hex 2-54: 26}");
	/* what is text beside it is a piece of its own */
	check("%41%42 " GZIP, "[<AB> " GZIP "]{base64 7-47: 30}");
	check("reset/" GZIP, "{base64 6-46: 30}");
	/* too short, or with flags that nobody writes */
	check("H4sIAAAAAAAAA0vOzy0oSi0uTk1R ", "");
	check("H4sIAAAAAAAA/0vOzy0oSi0uTk1RKEvNSSwpLU5V", "{base64 0-40: 30}");
	check("H4sI4AAAAAAAA0vOzy0oSi0uTk1RKEvNSSwpLU5V", "");
	check("sha256:1f8b08e0da39a3ee5e6b4b0d3255bfef95601890afd80709da39a3ee",
	      "");
	/* all else of it no program minds */
	check("H4sIAAAAAAAAzUvOzy0oSi0uTk1RKEvNSSwpLU5V", "{base64 0-40: 30}");
}

static void what_is_not_encoded_is_left(void **state)
{
	(void)state;
	check("static int walk_commits_of_a_push_and_more(void)\n", "");
	check("see src/some/directory/with/a/long/name/of/a/file.c", "");
	check("da39a3ee5e6b4b0d3255bfef95601890afd80709  file", "");
	check("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+"
	      "DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==", "");
	check("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", "");
	check("----------------------------------------------------", "");
	check("printf(\"%5d %02x %ad %s\\n\", a & b, &c);", "");
	check("'\\0' '\\033[0m' \"\\x1b\" \"\\u00e9\" %C3%A9 &copy;", "");
	check("", "");
	check("%", "");
	check("\\", "");
	check("&", "");
	check("%4", "");
	check("\\u00", "");
	check("&#6", "");
	check("&#x;&#;&;&#99999999;\\u{}\\u{110000}\\ud800\\udc", "");
}

static void hexadecimal_of_text_is_read(void **state)
{
	(void)state;
	check("x 70617373776f72643d68756e74657232 y",
	      "[x <password=hunter2> y]");
	check("0x70617373776F72643D68756E74657232",
	      "[<password=hunter2>]");
	check("key_70617373776f72643d68756e74657232-x",
	      "[key_<password=hunter2>-x]");
}

static void escapes_are_read(void **state)
{
	(void)state;
	check("?password%3Dhunter2%26a", "[?password<=>hunter2<&>a]");
	check("p%61ss", "[p<a>ss]");
	check("%70%61%73%73", "[<pass>]");
	check("\\u0070\\u0061\\u003d", "[<pa=>]");
	check("\\x70\\x61 \\160\\141 \\u{70} \\U00000070",
	      "[<pa> <pa> <p> <p>]");
	check("\\u003d\\ud83d\\ude00", "[<=\xf0\x9f\x98\x80>]");
	check("a&quot;b&#61;c&#x3D;d&amp;&lt;&gt;",
	      "[a<\">b<=>c<=>d<&<>>]");
	/* side by side, of different kinds */
	check("%3D&#61;\\u003d", "[<=><=><=>]");
}

static void what_is_encoded_twice_comes_off_once(void **state)
{
	(void)state;
	check("k=YzJWamNtVjBJR2x6SUdoMWJuUmxjakk9 x",
	      "[k=<c2VjcmV0IGlzIGh1bnRlcjI=> x]");
	check("token%3DcGFzc3dvcmQgaXMgaHVudGVyMg%3D%3D",
	      "[token<=>cGFzc3dvcmQgaXMgaHVudGVyMg<==>]");
}

/* A text with an escape here and there among what is none. */
static char *long_text(size_t *len)
{
	struct buf b = BUF_INIT;

	for (unsigned i = 0; i < 4000; i++) {
		buf_addf(&b, "a line with number %u and nothing else\n", i);
		if (i % 97 == 0)
			buf_addf(&b, "token&#61;value of %u\n", i);
	}
	*len = b.len;
	return buf_take(&b);
}

static void any_part_gives_the_same_pieces(void **state)
{
	size_t len;
	char *text = long_text(&len);
	char *all = pieces(text, len, (struct span){ 0, len });

	(void)state;
	assert_int_equal(len > 100000, 1);
	for (size_t i = 0; i + 10 < len; i += 997) {
		char *some = pieces(text, len, (struct span){ i, i + 10 });
		char *place = strstr(text + i, "&#61;");

		/* each is one of all, and one is there where it is near */
		assert_non_null(strstr(all, some));
		if (place && (size_t)(place - text) < i + 10 + 200)
			assert_non_null(strstr(some, "token<=>value"));
		free(some);
	}
	free(all);
	free(text);
}

static void add_times(struct buf *b, const char *s, size_t n)
{
	while (n--)
		buf_adds(b, s);
}

/*
 * Lines that were one with what an edit took away begin anew after it, and so
 * does a piece that only begins with them.
 */
static void a_line_cut_from_the_one_before_is_near(void **state)
{
	static const char line[] = "c2NpbmcgZWxpdCwgc2VkIGRvIGVpdXNtb2QgdGVt"
				   "cG9yIGluY2lkaWR1bnQg";
	struct buf b = BUF_INIT;
	struct span all = { 0 }, cut;
	char *want, *got;

	(void)state;
	add_times(&b, line, 20);
	cut.start = b.len;
	buf_adds(&b, "\n\n ");
	cut.end = b.len;
	buf_adds(&b, "\n"); /* the base has the lines with only this between */
	add_times(&b, line, 9);
	add_times(&b, "\n", 63);
	add_times(&b, line, 14);
	add_times(&b, ".\nnone", 80);
	add_times(&b, line, 1);
	all.end = b.len;
	want = pieces(b.data, b.len, all);
	got = pieces(b.data, b.len, cut);
	assert_non_null(strstr(want, "]["));
	assert_string_equal(got, want);
	free(want);
	free(got);
	buf_clear(&b);
}

static int stop(void *arg, const struct decode_piece *p)
{
	(void)p;
	return ++*(int *)arg == 2 ? 7 : 0;
}

static void it_ends_when_it_is_told_to(void **state)
{
	size_t len;
	char *text = long_text(&len);
	struct span all = { 0, len };
	struct decoder *d = decode_new();
	int calls = 0;

	(void)state;
	assert_int_equal(decode_each(d, text, len, &all, 1, stop, &calls), 7);
	assert_int_equal(calls, 2);
	decode_free(d);
	free(text);
}

static void long_ones_are_whole(void **state)
{
	struct buf b = BUF_INIT, want = BUF_INIT;
	char *got;

	(void)state;
	buf_adds(&b, "x ");
	buf_adds(&want, "[x <");
	for (unsigned i = 0; i < 100000; i++) {
		buf_adds(&b, "YWJj");
		buf_adds(&want, "abc");
	}
	buf_adds(&b, " y");
	buf_adds(&want, "> y]");
	got = pieces(b.data, b.len, (struct span){ b.len / 2, b.len / 2 });
	assert_string_equal(got, want.data);
	free(got);
	buf_clear(&b);
	buf_clear(&want);
}

static void a_few_nuls_are_text(void **state)
{
	/* RFC 4616: no identity to act as, a name, a password */
	static const char sasl[] = "[auth=<\0ada\0hunter2hunter2>]";
	struct span all = { 0, 29 };
	struct decoder *d = decode_new();
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(decode_each(d, "auth=AGFkYQBodW50ZXIyaHVudGVyMg==",
				     33, &all, 1, show, &out), 0);
	assert_int_equal(out.len, sizeof(sasl) - 1);
	assert_memory_equal(out.data, sasl, out.len);
	buf_clear(&out);
	decode_free(d);
}

/* Strings of UTF-16 among other bytes, at any place and in either order. */
static void wide_strings_are_read(void **state)
{
	char *none;
	static const char word[] = "a secret of 24 characters";
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t before = 0; before < 40; before++) {
		for (size_t big = 0; big < 2; big++) {
			char *got;

			buf_reset(&b);
			for (size_t i = 0; i < before; i++)
				buf_addc(&b, '\xfe');
			for (size_t i = 0; word[i]; i++) {
				if (big)
					buf_addc(&b, '\0');
				buf_addc(&b, word[i]);
				if (!big)
					buf_addc(&b, '\0');
			}
			if (before)
				buf_adds(&b, "\x01\x02 the rest of it");
			got = pieces(b.data, b.len,
				     (struct span){ before + 3, before + 3 });
			/* one that is all of the text is decode_utf16's */
			assert_string_equal(
				got, before ? "[<a secret of 24 characters>]"
					    : "");
			free(got);
		}
	}
	buf_reset(&b);
	buf_add(&b, "\1a\0 \0s\0h\0o\0r\0t\0 \0o\0n\0e\0\1\2", 24);
	none = pieces(b.data, b.len, (struct span){ 0, b.len });
	assert_string_equal(none, "");
	free(none);
	buf_clear(&b);
}

/* Text as UTF-16, with or without a mark. */
static void check_utf16(const char *text, int big, int mark)
{
	struct decoder *d = decode_new();
	struct buf b = BUF_INIT, out = BUF_INIT;
	int ret = -1;

	if (mark)
		buf_add(&b, big ? "\xfe\xff" : "\xff\xfe", 2);
	for (const char *p = text; *p; p++) {
		if (big)
			buf_addc(&b, '\0');
		buf_addc(&b, *p);
		if (!big)
			buf_addc(&b, '\0');
	}
	assert_int_equal(decode_utf16(d, b.data, b.len, show, &out, &ret), 1);
	assert_int_equal(ret, 0);
	assert_string_equal(out.data, "[<password = \"hunter2\"\n><next\n>]");
	buf_clear(&b);
	buf_clear(&out);
	decode_free(d);
}

static void utf16_is_read_line_by_line(void **state)
{
	const char *text = "password = \"hunter2\"\nnext\n";
	struct decoder *d = decode_new();
	int ret;

	(void)state;
	for (int i = 0; i < 4; i++)
		check_utf16(text, i & 1, i >> 1);
	assert_int_equal(decode_utf16(d, text, strlen(text), show, NULL, &ret),
			 0);
	assert_int_equal(decode_utf16(d, "", 0, show, NULL, &ret), 0);
	assert_int_equal(decode_utf16(d, "\xff\xfe\0\0a\0\0\0", 8, show, NULL,
				      &ret), 0);
	decode_free(d);
}

static void utf32_is_read_line_by_line(void **state)
{
	const char *text = "password = \"hunter2\"\nnext\n";
	struct decoder *d = decode_new();
	int ret;

	(void)state;
	for (int i = 0; i < 4; i++) {
		int big = i & 1;
		struct buf b = BUF_INIT, out = BUF_INIT;

		if (i >> 1)
			buf_add(&b, big ? "\0\0\xfe\xff" : "\xff\xfe\0\0", 4);
		for (const char *p = text; *p; p++)
			for (int k = 0; k < 4; k++)
				buf_addc(&b, k == (big ? 3 : 0) ? *p : '\0');
		assert_int_equal(decode_utf32(d, b.data, b.len, show, &out,
					      &ret), 1);
		assert_int_equal(ret, 0);
		assert_string_equal(out.data,
				    "[<password = \"hunter2\"\n><next\n>]");
		assert_int_equal(decode_utf16(d, b.data, b.len, show, NULL,
					      &ret), 0);
		buf_clear(&b);
		buf_clear(&out);
	}
	assert_int_equal(decode_utf32(d, text, strlen(text), show, NULL, &ret),
			 0);
	assert_int_equal(decode_utf32(d, "", 0, show, NULL, &ret), 0);
	assert_int_equal(decode_utf32(d, "a\0\0", 3, show, NULL, &ret), 0);
	decode_free(d);
}

static void check_mail(const char *text, const char *want)
{
	struct buf out = BUF_INIT;

	buf_room(&out, 0);
	assert_int_equal(decode_mail(text, strlen(text), show, &out), 0);
	buf_add(&out, "", 0);
	assert_string_equal(out.data, want);
	buf_clear(&out);
}

static void mail_is_read_after_its_header(void **state)
{
#define QUOTED "From: ada\nContent-Transfer-Encoding: quoted-printable"
	(void)state;
	check_mail(QUOTED "\n\nkey=3Dabc de=\nf=C3=A9 =\r\n",
		   "[\n\nkey<=a>bc de<>f<\xc3\xa9 ><>]");
	/* the rest of it may be plain, and a byte that no text has stays */
	check_mail("To: b\n\n--x\ncontent-transfer-encoding: Quoted-Printable\n"
		   "a=20b=00=7F=\n", "[\na< b>=00=7F<>]");
	check_mail(QUOTED "\n\nif (a == b) c=d; e = \n", "[\n\nif (a == b) c=d; "
		   "e <>]");
	check_mail(QUOTED "\n\nnothing\n", "");
	check_mail(QUOTED, "");
	check_mail("From: ada\n\nkey=3Dabc=\ndef\n", "");
	check_mail("key=3Dabc=\nContent-Transfer-Encoding: quoted-printable\n"
		   "x=3D\n", "");
	check_mail("", "");
}

/* A long one comes in parts, and is bounded by them. */
static void long_mail_is_read_in_parts(void **state)
{
	struct buf b = BUF_INIT, out = BUF_INIT;
	size_t parts = 0;

	(void)state;
	buf_adds(&b, QUOTED "\n\n");
	for (size_t i = 0; i < 2000000; i++)
		buf_adds(&b, i % 1000 ? "=41 line\n" : "\nline=\n");
	assert_int_equal(decode_mail(b.data, b.len, show, &out), 0);
	for (const char *p = out.data; (p = strchr(p, '[')); p++)
		parts++;
	assert_in_range(parts, 2, 6);
	assert_int_equal(decode_mail(b.data, b.len, stop, &(int){ 1 }), 7);
	buf_clear(&b);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_of_text_is_read),
		cmocka_unit_test(lines_of_base64_are_one),
		cmocka_unit_test(what_is_packed_is_given_as_it_is),
		cmocka_unit_test(what_is_not_encoded_is_left),
		cmocka_unit_test(hexadecimal_of_text_is_read),
		cmocka_unit_test(escapes_are_read),
		cmocka_unit_test(what_is_encoded_twice_comes_off_once),
		cmocka_unit_test(any_part_gives_the_same_pieces),
		cmocka_unit_test(a_line_cut_from_the_one_before_is_near),
		cmocka_unit_test(it_ends_when_it_is_told_to),
		cmocka_unit_test(long_ones_are_whole),
		cmocka_unit_test(a_few_nuls_are_text),
		cmocka_unit_test(wide_strings_are_read),
		cmocka_unit_test(utf16_is_read_line_by_line),
		cmocka_unit_test(utf32_is_read_line_by_line),
		cmocka_unit_test(mail_is_read_after_its_header),
		cmocka_unit_test(long_mail_is_read_in_parts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
