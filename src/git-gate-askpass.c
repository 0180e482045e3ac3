/*
 * What git asks for an upstream's user name and token: takes git's prompt
 * (credential.c of git), and the upstream's name and configuration by
 * GIT_GATE_UPSTREAM and GIT_GATE_CONFIG; prints one line for git to read.
 * Never answers for another server, never logs a token, and never answers a
 * question of another kind.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"
#include "mem.h"

/* Bounds for tokenFile and tokenCommand. */
#define TOKEN_MAX 65536
#define COMMAND_MS 30000

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

/* tokenCommand's output into out; what it says goes to our stderr. */
static int run_command(const char *command, struct buf *out)
{
	const char *const argv[] = { command, NULL };
	struct child child = CHILD_INIT;
	struct buf words = BUF_INIT;
	struct env e = ENV_INIT;
	int status;

	env_set(&e, "PATH", "/usr/bin:/bin");
	env_set(&e, "LC_ALL", "C");
	child.argv = argv;
	child.envp = env_list(&e);
	child.dir = "/";
	status = child_run(&child, NULL, TOKEN_MAX, COMMAND_MS, out, &words);
	if (status == CHILD_TIMEOUT)
		log_error("%s: no token within %d s", command,
			  COMMAND_MS / 1000);
	else if (status == CHILD_TOO_LONG)
		log_error("%s: a token of more than %d bytes", command,
			  TOKEN_MAX);
	else if (status > 0)
		/* Its words are not ours to repeat: they may hold the token. */
		log_error("%s: ended with status %d", command, status);
	if (words.data)
		mem_wipe(words.data, words.alloc);
	buf_clear(&words);
	env_clear(&e);
	return status == 0 ? 0 : -1;
}

/* The first line, without its end, and more than nothing. */
static int first_line(struct buf *b, const char *from)
{
	size_t n = b->data ? strcspn(b->data, "\r\n") : 0;

	if (!n || (n < b->len && b->data[n] == '\0')) {
		log_error("%s: no token in its first line", from);
		return -1;
	}
	mem_wipe(b->data + n, b->len - n);
	b->len = n;
	return 0;
}

static int get_token(const struct config_upstream *u, struct buf *out)
{
	/* Room for all at once: growing would leave copies behind. */
	buf_room(out, TOKEN_MAX + 32768);
	if (u->token_command) {
		if (run_command(u->token_command, out))
			return -1;
		return first_line(out, u->token_command);
	}
	if (!u->token_file)
		return -1; /* git says that it could not read a password */
	if (buf_read_file(out, u->token_file, TOKEN_MAX)) {
		log_error("%s: cannot be read: %s", u->token_file,
			  strerror(errno));
		return -1;
	}
	return first_line(out, u->token_file);
}

/* One write of one line. */
static int print_line(struct buf *line)
{
	ssize_t n;

	buf_addc(line, '\n');
	n = write(STDOUT_FILENO, line->data, line->len);
	return n == (ssize_t)line->len ? 0 : -1;
}

static int answer(const struct config_upstream *u, enum question question)
{
	struct buf out = BUF_INIT;
	int rc = -1;

	switch (question) {
	case UNKNOWN:
		break;
	case USERNAME:
		buf_adds(&out, u->username ? u->username : "git");
		rc = print_line(&out);
		break;
	case PASSWORD:
		rc = get_token(u, &out) || print_line(&out) ? -1 : 0;
		break;
	}
	if (out.data)
		mem_wipe(out.data, out.alloc);
	buf_clear(&out);
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
		rc = answer(u, read_prompt(argv[1], &url));
	config_free(c);
	return rc ? 1 : 0;
}
