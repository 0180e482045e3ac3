/*
 * The options of `git gate up`, and the configuration that it writes for
 * itself with --upstream. Takes the command line, judges the URL, gives a
 * file; what the words in it mean is config.c's business.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "buf.h"
#include "log.h"
#include "mem.h"
#include "route.h"
#include "up-conf.h"
#include "up-files.h"

void up_wish_usage(FILE *to)
{
	fputs("usage: git-gate up --upstream URL [--allow-push REFGLOB]\n"
	      "           [--identity-file FILE --known-hosts FILE]\n"
	      "           [--token-file FILE] [--listen HOST:PORT]\n"
	      "           [--server lighttpd|nginx] [--state DIR]\n"
	      "       git-gate up --config FILE [--listen HOST:PORT]\n"
	      "           [--server lighttpd|nginx] [--state DIR]\n", to);
}

static enum up_wish_result fits_together(const struct up_wish *w)
{
	if (!w->config == !w->upstream) {
		log_error("up: name either an upstream or a configuration");
		return UP_WISH_BAD;
	}
	if (w->config && (w->allow_push || w->identity_file ||
			  w->known_hosts || w->token_file)) {
		log_error("up: with --config the configuration says who may "
			  "push, and with which key");
		return UP_WISH_BAD;
	}
	return UP_WISH_OK;
}

enum up_wish_result up_wish_parse(int argc, char **argv, struct up_wish *out)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 0 },
		{ "listen", required_argument, NULL, 1 },
		{ "server", required_argument, NULL, 2 },
		{ "state", required_argument, NULL, 3 },
		{ "upstream", required_argument, NULL, 4 },
		{ "allow-push", required_argument, NULL, 5 },
		{ "identity-file", required_argument, NULL, 6 },
		{ "known-hosts", required_argument, NULL, 7 },
		{ "token-file", required_argument, NULL, 8 },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char **where[] = { &out->config, &out->listen, &out->server,
				 &out->state, &out->upstream,
				 &out->allow_push, &out->identity_file,
				 &out->known_hosts, &out->token_file };
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt == 'h')
			return UP_WISH_HELP;
		if (opt < 0 || opt > 8)
			return UP_WISH_BAD;
		*where[opt] = optarg;
	}
	if (optind < argc) {
		log_error("up: '%s': every word belongs to an option here",
			  argv[optind]);
		return UP_WISH_BAD;
	}
	return fits_together(out);
}

/* A URL, taken apart. */
struct target {
	struct buf base;     /* ends in '/' */
	const char *suffix;  /* what follows a name in base */
	char repo[ROUTE_NAME_MAX + 1]; /* or "*" */
	int ssh, web;
};

/* As git-config(1) quotes; bytes that would need more have been refused. */
static void add_quoted(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *value);
	}
}

static void add_value(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "\t%s = \"", key);
	add_quoted(out, value);
	buf_adds(out, "\"\n");
}

/* No control byte, no space: the file is made of lines, rules of words. */
static int plain_word(const char *option, const char *value)
{
	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p > ' ' && *p != 0x7f)
			continue;
		log_error("--%s: it has a space or a control character in it",
			  option);
		return 0;
	}
	if (!*value)
		log_error("--%s: it is empty", option);
	return *value != '\0';
}

/* What a rule of [access] takes as REF. */
static int ref_glob(const char *glob)
{
	if (!plain_word("allow-push", glob))
		return 0;
	if (!strcmp(glob, "*") || !strncmp(glob, "refs/", 5))
		return 1;
	log_error("--allow-push: '%s' does not begin with refs/; write the "
		  "full name, as in 'refs/heads/%s', or '*'", glob, glob);
	return 0;
}

/* Where the host begins in a URL that we serve, or NULL, logged. */
static const char *find_scheme(const char *url, struct target *t)
{
	static const char *const schemes[] = { "ssh://", "https://", "http://",
					       "git://", "file://" };
	size_t n;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		n = strlen(schemes[i]);
		if (strncmp(url, schemes[i], n) != 0)
			continue;
		t->ssh = i == 0;
		t->web = i == 1 || i == 2;
		return url + n;
	}
	log_error("--upstream: it must begin with ssh://, https://, http://, "
		  "git:// or file://; what git writes as USER@HOST:PATH is "
		  "ssh://USER@HOST/PATH here");
	return NULL;
}

/* host is where the host begins: is there a password before it? */
static int has_password(const char *host)
{
	size_t n = strcspn(host, "/");
	const char *at = memrchr(host, '@', n);

	return at && memchr(host, ':', (size_t)(at - host));
}

