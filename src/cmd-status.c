/*
 * git gate status: asks the responder that serves a configuration what it is
 * doing, and prints its answer. Takes the configuration for the socket's
 * place alone; changes nothing.
 */
#include <getopt.h>
#include <stdio.h>
#include "buf.h"
#include "cmd.h"
#include "config.h"
#include "control.h"

/* It is told at once; a responder that is stopping has other work. */
#define ANSWER_MS 10000

static int usage(void)
{
	fputs("usage: git-gate status [-c FILE]\n", stderr);
	return CMD_USAGE;
}

static int ask(const char *file)
{
	struct config *c = config_load(file);
	struct buf answer = BUF_INIT;
	int status = CMD_UNKNOWN;

	if (!c)
		return CMD_UNKNOWN;
	if (!control_ask(c, "status\n", ANSWER_MS, 0, &answer)) {
		fwrite(answer.data, 1, answer.len, stdout);
		status = fflush(stdout) ? CMD_UNKNOWN : CMD_OK;
	}
	buf_clear(&answer);
	config_free(c);
	return status;
}

int cmd_status(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = CONFIG_DEFAULT;
	int opt;

	while ((opt = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (opt != 'c')
			return usage();
		file = optarg;
	}
	if (optind != argc)
		return usage();
	return ask(file);
}
