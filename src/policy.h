#ifndef POLICY_H
#define POLICY_H

#include "config.h"

/*
 * May WHO do OP on REPO's REF? Pure: no I/O, no clock. The first rule of
 * [access] that matches decides; if none matches, denied. `git gate explain`
 * asks the same functions, so that explaining and enforcing cannot differ.
 */

enum verdict {
	VERDICT_DENY = 0,
	VERDICT_ALLOW,
	VERDICT_NOT_FOUND, /* no [repo] has this name */
	VERDICT_ERROR,     /* the question itself is malformed */
};

struct decision {
	enum verdict verdict;
	const struct config_rule *rule; /* that decided; NULL: none did */
};

/*
 * who is NULL or "" for nobody (rules call that "-"); one op; repo is a
 * normalised name; ref a full name, or NULL for OP_FETCH.
 */
struct decision policy_decide(const struct config *c, const char *who,
			      enum op op, const char *repo, const char *ref);

/*
 * May WHO push anything at all to REPO? For the advertisement, before any
 * reference is named: allowed when some rule may allow some writing operation
 * on some reference. rule is the allowing rule, or the last that denied.
 */
struct decision policy_may_push(const struct config *c, const char *who,
				const char *repo);

/*
 * The same for one reference of which only old and new are known: an update
 * that may turn out to be a rewind passes when either is allowed.
 */
struct decision policy_may_change(const struct config *c, const char *who,
				  const char *repo, const char *ref,
				  int old_is_zero, int new_is_zero);

/* "fetch", "create", ...; "?" for what is not one operation. */
const char *policy_op_name(enum op op);

#endif