static int split_url(const char *url, struct target *t)
{
	const char *host = find_scheme(url, t), *slash, *error;
	size_t n = strlen(url);

	if (!host)
		return -1;
	if (has_password(host)) {
		log_error("--upstream: there is a password in it, which every "
			  "user of this machine could see; use --token-file");
		return -1;
	}
	slash = strrchr(host, '/');
	if (!slash || strpbrk(url, "?#")) {
		log_error("--upstream: it names no path; write "
			  "SCHEME://HOST/PATH/REPOSITORY.git, or "
			  "SCHEME://HOST/PATH/ for all below it");
		return -1;
	}
	buf_add(&t->base, url, (size_t)(slash + 1 - url));
	t->suffix = ".git";
	if (!slash[1]) {
		strcpy(t->repo, "*");
		return 0;
	}
	/* the name ends in .git only if it says so; that is added again */
	if (n < 4 || strcmp(url + n - 4, ".git") != 0)
		t->suffix = "";
	if (!route_name(slash + 1, t->repo, &error))
		return 0;
	log_error("--upstream: '%s' cannot be a repository's name here: %s",
		  slash + 1, error);
	return -1;
}

/* An absolute path for a file given on the command line. */
static int add_file(struct buf *out, const char *option, const char *key,
		    const char *file)
{
	char *path = file ? realpath(file, NULL) : NULL;
	int ok = 1;

	if (path) {
		for (const char *p = path; *p; p++)
			ok &= (unsigned char)*p >= ' ' && *p != 0x7f;
		if (ok)
			add_value(out, key, path);
		else
			log_error("--%s: a control character in the path",
				  option);
	} else if (file) {
		log_error("--%s: %s: %s", option, file, strerror(errno));
		ok = 0;
	}
	free(path);
	return ok ? 0 : -1;
}

static int fits_scheme(const struct up_wish *w, const struct target *t)
{
	if (t->ssh && (!w->identity_file || !w->known_hosts)) {
		log_error("--upstream: ssh needs --identity-file, a key that "
			  "the upstream accepts, and --known-hosts, a file "
			  "with its host key (ssh-keyscan HOST writes one; "
			  "compare it with what the upstream publishes)");
		return 0;
	}
	if (!t->ssh && (w->identity_file || w->known_hosts)) {
		log_error("--identity-file and --known-hosts are for ssh:// "
			  "upstreams");
		return 0;
	}
	if (!t->web && w->token_file) {
		log_error("--token-file is for https:// upstreams");
		return 0;
	}
	return 1;
}

static int write_upstream(struct buf *out, const struct up_wish *w,
			  const struct target *t)
{
	buf_adds(out, "[upstream \"upstream\"]\n");
	add_value(out, "url", t->base.data);
	add_value(out, "suffix", t->suffix);
	if (add_file(out, "identity-file", "identityFile", w->identity_file) ||
	    add_file(out, "known-hosts", "knownHosts", w->known_hosts) ||
	    add_file(out, "token-file", "tokenFile", w->token_file))
		return -1;
	return 0;
}

static void write_gate(struct buf *out, const char *state, const char *libexec)
{
	buf_adds(out, "# written by git gate up; the next run writes it anew\n"
		      "[gate]\n");
	add_value(out, "state", state);
	add_value(out, "libexec", libexec);
	buf_adds(out, "\thooks = \"");
	add_quoted(out, libexec);
	buf_adds(out, "/hooks\"\n[scan]\n\texceptions = \"");
	add_quoted(out, state);
	buf_adds(out, "/exceptions\"\n");
}

static void write_access(struct buf *out, const char *repo, const char *ref)
{
	buf_addf(out,
		 "[repo \"%s\"]\n\tupstream = upstream\n\tfresh = strict\n"
		 "[access]\n\tallow = fetch * %s\n", repo, repo);
	if (!ref)
		return;
	buf_addf(out, "\tallow = \"create,update * %s ", repo);
	add_quoted(out, ref);
	buf_adds(out, "\"\n");
}

int up_conf_write(const struct up_wish *w, const char *state,
		  const char *libexec, const char *path)
{
	struct target t = { 0 };
	struct buf out = BUF_INIT;
	int ret = -1;

	if (!plain_word("upstream", w->upstream) ||
	    (w->allow_push && !ref_glob(w->allow_push)))
		goto out;
	if (split_url(w->upstream, &t) || !fits_scheme(w, &t))
		goto out;
	write_gate(&out, state, libexec);
	if (write_upstream(&out, w, &t))
		goto out;
	write_access(&out, t.repo, w->allow_push);
	ret = up_files_write(path, &out);
out:
	buf_clear(&t.base);
	buf_clear(&out);
	return ret;
}
