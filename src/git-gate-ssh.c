/*
 * What git runs for ssh: takes git's own arguments (connect.c, variant
 * "ssh"), and the upstream's name and configuration by GIT_GATE_UPSTREAM and
 * GIT_GATE_CONFIG; runs its command over a shared connection, which it makes
 * when there is none, or executes ssh for this command alone. Never reads a
 * user's or system's ssh configuration, never connects to another host.
 */
#include "git-gate-ssh-internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"
#include "share.h"

/* ssh's own status for its failures (ssh(1), EXIT STATUS). */
#define SSH_FAILED 255
/* A connection is made: ConnectTimeout is for the first half of it. */
#define MASTER_MS 25000
/* Agents that may end one after the other while a connection is made. */
#define AGENTS 3

/* Returns 0, or -1: not a form that git gives. */
static int read_args(int argc, char **argv, struct asked *out)
{
	int i = 1;

	memset(out, 0, sizeof(*out));
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-o") && i + 1 < argc &&
		    !strcmp(argv[i + 1], "SendEnv=GIT_PROTOCOL"))
			out->protocol = 1, i++;
		else if (!strcmp(argv[i], "-p") && i + 1 < argc)
			out->port = argv[++i];
		else if (!strcmp(argv[i], "-4") || !strcmp(argv[i], "-6"))
			out->family = argv[i];
		else
			return -1;
	}
	if (argc - i != 2)
		return -1;
	out->dest = argv[i];
	out->command = argv[i + 1];
	if (strncmp(out->command, "git-upload-pack '", 17) != 0 &&
	    strncmp(out->command, "git-receive-pack '", 18) != 0)
		return -1;
	for (const char *p = out->command; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return -1;
	return 0;
}

/* The destination and port must be the upstream's own. */
static int check_dest(const struct asked *asked, const struct gitenv_url *url)
{
	char dest[sizeof(url->user) + sizeof(url->host) + 1];

	snprintf(dest, sizeof(dest), "%s%s%s", url->user,
		 *url->user ? "@" : "", url->host);
	if (strcmp(asked->dest, dest) != 0 ||
	    strcmp(asked->port ? asked->port : "22", url->port) != 0) {
		log_error("asked to connect to %s, which is not the upstream's "
			  "address",
			  asked->dest);
		return -1;
	}
	return 0;
}

/* The one variable that git wants sent ("version=2"), or NULL. */
static const char *protocol_of(const struct asked *asked)
{
	const char *protocol = getenv("GIT_PROTOCOL");

	if (asked->protocol && protocol && strlen(protocol) < 256 &&
	    protocol[strspn(protocol, "abcdefghijklmnopqrstuvwxyz"
				      "0123456789=:-.")] == '\0')
		return protocol;
	return NULL;
}

/* Run ssh as a child; its status, or -1 when it has not ended in time. */
static int run_ssh(const struct args *args, const char *const *envp,
		   int master)
{
	struct child ssh = CHILD_INIT;
	int status = SSH_FAILED;

	ssh.argv = args->list;
	ssh.envp = envp;
	ssh.dir = "/";
	ssh.err = STDERR_FILENO;
	if (!master) {
		ssh.in = STDIN_FILENO;
		ssh.out = STDOUT_FILENO;
	}
	if (child_start(&ssh))
		return status;
	/* a session lasts as long as git, which has its bound, reads from it */
	do {
		status = child_wait(&ssh, MASTER_MS);
	} while (status < 0 && !master);
	child_stop(&ssh, 1000);
	return status;
}

/*
 * ssh, as a master when path is not NULL: it goes into the background then,
 * with no descriptor of ours, once it is connected. What it says when it cannot
 * is for git to read.
 */
static int start_ssh(const struct config *c, const struct config_upstream *u,
		     const struct asked *asked, const char *path)
{
	struct args args = { 0 };
	struct env e = ENV_INIT;
	int status = SSH_FAILED;

	if (!git_gate_ssh_args(&args, c, u, asked, path)) {
		git_gate_ssh_env(&e, c, path ? NULL : protocol_of(asked), path);
		status = run_ssh(&args, env_list(&e), path != NULL);
		if (status < 0)
			log_warn("%s: no connection in %d s: Connection timed "
				 "out", asked->dest, MASTER_MS / 1000);
		env_clear(&e);
	}
	git_gate_ssh_args_clear(&args);
	return status < 0 ? SSH_FAILED : status;
}

/*
 * The same with an agent, dialled first and watched: when it ends before it is
 * asked, ssh says that the upstream did not accept us, which is not so. A
 * master is then begun again, since nothing has been told to the upstream.
 */
