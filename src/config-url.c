/*
 * [upstream] sections: their URLs, and the keys that belong together. Takes
 * values that were read, logs what is wrong with them. Never prints a URL that
 * may have a password in it, and never connects to anything.
 */
#include "config-internal.h"

#include <string.h>
#include <strings.h>

#include "mem.h"

static const struct {
	const char *name;
	enum scheme scheme;
} schemes[] = {
	{ "ssh", SCHEME_SSH }, { "https", SCHEME_HTTPS },
	{ "http", SCHEME_HTTP }, { "git", SCHEME_GIT },
	{ "file", SCHEME_FILE },
};
#define NR_SCHEMES (sizeof(schemes) / sizeof(*schemes))

unsigned config_scheme(const char *url, const char **rest)
{
	const char *end = strstr(url, "://");

	for (size_t i = 0; end && i < NR_SCHEMES; i++) {
		size_t n = strlen(schemes[i].name);
		if ((size_t)(end - url) == n &&
		    !strncmp(schemes[i].name, url, n)) {
			*rest = end + 3;
			return schemes[i].scheme;
		}
	}
	return 0;
}

const char *config_scheme_name(unsigned scheme)
{
	for (size_t i = 0; i < NR_SCHEMES; i++)
		if (schemes[i].scheme == scheme)
			return schemes[i].name;
	return "?";
}

int config_scheme_is(const struct config_upstream *u, const char *scheme)
{
	const char *rest;
	unsigned s = u->url ? config_scheme(u->url, &rest) : 0;

	return s && !strcmp(config_scheme_name(s), scheme);
}

/* The parts of "USER@HOST:PORT/..."; user and port may be missing. */
struct authority {
	const char *user;
	size_t user_len;
	const char *host;
	size_t host_len;
	const char *port;
	size_t port_len;
};

static void split_authority(const char *s, struct authority *a)
{
	size_t len = strcspn(s, "/");
	const char *end = s + len;
	/* RFC 3986: the last '@' ends the user's part. */
	const char *at = memrchr(s, '@', len);
	const char *colon;

	*a = (struct authority){ 0 };
	if (at) {
		a->user = s;
		a->user_len = (size_t)(at - s);
		s = at + 1;
	}
	colon = memrchr(s, ':', (size_t)(end - s));
	/* In "[::1]" the colons are the host's own. */
	if (colon && memchr(colon, ']', (size_t)(end - colon)))
		colon = NULL;
	a->host = s;
	a->host_len = (size_t)((colon ? colon : end) - s);
	if (colon) {
		a->port = colon + 1;
		a->port_len = (size_t)(end - colon - 1);
	}
}

/* All n bytes are letters, digits or in extra, and the first is not '-'. */
static int plain(const char *s, size_t n, const char *extra)
{
	/* ssh would take a leading '-' for an option. */
	if (!n || *s == '-')
		return 0;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || (c && strchr(extra, c)))
			continue;
		return 0;
	}
	return 1;
}

static int host_ok(const struct authority *a)
{
	if (a->host_len > 2 && a->host[0] == '[')
		return a->host[a->host_len - 1] == ']' &&
		       plain(a->host + 1, a->host_len - 2, ":.");
	return plain(a->host, a->host_len, ".-_");
}

static int port_ok(const struct authority *a)
{
	unsigned n = 0;

	if (!a->port)
		return 1;
	if (!a->port_len || a->port_len > 5)
		return 0;
	for (size_t i = 0; i < a->port_len; i++) {
		if (a->port[i] < '0' || a->port[i] > '9')
			return 0;
		n = n * 10 + (unsigned)(a->port[i] - '0');
	}
	return n >= 1 && n <= 65535;
}

/* What is wrong with "//AUTHORITY/PATH", or NULL. */
static const char *judge_authority(unsigned scheme, const struct authority *a)
{
	if (a->user && memchr(a->user, ':', a->user_len))
		return "has a password in it; take it out and use tokenFile, "
		       "or for ssh identityFile";
	if (a->user && scheme != SCHEME_SSH)
		return "has a user's name in it, which only ssh:// URLs can "
		       "have; take it out and use username";
	if (a->user && !plain(a->user, a->user_len, "._-"))
		return "has a user's name that is empty or has characters "
		       "other than letters, digits and . _ -";
	if (!host_ok(a))
		return "has no host, or one with characters other than "
		       "letters, digits and . _ -";
	if (!port_ok(a))
		return "has a port that is not a number from 1 to 65535";
	return NULL;
}

/* A URL of no scheme that we know: guess what was meant. */
static const char *judge_unknown(const char *url)
{
	const char *colon = strchr(url, ':');

	if (*url == '/')
		return "is a path; write file://PATH";
	if (!strstr(url, "://") && colon && colon[1] != ':')
		return "is in scp's form HOST:PATH; write ssh://HOST/PATH";
	return "has an unknown scheme; known are ssh:// https:// http:// "
	       "git:// and file://";
}

/* '?' and '#' would cut off the name that is appended. */
static int has_odd_bytes(const char *url)
{
	for (; *url; url++)
		if (strchr(" ?#\\", *url) || (unsigned char)*url >= 0x7f)
			return 1;
	return 0;
}

