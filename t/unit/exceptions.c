/*
 * exceptions.c, ignore.c and baseline.c: what each file says, what is refused,
 * and which finding it is for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "accept.h"
#include "baseline.h"
#include "buf.h"
#include "exceptions.h"
#include "findings.h"
#include "ignore.h"
#include "json.h"
#include "log.h"
#include "scan.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DAY ((int64_t)24 * 60 * 60)
/* 2026-11-22T10:00:00Z */
#define NOW ((int64_t)1795341600)

static struct buf logged;
static char dir[] = "/tmp/exceptions-XXXXXX";

static void tee(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	buf_addf(&logged, "%s%s\n", level == LOG_WARN ? "warning " : "", line);
}

/* A file of this text in a directory of our own. */
static const char *put(const char *name, const char *text)
{
	static char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, 0644);
	buf_reset(&logged);
	buf_adds(&logged, "");
	return path;
}

static struct exceptions *load(const char *text)
{
	return exceptions_load(put("exceptions", text));
}

static void reads(void **state)
{
	struct exceptions *x = load(
		"# a comment\n[exception \"" A "\"]\n"
		"\treason = \"why; really\"\n\trepo = acme/*\n"
		"\texpires = 2026-11-30\n\tby = ada\n"
		"\tdate = 2026-11-22T10:00:00Z\n"
		"[exception \"" B "\"] reason = b\n");

	(void)state;
	assert_non_null(x);
	assert_string_equal(logged.data, "");
	assert_int_equal(x->nr, 2);
	assert_string_equal(x->list[0].fingerprint, A);
	assert_string_equal(x->list[0].reason, "why; really");
	assert_string_equal(x->list[0].repo, "acme/*");
	assert_string_equal(x->list[0].by, "ada");
	assert_int_equal(x->list[0].date, NOW);
	assert_int_equal(x->list[0].line, 2);
	/* the last second of that day */
	assert_int_equal(x->list[0].expires, NOW + 8 * DAY + 14 * 3600 - 1);
	assert_null(x->list[1].repo);
	assert_int_equal(x->list[1].expires, 0);
	exceptions_free(x);
}

static void finds(void **state)
{
	struct exceptions *x = load(
		"[exception \"" A "\"]\nreason = a\nrepo = acme/*\n"
		"expires = 2026-11-22\n"
		"[exception \"" A "\"]\nreason = later\nrepo = lab/x\n"
		"[exception \"" B "\"]\nreason = b\nexpires = 2026-12-31\n");
	const struct exception *e;

	(void)state;
	assert_non_null(x);
	e = exceptions_find(x, A, "acme/web", NOW);
	assert_ptr_equal(e, &x->list[0]);
	assert_int_equal(exceptions_state(e, NOW), EXCEPTION_SOON);
	assert_null(exceptions_find(x, A, "other", NOW));
	assert_null(exceptions_find(x, A, "ACME/web", NOW));
	x->icase = 1;
	assert_non_null(exceptions_find(x, A, "ACME/web", NOW));
	/* where the repository is not known, none that is for some */
	assert_null(exceptions_find(x, A, NULL, NOW));
	assert_ptr_equal(exceptions_find(x, A, "lab/x", NOW), &x->list[1]);
	e = exceptions_find(x, B, NULL, NOW);
	assert_int_equal(exceptions_state(e, NOW), EXCEPTION_ACTIVE);
	assert_int_equal(exceptions_state(e, NOW + 35 * DAY), EXCEPTION_SOON);
	e = exceptions_find(x, A, "acme/web", NOW + DAY);
	assert_ptr_equal(e, &x->list[0]);
	assert_int_equal(exceptions_state(e, NOW + DAY), EXCEPTION_EXPIRED);
	assert_true(exceptions_is_over(x, e, NOW + DAY));
	exceptions_warn(x, NOW + DAY);
	assert_non_null(strstr(logged.data,
			       "/exceptions:1: the exception for " A
			       " expired at 2026-11-22T23:59:59Z; remove"));
	assert_null(strstr(logged.data, B));
	exceptions_free(x);
}

/* An exception that was allowed again is not warned of. */
static void renewed(void **state)
{
	struct exceptions *x = load(
		"[exception \"" A "\"]\nreason = a\nexpires = 2026-11-20\n"
		"[exception \"" A "\"]\nreason = a\nexpires = 2027-11-20\n");

	(void)state;
	assert_non_null(x);
	assert_false(exceptions_is_over(x, &x->list[0], NOW));
	assert_ptr_equal(exceptions_find(x, A, NULL, NOW), &x->list[1]);
	exceptions_warn(x, NOW);
	assert_string_equal(logged.data, "");
	exceptions_free(x);
}

