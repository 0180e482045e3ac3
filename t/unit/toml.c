/* Properties of toml.c: TOML 1.0 is read to the letter, all else refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "toml.h"

static char said[400];

static void hear(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	strncpy(said, line, sizeof(said) - 1);
}

static struct toml *read_text(const char *text)
{
	said[0] = '\0';
	return toml_read("f", text, strlen(text));
}

static void good(const char *text)
{
	struct toml *t = read_text(text);

	if (!t)
		fail_msg("refused: %s (%s)", text, said);
	toml_free(t);
}

/* Refused, with a message that starts so. */
static void bad(const char *text, const char *message)
{
	struct toml *t = read_text(text);

	if (t)
		fail_msg("taken: %s", text);
	if (strncmp(said, message, strlen(message)) != 0)
		fail_msg("%s: said '%s'", text, said);
}

static void string_is(const char *text, const char *want, size_t len)
{
	struct toml *t = read_text(text);
	const struct toml *v;

	assert_non_null(t);
	v = toml_get(t, "a");
	assert_non_null(v);
	assert_int_equal(v->type, TOML_STRING);
	assert_int_equal(v->len, len);
	assert_memory_equal(v->text, want, len);
	toml_free(t);
}

static void strings(void **state)
{
	(void)state;
	string_is("a = 'x\\n'", "x\\n", 3);
	string_is("a = \"x\\n\\u00e9\\U0001F600\"",
		  "x\n\xc3\xa9\xf0\x9f\x98\x80", 8);
	string_is("a = \"\\u0000z\"", "\0z", 2);
	string_is("a = '''\nx\ny'z'''", "x\ny'z", 5);
	string_is("a = \"\"\"\na \\\n\n   b\"\"\"", "a b", 3);
	string_is("a = \"\"\"q\"\"\"\"\"", "q\"\"", 3);
	string_is("a = \"\"\"x\r\ny\"\"\"", "x\ny", 3);
	bad("a = \"\\q\"", "f:1:");
	bad("a = \"\\ud800\"", "f:1:");
	bad("\na = \"x\ny\"", "f:2:");
	bad("a = 'x", "f:1:");
	bad("a = '''x''''''", "f:1:");
	bad("a = '\x01'", "f:1:");
	bad("\n\na = '\xff'", "f:3: not UTF-8");
}

/* As the specification has it; none of them is the key that C sees. */
static void keys_with_nul(void **state)
{
	struct toml *t = read_text("\"a\\u0000b\" = 1\n\"a\\u0000c\" = 2\n"
				   "'' = 3\n");

	(void)state;
	assert_non_null(t);
	assert_int_equal(t->nr, 3);
	assert_null(toml_get(t, "a"));
	assert_int_equal(t->items[1]->key_len, 3);
	assert_memory_equal(t->items[1]->key, "a\0c", 4);
	assert_int_equal(toml_get(t, "")->integer, 3);
	toml_free(t);
	bad("\"a\\u0000b\" = 1\n\"a\\u0000b\" = 2", "f:2:");
}

static int64_t integer(const char *text)
{
	struct toml *t = read_text(text);
	int64_t n;

	assert_non_null(t);
	assert_int_equal(t->items[0]->type, TOML_INTEGER);
	n = t->items[0]->integer;
	toml_free(t);
	return n;
}

static void numbers(void **state)
{
	static const char *const wrong[] = {
		"a=01", "a=+0x1", "a=1__0", "a=_1", "a=1_", "a=0xg", "a=0o8",
		"a=1.", "a=.5", "a=1e", "a=1.e3", "a=1e1.0", "a=0x",
		"a=9223372036854775808", "a=1a", "a=--1", "a=True", "a=",
	};

	(void)state;
	assert_int_equal(integer("a = 1_000"), 1000);
	assert_int_equal(integer("a = -17"), -17);
	assert_int_equal(integer("a = 0xDEAD_beef"), 0xdeadbeef);
	assert_int_equal(integer("a = 0b1010"), 10);
	assert_int_equal(integer("a = 0o17"), 15);
	good("a=1.5\nb=-1e+5_0\nc=inf\nd=-nan\ne=0.0\nf=6.02E23");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		bad(wrong[i], "f:1:");
}