int config_url(struct load *l, const char *url, int line)
{
	const char *rest, *what = NULL;
	struct authority a;
	unsigned scheme = config_scheme(url, &rest);

	if (!scheme) {
		what = judge_unknown(url);
	} else if (scheme == SCHEME_FILE) {
		if (*rest != '/')
			what = "must name an absolute path: file:///PATH";
	} else {
		split_authority(rest, &a);
		what = judge_authority(scheme, &a);
	}
	if (!what && has_odd_bytes(url))
		what = "has a space, '?', '#', '\\' or a byte outside ASCII in "
		       "it; an upstream's url is a plain prefix of its "
		       "repositories' URLs";
	if (!what)
		return 0;
	/* The value is not shown: a password may be anywhere in it. */
	config_error(l, line, "url %s", what);
	return -1;
}

int config_url_is_local(const char *url)
{
	static const char *const names[] = { "localhost", "[::1]" };
	const char *rest;
	struct authority a;

	if (!config_scheme(url, &rest))
		return 0;
	split_authority(rest, &a);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == a.host_len &&
		    !strncmp(names[i], a.host, a.host_len))
			return 1;
	/* 127.0.0.0/8, but not the name 127.example.org. */
	if (a.host_len < 4 || strncmp(a.host, "127.", 4))
		return 0;
	for (size_t i = 4; i < a.host_len; i++)
		if (a.host[i] != '.' && (a.host[i] < '0' || a.host[i] > '9'))
			return 0;
	return 1;
}

int config_url_is_at(const char *url, const char *host)
{
	size_t len = strlen(host);
	const char *rest, *tail;
	struct authority a;

	if (!config_scheme(url, &rest))
		return 0;
	split_authority(rest, &a);
	if (a.host_len < len)
		return 0;
	tail = a.host + a.host_len - len;
	return !strncasecmp(tail, host, len) &&
	       (tail == a.host || tail[-1] == '.');
}

static void check_ssh(struct load *l, const struct config_upstream *u)
{
	if (!u->known_hosts && !config_seen(l, "knownHosts"))
		config_error(l, l->section_line, "[upstream \"%s\"] over ssh "
			     "has no knownHosts; name a file with the host's "
			     "key, as ssh-keyscan writes it once you have "
			     "compared the key", u->name);
	if (!config_seen(l, "identityFile") && !config_seen(l, "agentSocket"))
		config_error(l, l->section_line, "[upstream \"%s\"] over ssh "
			     "has neither identityFile nor agentSocket; add "
			     "one", u->name);
}

static void check_web(struct load *l, const struct config_upstream *u,
		      unsigned scheme)
{
	int file = config_seen(l, "tokenFile");
	int command = config_seen(l, "tokenCommand");
	int cert = config_seen(l, "clientCert");
	int key = config_seen(l, "clientKey");

	if (file && command)
		config_error(l, command, "tokenFile and tokenCommand are both "
			     "given; keep one");
	if (scheme == SCHEME_HTTP && (file || command) &&
	    !config_url_is_local(u->url))
		config_error(l, file ? file : command, "a token would cross "
			     "the network in clear text over http://; use "
			     "https:// in url");
	if (cert && !key)
		config_error(l, cert, "clientCert without clientKey; add the "
			     "certificate's private key");
	if (key && !cert)
		config_error(l, key, "clientKey without clientCert; add the "
			     "key's certificate");
	if (config_seen(l, "username") && !file && !command)
		config_error(l, config_seen(l, "username"), "username without "
			     "tokenFile or tokenCommand; add one of them");
}

/* A key that the scheme has no use for is a mistake somewhere. */
static void check_applies(struct load *l, unsigned scheme)
{
	for (size_t i = 0; i < config_nr_keys; i++) {
		const struct key *k = &config_keys[i];
		if (k->section == SECTION_UPSTREAM && l->seen[i] &&
		    k->schemes && !(k->schemes & scheme))
			config_error(l, l->seen[i], "%s has no meaning for an "
				     "upstream over %s://; remove it, or "
				     "correct url", k->name,
				     config_scheme_name(scheme));
	}
}

void config_end_upstream(struct load *l, struct config_upstream *u)
{
	const char *rest;
	unsigned scheme;

	memcpy(u->lines, l->seen, sizeof(u->lines));
	if (!u->suffix)
		u->suffix = mem_strdup(".git");
	/* the key that is none may be the one that is missing */
	if (!config_seen(l, "url") && !l->unknown)
		config_error(l, l->section_line, "[upstream \"%s\"] has no "
			     "url; add one, as in url = "
			     "ssh://git@host.example/", u->name);
	if (!u->url)
		return;
	scheme = config_scheme(u->url, &rest);
	check_applies(l, scheme);
	if (l->unknown)
		return;
	if (scheme == SCHEME_SSH)
		check_ssh(l, u);
	if (scheme & SCHEME_WEB)
		check_web(l, u, scheme);
}

void config_check_shared(struct load *l)
{
	const struct config *c = l->c;
	size_t room = CONFIG_SOCKET_MAX - strlen(CONFIG_SHARE_DIR "/") -
		      CONFIG_SHARE_NAME_MAX;

	if (strlen(c->state) <= room)
		return;
	for (size_t i = 0; i < c->nr_upstreams; i++) {
		const struct config_upstream *u = &c->upstreams[i];

		if (!config_scheme_is(u, "ssh") || !u->persist_ms)
			continue;
		config_error(l, config_state_line(l), "state = %s: %zu bytes "
			     "long; sockets of shared ssh connections are made "
			     "in it, which allows at most %zu: choose a shorter "
			     "path, or set controlPersist = 0 in "
			     "[upstream \"%s\"]", c->state, strlen(c->state),
			     room, u->name);
		return;
	}
}
