#ifndef CGIENV_H
#define CGIENV_H

#include <stdint.h>
#include "buf.h"
#include "route.h"

struct config;
struct config_repo;
struct env;
struct request;

/*
 * The environment of what cgienv_command names: for a fetch that of a CGI
 * program (RFC 3875), and what `git http-backend` gives its child. Built
 * from nothing: an allow-list, no variable of ours or of the client passes by
 * itself. Pure. git_dir is the repository's absolute path; content_length is
 * what the spool holds, inflated already. Our hook is attached through
 * core.hooksPath, and told about the session (id) in GIT_GATE_*.
 */
void cgienv_fill(struct env *e, const struct config *c,
		 const struct config_repo *repo, const struct request *req,
		 const char *id, const struct route *route,
		 const char *git_dir, uint64_t content_length);

/* What is run, and what of the CGI answer stands before its output. */
struct cgienv_command {
	const char *argv[5];
	struct buf preset; /* the caller clears it */
};

#define CGIENV_COMMAND_INIT { .preset = BUF_INIT }

/*
 * `git http-backend` where backend is its path, with no preset; where it is
 * NULL `git upload-pack` for a fetch and `git receive-pack` for a push, whose
 * preset is header and all. Pure. argv has pointers to what was passed. cmd is
 * CGIENV_COMMAND_INIT before.
 */
void cgienv_command(struct cgienv_command *cmd, const struct config *c,
		    const char *backend, const struct request *req,
		    const struct route *route, const char *git_dir);

#endif
