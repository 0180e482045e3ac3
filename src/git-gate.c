/*
 * The operator's command: a table of subcommands. git finds it as `git gate`
 * too. Takes the command line, exits with what the subcommand returns.
 */
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "cmd.h"
#include "log.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args; /* NULL: it prints its own usage for --help */
	const char *summary;
	const char *options; /* a line each, or NULL */
} commands[] = {
	{ "up", cmd_up, NULL,
	  "run the gate and a web server in the foreground", NULL },
	{ "check", cmd_check, "[-c FILE] [--list]",
	  "check the configuration and the rules, show every error", NULL },
	{ "explain", cmd_explain, "[-c FILE] WHO OP REPO [REF [OLD NEW]]",
	  "say which rule allows or denies something", NULL },
	{ "scan", cmd_scan, NULL,
	  "look for secrets in a repository, a range, files or stdin", NULL },
	{ "rules", cmd_rules, NULL,
	  "list the rules for secrets, or test them by their examples", NULL },
	{ "allow", cmd_allow, "[-c FILE] FINGERPRINT --reason TEXT [OPTION ...]",
	  "let a finding pass that a push was refused for",
	  "  -c, --config FILE  the gate's configuration\n"
	  "  FINGERPRINT        40 digits, from a report or the log\n"
	  "  --reason TEXT      why it may pass\n"
	  "  --expires TIME     until when: 30d, 12h, 8w from now, or 2027-01-31\n"
	  "  --repo GLOB        in these repositories alone, as clients name them\n" },
	{ "exceptions", cmd_exceptions, "[-c FILE]",
	  "list the findings that pass, and until when",
	  "  -c, --config FILE  the gate's configuration\n" },
	{ "deliver", cmd_deliver, "[-c FILE] [--list | --drop] [ID ...]",
	  "send the pushes that could not be sent when they came",
	  "  -c, --config FILE  the gate's configuration\n"
	  "  --list             show what is parked; send nothing\n"
	  "  --drop             remove those with these IDs; send nothing\n"
	  "  ID ...             those alone, in place of all\n" },
	{ "status", cmd_status, "[-c FILE]",
	  "list the sessions under way, the mirrors and the parked pushes",
	  "  -c, --config FILE  the gate's configuration\n" },
	{ "sync", cmd_sync, "[-c FILE] --all | NAME ...",
	  "bring mirrors to what their upstreams have now",
	  "  -c, --config FILE  the gate's configuration\n"
	  "  --all              all that have a mirror\n"
	  "  NAME ...           these repositories, as clients name them\n" },
};
#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int usage_of(const struct command *c)
{
	char name[32], option[] = "--help";
	char *argv[] = { name, option, NULL };

	if (c->args) {
		printf("usage: git-gate %s %s\n%s\n%s%s", c->name, c->args,
		       c->summary, c->options ? "\n" : "",
		       c->options ? c->options : "");
	} else {
		snprintf(name, sizeof(name), "%s", c->name);
		c->run(2, argv);
	}
	return CMD_OK;
}

static void usage(FILE *to)
{
	fprintf(to, "usage: git-gate COMMAND [ARGUMENT ...]\n\n");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-10s %s\n", commands[i].name,
			commands[i].summary);
	fprintf(to, "\n`git-gate help COMMAND' shows its arguments; "
		    "git-gate(1) describes them all.\n");
}

static int unknown(const char *name)
{
	log_error("there is no command '%s'; `git-gate help' lists them",
		  name);
	return CMD_USAGE;
}

/* "help", "help COMMAND" and their other spellings. */
static int help(const char *name)
{
	const struct command *c;

	if (!name) {
		usage(stdout);
		return CMD_OK;
	}
	c = find(name);
	return c ? usage_of(c) : unknown(name);
}

/* "-h" is asked for as the only argument; elsewhere it is a value. */
static int wants_help(int argc, char **argv)
{
	return argc == 2 &&
	       (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
}

static int run(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		usage(stderr);
		return CMD_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-h"))
		return help(argc > 2 ? argv[2] : NULL);
	if (!strcmp(argv[1], "version") || !strcmp(argv[1], "--version")) {
		printf("git-gate %s\n", PACKAGE_VERSION);
		return CMD_OK;
	}
	c = find(argv[1]);
	if (!c)
		return unknown(argv[1]);
	if (wants_help(argc - 1, argv + 1))
		return usage_of(c);
	return c->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status;

	log_init("git-gate", LOG_PLAIN);
	child_init();
	status = run(argc, argv);
	/* An answer that could not be written was not given. */
	if (fflush(stdout) || ferror(stdout)) {
		log_error("standard output: cannot be written");
		return status ? status : CMD_UNKNOWN;
	}
	return status;
}
