#ifndef FORWARD_H
#define FORWARD_H

#include "fault.h"

struct config;
struct config_repo;
struct updates;

/*
 * Hand a push that passed to the upstream: one `git push --porcelain --atomic
 * --force-with-lease=REF:OLD` of full names, from the hook's quarantine.
 * Runs in the hook's working directory (the mirror). objects is how many it
 * brings, 0 when that is not known. What fails for a passing
 * cause is tried again while forwardTimeout lasts; what was cut off is first
 * looked at, so that a push that the upstream has taken counts as taken.
 *
 * meanwhile, unless it is NULL, is called once for each git push that was
 * started, while that one is at work.
 *
 * say is called with each line for the client as it comes (the upstream's
 * own words are marked "upstream: "), cleaned, without newline; per-reference
 * refusals among them. Afterwards each update that the upstream did not take
 * has its reason; what git said is logged. Returns FORWARD_ALL; FORWARD_SOME,
 * of an upstream with `atomic = prefer`, or when another pushed a part of the
 * same meanwhile; or FORWARD_NONE; *fault says why not all.
 */
enum forward_end { FORWARD_NONE = 0, FORWARD_SOME, FORWARD_ALL };
typedef void forward_say(void *arg, const char *line);
typedef void forward_meanwhile(void);
enum forward_end forward_push(const struct config *c,
			      const struct config_repo *r, const char *name,
			      struct updates *u, size_t objects,
			      forward_say *say, void *arg,
			      forward_meanwhile *meanwhile,
			      enum fault_kind *fault);

#endif
