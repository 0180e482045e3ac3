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
	bad(RULE_A "[rules.allowlist]\n", "no commits, paths, regexes or");
	bad(RULE_A "[rules.allowlist]\ncommits=['abc']\n", "whole id");
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

/* What a regex says of its matches: "BEFORE-AFTER WORD,WORD". */
static const char *words_of(const char *regex)
{
	static char out[400];
	struct rules_words w = { 0 };
	struct rules_shape shape;
	const char *why;
	size_t n;

	assert_int_equal(rules_shape(regex, &shape, &w, &why), 0);
	snprintf(out, sizeof(out), "%zd-%zd", (ssize_t)shape.before,
		 (ssize_t)shape.after);
	for (size_t i = 0; i < w.nr; i++) {
		n = strlen(out);
		snprintf(out + n, sizeof(out) - n, "%s%s", i ? "," : " ",
			 w.list[i]);
	}
	rules_words_clear(&w);
	return out;
}

/* A capital letter is itself, a small one both; after has one byte more. */
static void words_are_found(void **state)
{
	(void)state;
	assert_string_equal(words_of("\\bkey_[a-z]+"), "0--1 key_");
	assert_string_equal(words_of("[a-z]{0,50}?(?:key)\\s*x"), "50--1 key");
	assert_string_equal(words_of("(?i)aB?KEY"), "0-6 abkey,akey");
	assert_string_equal(words_of("AB"), "0-3 AB");
	assert_string_equal(words_of("(?:key|a.key)x"), "2-5 key");
	assert_string_equal(words_of("[kK][eE]Y"), "0-4 keY");
	assert_string_equal(words_of("(?:[a-z]{3}key){1,9}"), "3-52 key");
	assert_string_equal(words_of("\\x41key"), "0-5 Akey");
	assert_string_equal(words_of("(?P<n>\\[a]key)"), "0-7 [a]key");
	assert_string_equal(words_of("gh[pous]_[0-9]{36}"),
			    "0-41 gho_,ghp_,ghs_,ghu_");
	assert_string_equal(words_of("\\Qa.b\\E[a-z]"), "0-5 a.b");
	/* a brace that repeats nothing is text */
	assert_string_equal(words_of("[ab]{0xkey"), "0-8 a{0xkey,b{0xkey");
	assert_string_equal(words_of(".*key"), "-1-4 key");
	/* none that must be there, or none that can be looked for */
	assert_null(strchr(words_of("(?:key)?[a-z]"), 'k'));
	assert_null(strchr(words_of("key|[a-z]{4}"), 'k'));
}

/* "MIN REACH LINES RUN", -1 for no bound. */
static const char *widths_of(const char *regex)
{
	static char out[100];
	struct rules_shape shape;
	const char *why;

	assert_int_equal(rules_shape(regex, &shape, NULL, &why), 0);
	snprintf(out, sizeof(out), "%zd %zd %zd %zd", (ssize_t)shape.min,
		 (ssize_t)shape.reach, (ssize_t)shape.lines,
		 (ssize_t)shape.run_len);
	return out;
}

static void widths_are_known(void **state)
{
	(void)state;
	assert_string_equal(widths_of("ab{2,5}c?"), "3 8 0 0");
	assert_string_equal(widths_of("a\\s{0,3}b"), "2 6 3 0");
	assert_string_equal(widths_of("a.*b"), "2 -1 0 0");
	assert_string_equal(widths_of("(?s)a.*b"), "2 -1 -1 0");
	assert_string_equal(widths_of("a[^b]{2,}"), "3 -1 -1 0");
	assert_string_equal(widths_of("a(?:b\n|[0-9]{30}){1,2}"), "3 62 2 0");
	assert_string_equal(widths_of("k=[a-f0-9]{32}(?:;|$)"), "34 36 0 33");
	assert_string_equal(widths_of("(?:[0-9]{20}|[a-f]{24})\\b"),
			    "20 25 0 20");
}

static void bytes_are(const char *regex, const char *want)
{
	struct buf out = BUF_INIT;
	const char *why = NULL;

	if (rules_runes(regex, &out, &why))
		fail_msg("%s: refused: %s", regex, why);
	assert_string_equal(out.data, want);
	buf_clear(&out);
}

