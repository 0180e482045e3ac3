/* policy.c: who may do what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "log.h"
#include "policy.h"

#define HEAD_LINES                                                             \
	"[upstream \"u\"]\nurl=https://h/\nignoreCase\n"                       \
	"[repo \"Low/*\"]\nupstream=u\n"                                       \
	"[repo \"acme/*\"]\nhosted=/srv\n"                                     \
	"[access]\n"

/* A configuration with these lines of [access]. */
static struct config *load(const char *access)
{
	char path[] = "/tmp/policy-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	struct config *c;

	assert_non_null(f);
	fprintf(f, HEAD_LINES "%s", access);
	fclose(f);
	c = config_load(path);
	unlink(path);
	assert_non_null(c);
	return c;
}

#define N VERDICT_DENY
#define Y VERDICT_ALLOW
#define NF VERDICT_NOT_FOUND
#define E VERDICT_ERROR

static const char rules[] =
	"deny = * mallory *\n" /* line 9: after HEAD_LINES */
	"deny = fetch * acme/secret\n"
	"allow = fetch * acme/*\n"
	"allow = create,update agent-* acme/web refs/heads/agent/*\n"
	"allow = * ada acme/* refs/heads/*\n"
	"allow = push - acme/open\n"
	"deny = * * Low/Secret\n"
	"allow = * bob Low/*\n";

static const struct {
	const char *who;
	unsigned op;
	const char *repo, *ref;
	enum verdict verdict;
	int line; /* of the rule; 0: none */
} cases[] = {
	{ "bob", OP_FETCH, "acme/web", NULL, Y, 11 },
	{ NULL, OP_FETCH, "acme/web", NULL, Y, 11 },
	{ "", OP_FETCH, "acme/web", NULL, Y, 11 },
	{ "bob", OP_FETCH, "acme/secret", NULL, N, 10 },
	{ "mallory", OP_FETCH, "acme/web", NULL, N, 9 },
	{ "mallory", OP_DELETE, "acme/web", "refs/x", N, 9 },
	{ "-", OP_FETCH, "acme/web", NULL, E, 0 },
	{ "bob", OP_FETCH, "other", NULL, NF, 0 },
	{ "bob", OP_FETCH, "acme", NULL, NF, 0 },
	{ "agent-1", OP_CREATE, "acme/web", "refs/heads/agent/1", Y, 12 },
	{ "agent-1", OP_UPDATE, "acme/web", "refs/heads/agent/1", Y, 12 },
	{ "agent-1", OP_REWIND, "acme/web", "refs/heads/agent/1", N, 0 },
	{ "agent-1", OP_DELETE, "acme/web", "refs/heads/agent/1", N, 0 },
	{ "agent-1", OP_CREATE, "acme/web", "refs/heads/main", N, 0 },
	{ "agent-1", OP_CREATE, "acme/web", "refs/heads/agent", N, 0 },
	{ "agent-1", OP_CREATE, "acme/webx", "refs/heads/agent/1", N, 0 },
	{ "xagent-1", OP_CREATE, "acme/web", "refs/heads/agent/1", N, 0 },
	{ "Agent-1", OP_CREATE, "acme/web", "refs/heads/agent/1", N, 0 },
	{ "ada", OP_REWIND, "acme/secret", "refs/heads/x", Y, 13 },
	{ "ada", OP_DELETE, "acme/web", "refs/tags/x", N, 0 },
	/* '*' with a reference is no licence to fetch */
	{ "ada", OP_FETCH, "acme/secret", NULL, N, 10 },
	{ NULL, OP_CREATE, "acme/open", "refs/tags/x", Y, 14 },
	{ "bob", OP_CREATE, "acme/open", "refs/tags/x", N, 0 },
	/* names in small letters, rules with capitals */
	{ "bob", OP_FETCH, "low/secret", NULL, N, 15 },
	{ "bob", OP_FETCH, "low/x", NULL, Y, 16 },
	{ "bob", OP_DELETE, "low/x", "refs/heads/x", Y, 16 },
	/* malformed questions */
	{ "bob", OP_FETCH, "acme/web", "refs/heads/x", E, 0 },
	{ "bob", OP_CREATE, "acme/web", NULL, E, 0 },
	{ "bob", OP_CREATE, "acme/web", "", E, 0 },
	{ "bob", OP_CREATE, "acme/web", "main", E, 0 },
	{ "bob", OP_CREATE, "acme/web", "refs/", E, 0 },
	{ "bob", OP_FETCH, "", NULL, E, 0 },
	{ "bob", OP_FETCH, NULL, NULL, E, 0 },
	{ "bob", 0, "acme/web", NULL, E, 0 },
	{ "bob", OP_PUSH, "acme/web", "refs/heads/x", E, 0 },
	{ "bob", OP_ALL, "acme/web", "refs/heads/x", E, 0 },
	{ "bob", 1 << 5, "acme/web", "refs/heads/x", E, 0 },
};

