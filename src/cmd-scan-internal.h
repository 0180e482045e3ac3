#ifndef CMD_SCAN_INTERNAL_H
#define CMD_SCAN_INTERNAL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "oids.h"
#include "scan.h"

/* What the files of cmd-scan share; nobody else includes this. */

struct accept;
struct buf;
struct config;
struct findings;
struct rules;

enum scan_format { FORMAT_TEXT = 0, FORMAT_JSON, FORMAT_SARIF };

/* What the command line asks for. */
struct scan_options {
	const char *config, *rules, *report, *baseline, *ignore;
	char *repo;
	enum scan_format format;
	int all, staged, explain;
	const char *fingerprint; /* to be explained, or NULL: every one */
	char **args;
	size_t nr_args;
};

enum scan_parsed { PARSED_BAD, PARSED_OK, PARSED_HELP };

/* cmd-scan-options.c; what is wrong is logged. */
enum scan_parsed cmd_scan_parse(int argc, char **argv, struct scan_options *o);
int cmd_scan_usage(void);

/* cmd-scan-place.c: the git directory of here. Returns 0, or -1: none. */
int cmd_scan_repository(struct buf *out);
/* Does it lack what was before some commits (git clone --depth)? */
int cmd_scan_is_shallow(const char *git_dir);

/* cmd-scan-accept.c: what does not count. Returns 0, or -1, logged. */
int cmd_scan_accept(const struct scan_options *o, const struct config *c,
		    struct accept *a);
/* Free what that loaded. */
void cmd_scan_accept_end(struct accept *a);
/* One line of what was left out, if anything was. */
void cmd_scan_left_out(FILE *to, const struct accept *a);

/* What a report is made of. */
struct scan_outcome {
	const struct config *config; /* or NULL */
	const struct rules *rules;
	const struct findings *findings;
	const struct accept *accept;
	const struct scan_explain *explain;
	char head[65]; /* the commit that is checked out, or "" */
};

/* cmd-scan-report.c: returns 0, or -1, logged. */
int cmd_scan_report(const struct scan_options *o,
		    const struct scan_outcome *outcome);

/*
 * cmd-scan-explain.c: what the scanner decided, kept (a walk_explain; arg is a
 * struct scan_explain), and shown at the end, without the secrets.
 */
struct scan_explained {
	char *text;          /* clean lines */
	const char *verdict; /* NULL: it was kept */
	char fingerprint[41];
};
struct scan_explain {
	const struct rules *rules;
	const char *wanted; /* a fingerprint, or NULL: all */
	struct scan_explained *list;
	size_t nr, alloc, more;
	struct oids seen;
};
void cmd_scan_explain(void *arg, const char *path, const struct scan_event *e);
/* Returns 0, or -1, logged: the wanted one was not met. */
int cmd_scan_explain_show(FILE *to, const struct scan_explain *x,
			  const struct findings *fs, const struct accept *a);
void cmd_scan_explain_clear(struct scan_explain *x);

/*
 * cmd-scan-progress.c: a bar on standard error, where that is a terminal.
 * It must be ended before anything else is written there. Any thread may tell.
 */
struct scan_progress {
	pthread_mutex_t mutex;
	int64_t next_ms; /* when it may be drawn again */
	int shown;
};
#define SCAN_PROGRESS_INIT { .mutex = PTHREAD_MUTEX_INITIALIZER }
void cmd_scan_progress(void *arg, size_t done, size_t total);
void cmd_scan_progress_end(struct scan_progress *p);

#endif
