#ifndef UP_CONF_H
#define UP_CONF_H

#include <stdio.h>

/* What the command line of `git gate up` asks for; unset ones are NULL. */
struct up_wish {
	const char *config;
	const char *listen;
	const char *server;
	const char *state;
	const char *upstream;
	const char *allow_push; /* glob over full reference names */
	const char *identity_file;
	const char *known_hosts;
	const char *token_file;
};

enum up_wish_result { UP_WISH_BAD, UP_WISH_OK, UP_WISH_HELP };

/* Read the command line. UP_WISH_BAD is logged: show the usage. */
enum up_wish_result up_wish_parse(int argc, char **argv, struct up_wish *out);
void up_wish_usage(FILE *to);

/*
 * Write a git-gate.conf(5) to path that serves w->upstream: all below it when
 * it ends in '/', else the one repository, under the last part of its path.
 * state is the private directory, libexec where our helpers are. Returns 0,
 * or -1, logged: a URL or an option that cannot be served.
 */
int up_conf_write(const struct up_wish *w, const char *state,
		  const char *libexec, const char *path);

#endif