static int start_by_agent(const struct config *c,
			  const struct config_upstream *u,
			  const struct asked *asked, const char *path)
{
	int fd, ended, status = SSH_FAILED;

	for (int try = 1;; try++) {
		fd = git_gate_ssh_dial(u);
		if (fd < 0)
			return SSH_FAILED;
		status = start_ssh(c, u, asked, path);
		ended = git_gate_ssh_agent_ended(fd);
		close(fd);
		if (status != SSH_FAILED || !ended)
			return status;
		if (!path || try == AGENTS)
			break;
		log_warn("%s: the SSH agent ended meanwhile; it is dialled "
			 "again", u->agent_socket);
	}
	/* fault.c knows this line */
	log_warn("%s: the SSH agent ended while a connection was made",
		 u->agent_socket);
	return status;
}

/* A connection of its own. Without an agent we become ssh. */
static int alone(const struct config *c, const struct config_upstream *u,
		 const struct asked *asked)
{
	struct args args = { 0 };
	struct env e = ENV_INIT;

	if (u->agent_socket)
		return start_by_agent(c, u, asked, NULL);
	if (!git_gate_ssh_args(&args, c, u, asked, NULL)) {
		git_gate_ssh_env(&e, c, protocol_of(asked), NULL);
		/* ignored, it would stay so in ssh */
		signal(SIGPIPE, SIG_DFL);
		execve(c->ssh, (char *const *)args.list,
		       (char *const *)env_list(&e));
		log_error("%s: cannot execute: %s", c->ssh, strerror(errno));
		env_clear(&e);
	}
	git_gate_ssh_args_clear(&args);
	return SSH_FAILED;
}

static int start_master(const struct config *c,
			const struct config_upstream *u,
			const struct asked *asked, const char *path)
{
	return u->agent_socket ? start_by_agent(c, u, asked, path)
			       : start_ssh(c, u, asked, path);
}

/* Find a master, or start one. Returns 1; 0: there is none to share; -1: no
   connection can be made, and a second attempt would meet the same. */
static int find_master(struct share *s, const struct config *c,
		       const struct config_upstream *u,
		       const struct asked *asked)
{
	int status = 0;

	if (share_take(s))
		return 1;
	if (share_begin(s)) {
		status = start_master(c, u, asked, s->path);
		share_begun(s);
	}
	return status ? -1 : share_take(s);
}

/*
 * Over a connection that is shared, made now if need be. Returns the command's
 * status, or -1: not this way, and the upstream has been told nothing.
 */
static int together(struct share *s, const struct config *c,
		    const struct config_upstream *u, const struct asked *asked)
{
	int status, rc;

	for (int try = 1; try <= 2; try++) {
		rc = find_master(s, c, u, asked);
		if (rc <= 0)
			return rc < 0 ? SSH_FAILED : -1;
		switch (share_run(s, asked->command, protocol_of(asked),
				  &status)) {
		case SHARE_DONE:
			return status;
		case SHARE_REFUSED:
			return -1;
		case SHARE_STUCK:
			log_warn("%s: the shared connection is stuck: "
				 "Connection timed out", asked->dest);
			return SSH_FAILED;
		case SHARE_LOST:
			/* it is gone, so a new one is found now */
			break;
		}
	}
	return -1;
}

static int connect_to(const struct config *c, const struct config_upstream *u,
		      const struct asked *asked)
{
	struct share s = SHARE_INIT;
	int status = -1;

	signal(SIGPIPE, SIG_IGN);
	/* the name is one for both families, so what git asks for is kept */
	if (!asked->family && !share_open(&s, c, u))
		status = together(&s, c, u, asked);
	share_close(&s);
	return status >= 0 ? status : alone(c, u, asked);
}

int main(int argc, char **argv)
{
	const char *file = getenv("GIT_GATE_CONFIG");
	const char *name = getenv("GIT_GATE_UPSTREAM");
	const struct config_upstream *u;
	struct gitenv_url url;
	struct asked asked;
	struct config *c;
	int status = SSH_FAILED;

	log_init("git-gate-ssh", LOG_PLAIN);
	if (!file || !name || read_args(argc, argv, &asked)) {
		log_error("to be run by git for git-gate; nothing for people");
		return SSH_FAILED;
	}
	c = config_load(file);
	if (!c)
		return SSH_FAILED;
	u = config_upstream(c, name);
	if (!u || gitenv_url(u->url, &url) || strcmp(url.scheme, "ssh") != 0)
		log_error("%s: no ssh upstream \"%s\"", file, name);
	else if (!check_dest(&asked, &url))
		status = connect_to(c, u, &asked);
	config_free(c);
	return status;
}
