/*
 * The environment of every git that we start, from nothing: gives variables
 * and settings that keep git away from the user's and the system's own
 * configuration, and, for an upstream, tie it to one URL, one credential and
 * our two helpers. Pure: reads no variable, no file, and keeps no secret.
 */
#include "gitenv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "config.h"
#include "env.h"

/* Schemes an upstream may have, and their ports where the URL names none. */
static const struct {
	const char *scheme, *port;
} schemes[] = {
	{ "ssh", "22" },   { "https", "443" }, { "http", "80" },
	{ "git", "9418" }, { "file", "0" },
};

/* What shares are of when [backend] memory is 0: its default. */
#define MEMORY_USUAL ((uint64_t)4 << 30)
/* With less to each, a further thread finds worse deltas, not the same
   sooner. */
#define THREAD_MEMORY ((uint64_t)256 << 20)
#define THREADS_MAX 64
/* What git takes where addresses are scarce, on 32-bit machines. */
#define WINDOW_MAX ((uint64_t)32 << 20)
/* As a client of an upstream: at most; and where cores are not known, in the
   hook, whose push packs what has just come, packed already. */
#define CLIENT_THREADS_MAX 8
#define CLIENT_THREADS 2

/* Bytes of a host or user that need no quoting anywhere we put them. */
static const char host_bytes[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

/* Copy n bytes; an empty or too long part, or a strange byte: -1. */
static int copy_part(char *out, size_t size, const char *s, size_t n,
		     const char *extra)
{
	if (!n || n >= size || *s == '-')
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!s[i] || (!strchr(host_bytes, s[i]) &&
			      !strchr(extra, s[i])))
			return -1;
	memcpy(out, s, n);
	out[n] = '\0';
	return 0;
}

static int copy_port(struct gitenv_url *out, const char *s, size_t n)
{
	unsigned port = 0;

	if (!n || n >= sizeof(out->port) || strspn(s, "0123456789") < n)
		return -1;
	memcpy(out->port, s, n);
	out->port[n] = '\0';
	out->port_given = 1;
	for (size_t i = 0; i < n; i++)
		port = port * 10 + (unsigned)(s[i] - '0');
	return port >= 1 && port <= 65535 ? 0 : -1;
}

/* [USER@]HOST[:PORT] or [USER@]'['IPV6']'[:PORT], of n bytes. */
static int split_authority(const char *s, size_t n, struct gitenv_url *out)
{
	const char *at = memchr(s, '@', n), *end = s + n, *colon;

	if (at) {
		if (copy_part(out->user, sizeof(out->user), s,
			      (size_t)(at - s), "+~="))
			return -1;
		s = at + 1;
	}
	if (s < end && *s == '[') {
		const char *close = memchr(s, ']', (size_t)(end - s));

		if (!close || copy_part(out->host, sizeof(out->host), s + 1,
					(size_t)(close - s - 1), ":"))
			return -1;
		if (close + 1 == end)
			return 0;
		if (close[1] != ':')
			return -1;
		return copy_port(out, close + 2, (size_t)(end - close - 2));
	}
	colon = memchr(s, ':', (size_t)(end - s));
	if (copy_part(out->host, sizeof(out->host), s,
		      (size_t)((colon ? colon : end) - s), ""))
		return -1;
	return colon ? copy_port(out, colon + 1, (size_t)(end - colon - 1)) : 0;
}

int gitenv_url(const char *url, struct gitenv_url *out)
{
	const char *rest = strstr(url, "://");
	size_t len = rest ? (size_t)(rest - url) : 0;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (len == strlen(schemes[i].scheme) &&
		    !strncmp(url, schemes[i].scheme, len)) {
			snprintf(out->scheme, sizeof(out->scheme), "%s",
				 schemes[i].scheme);
			snprintf(out->port, sizeof(out->port), "%s",
				 schemes[i].port);
		}
	if (!*out->scheme)
		return -1;
	rest += 3;
	out->path = strchr(rest, '/');
	if (!out->path)
		return -1;
	/* file://HOST/ would be a path on Windows only. */
	if (!strcmp(out->scheme, "file"))
		return out->path == rest ? 0 : -1;
	return split_authority(rest, (size_t)(out->path - rest), out);
}

void gitenv_base(struct env *e, const struct config *c)
{
	env_set(e, GITENV_MARK, c->state);
	env_set(e, "PATH", "/usr/bin:/bin");
	/* libcurl, git and ssh fall back on the account's home without it. */
	env_set(e, "HOME", "/nonexistent");
	env_set(e, "LC_ALL", "C"); /* fault.c reads git's words */
	env_set(e, "GIT_CONFIG_NOSYSTEM", "1");
	env_set(e, "GIT_CONFIG_GLOBAL", "/dev/null");
	env_set(e, "GIT_ATTR_NOSYSTEM", "1");
	env_set(e, "GIT_TERMINAL_PROMPT", "0");
	env_set(e, "GIT_OPTIONAL_LOCKS", "0");
	/* What is served is named by the operator, whoever owns its files. */
	env_config(e, "safe.directory", "*");
	env_config(e, "gc.auto", "0");
	env_config(e, "maintenance.auto", "false");
	env_config(e, "receive.autogc", "false");
	env_config(e, "advice.detachedHead", "false");
	/* a refresh and a push may meet: a lock is waited for, milliseconds */
	env_config(e, "core.filesRefLockTimeout", "10000");
	env_config(e, "core.packedRefsTimeout", "10000");
}

