/*
 * git gate scan: a repository's history, a range of it, files, or standard
 * input, with the scanner that the hook has. Takes arguments, prints a
 * report; finds the repository itself, reads no configuration of git's, and
 * changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "cmd.h"
#include "config.h"
#include "findings.h"
#include "log.h"
#include "report.h"
#include "rules.h"
#include "scan.h"
#include "walk.h"

/* Directories to go up in search of a repository. */
#define LEVELS_MAX 128
#define GITFILE_MAX 8192
/* As git-gate.conf(5) has it. */
#define MAX_OBJECT ((uint64_t)256 << 20)

struct options {
	const char *config, *rules, *report;
	int json, all;
	char **args;
	size_t nr_args;
};

static int usage(FILE *to)
{
	fputs("usage: git-gate scan [-c FILE | --rules FILE] "
	      "[--format text|json] [--report FILE]\n"
	      "                     [--all | RANGE | PATH... | -]\n",
	      to);
	return to == stdout ? CMD_OK : CMD_USAGE;
}

static int is_dir(const char *base, const char *name)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int ret;

	buf_addf(&path, "%s%s", base, name);
	ret = !stat(path.data, &st) && S_ISDIR(st.st_mode);
	buf_clear(&path);
	return ret;
}

/* gitrepository-layout(5): the file of a work tree or submodule. */
static int read_gitfile(const char *file, const char *base, struct buf *out)
{
	struct buf text = BUF_INIT;
	int ret = -1;

	if (!buf_read_file(&text, file, GITFILE_MAX) && text.len > 8 &&
	    !memcmp(text.data, "gitdir: ", 8)) {
		text.data[strcspn(text.data, "\n")] = '\0';
		if (text.data[8] != '/')
			buf_adds(out, base);
		buf_adds(out, text.data + 8);
		ret = 0;
	}
	buf_clear(&text);
	return ret;
}

/* Is there a repository in base ("" or ends in '/')? */
static int try_dir(const char *base, struct buf *out)
{
	struct buf git = BUF_INIT;
	int ret = 0;

	buf_addf(&git, "%s.git", base);
	if (is_dir(git.data, "/objects") && is_dir(git.data, "/refs"))
		buf_adds(out, git.data);
	else if (is_dir(base, "objects") && is_dir(base, "refs"))
		buf_adds(out, *base ? base : ".");
	else
		ret = read_gitfile(git.data, base, out);
	buf_clear(&git);
	return ret;
}

/* The git directory of the working directory. Returns 0, or -1: none. */
static int find_repository(struct buf *out)
{
	struct buf base = BUF_INIT;
	struct stat here, up;
	int i, ret = -1;

	buf_adds(&base, "");
	for (i = 0; i < LEVELS_MAX; i++) {
		ret = try_dir(base.data, out);
		if (!ret || stat(*base.data ? base.data : ".", &here))
			break;
		buf_adds(&base, "../");
		/* the root is its own parent */
		if (stat(base.data, &up) ||
		    (here.st_dev == up.st_dev && here.st_ino == up.st_ino))
			break;
	}
	buf_clear(&base);
	return ret;
}

static void show_progress(void *arg, size_t done, size_t total)
{
	(void)arg;
	if (done % 100 == 0 || done == total)
		fprintf(stderr, "\rcommit %zu of %zu%s", done, total,
			done == total ? "\n" : "");
}

static enum scan_result scan_repository(const struct rules *r,
					const char *range,
					const struct walk_limits *limits,
					struct findings *out)
{
	struct buf dir = BUF_INIT;
	enum scan_result result = SCAN_UNKNOWN;
	struct walk *w = NULL;

	if (find_repository(&dir))
		findings_unknown(out, "%s%sno repository is here",
				 range ? range : "",
				 range ? " is not a file, and " : "");
	else
		w = walk_open(dir.data, NULL);
	if (w)
		result =
			walk_range(w, r, range, limits,
				   isatty(STDERR_FILENO) ? show_progress : NULL,
				   NULL, out);
	else
		findings_unknown(out, "the repository cannot be opened");
	walk_close(w);
	buf_clear(&dir);
	return result;
}

