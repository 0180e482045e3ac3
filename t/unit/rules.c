/* Properties of rules.c: gitleaks' format means the same, or is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "rules.h"
#include "rules-internal.h"

static struct buf said;
static char dir[] = "/tmp/unit-rules.XXXXXX";

static void hear(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	buf_adds(&said, line);
	buf_adds(&said, "\n");
}

static void put(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct rules *load(const char *text)
{
	char path[200];

	buf_reset(&said);
	put("r.toml", text);
	snprintf(path, sizeof(path), "%s/r.toml", dir);
	return rules_load(path);
}

/* Refused, and this was said. */
static void bad(const char *text, const char *want)
{
	struct rules *r = load(text);

	if (r)
		fail_msg("taken: %s", text);
	if (!said.data || !strstr(said.data, want))
		fail_msg("not said: %s; but: %s", want,
			 said.data ? said.data : "nothing");
}

#define RULE_A "[[rules]]\nid='a'\nregex='x+y'\nkeywords=['X']\n"

static void fields_are_read(void **state)
{
	struct rules *r = load("title='t'\nminVersion='v8.25.0'\n" RULE_A
			       "description='d'\nentropy=3\nsecretGroup=0\n"
			       "tags=['t']\npath='\\.c$'\n"
			       "[[rules.allowlists]]\ncondition='AND'\n"
			       "regexTarget='line'\nregexes=['q']\n"
			       "stopwords=['ABC']\n");
	const struct rules_allow *a;

	(void)state;
	assert_non_null(r);
	assert_int_equal(rules_count(r), 1);
	assert_string_equal(r->list[0].keywords.list[0], "x");
	assert_true(r->list[0].entropy > 2.9);
	assert_int_equal(r->list[0].nr_allows, 1);
	a = r->list[0].allows[0];
	assert_int_equal(a->all, 1);
	assert_int_equal(a->target, RULES_LINE);
	assert_string_equal(a->stopwords.list[0], "abc");
	rules_free(r);
}

static void what_is_not_understood_is_refused(void **state)
{
	(void)state;
	bad("", "has no rules");
	bad("[allowlist]\npaths=['x']\n", "has no rules");
	bad(RULE_A "filter='x'\n", "r.toml:5: rule 'a': filter");
	bad("colour=1\n" RULE_A, "r.toml:1:");
	bad("[[rules]]\nregex='x'\n", "r.toml:1: rule '': id is missing");
	bad("[[rules]]\nid='a'\n", "neither regex nor path");
	bad(RULE_A RULE_A, "r.toml:5: rule 'a': id is already in use");
	bad(RULE_A "entropy='3'\n", "should be a float");
	bad(RULE_A "entropy=nan\n", "r.toml:5:");
	bad(RULE_A "keywords=['y']\n", "already defined");
	bad("[[rules]]\nid='a'\nregex='x'\nkeywords=['']\n", "empty item");
	bad(RULE_A "[rules.allowlist]\n", "no paths, regexes or stopwords");
	bad(RULE_A "[rules.allowlist]\ncommits=['abc']\n", "git gate allow");
	bad(RULE_A "[rules.allowlist]\nregexes=['x']\ncondition='XOR'\n",
	    "\"AND\" or \"OR\"");
	bad(RULE_A "[rules.allowlist]\nregexes=['x']\nregexTarget='all'\n",
	    "\"line\"");
	bad(RULE_A "[[allowlists]]\nregexes=['x']\ntargetRules=['b']\n",
	    "there is no rule 'b'");
	bad(RULE_A "[[rules.required]]\nid='b'\n", "there is no rule 'b'");
	bad("[allowlist]\nregexes=['x']\n[[allowlists]]\nregexes=['x']\n"
	    RULE_A, "cannot both be there");
}

static void every_error_is_told(void **state)
{
	(void)state;
	bad(RULE_A "one=1\ntwo=2\n[[rules]]\nid='b'\nregex='(?=x)'\n", "one");
	assert_non_null(strstr(said.data, "two"));
	assert_non_null(strstr(said.data, "rule 'b'"));
}

static void what_go_refuses_is_refused(void **state)
{
	static const char *const regexes[] = {
		"(?=x)", "(?!x)", "(?<=x)", "(?<!x)", "(?>x)", "(x)\\1",
		"x++", "x*+", "x{2}+", "\\h", "\\R", "\\Kx", "(?R)", "x{1001}",
		"(*UTF)x", "(?<n>x)\\k<n>", "(x", "x)", "*x", "[x", "x\\",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(regexes) / sizeof(*regexes); i++) {
		char text[200];

		snprintf(text, sizeof(text),
			 "[[rules]]\nid='a'\nregex='''%s'''\n", regexes[i]);
		bad(text, "r.toml:3: rule 'a': regex");
	}
}