#define REFUSED(text, word)                                                    \
	do {                                                                   \
		assert_null(load(text));                                       \
		if (!strstr(logged.data, word))                                \
			fail_msg("%s\nnot in: %s", word, logged.data);         \
	} while (0)

static void refuses(void **state)
{
	(void)state;
	REFUSED("[exception \"" A "\"]\n", ":1: [exception \"" A "\"] has no "
		"reason");
	REFUSED("[exception \"xyz\"]\nreason = a\n", ":1: ");
	REFUSED("[exception \"A" A "\"]\nreason = a\n", "not a fingerprint");
	REFUSED("[exception]\nreason = a\n", "not a fingerprint");
	REFUSED("[allow \"" A "\"]\nreason = a\n", "unknown section [allow]");
	REFUSED("[exception \"" A "\"]\nreason = a\nwho = b\n",
		":3: unknown key who");
	REFUSED("[exception \"" A "\"]\nreason = a\nreason = b\n",
		":3: reason is there twice");
	REFUSED("[exception \"" A "\"]\nreason = \n", ":2: reason is empty");
	REFUSED("[exception \"" A "\"]\nreason = \"a\\nb\"\n",
		"control character");
	/* it would never end */
	REFUSED("[exception \"" A "\"]\nreason = a\nexpires = 30d\n",
		":3: expires = 30d: not a date");
	REFUSED("[exception \"" A "\"]\nreason = a\nexpires = 2027-02-30\n",
		"not a date");
	REFUSED("[exception \"" A "\"]\nreason = \"a\n", ":2: ");
	/* every error, not the first alone */
	REFUSED("[exception \"" A "\"]\n[x]\n[exception \"" B "\"]\n", ":3: ");
	assert_non_null(strstr(logged.data, ":1: "));
	assert_non_null(strstr(logged.data, ":2: "));
}

static void trusts(void **state)
{
	const char *path = put("exceptions",
			       "[exception \"" A "\"]\nreason = a\n");
	struct exceptions *x;

	(void)state;
	chmod(path, 0664);
	assert_null(exceptions_load(path));
	assert_non_null(strstr(logged.data, ":1: the file can be written"));
	chmod(path, 0644);
	chmod(dir, 0777);
	assert_null(exceptions_load(path));
	assert_non_null(strstr(logged.data, "the directory"));
	chmod(dir, 0700);
	x = exceptions_load(path);
	assert_non_null(x);
	exceptions_free(x);
	unlink(path);
	x = exceptions_load(path);
	assert_non_null(x);
	assert_true(x->missing);
	assert_int_equal(x->nr, 0);
	exceptions_free(x);
	assert_null(exceptions_load(dir));
}

static void adds(void **state)
{
	static char awkward[] = "a \"b\" \\ #c ;d  ";
	struct exception e = { .reason = awkward, .repo = (char *)"acme/*",
			       .by = (char *)"ada", .date = NOW,
			       .expires = NOW + DAY };
	const char *path = put("exceptions", "# mine\n");
	struct buf text = BUF_INIT;
	struct exceptions *x;
	struct stat st;

	(void)state;
	chmod(path, 0640);
	strcpy(e.fingerprint, A);
	assert_int_equal(exceptions_add(path, &e), 0);
	e.repo = NULL;
	e.expires = 0;
	strcpy(e.fingerprint, B);
	assert_int_equal(exceptions_add(path, &e), 0);
	x = exceptions_load(path);
	assert_non_null(x);
	assert_int_equal(x->nr, 2);
	assert_string_equal(x->list[0].reason, awkward);
	assert_string_equal(x->list[0].repo, "acme/*");
	assert_int_equal(x->list[0].expires, NOW + DAY);
	assert_int_equal(x->list[1].date, NOW);
	exceptions_free(x);
	assert_int_equal(buf_read_file(&text, path, 10000), 0);
	assert_int_equal(strncmp(text.data, "# mine\n[exception", 17), 0);
	buf_clear(&text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	/* what cannot be read again is not written */
	e.reason = (char *)"a\nb";
	assert_int_equal(exceptions_add(path, &e), -1);
	x = exceptions_load(path);
	assert_int_equal(x->nr, 2);
	exceptions_free(x);
	put("exceptions", "[bad\n");
	e.reason = awkward;
	assert_int_equal(exceptions_add(path, &e), -1);
	assert_int_equal(buf_read_file(&text, path, 10000), 0);
	assert_string_equal(text.data, "[bad\n");
	buf_clear(&text);
}

/* A value that goes on in the next line, of which there is none. */
static void adding_behind_a_backslash(void **state)
{
	static const char *const ends[] = { "\\", "\\\n", "\\\r\n", "" };
	struct exception e = { .reason = (char *)"more" };
	struct buf text = BUF_INIT;
	struct exceptions *x;

	(void)state;
	strcpy(e.fingerprint, B);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		const char *path;

		buf_reset(&text);
		buf_addf(&text, "[exception \"" A "\"]\n\treason = why%s",
			 ends[i]);
		path = put("exceptions", text.data);
		assert_int_equal(exceptions_add(path, &e), 0);
		x = exceptions_load(path);
		assert_non_null(x);
		assert_int_equal(x->nr, 2);
		assert_string_equal(x->list[0].reason, "why");
		assert_string_equal(x->list[1].reason, "more");
		exceptions_free(x);
	}
	buf_clear(&text);
}

