#ifndef GITENV_H
#define GITENV_H

struct buf;
struct config;
struct config_upstream;
struct env;

/*
 * The environment of every git that we start. Pure. No user's or system's
 * configuration is read by it: GIT_CONFIG_NOSYSTEM, GIT_CONFIG_GLOBAL,
 * GIT_ATTR_NOSYSTEM, HOME=/nonexistent, a fixed PATH, LC_ALL=C, no prompts.
 * GITENV_MARK has the state directory's path: by it what a killed responder
 * left running is known (strays.h).
 */
#define GITENV_MARK "GIT_GATE_STATE"
void gitenv_base(struct env *e, const struct config *c);

/*
 * How git shares out [backend] memory, and how many threads it packs with (at
 * least 1; fewer where memory is short). For whatever runs under that limit.
 */
void gitenv_pack(struct env *e, const struct config *c, unsigned threads);

/*
 * Beside the base: what git needs as a client of an upstream. Only the URL's
 * own protocol is allowed, redirects are followed only where it is configured
 * (and then the first request's alone), ssh is run by our git-gate-ssh and
 * passwords come from git-gate-askpass, which find the configuration through
 * GIT_GATE_CONFIG and GIT_GATE_UPSTREAM.
 */
void gitenv_upstream(struct env *e, const struct config *c,
		     const struct config_upstream *u);

/*
 * A value of core.alternateRefsCommand: what lists nothing. It is a word that
 * no shell takes apart.
 */
void gitenv_nothing(const struct config *c, struct buf *out);

/*
 * After gitenv_upstream, when the upstream did not accept the token that a
 * tokenCommand gave: have it give another, whatever is known of that one.
 */
void gitenv_new_token(struct env *e);

/* The parts of an upstream's URL. */
struct gitenv_url {
	char scheme[8];   /* "ssh", "https", "http", "git" or "file" */
	char user[65];    /* "" when there is none */
	char host[256];   /* IPv6 without its brackets; "" for file */
	char port[6];     /* decimal, filled in by scheme; "0" for file */
	int port_given;
	const char *path; /* of the URL itself, from its '/' */
};

/* Returns 0, or -1: not a URL that an upstream may have. Nothing is logged. */
int gitenv_url(const char *url, struct gitenv_url *out);

#endif