static void table(void **state)
{
	struct config *c = load(rules);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decision d = policy_decide(c, cases[i].who,
						  (enum op)cases[i].op,
						  cases[i].repo, cases[i].ref);
		int line = d.rule ? d.rule->line : 0;
		if (d.verdict != cases[i].verdict || line != cases[i].line)
			fail_msg("case %zu: verdict %d by line %d", i,
				 (int)d.verdict, line);
	}
	config_free(c);
}

/* Without rules everything is denied; so is what memset(0) made. */
static void closed(void **state)
{
	struct config *c = load("");
	struct decision zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	assert_int_equal(zero.verdict, VERDICT_DENY);
	assert_int_equal(policy_decide(c, "a", OP_FETCH, "acme/x", NULL)
				 .verdict, VERDICT_DENY);
	assert_int_equal(policy_may_push(c, "a", "acme/x").verdict,
			 VERDICT_DENY);
	config_free(c);
}

static const struct {
	const char *rules;
	enum verdict verdict;
	int line;
} pushes[] = {
	{ "allow = fetch * *\n", N, 0 },
	{ "allow = push * *\n", Y, 9 },
	{ "allow = delete * *\n", Y, 9 },
	{ "allow = push b* *\n", N, 0 },
	{ "allow = push * acme/y\n", N, 0 },
	{ "deny = * * *\nallow = push * *\n", N, 9 },
	{ "deny = fetch * *\nallow = push * *\n", Y, 10 },
	{ "deny = push * *\nallow = rewind * *\n", Y, 10 },
	{ "deny = push * *\nallow = push * *\n", N, 9 },
	{ "deny = create * *\ndeny = update * *\nallow = push * *\n", N, 10 },
	{ "deny = push * * refs/heads/*\nallow = push * *\n", Y, 10 },
	{ "deny = push * * refs/heads/*\nallow = push * * refs/heads/a/*\n",
	  N, 9 },
	{ "deny = push * * refs/*\nallow = push * *\n", N, 9 },
	{ "deny = push * * refs/heads/m*\nallow = push * * refs/heads/*\n", Y,
	  10 },
	{ "deny = push * * refs/heads/main\nallow = push * * "
	  "refs/heads/main\n", N, 9 },
	{ "deny = push * * refs/heads/main?*\nallow = push * * "
	  "refs/heads/main*\n", Y, 10 },
	{ "deny = push * * refs/heads/??*\nallow = push * * refs/heads/*\n",
	  Y, 10 },
	{ "deny = push * * refs/heads/?\ndeny = push * * refs/heads/??*\n"
	  "allow = push * * refs/heads/*\n", N, 10 },
	{ "deny = push * * refs/heads/?*\nallow = push * * refs/heads/*\n", N,
	  9 },
};

static void may_push(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pushes) / sizeof(*pushes); i++) {
		struct config *c = load(pushes[i].rules);
		struct decision d = policy_may_push(c, "ann", "acme/x");
		int line = d.rule ? d.rule->line : 0;
		if (d.verdict != pushes[i].verdict || line != pushes[i].line)
			fail_msg("%s: verdict %d by line %d", pushes[i].rules,
				 (int)d.verdict, line);
		assert_int_equal(policy_may_push(c, "-", "acme/x").verdict, E);
		assert_int_equal(policy_may_push(c, "a", "none").verdict, NF);
		config_free(c);
	}
}

