/*
 * What scan_probe promises: of a version made from another by copying, with
 * what the probe of that one learned, it never says "clean" where a scan finds
 * something. The same where more is known than git's copies tell, by
 * sweep-copies.c. Also: a scan that goes by words finds what one finds that tries
 * every rule at every byte.
 */
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
#include "mem.h"
#include "odb.h"
#include "rules.h"
#include "scan.h"
#include "scan-internal.h"
#include "sweep-internal.h"

static uint64_t seed = 88172645463325252u;

static size_t pick(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed >> 11) % n;
}

static void hear(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static struct rules *load(const char *text)
{
	char path[] = "/tmp/unit-probe.XXXXXX";
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

/* Rules that hurt: reach, look-around, laziness, company, bad words. */
static const char hurtful[] =
	"[[rules]]\nid='edge'\nregex='\\bkey_([a-z0-9]{8})\\b'\n"
	"[[rules]]\nid='lazy'\nregex='(?i)[\\w.-]{0,50}?(?:tok|pass)[ \\t\\w.-]"
	"{0,20}[=:]{1,2} ?([a-z0-9]{6,40}?)(?:[;\\s]|$)'\nentropy=2.2\n"
	"keywords=['tok','pass']\n"
	"[[rules]]\nid='greedy'\nregex='a[b-d]{2,90}e?[b-f]{1,60}(?:g|$)'\n"
	"entropy=1.6\n"
	"[[rules]]\nid='pem'\nregex='-----BEGIN[A-Z ]{1,20}-----[\\s\\S]{20,}?"
	"-----END'\n"
	"[[rules]]\nid='line'\nregex='jwt[a-z]+\\.[a-z0-9]{5,}\\.x'\n"
	"[[rules]]\nid='lines'\nregex='user=\\w+\\n(?:.*\\n)?pw=\\w{4,}'\n"
	"[[rules]]\nid='lead'\nregex='[a-z]{3,}\\.zz[0-9]+'\n"
	"[[rules]]\nid='either'\nregex='(?:qq|longerword[0-9]{1,400}k|w[a-c]"
	"{2,4}(?:hh|jj))[0-9]{3}'\n"
	"[[rules]]\nid='far'\nregex='(?s)open.*?close[0-9]{2}'\n"
	"[[rules]]\nid='nowhere'\nregex='[0-9]{12}'\nkeywords=['account']\n"
	"[[rules]]\nid='always'\nregex='[A-F]{9}[0-9]'\n"
	"[[rules]]\nid='start'\nregex='^top[0-9]{3}'\n"
	"[[rules]]\nid='end'\nregex='end[0-9]{3}$'\n"
	"[[rules]]\nid='loose'\nregex='sek[a-f0-9]{10}'\nkeywords=['vendor']\n"
	"[[rules]]\nid='stop'\nregex='st=([a-z]{5,9})'\n"
	"[[rules.allowlists]]\nstopwords=['abc','dd']\n"
	"[[rules.allowlists]]\nregexes=['^st=e']\nregexTarget='match'\n"
	"[[rules]]\nid='lined'\nregex='ln=([a-z]{5,9})'\n"
	"[[rules.allowlists]]\nregexes=['ok$']\nregexTarget='line'\n"
	"[[rules]]\nid='shift'\nregex='x[xy]{5}'\nentropy=0.8\n"
	"[[rules]]\nid='ahead'\nregex='b[a-z_]{4,40}:zy'\n"
	"[[rules]]\nid='generic'\nregex='=([a-z0-9]{8,20})'\nentropy=2.9\n"
	"[[rules]]\nid='pair'\nregex='pa=[a-z]{4}'\n"
	"[[rules.required]]\nid='edge'\nwithinLines=2\n";

/* What texts are made of: wholes and parts of what the rules look for. */
static const char *const words[] = {
	"key_abcd1234", "key_", "abcd", "1234", " ", "\n", "tok", "pass", "=",
	": ", "abcdef123;", "aaaaaa;", "a", "bcdbcd", "e", "ff", "g", "bbbb",
	"-----BEGIN RSA KEY-----", "-----END", "QUJDREVGRw==\n", "jwtab",
	".", "x", "abcde0", "user=bob\n", "pw=hunter\n", "foo\n", "abc.zz",
	"9", "qq", "longerword", "0123", "wab", "hh", "jj", "111", "open",
	"close", "12", "account", "123456789", "ABCDEF", "AAA", "top123",
	"end456", "vendor", "sek", "deadbeef00", "st=", "ln=", "abc", "xyzzy",
	"ok\n", "pa=", "quux", "zz", "\t", "_", "{};", "0", "\r\n", "\377",
	"x", "xx", "y", "xxx", "xyx", "b", "aaa_a", "cd", ":zy", ":z",
};

#define NR_WORDS (sizeof(words) / sizeof(*words))

/* Of a few that stand together, so that they meet. */
static size_t first_word, nr_words = NR_WORDS;

static void choose_words(void)
{
	first_word = pick(NR_WORDS);
	nr_words = pick(3) ? 4 + pick(12) : NR_WORDS;
}

static void add_random(struct buf *b, size_t n)
{
	while (n-- > 0)
		buf_adds(b, words[(first_word + pick(nr_words)) % NR_WORDS]);
}

/* Examples of the built-in rules, one a line; {KIND:N} is letters. */
static char **examples;
static size_t nr_examples;

static void expand(const char *s, struct buf *out)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (; *s; s++) {
		const char *colon = *s == '{' ? strchr(s, ':') : NULL;
		const char *end = colon ? strchr(colon, '}') : NULL;

		if (!strncmp(s, "{nl}", 4)) {
			buf_addc(out, '\n');
			s += 3;
		} else if (end && end - s < 16) {
			size_t of = !strncmp(s, "{hex", 4) ? 16 :
				    !strncmp(s, "{num", 4) ? 10 : 62;

			for (int n = atoi(colon + 1); n > 0; n--)
				buf_addc(out, of == 16 ?
					 "0123456789abcdef"[pick(16)] :
					 set[of == 10 ? 26 + pick(10)
						      : pick(of)]);
			s = end;
		} else {
			buf_addc(out, *s);
		}
	}
}

/* An example, or a part of one. */
static void add_example(struct buf *b)
{
	struct buf one = BUF_INIT;
	size_t from = 0, n;

	if (!nr_examples)
		return;
	expand(examples[pick(nr_examples)], &one);
	n = one.len;
	if (n && pick(3) == 0) {
		from = pick(n);
		n = pick(n - from) + 1;
	}
	if (n)
		buf_add(b, one.data + from, n);
	buf_addc(b, pick(3) ? '\n' : ' ');
	buf_clear(&one);
}

/* Long texts that are met again in many versions, or parts of them. */
static struct buf passages[12];
static size_t nr_passages;

static void add_passage(struct buf *b)
{
	const struct buf *p = &passages[pick(nr_passages)];
	size_t from = pick(4) ? 0 : pick(p->len);

	buf_add(b, p->data + from,
		pick(4) ? p->len - from : pick(p->len - from) + 1);
}

static void add_some(struct buf *b, int of_examples)
{
	if (nr_passages && pick(2)) {
		add_passage(b);
		return;
	}
	if (of_examples)
		add_example(b);
	if (!of_examples || pick(2))
		add_random(b, 1 + pick(6));
}

#define PARTS 32

/* With what is fresh in it, and what is copied. */
struct version {
	struct buf text;
	struct scan_trace trace;
	struct span fresh[PARTS];
	struct odb_copy copies[PARTS];
	size_t nr_fresh, nr_copies;
};

static void add_fresh(struct version *v, size_t start, size_t end)
{
	struct span *last = v->fresh + v->nr_fresh - 1;

	if (v->nr_fresh && last->end >= start) {
		if (end > last->end)
			last->end = end;
		return;
	}
	v->fresh[v->nr_fresh++] = (struct span){ start, end };
}

/* A version made from base, as a delta of git's makes it. */
static void edit(const struct version *base, struct version *v,
		 int of_examples)
{
	size_t from = 0, parts = 1 + pick(5), last = SIZE_MAX;

	buf_add(&v->text, "", 0);
	for (size_t i = 0; i < parts; i++) {
		size_t start = v->text.len, left, n;

		if (pick(4) == 0)
			from = pick(base->text.len + 1);
		left = base->text.len - from;
		n = left && pick(3) == 0 ? pick(left + 1) : left;
		if (i + 1 < parts && n == left && left)
			n = pick(left) + 1;
		if (pick(3)) {
			add_some(&v->text, of_examples && pick(2));
			if (v->text.len > start)
				add_fresh(v, start, v->text.len);
			last = v->text.len > start ? SIZE_MAX : last;
		}
		start = v->text.len;
		if (!n)
			continue;
		/* where it joins what it did not join in the base */
		if (last != from && (from || start))
			add_fresh(v, start, start);
		buf_add(&v->text, base->text.data + from, n);
		v->copies[v->nr_copies++] =
			(struct odb_copy){ start, from, n };
		from += n;
		last = from;
	}
	if (last != base->text.len)
		add_fresh(v, v->text.len, v->text.len);
}

static void note(void *arg, const struct scan_finding *f)
{
	buf_addf(arg, "%s %zu-%zu %u:%u;", f->rule, f->start, f->end, f->line,
		 f->column);
}

struct check {
	struct scanner *fast, *slow;
	size_t found, hot, versions;
	struct sweep_known *known;
	struct sweep_copies *copies;
	size_t fresh, left; /* bytes, before and after what is known */
};

static size_t sum(const struct span *spans, size_t nr)
{
	size_t n = 0;

	while (nr-- > 0)
		n += spans[nr].end - spans[nr].start;
	return n;
}

/* The probe, after what is copied from the base, if there is one. */
static enum scan_result probe(struct check *c, const struct version *base,
			      struct version *v, const char **why)
{
	const struct odb_version as_git_has_it = {
		.type = ODB_BLOB, .data = v->text.data, .len = v->text.len,
		.copies = v->copies, .nr_copies = v->nr_copies,
		.fresh = v->fresh, .nr_fresh = v->nr_fresh,
		.base = base ? &base->trace : NULL,
	};
	const struct span *fresh = v->fresh;
	size_t nr = v->nr_fresh;
	enum scan_result result;

	if (c->known)
		fresh = sweep_copies_take(c->copies, &as_git_has_it, &v->trace,
					  &nr);
	for (size_t i = 0; !c->known && i < v->nr_copies; i++)
		scan_trace_copy(c->fast, &base->trace, v->copies[i].from,
				v->copies[i].to, v->copies[i].len, &v->trace);
	c->fresh += sum(v->fresh, v->nr_fresh);
	c->left += sum(fresh, nr);
	result = scan_probe(c->fast, v->text.data, v->text.len, fresh, nr,
			    &v->trace, why);
	if (c->known)
		sweep_copies_keep(c->copies, &as_git_has_it, &v->trace);
	return result;
}

static void check_version(struct check *c, const struct version *base,
			  struct version *v)
{
	const struct scan_input in = { .text = v->text.data,
				       .len = v->text.len };
	struct buf one = BUF_INIT, two = BUF_INIT;
	const char *why = "";
	enum scan_result found = scan_text(c->fast, &in, note, &one, &why);
	enum scan_result probed = probe(c, base, v, &why);

	buf_adds(&one, "");
	buf_adds(&two, "");
	assert_int_not_equal(found, SCAN_UNKNOWN);
	assert_int_not_equal(probed, SCAN_UNKNOWN);
	if (c->slow) {
		assert_int_equal(scan_text(c->slow, &in, note, &two, &why),
				 found);
		if (strcmp(one.data, two.data) != 0)
			fail_msg("fast: %s slow: %s text: %s", one.data,
				 two.data, v->text.data);
	}
	if (found == SCAN_FOUND && probed != SCAN_FOUND)
		fail_msg("missed %s in: %s", one.data, v->text.data);
	c->versions++;
	c->found += found == SCAN_FOUND;
	c->hot += probed == SCAN_FOUND;
	buf_clear(&one);
	buf_clear(&two);
}

/* A chain of versions, each made from the one before. */
static void chain(struct check *c, size_t pieces, int of_examples)
{
	struct version all[2] = { { .text = BUF_INIT }, { .text = BUF_INIT } };

	choose_words();
	buf_add(&all[0].text, "", 0);
	for (size_t i = 0; i < pieces; i++)
		add_some(&all[0].text, of_examples && pick(4) == 0);
	add_fresh(&all[0], 0, all[0].text.len);
	check_version(c, NULL, &all[0]);
	for (int i = 1; i < 7; i++) {
		struct version *base = &all[(i - 1) & 1], *v = &all[i & 1];

		buf_reset(&v->text);
		scan_trace_clear(&v->trace);
		v->nr_fresh = v->nr_copies = 0;
		edit(base, v, of_examples);
		check_version(c, base, v);
	}
	for (int i = 0; i < 2; i++) {
		buf_clear(&all[i].text);
		scan_trace_clear(&all[i].trace);
	}
}

/* The same rules, tried at every byte. */
static struct scanner *slow_scanner(struct rules *r, unsigned depth)
{
	for (size_t i = 0; i < r->nr; i++) {
		r->list[i].located = 0;
		r->list[i].shape = (struct rules_shape){
			.reach = RULES_UNBOUND, .lines = RULES_UNBOUND };
		r->list[i].loose = r->list[i].keywords.nr > 0;
		rules_words_clear(&r->list[i].wakes);
	}
	return scan_new(r, depth);
}

static void never_misses_with(const char *rules, size_t chains, size_t pieces,
			      unsigned depth, int of_examples)
{
	struct rules *r = load(rules), *same = load(rules);
	struct check c = { .fast = scan_new(r, depth),
			   .slow = slow_scanner(same, depth) };

	for (size_t i = 0; i < chains; i++)
		chain(&c, pieces, of_examples);
	print_message("# %zu versions, %zu with findings, %zu hot\n",
		      c.versions, c.found, c.hot);
	assert_true(c.found > chains / 4);
	/* and does not say "perhaps" of everything */
	assert_true(c.hot < c.versions);
	scan_free(c.fast);
	scan_free(c.slow);
	rules_free(r);
	rules_free(same);
}

static void hurtful_rules(void **state)
{
	(void)state;
	never_misses_with(hurtful, 1500, 6, 0, 0);
	never_misses_with(hurtful, 300, 60, 0, 0);
}

/* Each rule alone, so that no other makes a version hot. */
static void each_alone(void **state)
{
	const char *at = hurtful;

	(void)state;
	while (at) {
		const char *end = strstr(at + 1, "[[rules]]");
		char *one = end ? mem_strndup(at, (size_t)(end - at))
				: mem_strdup("");
		struct rules *r;
		struct check c = { NULL };

		at = end;
		if (*one) {
			r = load(one);
			c.fast = scan_new(r, 0);
			for (size_t i = 0; i < 1500; i++)
				chain(&c, 8, 0);
			scan_free(c.fast);
			rules_free(r);
		}
		free(one);
	}
}

static void our_own_rules(void **state)
{
	(void)state;
	never_misses_with("[extend]\nuseDefault=true\n", 12, 12, 0, 1);
}

/* PROBE_RULES names a file of rules to try, if any. */
static void others_rules(void **state)
{
	const char *file = getenv("PROBE_RULES");
	struct check c = { NULL };
	struct rules *r, *same;

	(void)state;
	if (!file)
		return;
	r = rules_load(file);
	same = rules_load(file);
	assert_non_null(r);
	c.fast = scan_new(r, 0);
	c.slow = slow_scanner(same, 0);
	for (size_t i = 0; i < 40; i++)
		chain(&c, 12, 1);
	print_message("# %zu versions, %zu with findings, %zu hot\n",
		      c.versions, c.found, c.hot);
	scan_free(c.fast);
	scan_free(c.slow);
	rules_free(r);
	rules_free(same);
}

/* Many chains, fast alone: chance finds what was not thought of. */
static void many_edits(void **state)
{
	struct rules *r = rules_builtin();
	struct check c = { .fast = scan_new(r, 0) };

	(void)state;
	for (size_t i = 0; i < 1500; i++)
		chain(&c, 4, 1);
	print_message("# %zu versions, %zu with findings, %zu hot\n",
		      c.versions, c.found, c.hot);
	assert_true(c.found > 1000);
	assert_true(c.hot < c.versions);
	scan_free(c.fast);
}

static void encoded(void **state)
{
	(void)state;
	never_misses_with(hurtful, 200, 6, SCAN_DEPTH, 0);
}

static void forget_passages(void)
{
	while (nr_passages)
		buf_clear(&passages[--nr_passages]);
}

static void make_passages(int of_examples)
{
	forget_passages();
	for (size_t k = 0; k < sizeof(passages) / sizeof(*passages); k++) {
		struct buf b = BUF_INIT;

		choose_words();
		while (b.len < 200 + 150 * k) {
			add_some(&b, of_examples && pick(2));
			buf_adds(&b, pick(3) ? "\n" : "");
		}
		passages[k] = b;
	}
	nr_passages = sizeof(passages) / sizeof(*passages);
}

/* Versions of passages that were met, in other texts. */
static void with_known(const char *rules, size_t chains, unsigned depth,
		       int of_examples, struct check *all)
{
	struct rules *r = rules ? load(rules) : rules_builtin();
	struct check c = { .fast = scan_new(r, depth) };

	/* so many bytes that some are dropped */
	c.known = sweep_known_new(c.fast, (size_t)4 << 20);
	c.copies = sweep_copies_new(c.known, c.fast);
	for (size_t i = 0; i < chains; i++) {
		if (i % 20 == 0)
			make_passages(of_examples);
		chain(&c, 4, of_examples);
	}
	forget_passages();
	sweep_copies_free(c.copies);
	sweep_known_free(c.known);
	scan_free(c.fast);
	if (rules)
		rules_free(r);
	all->versions += c.versions;
	all->found += c.found;
	all->hot += c.hot;
	all->fresh += c.fresh;
	all->left += c.left;
}

static void check_known(const struct check *all)
{
	print_message("# %zu versions, %zu with findings, %zu hot, %zu of %zu "
		      "bytes are not known\n", all->versions, all->found,
		      all->hot, all->left, all->fresh);
	assert_true(all->found > all->versions / 8);
	assert_true(all->hot < all->versions);
	assert_true(all->left < all->fresh / 2);
}

/* Each rule alone, as above. */
static void known_text(void **state)
{
	const char *at = hurtful;
	struct check all = { 0 };

	(void)state;
	while (at) {
		const char *end = strstr(at + 1, "[[rules]]");
		char *one = end ? mem_strndup(at, (size_t)(end - at))
				: mem_strdup(at);

		at = end;
		/* not those that need another one */
		if (!strstr(one, "rules.required"))
			with_known(one, 300, 0, 0, &all);
		free(one);
	}
	check_known(&all);
}

static void known_text_of_ours(void **state)
{
	struct check all = { 0 };

	(void)state;
	with_known(NULL, 400, 0, 1, &all);
	with_known(NULL, 200, SCAN_DEPTH, 1, &all);
	check_known(&all);
}

/* Lines that are not met elsewhere. */
static void add_lines(struct buf *b)
{
	size_t end = b->len + 2000;

	while (b->len < end)
		buf_addf(b, "line %zu of %zu\n", pick(1000000), pick(1000000));
}

/*
 * A secret across the place where known text and git's copy meet: `known` ends
 * or begins with a part of it, and so does `base`. They may have more of it in
 * common, for which known text is taken; `cut` bytes of base are not copied.
 */
static const struct meeting {
	const char *known, *base;
	int first; /* known text comes first */
	size_t cut, fresh;
} meetings[] = {
	{ "key_abcd", "1234\n", 1, 0, 8 },
	{ "1234\n", "key_abcd", 0, 0, 5 },
	{ "key_ab##", "_key_abcd1234\n", 1, 1, 0 },
	{ "#cd1234\n", "key_abcd1234_", 0, 1, 1 },
};

static void meet(struct check *c, const struct meeting *m)
{
	struct version known = { .text = BUF_INIT }, base = known, v = known;
	size_t more = strlen(m->known);

	if (m->first)
		add_lines(&known.text);
	buf_adds(&known.text, m->known);
	if (!m->first)
		add_lines(&base.text), add_lines(&known.text);
	buf_adds(&base.text, m->base);
	if (m->first)
		add_lines(&base.text);
	add_fresh(&known, 0, known.text.len);
	add_fresh(&base, 0, base.text.len);
	check_version(c, NULL, &known);
	check_version(c, NULL, &base);
	assert_int_equal(c->found, 0);
	more = known.text.len - more + m->fresh;
	if (m->first)
		buf_add(&v.text, known.text.data, more);
	v.copies[v.nr_copies++] = (struct odb_copy){
		v.text.len, m->first ? m->cut : 0, base.text.len - m->cut };
	buf_add(&v.text, base.text.data + v.copies[0].from, v.copies[0].len);
	if (!m->first)
		buf_add(&v.text, known.text.data + known.text.len - more, more);
	add_fresh(&v, m->first ? 0 : v.copies[0].len,
		  m->first ? more : v.text.len);
	check_version(c, &base, &v);
	buf_clear(&known.text);
	buf_clear(&base.text);
	buf_clear(&v.text);
	scan_trace_clear(&known.trace);
	scan_trace_clear(&base.trace);
	scan_trace_clear(&v.trace);
}

static void known_beside_copied(void **state)
{
	struct rules *r = load("[[rules]]\nid='edge'\n"
			       "regex='\\bkey_([a-z0-9]{8})\\b'\n");

	(void)state;
	for (size_t i = 0; i < sizeof(meetings) / sizeof(*meetings); i++) {
		struct check c = { .fast = scan_new(r, 0) };

		c.known = sweep_known_new(c.fast, (size_t)4 << 20);
		c.copies = sweep_copies_new(c.known, c.fast);
		meet(&c, &meetings[i]);
		assert_int_equal(c.found, 1);
		/* nothing was new in the version */
		assert_true(c.fresh - c.left > 2000);
		sweep_copies_free(c.copies);
		sweep_known_free(c.known);
		scan_free(c.fast);
	}
	rules_free(r);
}

/* t/rules/examples.txt: "RULE + TEXT" */
static int read_examples(void **state)
{
	const char *source = getenv("SOURCE");
	char path[4096], line[8192];
	size_t alloc = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/t/rules/examples.txt",
		 source ? source : ".");
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		const char *plus = strstr(line, " + ");

		line[strcspn(line, "\n")] = '\0';
		if (*line == '#' || !plus)
			continue;
		MEM_GROW(examples, nr_examples, alloc);
		examples[nr_examples++] = mem_strdup(plus + 3);
	}
	if (f)
		fclose(f);
	return f && nr_examples ? 0 : -1;
}

static int clean_up(void **state)
{
	(void)state;
	while (nr_examples)
		free(examples[--nr_examples]);
	free(examples);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hurtful_rules),
		cmocka_unit_test(each_alone),
		cmocka_unit_test(our_own_rules),
		cmocka_unit_test(others_rules),
		cmocka_unit_test(many_edits),
		cmocka_unit_test(encoded),
		cmocka_unit_test(known_text),
		cmocka_unit_test(known_text_of_ours),
		cmocka_unit_test(known_beside_copied),
	};

	if (getenv("PROBE_SEED"))
		seed = strtoull(getenv("PROBE_SEED"), NULL, 10) * 2 + 1;
	log_set_tee(hear, NULL, 1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("probe", tests, read_examples,
					   clean_up);
}
