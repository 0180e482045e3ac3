/*
 * git gate scan: a repository's history, a range of it, files, or standard
 * input, with the scanner that the hook has. Takes arguments, prints a
 * report; finds the repository itself, reads no configuration of git's, and
 * changes nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accept.h"
#include "buf.h"
#include "cmd-scan-internal.h"
#include "cmd.h"
#include "config.h"
#include "findings.h"
#include "log.h"
#include "rules.h"
#include "scan.h"
#include "walk.h"

/* A scan, from its command line to its answer. */
struct job {
	const struct scan_options *o;
	const struct rules *rules;
	struct walk_limits limits;
	int is_bounded; /* by a gate's configuration */
	struct findings findings;
	char head[65];
};

static enum scan_result walk(struct job *j, struct walk *w, const char *range)
{
	struct scan_progress bar = SCAN_PROGRESS_INIT;
	walk_progress *fn = isatty(STDERR_FILENO) ? cmd_scan_progress : NULL;
	enum scan_result result;

	if (!j->is_bounded)
		walk_limits_suit(&j->limits, walk_objects(w));
	if (!walk_head(w, j->head))
		*j->head = '\0';
	if (j->o->staged)
		/* git sets it for a pre-commit hook, see githooks(5) */
		result = walk_staged(w, j->rules, getenv("GIT_INDEX_FILE"),
				     &j->limits, fn, &bar, &j->findings);
	else
		result = walk_range(w, j->rules, range, &j->limits, fn, &bar,
				    &j->findings);
	cmd_scan_progress_end(&bar);
	return result;
}

static enum scan_result scan_repository(struct job *j, const char *range)
{
	enum scan_result result = SCAN_UNKNOWN;
	struct buf dir = BUF_INIT;
	struct walk *w = NULL;

	if (cmd_scan_repository(&dir))
		findings_unknown(&j->findings, "%s%sno repository is here; "
				 "for one elsewhere: git -C DIRECTORY gate "
				 "scan%s", range ? range : "",
				 range ? " is not a file, and " : "",
				 getenv("GIT_DIR") ? " (GIT_DIR is not looked "
				 "at)" : "");
	else
		w = walk_open(dir.data, NULL, 0);
	if (w)
		result = walk(j, w, range);
	else
		findings_unknown(&j->findings,
				 "the repository cannot be opened");
	if (w && !j->o->staged && cmd_scan_is_shallow(dir.data))
		log_warn("scan: this clone is shallow: what was before its "
			 "oldest commits is not here, and not scanned; for "
			 "all of it: git fetch --unshallow");
	walk_close(w);
	buf_clear(&dir);
	return result;
}

/* Who names a work tree may think that its history is meant as well. */
static void note_history(const struct scan_options *o)
{
	struct buf git = BUF_INIT;

	for (size_t i = 0; i < o->nr_args; i++) {
		buf_reset(&git);
		buf_addf(&git, "%s/.git", o->args[i]);
		if (!access(git.data, F_OK))
			log_warn("scan: %s: its files are scanned as they are, "
				 "not its history; for that: git -C %s gate "
				 "scan --all", o->args[i], o->args[i]);
	}
	buf_clear(&git);
}

/* A word that was mistyped is told before anything is scanned. */
static int lack_files(struct job *j)
{
	const struct scan_options *o = j->o;

	for (size_t i = 0; i < o->nr_args; i++)
		if (access(o->args[i], F_OK)) {
			findings_unknown(&j->findings, "%s: %s%s", o->args[i],
					 strerror(errno), o->nr_args > 1 ?
					 "; several arguments are files, a "
					 "range of commits is one (A..B)" : "");
			return 1;
		}
	return 0;
}

/* One argument that is no file is a range of the repository. */
static enum scan_result scan(struct job *j)
{
	const struct scan_options *o = j->o;

	if (!o->nr_args)
		return scan_repository(j, NULL);
	if (o->nr_args == 1 && !strcmp(o->args[0], "-"))
		return walk_stream(j->rules, STDIN_FILENO, "standard input",
				   &j->limits, &j->findings);
	if (o->nr_args == 1 && access(o->args[0], F_OK))
		return scan_repository(j, o->args[0]);
	if (lack_files(j))
		return SCAN_UNKNOWN;
	note_history(o);
	return walk_files(j->rules, o->args, o->nr_args, &j->limits,
			  &j->findings);
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

/* The scanner was tried, and what does not count is known. */
static int look(const struct scan_options *o, const struct config *c,
		const struct rules *r, struct accept *a)
{
	struct job j = { .o = o, .rules = r, .is_bounded = c != NULL,
			 .findings = FINDINGS_INIT };
	struct scan_explain x = { .rules = r, .wanted = o->fingerprint };
	struct scan_outcome outcome = { .config = c, .rules = r,
					.findings = &j.findings, .accept = a,
					.explain = &x };
	int status;

	j.findings.judge = accept_judge;
	j.findings.judge_arg = a;
	walk_limits_set(c, &j.limits);
	walk_free_memory();
	if (o->explain) {
		j.limits.explain = cmd_scan_explain;
		j.limits.explain_arg = &x;
	}
	status = status_of(scan(&j));
	memcpy(outcome.head, j.head, sizeof(outcome.head));
	if (cmd_scan_report(o, &outcome))
		status = CMD_UNKNOWN;
	if (j.findings.unknown)
		log_error("could not tell: %s", j.findings.unknown);
	cmd_scan_explain_clear(&x);
	findings_clear(&j.findings);
	return status;
}

/* A gate's rules are as it would have them; others are the user's choice. */
static struct rules *load_rules(const struct scan_options *o,
				const struct config *c)
{
	struct rules *r;

	if (c && c->rules)
		return rules_load_trusted(c->rules);
	if (!o->rules)
		return rules_builtin();
	r = rules_load(o->rules);
	if (r)
		rules_warn_traps(r);
	return r;
}

static int run(const struct scan_options *o, const struct config *c)
{
	struct rules *r = load_rules(o, c);
	struct scanner *s = r ? scan_new(r, SCAN_DEPTH) : NULL;
	struct accept a = ACCEPT_INIT;
	int status = CMD_UNKNOWN;

	if (s && !scan_self_test(s) && !cmd_scan_accept(o, c, &a))
		status = look(o, c, r, &a);
	cmd_scan_accept_end(&a);
	scan_free(s);
	rules_free(r);
	return status;
}

int cmd_scan(int argc, char **argv)
{
	struct scan_options o = { 0 };
	struct config *c = NULL;
	int status;

	switch (cmd_scan_parse(argc, argv, &o)) {
	case PARSED_OK:
		break;
	case PARSED_HELP:
		return cmd_scan_usage();
	case PARSED_BAD:
		fputs("`git-gate help scan' shows what it takes\n", stderr);
		return CMD_USAGE;
	}
	if (o.config) {
		c = config_load(o.config);
		if (!c)
			return CMD_UNKNOWN;
	}
	status = run(&o, c);
	config_free(c);
	return status;
}