static void times(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} all[] = {
		{ "30d", NOW + 30 * DAY }, { "12h", NOW + 12 * 3600 },
		{ "8w", NOW + 56 * DAY },  { "90s", NOW + 90 },
		{ "5m", NOW + 300 },	   { "2026-11-22T10:00:00Z", NOW },
		{ "2028-02-29T00:00:00Z", 1835395200 },
		{ "", -1 }, { "d", -1 }, { "30", -1 }, { "30x", -1 },
		{ "30dd", -1 }, { "-1d", -1 }, { "99999999999999999999d", -1 },
		{ "2027-02-29", -1 }, { "2026-13-01", -1 },
		{ "2026-11-22T24:00:00Z", -1 }, { "2026-11-22T10:00", -1 },
		{ "0000-01-01", -1 }, { " 2026-11-22", -1 },
	};
	struct buf b = BUF_INIT;
	int64_t got;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		got = 0;
		if (exceptions_time(all[i].text, NOW, &got))
			got = -1;
		if (got != all[i].want)
			fail_msg("%s: %lld", all[i].text, (long long)got);
	}
	exceptions_show_time(NOW, &b);
	assert_string_equal(b.data, "2026-11-22T10:00:00Z");
	buf_clear(&b);
}

static struct finding finding(const char *rule, const char *path,
			      unsigned line, const char *commit,
			      const char *secret)
{
	struct finding f = { .rule = (char *)rule, .path = (char *)path,
			     .line = line };

	strcpy(f.commit, commit);
	findings_fingerprint(rule, path, secret, strlen(secret),
			     f.fingerprint);
	return f;
}

/* As git hash-object has it, so that it can be told without us. */
static void fingerprints(void **state)
{
	char out[41];

	(void)state;
	findings_fingerprint("rule", "a/b", "secret", 6, out);
	/* printf 'rule\0a/b\0secret' | git hash-object --stdin */
	assert_string_equal(out, "de99e92eb9c3a0ecf169f6bbb0f4d885b2de72a8");
}

static void ignores(void **state)
{
	const char *path = put("ignore",
		"# gitleaks\r\n\r\n  dir/a:my-rule:3  \r\n"
		A ":win\\b:my-rule:4\nwith:colon:my-rule:5\n" B "\n"
		"nonsense\ndir/a:3\n:my-rule:3\n");
	struct finding f = finding("my-rule", "dir/a", 3, A, "x");
	struct ignore *g = ignore_load(path, 1);

	(void)state;
	assert_non_null(g);
	assert_int_equal(ignore_count(g), 4);
	assert_non_null(strstr(logged.data, "warning "));
	assert_non_null(strstr(logged.data, "/ignore:7: "));
	assert_non_null(strstr(logged.data, "/ignore:8: "));
	assert_non_null(strstr(logged.data, "/ignore:9: "));
	assert_null(strstr(logged.data, "/ignore:3: "));
	assert_true(ignore_has(g, &f));
	strcpy(f.commit, "");
	assert_true(ignore_has(g, &f));
	f.line = 4;
	assert_false(ignore_has(g, &f));
	f = finding("my-rule", "win/b", 4, A, "x");
	assert_true(ignore_has(g, &f));
	strcpy(f.commit, B);
	assert_false(ignore_has(g, &f));
	f = finding("my-rule", "with:colon", 5, "", "x");
	assert_true(ignore_has(g, &f));
	f = finding("rule", "with:colon", 5, "", "x");
	assert_false(ignore_has(g, &f));
	strcpy(f.fingerprint, B);
	assert_true(ignore_has(g, &f));
	ignore_free(g);
	chmod(path, 0666);
	assert_null(ignore_load(path, 1));
	g = ignore_load(path, 0);
	assert_non_null(g);
	ignore_free(g);
	unlink(path);
	assert_null(ignore_load(path, 0));
}

