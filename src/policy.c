/*
 * May WHO do OP on REPO's REF? The only file that decides. Takes the loaded
 * rules and a question, gives a verdict and the rule that made it. Pure: no
 * I/O, no clock, no state; the first rule that matches decides, and if none
 * does the answer is no.
 */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "match.h"

/* A question about one repository, checked. */
struct asked {
	const struct config *c;
	const char *who;
	const char *repo;
	int icase; /* the upstream takes "A" and "a" for the same name */
};

/*
 * Returns VERDICT_ALLOW when the question is well-formed and the repository
 * exists, else the verdict that ends it.
 */
static enum verdict ask(struct asked *a, const struct config *c,
			const char *who, const char *repo)
{
	const struct config_repo *r;

	if (!repo || !*repo)
		return VERDICT_ERROR;
	/* "-" stands for nobody: somebody of that name must not pass for it. */
	if (who && !strcmp(who, "-"))
		return VERDICT_ERROR;
	r = config_find(c, repo);
	if (!r)
		return VERDICT_NOT_FOUND;
	a->c = c;
	a->who = who && *who ? who : "-";
	a->repo = repo;
	/*
	 * Names were lower-cased at the door; a rule with capitals must match
	 * them all the same, or a deny would be passed over.
	 */
	a->icase = r->upstream && r->upstream->ignore_case;
	return VERDICT_ALLOW;
}

static int matches_who_and_repo(const struct asked *a,
				const struct config_rule *rule)
{
	return match_glob(rule->who, a->who) &&
	       (a->icase ? match_glob_icase(rule->repo, a->repo)
			 : match_glob(rule->repo, a->repo));
}

/* A fetch is of the whole repository: a rule's reference says nothing then. */
static int matches(const struct asked *a, const struct config_rule *rule,
		   enum op op, const char *ref)
{
	return (rule->ops & op) && matches_who_and_repo(a, rule) &&
	       (op == OP_FETCH || match_glob(rule->ref, ref));
}

static struct decision decide(const struct asked *a, enum op op,
			      const char *ref)
{
	for (size_t i = 0; i < a->c->nr_rules_access; i++) {
		const struct config_rule *rule = &a->c->rules_access[i];
		if (matches(a, rule, op, ref))
			return (struct decision){
				rule->allow ? VERDICT_ALLOW : VERDICT_DENY,
				rule
			};
	}
	return (struct decision){ VERDICT_DENY, NULL };
}

static int is_one_op(enum op op)
{
	return op > 0 && !((unsigned)op & ~(unsigned)OP_ALL) &&
	       !((unsigned)op & ((unsigned)op - 1));
}

static int ref_ok(const char *ref)
{
	return ref && !strncmp(ref, "refs/", 5) && ref[5];
}

struct decision policy_decide(const struct config *c, const char *who,
			      enum op op, const char *repo, const char *ref)
{
	struct asked a;
	enum verdict v;

	if (!is_one_op(op) || (op == OP_FETCH ? ref != NULL : !ref_ok(ref)))
		return (struct decision){ VERDICT_ERROR, NULL };
	v = ask(&a, c, who, repo);
	if (v != VERDICT_ALLOW)
		return (struct decision){ v, NULL };
	return decide(&a, op, ref);
}

static const enum op write_ops[] = { OP_CREATE, OP_UPDATE, OP_REWIND,
				     OP_DELETE };
#define NR_WRITE_OPS (sizeof(write_ops) / sizeof(*write_ops))

/*
 * No '*' or '?' of a rule needs this byte, and no rule in UTF-8 has it, so
 * that only a wildcard can match it.
 */
#define FILLER '\xff'

/*
 * A reference that the pattern matches: each '*' becomes n fillers, each '?'
 * one. Returns 0, or -1 when that is no reference's name.
 */
static int example(struct buf *out, const char *pattern, size_t n)
{
	buf_reset(out);
	/* "*" alone is the one pattern that need not begin with refs/. */
	if (!strcmp(pattern, "*"))
		pattern = "refs/*";
	for (; *pattern; pattern++) {
		if (*pattern == '*')
			for (size_t i = 0; i < n; i++)
				buf_addc(out, FILLER);
		else
			buf_addc(out, *pattern == '?' ? FILLER : *pattern);
	}
	return ref_ok(out->data) && !strstr(out->data, "//") &&
	       out->data[out->len - 1] != '/' ? 0 : -1;
}

/*
 * Does the allowing rule ever come to decide? Earlier rules may deny all that
 * it allows, so examples of its references are put to the real decision: a yes
 * is always borne out by at least one reference. Lengths other than these can
 * matter only to patterns with more than eight '?'.
 */
static int ever_allows(const struct asked *a, const struct config_rule *rule)
{
	enum { NR_LENGTHS = 10 };
	static const size_t lengths[NR_LENGTHS] = { 64, 1, 0, 2, 3,
						    4,	5, 6, 7, 8 };
	struct buf ref = BUF_INIT;
	int yes = 0;

	for (size_t i = 0; !yes && i < NR_LENGTHS; i++) {
		if (example(&ref, rule->ref, lengths[i]))
			continue;
		for (size_t j = 0; !yes && j < NR_WRITE_OPS; j++)
			yes = (rule->ops & write_ops[j]) &&
			      decide(a, write_ops[j], ref.data).verdict ==
				      VERDICT_ALLOW;
	}
	buf_clear(&ref);
	return yes;
}

/* Nothing that follows such a rule can allow a push: it is the reason. */
static int denies_all(const struct config_rule *rule)
{
	return !rule->allow && (rule->ops & OP_WRITE) == OP_WRITE &&
	       !strcmp(rule->ref, "*");
}

struct decision policy_may_push(const struct config *c, const char *who,
				const char *repo)
{
	struct asked a;
	struct decision d = { ask(&a, c, who, repo), NULL };

	if (d.verdict != VERDICT_ALLOW)
		return d;
	d.verdict = VERDICT_DENY;
	for (size_t i = 0; i < c->nr_rules_access; i++) {
		const struct config_rule *rule = &c->rules_access[i];
		if (!(rule->ops & OP_WRITE) || !matches_who_and_repo(&a, rule))
			continue;
		if (!rule->allow) {
			d.rule = rule;
			if (denies_all(rule))
				break;
		} else if (ever_allows(&a, rule)) {
			return (struct decision){ VERDICT_ALLOW, rule };
		}
	}
	return d;
}

struct decision policy_may_change(const struct config *c, const char *who,
				  const char *repo, const char *ref,
				  int old_is_zero, int new_is_zero)
{
	struct decision update, rewind;

	/* Deleting what is not there is a deletion to git too. */
	if (new_is_zero)
		return policy_decide(c, who, OP_DELETE, repo, ref);
	if (old_is_zero)
		return policy_decide(c, who, OP_CREATE, repo, ref);
	update = policy_decide(c, who, OP_UPDATE, repo, ref);
	rewind = policy_decide(c, who, OP_REWIND, repo, ref);
	return rewind.verdict == VERDICT_ALLOW &&
	       update.verdict != VERDICT_ALLOW ? rewind : update;
}

const char *policy_op_name(enum op op)
{
	switch (op) {
	case OP_FETCH:
		return "fetch";
	case OP_CREATE:
		return "create";
	case OP_UPDATE:
		return "update";
	case OP_REWIND:
		return "rewind";
	case OP_DELETE:
		return "delete";
	}
	return "?";
}
