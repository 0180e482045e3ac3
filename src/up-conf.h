#ifndef UP_CONF_H
#define UP_CONF_H

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

/*
 * Write a git-gate.conf(5) to path that serves w->upstream: all below it when
 * it ends in '/', else the one repository, under the last part of its path.
 * state is the private directory, libexec where our helpers are. Returns 0,
 * or -1, logged: a URL or an option that cannot be served.
 */
int up_conf_write(const struct up_wish *w, const char *state,
		  const char *libexec, const char *path);

#endif