static void may_change(void **state)
{
	struct config *c = load("allow = create a *\nallow = update b *\n"
				"allow = rewind c *\nallow = delete d *\n"
				"allow = * e *\ndeny = * * *\n");
	static const struct {
		const char *who;
		int old_zero, new_zero;
		enum verdict verdict;
	} t[] = {
		{ "a", 1, 0, Y }, { "a", 0, 0, N }, { "a", 0, 1, N },
		{ "b", 1, 0, N }, { "b", 0, 0, Y }, { "b", 0, 1, N },
		{ "c", 1, 0, N }, { "c", 0, 0, Y }, { "c", 0, 1, N },
		{ "d", 1, 0, N }, { "d", 0, 0, N }, { "d", 0, 1, Y },
		{ "a", 1, 1, N }, { "d", 1, 1, Y }, { "e", 0, 0, Y },
		{ "-", 0, 0, E },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct decision d = policy_may_change(c, t[i].who, "acme/x",
						      "refs/heads/m",
						      t[i].old_zero,
						      t[i].new_zero);
		if (d.verdict != t[i].verdict)
			fail_msg("case %zu: %d", i, (int)d.verdict);
	}
	assert_int_equal(policy_may_change(c, "e", "acme/x", "m", 0, 0)
				 .verdict, E);
	assert_int_equal(policy_may_change(c, "e", "none", "refs/m", 0, 0)
				 .verdict, NF);
	config_free(c);
}

/*
 * Rules drawn by chance: may_push and may_change never promise what decide
 * then refuses for every operation and reference.
 */
static void never_more_than_decide(void **state)
{
	static const char *const ops[] = { "push", "*", "create", "delete",
					   "update,rewind", "fetch" };
	static const char *const refs[] = {
		"*", "refs/*", "refs/heads/*", "refs/heads/a*", "refs/heads/a",
		"refs/*/a", "refs/heads/?", "refs/tags/*"
	};
	static const char *const asked[] = { "refs/heads/a", "refs/heads/ab",
					     "refs/tags/a", "refs/x",
					     "refs/heads/zz", "refs/x/a",
					     "refs/tags/zz", "refs/heads/b" };
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 300; round++) {
		char text[1000] = "";
		struct config *c;
		int push = 0;
		for (int i = 0; i < 5; i++) {
			size_t n = strlen(text);
			const char *op;
			seed = seed * 1103515245 + 12345;
			op = ops[(seed >> 16) % 6];
			snprintf(text + n, sizeof(text) - n,
				 "%s = %s * * %s\n",
				 seed & 1 << 20 ? "allow" : "deny", op,
				 *op == 'f' ? "*" : refs[(seed >> 24) % 8]);
		}
		c = load(text);
		for (size_t i = 0; i < 8; i++) {
			int any[5];
			for (int j = 1; j < 5; j++)
				any[j] = policy_decide(c, "a",
						       (enum op)(1 << j),
						       "acme/x", asked[i])
						 .verdict == Y;
			push |= any[1] | any[2] | any[3] | any[4];
			assert_int_equal(
				policy_may_change(c, "a", "acme/x", asked[i],
						  1, 0).verdict == Y, any[1]);
			assert_int_equal(
				policy_may_change(c, "a", "acme/x", asked[i],
						  0, 0).verdict == Y,
				any[2] | any[3]);
			assert_int_equal(
				policy_may_change(c, "a", "acme/x", asked[i],
						  0, 1).verdict == Y, any[4]);
		}
		if ((policy_may_push(c, "a", "acme/x").verdict == Y) != push)
			fail_msg("may_push is not %d for\n%s", push, text);
		config_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(closed),
		cmocka_unit_test(may_push),
		cmocka_unit_test(may_change),
		cmocka_unit_test(never_more_than_decide),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	log_init("policy", LOG_PLAIN);
	log_set_level(LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