static size_t before(const char *regex, const char *word)
{
	struct rules_words w = { 0 };
	const char *why;
	size_t n = 0;

	rules_words_add(&w, word, strlen(word));
	assert_int_equal(rules_shape(regex, &w, &n, &why), 0);
	rules_words_clear(&w);
	return n;
}

static void keywords_are_placed(void **state)
{
	(void)state;
	assert_int_equal(before("\\bkey_[a-z]+", "key_"), 0);
	assert_int_equal(before("[a-z]{0,50}?(?:key)\\s*x", "key"), 50);
	assert_int_equal(before("(?i)ab?KEY", "key"), 2);
	assert_int_equal(before("(?:key|a.key)x", "key"), 2);
	assert_int_equal(before("[kK][eE]y", "key"), 0);
	assert_int_equal(before("(?:x{3}key){1,9}", "key"), 3);
	assert_int_equal(before("\\x41key", "key"), 1);
	assert_int_equal(before("(?P<n>\\[a]key)", "key"), 3);
	/* a brace that repeats nothing is text */
	assert_int_equal(before("[ab]{0xkey", "key"), 4);
	assert_true(before("(?:key)?x", "key") == RULES_ANYWHERE);
	assert_true(before("key|x", "key") == RULES_ANYWHERE);
	assert_true(before(".*key", "key") == RULES_ANYWHERE);
	assert_true(before("[key]", "key") == RULES_ANYWHERE);
	assert_true(before("ke+y", "key") == RULES_ANYWHERE);
}

static void extending_merges(void **state)
{
	struct rules *r;

	(void)state;
	put("base.toml", RULE_A "description='base'\nentropy=2\n"
	    "[[rules.allowlists]]\nregexes=['one']\n"
	    "[[rules]]\nid='b'\nregex='b'\n[[rules]]\nid='c'\nregex='c'\n");
	r = load("[extend]\npath='base.toml'\ndisabledRules=['b']\n"
		 "[[rules]]\nid='a'\nentropy=4\nkeywords=['z']\n"
		 "[[rules.allowlists]]\nregexes=['two']\n");
	assert_non_null(r);
	assert_int_equal(rules_count(r), 2);
	assert_null(rules_find(r, "b"));
	assert_string_equal(rules_find(r, "a")->regex->text, "x+y");
	assert_string_equal(rules_find(r, "a")->description, "base");
	assert_int_equal(rules_find(r, "a")->keywords.nr, 2);
	assert_int_equal(rules_find(r, "a")->nr_allows, 2);
	assert_true(rules_find(r, "a")->entropy > 3.9);
	rules_free(r);
	bad("[extend]\npath='r.toml'\n" RULE_A, "third level");
	bad("[extend]\npath='none.toml'\n" RULE_A, "could not be read");
	r = load("[extend]\nuseDefault=true\n" RULE_A);
	assert_non_null(r);
	assert_true(rules_count(r) > 45);
	rules_free(r);
}

static void traps_are_told(void **state)
{
	struct rules *r = load(RULE_A "[[rules.allowlists]]\n"
			       "regexes=['^true|false$']\n");

	(void)state;
	assert_non_null(r);
	assert_int_equal(rules_compile_all(r), 0);
	assert_non_null(strstr(said.data, "r.toml:6:"));
	rules_free(r);
	r = load("[[rules]]\nid='a'\nregex='(x)'\nsecretGroup=2\n");
	assert_non_null(r);
	assert_int_equal(rules_compile_all(r), -1);
	rules_free(r);
	r = load("[[rules]]\nid='a'\nregex='[z-a]'\n");
	assert_non_null(r);
	assert_int_equal(rules_compile_all(r), -1);
	assert_non_null(strstr(said.data, "r.toml:3: rule 'a'"));
	rules_free(r);
}

static void our_own_are_whole(void **state)
{
	struct rules *r = rules_builtin();

	(void)state;
	assert_non_null(r);
	assert_true(rules_count(r) >= 300);
	assert_int_equal(rules_compile_all(r), 0);
	/* so that a match is looked for only where a keyword stands */
	for (size_t i = 0; i < r->nr; i++)
		if (r->list[i].before == RULES_ANYWHERE)
			fail_msg("%s: no keyword must be in each match",
				 r->list[i].id);
	rules_free(r);
}

static int clean_up(void **state)
{
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "%s/r.toml", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/base.toml", dir);
	unlink(path);
	rmdir(dir);
	buf_clear(&said);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read),
		cmocka_unit_test(what_is_not_understood_is_refused),
		cmocka_unit_test(every_error_is_told),
		cmocka_unit_test(what_go_refuses_is_refused),
		cmocka_unit_test(keywords_are_placed),
		cmocka_unit_test(extending_merges),
		cmocka_unit_test(traps_are_told),
		cmocka_unit_test(our_own_are_whole),
	};

	if (!mkdtemp(dir))
		return 1;
	log_set_tee(hear, NULL, 1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rules", tests, NULL, clean_up);
}
