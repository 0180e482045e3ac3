/* Properties of scan.c: what is found, what is excused, what is unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "rules.h"
#include "scan.h"
#include "scan-internal.h"

/* What the last scan found: "RULE LINE:COLUMN SECRET;" each. */
static struct buf found;
static const char *why;

static void hear(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static void take(void *arg, const struct scan_finding *f)
{
	(void)arg;
	buf_addf(&found, "%s %u:%u ", f->rule, f->line, f->column);
	buf_add(&found, f->secret, f->secret_len);
	buf_addc(&found, ';');
	assert_true(f->start <= f->end);
}

static enum scan_result run(struct scanner *s, const char *text, size_t len,
			    const char *path)
{
	const struct scan_input in = { .text = text, .len = len, .path = path };

	buf_reset(&found);
	buf_room(&found, 0);
	why = NULL;
	return scan_text(s, &in, take, NULL, &why);
}

static struct rules *load(const char *text)
{
	char path[] = "/tmp/unit-scan.XXXXXX";
	int fd = mkstemp(path);
	struct rules *r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	r = rules_load(path);
	unlink(path);
	assert_non_null(r);
	return r;
}

/* With these rules, text gives these findings. */
static void gives(const char *rules, const char *text, size_t len,
		  const char *path, const char *want)
{
	struct rules *r = load(rules);
	struct scanner *s = scan_new(r, SCAN_DEPTH);
	enum scan_result result = run(s, text, len, path);

	assert_string_equal(found.data, want);
	assert_int_equal(result, *want ? SCAN_FOUND : SCAN_CLEAN);
	scan_free(s);
	rules_free(r);
}

#define GIVES(rules, text, path, want)                                         \
	gives(rules, text, sizeof(text) - 1, path, want)

#define KEY "[[rules]]\nid='k'\nregex='key_([a-z0-9]{4,8})'\nkeywords=['KEY_']\n"
#define ANY "[[rules]]\nid='n'\nregex='num=([0-9]+)'\n"

static void places(void **state)
{
	(void)state;
	GIVES(KEY, "key_abcd1 key_efgh", NULL, "k 1:1 abcd1;k 1:11 efgh;");
	GIVES(KEY, "\n\nx key_abcd\0\xff\nkey_zzzz", NULL,
	      "k 3:3 abcd;k 4:1 zzzz;");
	GIVES(KEY, "", NULL, "");
	GIVES(KEY, "key_abc", NULL, "");
	GIVES(ANY KEY, "key_abcd num=12", NULL, "n 1:10 12;k 1:1 abcd;");
	/* a match's newlines at its ends do not count */
	GIVES("[[rules]]\nid='l'\nregex='\\n+key=\\w+\\n'\n", "a\n\nkey=1\n",
	      NULL, "l 3:1 key=1;");
	/* keywords say where to look, and never hide what follows a match */
	GIVES("[[rules]]\nid='w'\nregex='[a-z]{0,3}-(?:one|two)-[0-9]'\n"
	      "keywords=['one','two']\n", "abc-one-1abc-two-2-two-3x", NULL,
	      "w 1:1 abc-one-1;w 1:10 abc-two-2;w 1:19 -two-3;");
}

static void groups_and_entropy(void **state)
{
	(void)state;
	GIVES("[[rules]]\nid='g'\nregex='a(x)?(y)(z)'\n", "ayz", NULL,
	      "g 1:1 y;");
	GIVES("[[rules]]\nid='g'\nregex='a(x)?(y)(z)'\nsecretGroup=3\n", "ayz",
	      NULL, "g 1:1 z;");
	GIVES(KEY "entropy=1.5\n", "key_aabb key_abcd", NULL, "k 1:10 abcd;");
	/* equal is not enough */
	GIVES(KEY "entropy=2\n", "key_abcd", NULL, "");
	assert_true(fabs(scan_entropy("abcd", 4) - 2) < 1e-9);
	assert_true(scan_entropy("", 0) < 1e-9);
	/* two characters of two bytes: counted once each, over four bytes */
	assert_true(fabs(scan_entropy("\xc3\xa9\xc3\xa8", 4) - 1) < 1e-9);
}

static void allow_lists(void **state)
{
	(void)state;
	GIVES(KEY "[[rules.allowlists]]\nregexes=['^abc']\n",
	      "key_abcd key_defg", NULL, "k 1:10 defg;");
	GIVES(KEY "[[rules.allowlists]]\nregexes=['^key_a']\n"
	      "regexTarget='match'\n", "key_abcd key_defg", NULL,
	      "k 1:10 defg;");
	GIVES(KEY "[[rules.allowlists]]\nregexes=['^# .*ok$']\n"
	      "regexTarget='line'\n", "# key_abcd ok\nkey_defg ok", NULL,
	      "k 2:1 defg;");
	GIVES(KEY "[allowlist]\nstopwords=['BCD']\n", "key_abcd key_defg",
	      NULL, "k 1:10 defg;");
	GIVES(KEY "[allowlist]\npaths=['^t/']\n", "key_abcd", "t/x", "");
	GIVES(KEY "[allowlist]\npaths=['^t/']\n", "key_abcd", "s/t/x",
	      "k 1:1 abcd;");
	GIVES(KEY "[[rules.allowlists]]\ncondition='AND'\npaths=['^t/']\n"
	      "stopwords=['bcd']\n", "key_abcd key_defg", "t/x",
	      "k 1:10 defg;");
	GIVES(KEY "[[rules.allowlists]]\ncondition='AND'\npaths=['^t/']\n"
	      "stopwords=['bcd']\n", "key_abcd", "s/x", "k 1:1 abcd;");
	GIVES(KEY ANY "[[allowlists]]\ntargetRules=['k']\npaths=['x']\n",
	      "key_abcd num=1", "x", "n 1:10 1;");
	/* one regex's (?i) is its own */
	GIVES(KEY "[allowlist]\nregexes=['(?i)^ZZ','^ABCD']\n", "key_abcd",
	      NULL, "k 1:1 abcd;");
	GIVES(KEY, "key_abcd # gitleaks:allow", NULL, "k 1:1 abcd;");
}

static void paths_and_company(void **state)
{
	(void)state;
	GIVES(KEY "path='\\.env$'\n", "key_abcd", "a.env", "k 1:1 abcd;");
	GIVES(KEY "path='\\.env$'\n", "key_abcd", "a.c", "");
	GIVES("[[rules]]\nid='p'\npath='\\.p12$'\n", "x", "a.p12", "p 1:1 ;");
	GIVES("[[rules]]\nid='p'\npath='\\.p12$'\n", "x", NULL, "");
	GIVES(KEY "skipReport=true\n", "key_abcd", NULL, "");
	GIVES(KEY "[[rules.required]]\nid='n'\nwithinLines=1\n" ANY
	      "skipReport=true\n", "key_abcd\nnum=1\n\n\nkey_defg", NULL,
	      "k 1:1 abcd;");
	GIVES(KEY "[[rules.required]]\nid='n'\n" ANY "skipReport=true\n",
	      "key_abcd", NULL, "");
	/* the particular rule's finding stands for the generic one's */
	GIVES(KEY "[[rules]]\nid='my-generic'\nregex='_([a-z]+)'\n"
	      "keywords=['_']\n", "key_abcd\nx_yz", NULL,
	      "k 1:1 abcd;my-generic 2:2 yz;");
}

#define COMMIT "01234567890123456789abcd012345678901234b"

static void commits(void **state)
{
	static const char rules[] = KEY "[allowlist]\ncommits=['" COMMIT "']\n";
	static const char both[] = KEY "[allowlist]\ncondition='AND'\n"
		"commits=['" COMMIT "']\npaths=['^t/']\n";
	struct scan_input in = { .text = "key_abcd", .len = 8 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rules *r = load(i ? both : rules);
		struct scanner *s = scan_new(r, 0);

		in.path = "t/x";
		in.commit = NULL;
		assert_int_equal(scan_text(s, &in, NULL, NULL, NULL),
				 SCAN_FOUND);
		in.commit = "f" COMMIT;
		assert_int_equal(scan_text(s, &in, NULL, NULL, NULL),
				 SCAN_FOUND);
		in.commit = COMMIT;
		assert_int_equal(scan_text(s, &in, NULL, NULL, NULL),
				 SCAN_CLEAN);
		in.path = "s/x";
		assert_int_equal(scan_text(s, &in, NULL, NULL, NULL),
				 i ? SCAN_FOUND : SCAN_CLEAN);
		scan_free(s);
		rules_free(r);
	}
}

static void see(void *arg, const struct scan_finding *f)
{
	(void)arg;
	buf_addf(&found, "%s %zu-%zu %u:%u-%u:%u %s ", f->rule, f->start,
		 f->end, f->line, f->column, f->end_line, f->end_column,
		 f->encodings);
	buf_add(&found, f->secret, f->secret_len);
	buf_addc(&found, ';');
}

/* What is encoded is found where it stands, and only once. */
static void encodings(void **state)
{
	struct rules *r = load("[[rules]]\nid='k'\n"
			       "regex='key_([a-z0-9]{4,8})'\n");
	struct scanner *s = scan_new(r, SCAN_DEPTH), *flat = scan_new(r, 0);
	/* "here is a key_abcd12 and more words" */
	static const char once[] = "a\nx = \""
		"aGVyZSBpcyBhIGtleV9hYmNkMTIgYW5kIG1vcmUgd29yZHM=\";\n";
	struct scan_input in = { .text = once, .len = sizeof(once) - 1 };
	struct buf shown = BUF_INIT;

	(void)state;
	buf_reset(&found);
	buf_adds(&found, "");
	assert_int_equal(scan_text(flat, &in, see, NULL, NULL), SCAN_CLEAN);
	assert_int_equal(scan_text(s, &in, see, NULL, NULL), SCAN_FOUND);
	assert_string_equal(found.data,
			    "k 7-55 2:6-2:53 base64 abcd12;");
	/* nothing of it is shown to people */
	scan_redact(s, once, sizeof(once) - 1, &shown);
	assert_non_null(strstr(shown.data, "x = "));
	assert_null(strstr(shown.data, "tleV9hYmNk"));
	in.text = "percent: %6b%65%79%5Fabcd ";
	in.len = strlen(in.text);
	buf_reset(&found);
	assert_int_equal(scan_text(s, &in, see, NULL, NULL), SCAN_FOUND);
	assert_non_null(strstr(found.data, "percent"));
	buf_clear(&shown);
	scan_free(flat);
	scan_free(s);
	rules_free(r);
}

static void hear_event(void *arg, const struct scan_event *e)
{
	static const char *const names[] = { "kept", "entropy", "allowed",
					     "generic", "alone", "path" };

	(void)arg;
	buf_addf(&found, "%s %s [%s]", e->finding.rule, names[e->verdict],
		 e->keyword);
	if (*e->allow_file)
		buf_addf(&found, " line %d", e->allow_line);
	buf_addc(&found, ';');
}

static void explained(void **state)
{
	struct rules *r = load(
		KEY "entropy=1.5\n[[rules.allowlists]]\nregexes=['^zz']\n"
		"[[rules]]\nid='my-generic'\nregex='_([a-z]{4})$'\n"
		"[[rules]]\nid='q'\nregex='qk[0-9]'\n"
		"[[rules.required]]\nid='k'\nwithinLines=0\n"
		"[[rules]]\nid='p'\nregex='pp'\npath='^only$'\n");
	struct scanner *s = scan_new(r, 0);
	const struct scan_input in = {
		.text = "key_aabb key_zzac1\nqk1 pp\nkey_abcd", .len = 34 };

	(void)state;
	buf_reset(&found);
	scan_explain(s, hear_event, NULL);
	assert_int_equal(scan_text(s, &in, NULL, NULL, NULL), SCAN_FOUND);
	assert_string_equal(found.data,
			    "k entropy [key_];k allowed [key_] line 6;"
			    "q alone [qk1];p path [];my-generic generic [];"
			    "k kept [key_];");
	scan_explain(s, NULL, NULL);
	scan_free(s);
	rules_free(r);
}

static void time_runs_out(void **state)
{
	struct rules *r = load(KEY);
	struct scanner *s = scan_new(r, 0);

	(void)state;
	scan_set_deadline(s, 1);
	assert_int_equal(run(s, "key_abcd", 8, NULL), SCAN_UNKNOWN);
	assert_non_null(strstr(why, "time"));
	scan_set_deadline(s, 0);
	assert_int_equal(run(s, "key_abcd", 8, NULL), SCAN_FOUND);
	scan_free(s);
	rules_free(r);
}

/* A limit is "could not tell", with the rule's name, and never clean. */
static void unknown(const char *rules, const char *text, size_t len,
		    const char *word)
{
	struct rules *r = load(rules);
	struct scanner *s = scan_new(r, SCAN_DEPTH);

	assert_int_equal(run(s, text, len, NULL), SCAN_UNKNOWN);
	assert_non_null(why);
	assert_non_null(strstr(why, "rule 'k'"));
	assert_non_null(strstr(why, word));
	scan_free(s);
	rules_free(r);
}

static void limits(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	memset(buf_room(&b, 60000), 'a', 60000);
	unknown("[[rules]]\nid='k'\nregex='(a+a+)+[0-9]'\n", b.data, 60000,
		"limit");
	unknown("[[rules]]\nid='k'\nregex='a'\n", b.data, 60000, "findings");
	unknown("[[rules]]\nid='k'\nregex='[z-a]'\n", "x", 1, "compile");
	buf_clear(&b);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Eight times the text takes about eight times as long. */
static void is_linear(const char *rules, const char *piece)
{
	struct rules *r = rules ? load(rules) : rules_builtin();
	struct scanner *s = scan_new(r, SCAN_DEPTH);
	struct buf b = BUF_INIT;
	double once, start;

	while (b.len < 400000)
		buf_adds(&b, piece);
	/* what is made once is made now */
	run(s, b.data, b.len, NULL);
	start = seconds();
	run(s, b.data, b.len, NULL);
	once = seconds() - start;
	while (b.len < 3200000)
		buf_adds(&b, piece);
	start = seconds();
	run(s, b.data, b.len, NULL);
	/* 8 when linear, 64 when quadratic */
	if (seconds() - start > 24 * (once + 0.01))
		fail_msg("%s: %f, then %f s", piece, once, seconds() - start);
	buf_clear(&b);
	scan_free(s);
	rules_free(r);
}

static void time_is_linear(void **state)
{
	(void)state;
	/* one line, full of words */
	is_linear(NULL, "key_xx token=secret ghp_ AKIA http://a@b ");
	is_linear(NULL, "-----BEGIN RSA PRIVATE KEY-----\n");
	/* words whose lead is all that is before them */
	is_linear("[[rules]]\nid='k'\nregex='[a-z.]+\\.zz[0-9]{9}'\n",
		  "ab.zz");
	is_linear("[[rules]]\nid='k'\nregex='\\w{1,50}(?:tok|key)[^\\n]{0,900}"
		  "=[a-f0-9]{30}'\n", "tokkeytok ");
	/* no more than are kept, each with another's company */
	is_linear("[[rules]]\nid='k'\nregex='ab[0-9]'\n"
		  "[[rules.required]]\nid='n'\nwithinLines=0\n"
		  "[[rules]]\nid='n'\nregex='cd[0-9]'\nskipReport=true\n",
		  "ab1\ncd1\n...................................................."
		  "................................................................"
		  "................................................................"
		  "................................................................"
		  "................................................................"
		  "................................................................"
		  "................................................................"
		  "................................................................"
		  "................................................................"
		  "...............................................................");
}

static void self_test(void **state)
{
	struct rules *r = rules_builtin();
	struct scanner *s = scan_new(r, SCAN_DEPTH);

	(void)state;
	assert_int_equal(scan_self_test(s), 0);
	scan_free(s);
	/* a set that claims to be ours and finds nothing */
	rules_free(r);
	r = load(KEY);
	r->builtin = 1;
	s = scan_new(r, SCAN_DEPTH);
	assert_int_equal(scan_self_test(s), -1);
	scan_free(s);
	r->builtin = 0;
	s = scan_new(r, SCAN_DEPTH);
	assert_int_equal(scan_self_test(s), 0);
	scan_free(s);
	rules_free(r);
	r = load("[[rules]]\nid='k'\nregex='[z-a]'\n");
	s = scan_new(r, SCAN_DEPTH);
	assert_int_equal(scan_self_test(s), -1);
	scan_free(s);
	rules_free(r);
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char *letters_of(const char *kind, size_t n)
{
	static const char *const table[][2] = {
		{ "hex", DIGITS "abcdef" }, { "num", DIGITS },
		{ "alpha", LOWER UPPER },   { "alnum", LOWER UPPER DIGITS },
		{ "lalpha", LOWER },	    { "b32l", LOWER "234567" },
		{ "b58", "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
			 "abcdefghijkmnopqrstuvwxyz" },
		{ "lower", LOWER DIGITS },  { "word", LOWER UPPER DIGITS "_-" },
		{ "b32", UPPER "234567" },  { "b64", LOWER UPPER DIGITS "+/" },
		{ "bech", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strlen(table[i][0]) == n && !strncmp(table[i][0], kind, n))
			return table[i][1];
	return NULL;
}

/*
 * {KIND:N} and {nl} of an example; anything else stays as it is. What is made
 * up depends on the example alone, not on those before it.
 */
static void expand(const char *s, struct buf *out)
{
	unsigned x = 12345;

	for (const char *p = s; *p; p++)
		x = x * 31 + (unsigned char)*p;
	buf_reset(out);
	while (*s) {
		size_t word = strspn(s + 1, LOWER DIGITS);
		const char *set = *s == '{' && s[1 + word] == ':' ?
					  letters_of(s + 1, word) : NULL;

		if (!strncmp(s, "{nl}", 4)) {
			buf_addc(out, '\n');
			s += 4;
		} else if (set) {
			char *end;
			long n = strtol(s + word + 2, &end, 10);

			for (; n > 0; n--) {
				x = x * 1103515245u + 12345u;
				buf_addc(out, set[(x >> 16) % strlen(set)]);
			}
			s = end + 1;
		} else {
			buf_addc(out, *s++);
		}
	}
}

/* Does the last scan's list name the rule? */
static int names(const char *rule)
{
	struct buf word = BUF_INIT;
	int found_at;

	/* a secret holds no ';', so that each name stands behind one */
	buf_addf(&word, ";%s ", rule);
	found_at = !strncmp(found.data, word.data + 1, word.len - 1) ||
		   strstr(found.data, word.data) != NULL;
	buf_clear(&word);
	return found_at;
}

/* Returns 0, or 1 when the scanner sees it otherwise. */
static int example(struct scanner *s, char *line, struct buf *text)
{
	char *sign = strchr(line, ' ');

	assert_non_null(sign);
	*sign++ = '\0';
	assert_true((*sign == '+' || *sign == '-') && sign[1] == ' ');
	expand(sign + 2, text);
	assert_int_not_equal(run(s, text->data, text->len, NULL),
			     SCAN_UNKNOWN);
	if (names(line) == (*sign == '+'))
		return 0;
	print_message("# %s %s = %s; found: %s\n", line, sign, text->data,
		      found.data);
	return 1;
}

/* t/rules/examples.txt: each rule has both kinds, and each is right. */
static void examples(void **state)
{
	struct rules *r = rules_builtin();
	struct scanner *s = scan_new(r, SCAN_DEPTH);
	unsigned char *seen = calloc(rules_count(r), 1);
	struct buf text = BUF_INIT;
	const char *source = getenv("SOURCE");
	char path[4096], line[4096];
	int wrong = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/t/rules/examples.txt",
		 source ? source : ".");
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const struct rules_rule *rule;
		char sign;

		line[strcspn(line, "\n")] = '\0';
		if (*line == '#' || !*line)
			continue;
		sign = strchr(line, ' ') ? strchr(line, ' ')[1] : '?';
		wrong += example(s, line, &text);
		rule = rules_find(r, line);
		if (!rule)
			fail_msg("no rule %s", line);
		seen[rule - r->list] |= sign == '+' ? 1 : 2;
	}
	fclose(f);
	for (size_t i = 0; i < r->nr; i++) {
		if (seen[i] == 3)
			continue;
		print_message("# %s: no true or no false example\n",
			      r->list[i].id);
		wrong++;
	}
	assert_int_equal(wrong, 0);
	buf_clear(&text);
	free(seen);
	scan_free(s);
	rules_free(r);
}

static int clean_up(void **state)
{
	(void)state;
	buf_clear(&found);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(groups_and_entropy),
		cmocka_unit_test(allow_lists),
		cmocka_unit_test(paths_and_company),
		cmocka_unit_test(commits),
		cmocka_unit_test(encodings),
		cmocka_unit_test(explained),
		cmocka_unit_test(time_runs_out),
		cmocka_unit_test(limits),
		cmocka_unit_test(time_is_linear),
		cmocka_unit_test(self_test),
		cmocka_unit_test(examples),
	};

	log_set_tee(hear, NULL, 1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("scan", tests, NULL, clean_up);
}
