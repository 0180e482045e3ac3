/*
 * git-gate explain: which rule allows or denies something. Asks the functions
 * of policy.c that the responder and the hook ask, and prints what they say;
 * decides nothing itself.
 */
#include "cmd.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "commands.h"
#include "config.h"
#include "log.h"
#include "policy.h"
#include "route.h"
#include "text.h"

struct question {
	const char *who; /* NULL: nobody */
	const char *op;
	const char *ref; /* NULL: not given */
	const char *old, *new;
	char repo[ROUTE_NAME_MAX + 1];
};

/* Print one line, cleaned: names may be copied from anywhere. */
__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	struct buf clean = BUF_INIT;
	char line[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_clean(&clean, line, strlen(line));
	puts(clean.data ? clean.data : "");
	buf_clear(&clean);
}

static const char *verdict_name(enum verdict v)
{
	switch (v) {
	case VERDICT_DENY:
		return "denied";
	case VERDICT_ALLOW:
		return "allowed";
	case VERDICT_NOT_FOUND:
		return "not found";
	case VERDICT_ERROR:
		return "error";
	}
	return "error";
}

/* The verdict and its reason. Returns 1 when it is allowed. */
static int show(const struct config *c, const struct question *q,
		const char *op, struct decision d)
{
	say("%s: %s %s%s%s for %s", verdict_name(d.verdict), op, q->repo,
	    q->ref ? " " : "", q->ref ? q->ref : "", q->who ? q->who : "-");
	if (d.rule)
		say("  %s:%d: %s", c->name, d.rule->line, d.rule->text);
	else if (d.verdict == VERDICT_DENY)
		say("  %s: no rule of [access] allows it, and what none "
		    "allows is denied", c->name);
	else if (d.verdict == VERDICT_NOT_FOUND)
		say("  %s: no [repo] has a pattern that matches %s", c->name,
		    q->repo);
	return d.verdict == VERDICT_ALLOW;
}

/* Where the repository is. */
static void show_repo(const struct config *c, const char *name)
{
	const struct config_repo *r = config_find(c, name);

	if (!r)
		return;
	if (r->upstream)
		say("repository: %s:%d: [repo \"%s\"], upstream %s%s%s",
		    c->name, r->line, r->pattern, r->upstream->url, name,
		    r->upstream->suffix);
	else
		say("repository: %s:%d: [repo \"%s\"], hosted %s/%s.git",
		    c->name, r->line, r->pattern, r->hosted, name);
}

static int show_op(const struct config *c, const struct question *q,
		   enum op op)
{
	return show(c, q, policy_op_name(op),
		    policy_decide(c, q->who, op, q->repo, q->ref));
}

/*
 * A push: with ids, creation and deletion can be told; otherwise both
 * answers are shown, and policy says whether the door would open.
 */
static int show_push(const struct config *c, const struct question *q)
{
	int create, update;

	if (!q->ref)
		return show(c, q, "push",
			    policy_may_push(c, q->who, q->repo));
	if (!q->old) {
		create = show_op(c, q, OP_CREATE);
		update = show_op(c, q, OP_UPDATE);
		return create && update;
	}
	if (commands_is_zero(q->new))
		return show_op(c, q, OP_DELETE);
	if (commands_is_zero(q->old))
		return show_op(c, q, OP_CREATE);
	show_op(c, q, OP_UPDATE);
	show_op(c, q, OP_REWIND);
	return policy_may_change(c, q->who, q->repo, q->ref, 0, 0).verdict ==
	       VERDICT_ALLOW;
}

static const enum op all_ops[] = { OP_FETCH, OP_CREATE, OP_UPDATE, OP_REWIND,
				   OP_DELETE };

/* One of the five, or 0. */
static enum op find_op(const char *name)
{
	for (size_t i = 0; i < sizeof(all_ops) / sizeof(*all_ops); i++)
		if (!strcmp(policy_op_name(all_ops[i]), name))
			return all_ops[i];
	return 0;
}

static int oid_ok(const char *s)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF");

	return !s[n] && (n == 40 || n == 64);
}

/* What is wrong with the question, or NULL. */
static const char *judge(const struct question *q)
{
	enum op op = find_op(q->op);
	int push = !strcmp(q->op, "push");

	if (!op && !push)
		return "OP is one of fetch create update rewind delete push";
	if (op == OP_FETCH && q->ref)
		return "fetch is of a whole repository; leave REF out";
	if (op && op != OP_FETCH && !q->ref)
		return "this operation is on a reference; add REF, as in "
		       "refs/heads/main";
	if (q->ref && !commands_ref_ok(q->ref))
		return "REF is not a full reference name; write one such as "
		       "refs/heads/main or refs/tags/v1";
	if (q->old && !push)
		return "OLD and NEW go with push only, which tells the "
		       "operation from them";
	if (q->old && (!oid_ok(q->old) || !oid_ok(q->new)))
		return "OLD and NEW are object ids of 40 or 64 hexadecimal "
		       "digits; all zeros for none";
	return NULL;
}

/* Returns 0, or -1, logged. */
static int read_question(int argc, char **argv, struct question *q)
{
	const char *error;

	if (argc < 3 || argc > 6 || argc == 5) {
		log_error("usage: git-gate explain [-c FILE] WHO OP REPO "
			  "[REF [OLD NEW]]; WHO is - for nobody");
		return -1;
	}
	q->who = *argv[0] && strcmp(argv[0], "-") != 0 ? argv[0] : NULL;
	q->op = argv[1];
	q->ref = argc > 3 ? argv[3] : NULL;
	q->old = argc > 5 ? argv[4] : NULL;
	q->new = argc > 5 ? argv[5] : NULL;
	if (route_name(argv[2], q->repo, &error)) {
		log_error("REPO %s: %s", argv[2], error);
		return -1;
	}
	error = judge(q);
	if (error) {
		log_error("%s", error);
		return -1;
	}
	return 0;
}

static int explain(const char *file, struct question *q)
{
	struct config *c = config_load(file);
	enum op op = find_op(q->op);
	int allowed;

	if (!c)
		return CMD_UNKNOWN;
	config_repo(c, q->repo); /* lower-cases the name where that is due */
	allowed = op ? show_op(c, q, op) : show_push(c, q);
	show_repo(c, q->repo);
	config_free(c);
	return allowed ? CMD_OK : CMD_REFUSED;
}

int cmd_explain(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = CONFIG_DEFAULT;
	struct question q = { NULL };
	int o;

	opterr = 0;
	optind = 1;
	/* '+': options end at WHO. */
	while ((o = getopt_long(argc, argv, "+c:", options, NULL)) != -1) {
		if (o != 'c') {
			argc = optind; /* too few: the usage is shown */
			break;
		}
		file = optarg;
	}
	if (read_question(argc - optind, argv + optind, &q))
		return CMD_USAGE;
	return explain(file, &q);
}
