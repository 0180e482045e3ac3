/*
 * Lines of [access]: "OPS WHO REPO [REF]". Takes one line's value, stores a
 * rule or logs what is wrong with it. Decides nothing; policy.c does.
 */
#include "config-internal.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"

/* The words of OPS. */
static const struct {
	const char *name;
	unsigned ops;
} op_words[] = {
	{ "fetch", OP_FETCH },	 { "create", OP_CREATE },
	{ "update", OP_UPDATE }, { "rewind", OP_REWIND },
	{ "delete", OP_DELETE }, { "push", OP_PUSH },
	{ "*", OP_ALL },
};
#define NR_WORDS (sizeof(op_words) / sizeof(*op_words))

static unsigned op_word(const char *s, size_t n)
{
	for (size_t i = 0; i < NR_WORDS; i++)
		if (strlen(op_words[i].name) == n &&
		    !strncmp(op_words[i].name, s, n))
			return op_words[i].ops;
	return 0;
}

/* "a,b,c" to a set, or 0, logged. */
static unsigned parse_ops(struct load *l, int line, const char *list)
{
	unsigned ops = 0;

	for (const char *p = list;; p++) {
		size_t n = strcspn(p, ",");
		unsigned op = op_word(p, n);
		if (!op) {
			config_error(l, line, "unknown operation '%.*s'; "
				     "known are fetch create update rewind "
				     "delete push *, joined by commas without "
				     "spaces", (int)(n > 40 ? 40 : n), p);
			return 0;
		}
		ops |= op;
		p += n;
		if (!*p)
			return ops;
	}
}

#define WORDS_MAX 4

/* Cut s at its spaces, in place. Returns the number of words, 5 for more. */
static int split(char *s, char *words[WORDS_MAX])
{
	int n = 0;

	for (char *save, *w = strtok_r(s, " \t", &save); w;
	     w = strtok_r(NULL, " \t", &save)) {
		if (n == WORDS_MAX)
			return n + 1;
		words[n++] = w;
	}
	return n;
}

/* Returns the operations that the rule is for, or 0, logged. */
static unsigned judge(struct load *l, const struct key *k, int line, int n,
		      char *const words[WORDS_MAX])
{
	unsigned ops;

	if (n < 3 || n > WORDS_MAX) {
		config_error(l, line, "%s has %s words; write %s = OPS WHO "
			     "REPO, or OPS WHO REPO REF", k->name,
			     n < 3 ? "too few" : "too many", k->name);
		return 0;
	}
	ops = parse_ops(l, line, words[0]);
	if (!ops || n < 4 || !strcmp(words[3], "*"))
		return ops;
	if (ops == OP_FETCH) {
		config_error(l, line, "a reference with fetch alone; what is "
			     "fetched is a whole repository: remove '%s'",
			     words[3]);
		return 0;
	}
	if (strncmp(words[3], "refs/", 5)) {
		config_error(l, line, "reference '%s' does not begin with "
			     "refs/; write the full name, as in "
			     "refs/heads/%s, or *", words[3], words[3]);
		return 0;
	}
	/*
	 * The '*' of OPS means what can be done to such a reference; only the
	 * word fetch itself makes a rule with a reference one for fetches.
	 */
	return strcmp(words[0], "*") ? ops : OP_WRITE;
}

void config_rule_add(struct load *l, const struct key *k, const char *value,
		     int line)
{
	struct config *c = l->c;
	char *words[WORDS_MAX] = { NULL };
	char *copy = mem_strdup(value);
	struct buf text = BUF_INIT;
	unsigned ops = judge(l, k, line, split(copy, words), words);

	if (ops) {
		buf_addf(&text, "%s = %s", k->name, value);
		MEM_GROW(c->rules_access, c->nr_rules_access, l->alloc_rules);
		c->rules_access[c->nr_rules_access++] = (struct config_rule){
			.line = line,
			.allow = !strcmp(k->name, "allow"),
			.ops = ops,
			.who = mem_strdup(words[1]),
			.repo = mem_strdup(words[2]),
			.ref = mem_strdup(words[3] ? words[3] : "*"),
			.text = buf_take(&text),
		};
	}
	free(copy);
}
