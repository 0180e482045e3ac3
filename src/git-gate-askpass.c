/*
 * What git asks for an upstream's user name and token: takes git's prompt
 * (credential.c of git), and the upstream's name and configuration by
 * GIT_GATE_UPSTREAM and GIT_GATE_CONFIG; prints one line for git to read.
 * Never answers for another server, never logs a token, and never answers a
 * question of another kind.
 */
#include "git-gate-askpass-internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "config.h"
#include "gitenv.h"
#include "log.h"

enum question { UNKNOWN = 0, USERNAME, PASSWORD };

/* Nobody may read our memory, nor find it in a core file. */
static void hide(void)
{
	struct rlimit none = { 0, 0 };

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}

/* SCHEME://HOST[:PORT] as git names the server in a prompt. */
static void server_name(const struct gitenv_url *url, struct buf *out)
{
	int v6 = strchr(url->host, ':') != NULL;

	buf_addf(out, "%s%s%s", v6 ? "[" : "", url->host, v6 ? "]" : "");
	if (url->port_given)
		buf_addf(out, ":%s", url->port);
}

/*
 * "Username for 'https://HOST': " or "Password for 'https://USER@HOST': ",
 * and nothing else. The user is git's, percent-encoded, and has no '/'.
 */
static enum question read_prompt(const char *prompt,
				 const struct gitenv_url *url)
{
	static const struct {
		const char *opening;
		enum question question;
	} kinds[] = {
		{ "Username for '", USERNAME },
		{ "Password for '", PASSWORD },
	};
	struct buf server = BUF_INIT;
	enum question found = UNKNOWN;

	server_name(url, &server);
	buf_adds(&server, "': ");
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(kinds[i].opening);
		size_t scheme = strlen(url->scheme);
		const char *p = prompt + n, *at;

		if (strncmp(prompt, kinds[i].opening, n) != 0 ||
		    strncmp(p, url->scheme, scheme) != 0 ||
		    strncmp(p + scheme, "://", 3) != 0)
			continue;
		p += scheme + 3;
		at = strchr(p, '@');
		if (at && !memchr(p, '/', (size_t)(at - p)))
			p = at + 1;
		if (!strcmp(p, server.data))
			found = kinds[i].question;
	}
	buf_clear(&server);
	return found;
}

/* One write of one line. */
static int print_line(struct buf *line)
{
	ssize_t n;

	buf_addc(line, '\n');
	n = write(STDOUT_FILENO, line->data, line->len);
	return n == (ssize_t)line->len ? 0 : -1;
}

static int answer(const struct config *c, const struct config_upstream *u,
		  enum question question)
{
	struct buf out = BUF_INIT;
	int rc = -1;

	switch (question) {
	case UNKNOWN:
		/* a redirection leads there; the question is git's own words,
		   and has no token */
		log_warn("upstream \"%s\": a question of another kind or for "
			 "another server is not answered", u->name);
		break;
	case USERNAME:
		buf_adds(&out, u->username ? u->username : "git");
		rc = print_line(&out);
		break;
	case PASSWORD:
		rc = askpass_token(c, u, &out) || print_line(&out) ? -1 : 0;
		break;
	}
	askpass_wipe(&out);
	return rc;
}

int main(int argc, char **argv)
{
	const char *file = getenv("GIT_GATE_CONFIG");
	const char *name = getenv("GIT_GATE_UPSTREAM");
	const struct config_upstream *u;
	struct gitenv_url url;
	struct config *c;
	int rc = -1;

	hide();
	child_init();
	log_init("git-gate-askpass", LOG_PLAIN);
	if (argc != 2 || !file || !name) {
		log_error("to be run by git for git-gate; nothing for people");
		return 1;
	}
	c = config_load(file);
	if (!c)
		return 1;
	u = config_upstream(c, name);
	if (!u || gitenv_url(u->url, &url))
		log_error("%s: no upstream \"%s\"", file, name);
	else
		rc = answer(c, u, read_prompt(argv[1], &url));
	config_free(c);
	return rc ? 1 : 0;
}