static void dates(void **state)
{
	(void)state;
	good("a=1979-05-27\nb=07:32:00.25\nc=2000-02-29T07:32:00Z\n"
	     "d=1979-05-27 07:32:00-07:30\ne=1979-05-27t00:00:60.1");
	bad("a=1979-02-29", "f:1:");
	bad("a=1979-13-01", "f:1:");
	bad("a=24:00:00", "f:1:");
	bad("a=07:32", "f:1:");
	bad("a=1979-05-27T", "f:1:");
	bad("a=1979-05-27T07:32:00+24:00", "f:1:");
	bad("a=1979-5-27", "f:1:");
}

static void tables_and_their_lines(void **state)
{
	struct toml *t = read_text("[a.b]\nx=1\n[a]\ny.z=2\n[[l]]\nk=[1,\n"
				   "{q=2}, # c\n]\n[l.m]\n[[l]]\n");
	const struct toml *l;

	(void)state;
	assert_non_null(t);
	assert_int_equal(toml_get(toml_get(t, "a"), "b")->line, 1);
	assert_int_equal(toml_get(toml_get(t, "a"), "y")->line, 4);
	l = toml_get(t, "l");
	assert_int_equal(l->type, TOML_ARRAY);
	assert_int_equal(l->nr, 2);
	assert_int_equal(toml_get(l->items[0], "k")->items[1]->line, 7);
	assert_non_null(toml_get(l->items[0], "m"));
	assert_null(toml_get(l->items[1], "m"));
	toml_free(t);
	good("");
	good("\xef\xbb\xbf# only\r\n\r\n");
	good("[f]\na.b=1\n[f.a.c]\n");
}

static void nothing_is_defined_twice(void **state)
{
	(void)state;
	bad("a=1\na=2", "f:2: 'a' is already defined in line 1");
	bad("[a]\n[a]", "f:2:");
	bad("a.b=1\n[a]", "f:2:");
	bad("[a.b.c]\n[a]\nb.x=1", "f:3:");
	bad("a={}\na.b=1", "f:2:");
	bad("a={b.c=1}\n[a.b]", "f:2:");
	bad("a=[]\n[[a]]", "f:2:");
	bad("[[a]]\n[a]", "f:2:");
	bad("[a]\n[[a]]", "f:2:");
	bad("a=1\n[a.b]", "f:2:");
	bad("a={x=1, x=2}", "f:1:");
	bad("\"a\"=1\n'a'=2", "f:2:");
}

static void malformed(void **state)
{
	(void)state;
	bad("a=1 b=2", "f:1:");
	bad("a", "f:1:");
	bad("=1", "f:1:");
	bad("a..b=1", "f:1:");
	bad("[a", "f:1:");
	bad("[[a]", "f:1:");
	bad("[]", "f:1:");
	bad("a={b=1,}", "f:1:");
	bad("a={b=1\n}", "f:1:");
	bad("a=[1 2]", "f:1:");
	bad("a=[", "f:1:");
	bad("a=1\rb=2", "f:1:");
	bad("# \x01", "f:1:");
	bad("\"\"\"a\"\"\"=1", "f:1:");
}

/* n times piece between head and tail. */
static void repeated_is_bad(const char *piece, size_t n, const char *tail)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "a=");
	while (n--)
		buf_adds(&b, piece);
	buf_adds(&b, tail);
	assert_null(toml_read("f", b.data, b.len));
	buf_clear(&b);
}

static void bounds(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	repeated_is_bad("[", 100000, "");
	repeated_is_bad("{a=", 100000, "");
	buf_adds(&b, "[a");
	for (int i = 0; i < 100000; i++)
		buf_adds(&b, ".a");
	buf_adds(&b, "]");
	assert_null(toml_read("f", b.data, b.len));
	buf_reset(&b);
	for (int i = 0; i <= TOML_MAX_KEYS; i++)
		buf_addf(&b, "k%d=1\n", i);
	assert_null(toml_read("f", b.data, b.len));
	buf_reset(&b);
	memset(buf_room(&b, TOML_MAX_BYTES + 1), '\n', TOML_MAX_BYTES + 1);
	assert_null(toml_read("f", b.data, TOML_MAX_BYTES + 1));
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings), cmocka_unit_test(keys_with_nul),
		cmocka_unit_test(numbers),
		cmocka_unit_test(dates),
		cmocka_unit_test(tables_and_their_lines),
		cmocka_unit_test(nothing_is_defined_twice),
		cmocka_unit_test(malformed),
		cmocka_unit_test(bounds),
	};

	log_set_tee(hear, NULL, 1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