static void baselines(void **state)
{
	struct finding f = finding("ours", "dir/a", 3, A, "s3cret\"");
	struct buf text = BUF_INIT;
	struct baseline *b;

	(void)state;
	/* ours; gitleaks', in clear and redacted */
	buf_addf(&text, "[{\"RuleID\":\"ours\",\"File\":\"dir/a\","
		 "\"StartLine\":9,\"Secret\":\"s3cr… (7 bytes)\","
		 "\"Fingerprint\":\"%s\"},\n"
		 "{\"RuleID\":\"other\",\"File\":\"dir\\\\b\",\"StartLine\":9,"
		 "\"Tags\":[\"x\",{\"File\":\"no\"}],"
		 "\"Secret\":\"\\u00733cret\\\"\",\"Fingerprint\":\"x:y:1\"},\n"
		 "{\"RuleID\":\"ours\",\"File\":\"dir/c\",\"StartLine\":7,"
		 "\"Secret\":\"REDACTED\",\"Commit\":\"" A "\"}]\n",
		 f.fingerprint);
	b = baseline_load(put("baseline", text.data));
	assert_non_null(b);
	assert_int_equal(baseline_count(b), 3);
	assert_true(baseline_has(b, &f, "s3cret\"", 7));
	f = finding("ours", "dir/a", 3, A, "another");
	assert_false(baseline_has(b, &f, "another", 7));
	f = finding("ours", "dir/b", 1, B, "s3cret\"");
	assert_true(baseline_has(b, &f, "s3cret\"", 7));
	assert_false(baseline_has(b, &f, "s3cret", 6));
	f = finding("ours", "dir/c", 7, A, "zzz");
	assert_true(baseline_has(b, &f, "zzz", 3));
	f.line = 8;
	assert_false(baseline_has(b, &f, "zzz", 3));
	f.line = 7;
	strcpy(f.commit, B);
	assert_false(baseline_has(b, &f, "zzz", 3));
	baseline_free(b);
	buf_clear(&text);
}

#define NO_BASELINE(text, word)                                                \
	do {                                                                   \
		assert_null(baseline_load(put("baseline", text)));             \
		if (!strstr(logged.data, word))                                \
			fail_msg("%s\nnot in: %s", word, logged.data);         \
	} while (0)

static void no_baselines(void **state)
{
	struct baseline *b;

	(void)state;
	NO_BASELINE("", ":1: not a value");
	NO_BASELINE("{}", ":1: not an array of findings");
	NO_BASELINE("[1]", "not a finding");
	NO_BASELINE("[\n{\"File\":\"a\"}]", ":2: a finding without RuleID");
	NO_BASELINE("[] []", "more text behind");
	NO_BASELINE("[{}", ":1: ");
	b = baseline_load(put("baseline", "\xef\xbb\xbf[ ]\n"));
	assert_non_null(b);
	assert_int_equal(baseline_count(b), 0);
	baseline_free(b);
}

/* Events as text: what they are and where. */
static int show(void *arg, const struct json_event *e)
{
	static const char kinds[] = "{[.snw";

	buf_addf(arg, "%u%c%s%s%.*s ", e->depth, kinds[e->type],
		 e->key ? e->key : "", e->key ? "=" : "", (int)e->len,
		 e->text ? e->text : "");
	return 0;
}

static void json_values(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} all[] = {
		{ "1", "0n1 " }, { " -0.5e+3 ", "0n-0.5e+3 " },
		{ "\"a\\n\\u00e9\\ud83d\\ude00\\\\\"",
		  "0sa\n\xc3\xa9\xf0\x9f\x98\x80\\ " },
		{ "\"\\ud83dx\"", "0s\xef\xbf\xbdx " },
		{ "{}", "0{ 0. " },
		{ "[[],{\"a\":[true,null]},false]",
		  "0[ 1[ 1. 1{ 2[a= 3wtrue 3wnull 2. 1. 1wfalse 0. " },
		{ "", NULL }, { "[", NULL }, { "]", NULL }, { "[1,]", NULL },
		{ "[,1]", NULL }, { "[1 2]", NULL }, { "{\"a\"}", NULL },
		{ "{\"a\":1,}", NULL }, { "{1:2}", NULL }, { "01", NULL },
		{ "1.", NULL }, { "+1", NULL }, { "1e", NULL },
		{ "tru", NULL }, { "\"a", NULL }, { "\"\\x\"", NULL },
		{ "\"\\u12\"", NULL }, { "\"\n\"", NULL }, { "[1}", NULL },
		{ "{\"a\\u0000\":1}", NULL },
	};
	struct buf got = BUF_INIT, deep = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		int bad;

		buf_reset(&got);
		buf_adds(&got, "");
		bad = json_read("x", all[i].text, strlen(all[i].text), show,
				&got);
		if (bad != (all[i].want ? 0 : -1) ||
		    (all[i].want && strcmp(got.data, all[i].want) != 0))
			fail_msg("%s: %d %s", all[i].text, bad, got.data);
	}
	assert_int_equal(json_read("x", "1\0", 2, show, &got), -1);
	for (int i = 0; i < 100000; i++)
		buf_addc(&deep, '[');
	assert_int_equal(json_read("x", deep.data, deep.len, show, &got), -1);
	buf_clear(&deep);
	buf_clear(&got);
}

