/*
 * git-gate check: the configuration, what it names on disk, and the rules for
 * secrets. Shows every error, not the first only; starts nothing, and asks
 * nothing but the agents for the list of their keys.
 */
#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "buf.h"
#include "config.h"
#include "exceptions.h"
#include "ignore.h"
#include "lex.h"
#include "log.h"
#include "scan.h"

/* As `git config --list` prints it: to compare how the two read a file. */
static void print_event(void *arg, const struct lex_event *e)
{
	FILE *to = arg;

	if (!e->key)
		return;
	fprintf(to, "%s.", e->section);
	if (e->subsection)
		fprintf(to, "%s.", e->subsection);
	fprintf(to, "%s", e->key);
	if (e->value)
		fprintf(to, "=%s", e->value);
	fputc('\n', to);
}

static int list(const char *file)
{
	struct buf text = BUF_INIT;
	int bad = buf_read_file(&text, file, 1 << 22);

	if (bad)
		log_error("%s:1: cannot be read: %s", file, strerror(errno));
	else
		bad = lex_config(file, text.data ? text.data : "", text.len,
				 print_event, stdout);
	buf_clear(&text);
	return bad ? CMD_REFUSED : CMD_OK;
}

static const char *agent_wrong(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "nobody listens there; start the agent";
	case EACCES:
		return "no permission to connect; it must be the agent of the "
		       "gate's user, in a directory that this one can reach";
	case ENOKEY:
		return "the agent there holds no key; give it one with ssh-add";
	default:
		return "the agent there does not answer";
	}
}

/* Once each. One that is not there has had its warning. */
static void check_agents(const struct config *c)
{
	for (size_t i = 0; i < c->nr_upstreams; i++) {
		const struct config_upstream *u = &c->upstreams[i];
		int fd;

		if (!u->agent_socket)
			continue;
		fd = agent_dial(u->agent_socket, !u->identity_file);
		if (fd >= 0)
			close(fd);
		else if (errno != ENOENT && errno != ENOTSOCK)
			log_warn("%s:%d: agentSocket %s: %s (%s); fetches and "
				 "pushes fail until then", c->name,
				 config_upstream_line(u, "agentSocket"),
				 u->agent_socket, agent_wrong(errno),
				 strerror(errno));
	}
}

/* Findings that pass: every error in their file, and what has expired. */
static int check_exceptions(const struct config *c)
{
	struct exceptions *x = exceptions_load(c->exceptions);

	if (!x)
		return -1;
	exceptions_warn(x, time(NULL));
	exceptions_free(x);
	return 0;
}

/* Lines that ignore nothing are warned of. */
static int check_ignore(const struct config *c)
{
	struct ignore *g = ignore_load(c->ignore, 1);

	ignore_free(g);
	return g ? 0 : -1;
}

/* Permissions are not for root: what it may read is not what the gate may. */
static void warn_of_root(const struct config *c)
{
	struct stat st;

	if (geteuid() == 0 && !stat(c->state, &st) && st.st_uid != 0)
		log_warn("%s: checked as root, whom no permission stops; the "
			 "gate runs as the owner of %s (user id %u): check as "
			 "that user", c->name, c->state, (unsigned)st.st_uid);
}

static int check(const char *file)
{
	struct config *c = config_load(file);
	int bad_paths;
	size_t rules;

	if (!c)
		return CMD_REFUSED;
	bad_paths = config_check_paths(c, 0);
	if (!bad_paths)
		check_agents(c);
	if (c->exceptions && check_exceptions(c))
		bad_paths = -1;
	if (!bad_paths && c->ignore && check_ignore(c))
		bad_paths = -1;
	rules = scan_check(c->rules);
	warn_of_root(c);
	if (!bad_paths && rules)
		printf("%s: good: upstreams %zu, repo sections %zu, access "
		       "rules %zu, secret rules %zu\n", file,
		       c->nr_upstreams, c->nr_repos, c->nr_rules_access,
		       rules);
	config_free(c);
	return !bad_paths && rules ? CMD_OK : CMD_REFUSED;
}

int cmd_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "list", no_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = CONFIG_DEFAULT;
	int show = 0, bad = 0, o;

	opterr = 0;
	optind = 1;
	while ((o = getopt_long(argc, argv, "c:l", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			file = optarg;
			break;
		case 'l':
			show = 1;
			break;
		default:
			bad = 1;
		}
	}
	if (bad || optind != argc) {
		log_error("usage: git-gate check [-c FILE] [--list]");
		return CMD_USAGE;
	}
	return show ? list(file) : check(file);
}
