/*
 * Rules against their examples: takes rules and a file of examples, says which
 * rule does not find what it should, finds what it should not, or has no
 * example of either kind.
 */
#include "cmd-rules-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cmd.h"
#include "example.h"
#include "log.h"
#include "mem.h"
#include "rules.h"
#include "scan.h"

/* Bytes; a hundred thousand examples. */
#define EXAMPLES_MAX ((size_t)64 << 20)

/* Those of the built-in rules, which the build makes of their file. */
extern const char cmd_rules_examples[];
extern const size_t cmd_rules_examples_len;

enum { SEEN_TRUE = 1, SEEN_FALSE = 2 };

struct test {
	const struct rules *rules;
	struct scanner *scanner;
	const char *file;
	unsigned char *seen; /* of each rule */
	size_t nr, wrong;
	struct buf text;
	/* of the example at hand */
	const char *rule;
	int found;
};

static void wrong(struct test *t, int line, const char *rule, const char *what)
{
	log_error("%s:%d: %s: %s", t->file, line, rule, what);
	t->wrong++;
}

static void hit(void *arg, const struct scan_finding *f)
{
	struct test *t = arg;

	t->found |= !strcmp(f->rule, t->rule);
}

/* Its text may be a secret: it is not shown. */
static void judge(struct test *t, const struct example *e, int line)
{
	const struct scan_input in = { .text = t->text.data,
				       .len = t->text.len };
	const char *why = NULL;
	ptrdiff_t place = rules_place(t->rules, e->rule);

	t->nr++;
	if (place < 0) {
		wrong(t, line, e->rule, "there is no such rule; correct the "
					"id, or remove the line");
		return;
	}
	t->seen[place] |= e->wanted ? SEEN_TRUE : SEEN_FALSE;
	t->rule = e->rule;
	t->found = 0;
	if (scan_text(t->scanner, &in, hit, t, &why) == SCAN_UNKNOWN)
		wrong(t, line, e->rule, why ? why : "cannot be scanned");
	else if (e->wanted && !t->found)
		wrong(t, line, e->rule, "does not find this example");
	else if (!e->wanted && t->found)
		wrong(t, line, e->rule, "finds this, and should not");
}

static void each_line(struct test *t, const char *text, size_t len)
{
	struct buf line = BUF_INIT;
	struct example e;
	const char *end = text + len, *why = NULL;
	int nr = 0, kind;

	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((nl ? nl : end) - text);

		buf_reset(&line);
		buf_add(&line, text, n);
		buf_add(&line, "", 0);
		if (line.len && line.data[line.len - 1] == '\r')
			line.data[line.len - 1] = '\0';
		nr++;
		kind = example_read(line.data, &e, &t->text, &why);
		if (kind > 0)
			judge(t, &e, nr);
		else if (kind < 0)
			wrong(t, nr, "not an example", why);
		text += n + 1;
	}
	buf_clear(&line);
}

/* Rules of others' files may go without; those that are built in may not. */
static void check_seen(struct test *t, int strict)
{
	struct rules_info info;
	size_t none = 0;

	for (size_t i = 0; i < rules_count(t->rules); i++) {
		if (t->seen[i] == (SEEN_TRUE | SEEN_FALSE))
			continue;
		rules_info(t->rules, i, &info);
		none++;
		if (strict)
			log_error("%s: no %s example", info.id,
				  t->seen[i] & SEEN_TRUE ? "false" : "true");
	}
	if (strict)
		t->wrong += none;
	else if (none)
		log_warn("%s: %zu of %zu rules have no true or no false "
			 "example", t->file, none, rules_count(t->rules));
}

/* Returns 0, or -1, logged. */
static int read_examples(struct test *t, const char *file, struct buf *out)
{
	if (!file) {
		buf_add(out, cmd_rules_examples, cmd_rules_examples_len);
		return 0;
	}
	if (!buf_read_file(out, file, EXAMPLES_MAX))
		return 0;
	log_error("%s: cannot be read: %s; name a file of examples, see "
		  "git-gate-rules(5)", t->file, strerror(errno));
	return -1;
}

int cmd_rules_test(const struct rules *r, const char *file)
{
	struct test t = { .rules = r,
			  .file = file ? file : "built-in examples" };
	struct buf examples = BUF_INIT;
	int status = CMD_UNKNOWN;

	t.scanner = scan_new(r, SCAN_DEPTH);
	t.seen = mem_zalloc(rules_count(r) + 1);
	if (t.scanner && !rules_compile_all(r) &&
	    !read_examples(&t, file, &examples)) {
		each_line(&t, examples.data ? examples.data : "",
			  examples.len);
		check_seen(&t, !file);
		if (!t.nr) {
			log_error("%s: no examples in it; see "
				  "git-gate-rules(5)", t.file);
			t.wrong++;
		}
		printf("%zu rules, %zu examples, %zu wrong\n", rules_count(r),
		       t.nr, t.wrong);
		status = t.wrong ? CMD_REFUSED : CMD_OK;
	}
	buf_clear(&examples);
	buf_clear(&t.text);
	free(t.seen);
	scan_free(t.scanner);
	return status;
}