/* One argument that is no file is a range of the repository. */
static enum scan_result scan(const struct options *o, const struct rules *r,
			     const struct walk_limits *limits,
			     struct findings *out)
{
	if (!o->nr_args)
		return scan_repository(r, NULL, limits, out);
	if (o->nr_args == 1 && !strcmp(o->args[0], "-"))
		return walk_stream(r, STDIN_FILENO, "standard input", limits,
				   out);
	if (o->nr_args == 1 && access(o->args[0], F_OK))
		return scan_repository(r, o->args[0], limits, out);
	return walk_files(r, o->args, o->nr_args, limits, out);
}

static int print(FILE *to, const struct options *o, const struct findings *fs)
{
	if (o->json)
		report_json(to, fs);
	else if (fs->nr || fs->unknown)
		report_text(to, fs, UINT_MAX);
	else
		fprintf(to, "no secrets found in %zu objects, %zu bytes\n",
			fs->objects, fs->bytes);
	return fflush(to) || ferror(to) ? -1 : 0;
}

static int write_report(const struct options *o, const struct findings *fs)
{
	FILE *to = stdout;
	int ret;

	if (o->report)
		to = fopen(o->report, "we");
	if (!to) {
		log_error("%s: %s", o->report, strerror(errno));
		return -1;
	}
	ret = print(to, o, fs);
	if (ret)
		log_error("the report cannot be written: %s", strerror(errno));
	if (to != stdout && fclose(to))
		ret = -1;
	return ret;
}

static int status_of(enum scan_result result)
{
	switch (result) {
	case SCAN_CLEAN:
		return CMD_OK;
	case SCAN_FOUND:
		return CMD_REFUSED;
	case SCAN_UNKNOWN:
		break;
	}
	return CMD_UNKNOWN;
}

static int run(const struct options *o, const struct rules *r,
	       const struct walk_limits *limits)
{
	struct scanner *s = r ? scan_new(r) : NULL;
	struct findings fs = FINDINGS_INIT;
	enum scan_result result;
	int status = CMD_UNKNOWN;

	if (s && !scan_self_test(s)) {
		result = scan(o, r, limits, &fs);
		status = write_report(o, &fs) ? CMD_UNKNOWN : status_of(result);
		if (fs.unknown)
			log_error("could not tell: %s", fs.unknown);
	}
	findings_clear(&fs);
	scan_free(s);
	return status;
}

enum parsed { PARSED_BAD, PARSED_OK, PARSED_HELP };

/* --format; what is wrong is logged */
static int parse_format(const char *name, struct options *o)
{
	o->json = !strcmp(name, "json");
	if (o->json || !strcmp(name, "text"))
		return 0;
	log_error("scan: --format %s: the formats are text and json", name);
	return -1;
}

/* What the options ask for together; what is wrong is logged. */
static enum parsed fits_together(const struct options *o)
{
	if (o->config && o->rules)
		log_error("scan: -c names the rules: leave out --rules, or -c");
	else if (o->all && o->nr_args)
		log_error("scan: --all is everything: leave it out, or '%s'",
			  o->args[0]);
	else
		return PARSED_OK;
	return PARSED_BAD;
}

static enum parsed parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "rules", required_argument, NULL, 'r' },
		{ "format", required_argument, NULL, 'f' },
		{ "report", required_argument, NULL, 'o' },
		{ "all", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (opt == 'c')
			o->config = optarg;
		else if (opt == 'r')
			o->rules = optarg;
		else if (opt == 'o')
			o->report = optarg;
		else if (opt == 'a')
			o->all = 1;
		else if (opt == 'h')
			return PARSED_HELP;
		else if (opt != 'f' || parse_format(optarg, o))
			return PARSED_BAD;
	}
	o->args = argv + optind;
	o->nr_args = (size_t)(argc - optind);
	return fits_together(o);
}

int cmd_scan(int argc, char **argv)
{
	struct walk_limits limits = { .max_object = MAX_OBJECT };
	struct options o = { 0 };
	struct config *c = NULL;
	struct rules *r;
	int status;

	switch (parse(argc, argv, &o)) {
	case PARSED_OK:
		break;
	case PARSED_HELP:
		return usage(stdout);
	case PARSED_BAD:
		return usage(stderr);
	}
	if (o.config) {
		c = config_load(o.config);
		if (!c)
			return CMD_UNKNOWN;
		o.rules = c->rules;
		limits.max_object = c->max_object;
	}
	r = o.rules ? rules_load(o.rules) : rules_builtin();
	status = run(&o, r, &limits);
	rules_free(r);
	config_free(c);
	return status;
}