/* The regex is well-formed, and cannot be said in bytes. */
static void runes_bad(const char *regex)
{
	struct buf out = BUF_INIT;
	const char *why = NULL;

	if (!rules_runes(regex, &out, &why))
		fail_msg("%s: taken", regex);
	assert_non_null(why);
	buf_clear(&out);
}

static void characters_are_bytes(void **state)
{
#define WIDE "(?:[\\xc2-\\xf4][\\x80-\\xbf]{1,3}|"
	(void)state;
	bytes_are("a+[b-d]*\\.(?i:x|\\d{3})", "a+[b-d]*\\.(?i:x|\\d{3})");
	bytes_are("x.y", "x" WIDE ".)y");
	bytes_are("x.{2,5}y.*", "x" WIDE ".){2,5}y.*");
	bytes_are(".{2,}.+?", ".{2,}.+?");
	bytes_are(".{17}[^a]{0,17}.{3,16}",
		  ".{17}[^a]{0,17}" WIDE ".){3,16}");
	bytes_are("(?:.[[:alpha:])]){20}", "(?:.[[:alpha:])]){20}");
	bytes_are("(?:a|.){9}(?:b[^)]){0,17}?((.)x)*",
		  "(?:a|" WIDE ".)){9}(?:b[^)]){0,17}?((.)x)*");
	bytes_are("[^\"]{1,9}[^a]+", WIDE "[^\"]){1,9}[^a]+");
	bytes_are("[^]a]", WIDE "[^]a])");
	bytes_are("[.][]x]\\.", "[.][]x]\\.");
	bytes_are("\xc3\xa9", "\xc3\xa9");
	bytes_are("\xc3\xa9+", "(?:\xc3\xa9)+");
	bytes_are("[a\xc3\xa9-]", "(?:[a-]|\\xc3\\xa9)");
	bytes_are("[\xc3\xa9\xe2\x82\xac]{2}", "(?:\\xc3\\xa9|\\xe2\\x82\\xac){2}");
	bytes_are("\\x{e9}\\x60\\x{1F600}",
		  "(?:\\xc3\\xa9)\\x60(?:\\xf0\\x9f\\x98\\x80)");
	bytes_are("\\v[\\v\\d-]", "\\x0b[\\x0b\\d-]");
	bytes_are("[[:alpha:]_]\\Q.[\\E.", "[[:alpha:]_]\\Q.[\\E" WIDE ".)");
	runes_bad("\\pL");
	runes_bad("[\\p{Lu}]");
	runes_bad("[a-\xc3\xa9]");
	runes_bad("[\xc3\xa9-\xc3\xaf]");
	runes_bad("[^\xc3\xa9]");
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
	bad("[extend]\npath='r.toml'\n" RULE_A, "extends itself");
	bad("[extend]\npath='./r.toml'\n" RULE_A, "third level");
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
	bad("[[rules]]\nid='a'\nregex='(x)'\nsecretGroup=2\n",
	    "r.toml:1: rule 'a': secretGroup is 2");
	bad("[[rules]]\nid='a'\nregex='(?:x)(?i)[(]\\(\\Q(\\E'\nsecretGroup=1\n",
	    "has 0 groups");
	r = load("[[rules]]\nid='a'\nregex='((?P<n>x)(?<m>y))'\nsecretGroup=3\n");
	assert_non_null(r);
	assert_int_equal(rules_compile_all(r), 0);
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
	/* so that a match is looked for only where a word or long run stands */
	for (size_t i = 0; i < r->nr; i++) {
		const struct rules_rule *one = &r->list[i];

		if (one->regex && !one->located &&
		    (!one->wakes.nr || one->shape.run_len < 40 ||
		     one->shape.run_before == RULES_UNBOUND))
			fail_msg("%s: no word must be in each match", one->id);
	}
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
		cmocka_unit_test(words_are_found),
		cmocka_unit_test(widths_are_known),
		cmocka_unit_test(characters_are_bytes),
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