void gitenv_nothing(const struct config *c, struct buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._+-";
	size_t n = strlen(c->libexec);

	if (strspn(c->libexec, plain) == n)
		buf_addf(out, "%s/git-gate-nothing", c->libexec);
	else
		buf_adds(out, "/bin/true");
}

/* A number of bytes, at most the default that git-config(1) names. */
static void set_bytes(struct env *e, const char *key, uint64_t n,
		      uint64_t git_default)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64,
		 n < git_default ? n : git_default);
	env_config(e, key, text);
}

/*
 * Shares of [backend] memory. git's own defaults are for one git on a machine:
 * each thread takes what it likes. At the worst all of these are 11/16 of it;
 * lists of objects, which nothing bounds, have the rest. Maps of packs are not
 * counted there, but what many sessions map pushes other files out of memory.
 */
void gitenv_pack(struct env *e, const struct config *c, unsigned threads)
{
	uint64_t all = c->memory > 0 ? c->memory : MEMORY_USUAL;
	unsigned most = (unsigned)(all / THREAD_MEMORY > THREADS_MAX
					   ? THREADS_MAX
					   : all / THREAD_MEMORY);
	char text[12];

	/* the operator's number counts whatever there is */
	if (c->threads > 0)
		threads = c->threads;
	else if (threads > most)
		threads = most;
	if (threads < 1)
		threads = 1;
	snprintf(text, sizeof(text), "%u", threads);
	env_config(e, "pack.threads", text);
	/* mapped at a time, of packs that may be far larger */
	set_bytes(e, "core.packedGitLimit", all / 8, UINT64_MAX);
	set_bytes(e, "core.packedGitWindowSize", all / 64, WINDOW_MAX);
	/* 1/4 for objects that are compared, and 5/16 for the largest two of
	   each thread with their index, which no window keeps out */
	set_bytes(e, "pack.windowMemory", all / 4 / threads, UINT64_MAX);
	set_bytes(e, "core.bigFileThreshold", all / 8 / threads,
		  (uint64_t)512 << 20);
	set_bytes(e, "pack.deltaCacheSize", all / 16, (uint64_t)256 << 20);
	/* index-pack takes it once for each thread */
	set_bytes(e, "core.deltaBaseCacheLimit", all / 16 / threads,
		  (uint64_t)96 << 20);
}

/* What only http and https know. "" turns a setting off for git. */
static void set_http(struct env *e, const struct config_upstream *u)
{
	/* "initial": of the first request alone, and never with a token, which
	   git-gate-askpass has for one server */
	env_config(e, "http.followRedirects",
		   u->follow_redirects ? "initial" : "false");
	env_config(e, "http.sslVerify", "true");
	env_config(e, "http.proxy", u->proxy ? u->proxy : "");
	if (u->ca_file)
		env_config(e, "http.sslCAInfo", u->ca_file);
	if (u->client_cert)
		env_config(e, "http.sslCert", u->client_cert);
	if (u->client_key)
		env_config(e, "http.sslKey", u->client_key);
	/* Less than one byte a second for two minutes: it is gone. */
	env_config(e, "http.lowSpeedLimit", "1");
	env_config(e, "http.lowSpeedTime", "120");
	env_config(e, "credential.username", u->username ? u->username : "git");
}

void gitenv_new_token(struct env *e)
{
	env_set(e, "GIT_GATE_NEW_TOKEN", "yes");
}

void gitenv_upstream(struct env *e, const struct config *c,
		     const struct config_upstream *u)
{
	struct gitenv_url url;

	/* A URL that we cannot read gets no protocol at all. */
	env_set(e, "GIT_ALLOW_PROTOCOL",
		gitenv_url(u->url, &url) ? "none" : url.scheme);
	env_setf(e, "GIT_ASKPASS", "%s/git-gate-askpass", c->libexec);
	env_setf(e, "GIT_SSH", "%s/git-gate-ssh", c->libexec);
	env_set(e, "GIT_SSH_VARIANT", "ssh");
	env_set(e, "SSH_ASKPASS_REQUIRE", "never");
	env_set(e, "GIT_GATE_CONFIG", c->file);
	env_set(e, "GIT_GATE_CONFIG_NAME", c->name); /* for messages */
	env_set(e, "GIT_GATE_UPSTREAM", u->name);
	/* An empty helper forgets all that were named before it. */
	env_config(e, "credential.helper", "");
	env_config(e, "core.hooksPath", "/dev/null");
	env_config(e, "fetch.writeCommitGraph", "false");
	env_config(e, "push.gpgSign", "false");
	env_config(e, "push.followTags", "false");
	env_config(e, "push.useForceIfIncludes", "false");
	/* the hook's push is under its backend's limits */
	gitenv_pack(e, c, !c->cores ? CLIENT_THREADS :
			  c->cores < CLIENT_THREADS_MAX ? c->cores :
			  CLIENT_THREADS_MAX);
	set_http(e, u);
}
