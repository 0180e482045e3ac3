#ifndef FORWARD_H
#define FORWARD_H

#include "fault.h"

struct config;
struct config_repo;
struct updates;

/*
 * Hand a push that passed to the upstream: one `git push --porcelain --atomic
 * --force-with-lease=REF:OLD` of full names, from the hook's quarantine.
 * Runs in the hook's working directory (the mirror).
 *
 * say is called with each line for the client as it comes (the upstream's
 * own words are marked "upstream: "), cleaned, without newline; per-reference
 * refusals among them. Returns 0 when the upstream took all of it, else -1
 * with *fault set; what git said is logged.
 */
typedef void forward_say(void *arg, const char *line);
int forward_push(const struct config *c, const struct config_repo *r,
		 const char *name, const struct updates *u, forward_say *say,
		 void *arg, enum fault_kind *fault);

#endif