static struct scan_finding hit(const char *rule, const char *secret)
{
	return (struct scan_finding){ .rule = rule, .description = "",
				      .line = 1, .column = 1, .secret = secret,
				      .secret_len = strlen(secret),
				      .encodings = "" };
}

/* Judged one by one; counted once each; what is left out leaves room. */
static void judges(void **state)
{
	struct findings fs = FINDINGS_INIT;
	struct accept a = ACCEPT_INIT;
	struct finding_place at = { .path = "f" };
	struct scan_finding one = hit("r", "one"), two = hit("r", "two");
	struct buf text = BUF_INIT;
	char print[41];

	(void)state;
	findings_fingerprint("r", "f", "one", 3, print);
	buf_addf(&text, "[exception \"%s\"]\nreason = a\n"
		 "expires = 2026-11-30\n", print);
	a.exceptions = load(text.data);
	assert_non_null(a.exceptions);
	a.now = NOW;
	fs.judge = accept_judge;
	fs.judge_arg = &a;
	for (int i = 0; i < 3; i++) {
		findings_add(&fs, &one, &at);
		findings_add(&fs, &two, &at);
	}
	assert_int_equal(fs.nr, 1);
	assert_int_equal(a.excepted.nr, 1);
	assert_int_equal(a.nr_uses, 1);
	assert_string_equal(a.uses[0].rule, "r");
	assert_false(a.uses[0].over);
	findings_clear(&fs);
	exceptions_free(a.exceptions);
	accept_clear(&a);

	/* the same, expired */
	fs = (struct findings)FINDINGS_INIT;
	a.exceptions = load(text.data);
	a.now = NOW + 30 * DAY;
	fs.judge = accept_judge;
	fs.judge_arg = &a;
	findings_add(&fs, &one, &at);
	assert_int_equal(fs.nr, 1);
	assert_int_equal(a.nr_uses, 1);
	assert_true(a.uses[0].over);
	findings_clear(&fs);
	exceptions_free(a.exceptions);
	accept_clear(&a);
	buf_clear(&text);
}

/* More findings than are kept are counted, each once. */
static void bounded(void **state)
{
	struct findings fs = FINDINGS_INIT;
	struct finding_place at = { .path = "f" };
	char secret[16];

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < FINDINGS_MAX + 50; i++) {
			snprintf(secret, sizeof(secret), "%08d", i);
			struct scan_finding f = hit("r", secret);
			findings_add(&fs, &f, &at);
		}
	assert_int_equal(fs.nr, FINDINGS_MAX);
	assert_int_equal(fs.more, 50);
	findings_clear(&fs);
	findings_clear(&fs);
}

static int begin(void **state)
{
	(void)state;
	log_set_tee(tee, NULL, 1);
	return mkdtemp(dir) ? 0 : -1;
}

static int clean_up(void **state)
{
	static const char *const names[] = { "exceptions", "ignore",
					     "baseline" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	buf_clear(&logged);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),	cmocka_unit_test(finds),
		cmocka_unit_test(renewed),	cmocka_unit_test(refuses),
		cmocka_unit_test(trusts),	cmocka_unit_test(adds),
		cmocka_unit_test(adding_behind_a_backslash),
		cmocka_unit_test(times),	cmocka_unit_test(fingerprints),
		cmocka_unit_test(ignores),	cmocka_unit_test(baselines),
		cmocka_unit_test(no_baselines), cmocka_unit_test(json_values),
		cmocka_unit_test(judges),	cmocka_unit_test(bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("exceptions", tests, begin,
					   clean_up);
}
