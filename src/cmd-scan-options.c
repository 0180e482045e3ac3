/*
 * The command line of git gate scan: takes words, gives what they ask for, or
 * says which word to change. Opens nothing.
 */
#include "cmd-scan-internal.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "exceptions.h"
#include "log.h"

int cmd_scan_usage(void)
{
	fputs("usage: git-gate scan [OPTION ...] "
	      "[--all | RANGE | --staged | PATH... | -]\n"
	      "look for secrets: in the history of the repository here, a "
	      "range of it, what\n"
	      "is staged, files, or standard input\n"
	      "\n"
	      "  -c, --config FILE  rules, limits and exceptions of a gate\n"
	      "  --rules FILE       these rules in place of the built-in ones\n"
	      "  --format FORMAT    text (default), json as gitleaks has it, or "
	      "sarif\n"
	      "  --report FILE      write there in place of standard output\n"
	      "  --baseline FILE    leave out what this JSON report has\n"
	      "  --ignore FILE      leave out these fingerprints, as in a\n"
	      "                     .gitleaksignore\n"
	      "  --repo NAME        with -c, the name that exceptions are for\n"
	      "  --explain [FINGERPRINT]\n"
	      "                     show what decided, for all or for one\n"
	      "  --all              the history of all references (default)\n"
	      "  --staged           what the next commit would bring\n"
	      "\n"
	      "exit status: 0 clean, 1 found, 2 usage, 3 could not tell\n",
	      stdout);
	return CMD_OK;
}

static int parse_format(const char *name, struct scan_options *o)
{
	static const char *const names[] = {
		[FORMAT_TEXT] = "text",
		[FORMAT_JSON] = "json",
		[FORMAT_SARIF] = "sarif",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i])) {
			o->format = (enum scan_format)i;
			return 0;
		}
	log_error("scan: --format %s: the formats are text, json and sarif",
		  name);
	return -1;
}

/* What the options ask for together. */
static enum scan_parsed fits_together(const struct scan_options *o)
{
	if (o->config && o->rules)
		log_error("scan: -c names the rules: leave out --rules, or -c");
	else if (o->all && o->staged)
		log_error("scan: --all does not look at what is staged: leave "
			  "out --all, or --staged");
	else if (o->all && o->nr_args)
		log_error("scan: --all is everything: leave it out, or '%s'",
			  o->args[0]);
	else if (o->staged && o->nr_args)
		log_error("scan: --staged is all that is staged: leave it "
			  "out, or '%s'", o->args[0]);
	else if (o->repo && !o->config)
		log_error("scan: --repo is for the exceptions of a gate: name "
			  "its configuration with -c, or leave it out");
	else if (o->explain && o->format != FORMAT_TEXT)
		log_error("scan: --explain is text for people: leave out "
			  "--format, or --explain");
	else if (o->fingerprint && !exceptions_is_fingerprint(o->fingerprint))
		log_error("scan: --explain %s: not a fingerprint; a report "
			  "shows it as 40 digits of 0-9 a-f", o->fingerprint);
	else
		return PARSED_OK;
	return PARSED_BAD;
}

enum {
	OPT_RULES = 256, OPT_FORMAT, OPT_REPORT, OPT_ALL, OPT_STAGED,
	OPT_BASELINE, OPT_IGNORE, OPT_REPO, OPT_EXPLAIN, OPT_HELP,
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "rules", required_argument, NULL, OPT_RULES },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "report", required_argument, NULL, OPT_REPORT },
	{ "baseline", required_argument, NULL, OPT_BASELINE },
	{ "ignore", required_argument, NULL, OPT_IGNORE },
	{ "repo", required_argument, NULL, OPT_REPO },
	{ "explain", optional_argument, NULL, OPT_EXPLAIN },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "staged", no_argument, NULL, OPT_STAGED },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* The next word belongs to --explain only if it can be nothing else. */
static void take_explain(int argc, char **argv, struct scan_options *o)
{
	o->explain = 1;
	if (optarg)
		o->fingerprint = optarg;
	else if (optind < argc && exceptions_is_fingerprint(argv[optind]))
		o->fingerprint = argv[optind++];
}

static enum scan_parsed take(int opt, int argc, char **argv,
			     struct scan_options *o)
{
	switch (opt) {
	case 'c':
		o->config = optarg;
		break;
	case OPT_RULES:
		o->rules = optarg;
		break;
	case OPT_FORMAT:
		return parse_format(optarg, o) ? PARSED_BAD : PARSED_OK;
	case OPT_REPORT:
		o->report = optarg;
		break;
	case OPT_BASELINE:
		o->baseline = optarg;
		break;
	case OPT_IGNORE:
		o->ignore = optarg;
		break;
	case OPT_REPO:
		o->repo = optarg;
		break;
	case OPT_EXPLAIN:
		take_explain(argc, argv, o);
		break;
	case OPT_ALL:
		o->all = 1;
		break;
	case OPT_STAGED:
		o->staged = 1;
		break;
	case OPT_HELP:
		return PARSED_HELP;
	default:
		return PARSED_BAD; /* getopt has said it */
	}
	return PARSED_OK;
}

enum scan_parsed cmd_scan_parse(int argc, char **argv, struct scan_options *o)
{
	enum scan_parsed p;
	int opt;

	optind = 1;
	while ((opt = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		p = take(opt, argc, argv, o);
		if (p != PARSED_OK)
			return p;
	}
	o->args = argv + optind;
	o->nr_args = (size_t)(argc - optind);
	return fits_together(o);
}
