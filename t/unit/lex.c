/* lex.c: git-config syntax; t/10-config.t compares the same with git. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "lex.h"
#include "log.h"
#include "mem.h"

static struct buf logged;

static void tee(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	buf_addf(&logged, "%s\n", line);
}

/* Events as "LINE:section|subsection|key=value\n". */
static void print(void *arg, const struct lex_event *e)
{
	struct buf *out = arg;

	buf_addf(out, "%d:%s", e->line, e->section);
	if (e->subsection)
		buf_addf(out, "|%s", e->subsection);
	if (e->key)
		buf_addf(out, " %s", e->key);
	if (e->value)
		buf_addf(out, "=%s", e->value);
	buf_addc(out, '\n');
}

/* A copy without a NUL behind it, so that ASan sees a read past the end. */
static int lex(const char *text, size_t len, struct buf *out)
{
	char *copy = mem_zalloc(len ? len : 1);
	int rc;

	if (len)
		memcpy(copy, text, len);
	buf_reset(&logged);
	buf_adds(&logged, "");
	buf_adds(out, "");
	rc = lex_config("f", copy, len, print, out);
	free(copy);
	return rc;
}

static const struct {
	const char *text, *events;
} good[] = {
	{ "", "" },
	{ "\n\n# c\n ; d\n", "" },
	{ "# no newline at the end", "" },
	{ "\xef\xbb\xbf[a]\nk=v", "1:a\n2:a k=v\n" },
	{ "[A]\nKey = V\n", "1:a\n2:a key=V\n" },
	{ "[a \"B c\"]\nk\n", "1:a|B c\n2:a|B c k\n" },
	{ "[a \"\"]\nk=\n", "1:a|\n2:a| k=\n" },
	{ "[a\t \"b\\\"\\\\\\x\"] k = v\n", "1:a|b\"\\x\n1:a|b\"\\x k=v\n" },
	{ "[A.B]\nk=1", "1:a|b\n2:a|b k=1\n" },
	{ "[a]k=1\n[b]k=2", "1:a\n1:a k=1\n2:b\n2:b k=2\n" },
	{ "[a]\r\nk = v\r\n", "1:a\n2:a k=v\n" },
	{ "[a]\nk =  x  y ;c\n", "1:a\n2:a k=x  y\n" },
	{ "[a]\nk = \" x \"  # c\n", "1:a\n2:a k= x \n" },
	{ "[a]\nk = a\"b;#\"c\n", "1:a\n2:a k=ab;#c\n" },
	{ "[a]\nk = a\\\n   b\nl=1", "1:a\n2:a k=a   b\n4:a l=1\n" },
	{ "[a]\nk = \\\n b", "1:a\n2:a k=b\n" },
	{ "[a]\nk = \\\r\nb", "1:a\n2:a k=b\n" },
	{ "[a]\nk = a\\", "1:a\n2:a k=a\n" },
	{ "[a]\nk = \\\\\\\"\\n\\t\\b.\n", "1:a\n2:a k=\\\"\n\t\b.\n" },
	{ "[a]\nk-1=v", "1:a\n2:a k-1=v\n" },
	{ "[a]\nk = v = w\n", "1:a\n2:a k=v = w\n" },
	{ "[a]\nk # c\n", NULL },
};

static void takes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct buf out = BUF_INIT;
		int rc = lex(good[i].text, strlen(good[i].text), &out);
		if (good[i].events) {
			assert_string_equal(out.data, good[i].events);
			assert_int_equal(rc, 0);
			assert_string_equal(logged.data, "");
		} else {
			assert_int_equal(rc, -1);
		}
		buf_clear(&out);
	}
}

/* Each error is told with its line, and the rest is still read. */
static const struct {
	const char *text, *errors; /* lines that have one, in order */
} bad[] = {
	{ "k = v\n[a]\nl=1\n", "1" },
	{ "[a\nk=1\n[b]\nl=1\n", "1" },
	{ "[]\n", "1" },
	{ "[.a]\n", "1" },
	{ "[ \"x\"]\n", "1" },
	{ "[a b]\n", "1" },
	{ "[a \"b]\n", "1" },
	{ "[a \"b\\\n\"]\n", "1 2" },
	{ "[a \"b\" ]\n", "1" },
	{ "[a \"b\"x]\n", "1" },
	{ "[a_b]\n", "1" },
	{ "[a", "1" },
	{ "[a ", "1" },
	{ "[a \"", "1" },
	{ "[a]\n1k=1\n=\n", "2 3" },
	{ "[a]\nk_l=1\nl=1\n", "2" },
	{ "[a]\nk = \"x\nl=1\n", "2" },
	{ "[a]\nk = \\q\nl = \\", "2" },
	{ "[a]\nk = \"a\\\nb\nl=1\nm = \"", "2 5" },
	{ "[a]\nk v\n", "2" },
};

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf out = BUF_INIT, lines = BUF_INIT;
		int rc = lex(bad[i].text, strlen(bad[i].text), &out);
		for (char *p = logged.data; (p = strstr(p, "f:")); p += 2)
			buf_addf(&lines, "%s%d", lines.len ? " " : "",
				 atoi(p + 2));
		if (rc != -1 || !lines.data ||
		    strcmp(lines.data, bad[i].errors) != 0)
			fail_msg("%zu: rc %d, errors in lines %s, not %s\n%s",
				 i, rc, lines.data, bad[i].errors,
				 logged.data);
		buf_clear(&out);
		buf_clear(&lines);
	}
}

static void nul_bytes(void **state)
{
	static const char *const texts[] = {
		"[a]\nk = v\0w\nl = 1\n", "[a]\nk\0 = v\nl = 1\n",
		"[a]\n\0\nl = 1\n",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf out = BUF_INIT;
		size_t n = 4;
		while (memcmp(texts[i] + n, "l = 1\n", 6) != 0)
			n++;
		assert_int_equal(lex(texts[i], n + 6, &out), -1);
		assert_string_equal(strstr(out.data, "3:"), "3:a l=1\n");
		buf_clear(&out);
	}
}

/* Every prefix of a file, and every file with one byte changed, ends. */
static void hostile(void **state)
{
	static const char text[] = "\xef\xbb\xbf[a \"b\\\"c\"]\r\nk = \"v\" \\\n"
				   " w ; c\n[d.e]l\nm=\\t\n";
	static const char odd[] = "\0\n\r\"\\[]=;# \xff";
	char copy[sizeof(text)];

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct buf out = BUF_INIT;
		lex(text, n, &out);
		for (size_t i = 0; n && i < sizeof(odd); i++) {
			memcpy(copy, text, sizeof(text));
			copy[n - 1] = odd[i];
			buf_reset(&out);
			lex(copy, sizeof(text) - 1, &out);
		}
		buf_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes),
		cmocka_unit_test(refuses),
		cmocka_unit_test(nul_bytes),
		cmocka_unit_test(hostile),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	log_init("lex", LOG_PLAIN);
	log_set_tee(tee, NULL, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_clear(&logged);
	return failed;
}
