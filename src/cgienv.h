#ifndef CGIENV_H
#define CGIENV_H

#include <stdint.h>
#include "route.h"

struct config;
struct config_repo;
struct env;
struct request;

/*
 * The environment of `git http-backend` (its manual and RFC 3875), built from
 * nothing: an allow-list, no variable of ours or of the client passes by
 * itself. Pure. git_dir is the repository's absolute path; content_length is
 * what the spool holds, inflated already. Our hook is attached through
 * core.hooksPath, and told about the session (id) in GIT_GATE_*.
 */
void cgienv_fill(struct env *e, const struct config *c,
		 const struct config_repo *repo, const struct request *req,
		 const char *id, const struct route *route,
		 const char *git_dir, uint64_t content_length);

#endif
