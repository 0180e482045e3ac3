/*
 * Where a scan's findings go, and in which form. Takes findings and the
 * command line; writes one report.
 */
#include "cmd-scan-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accept.h"
#include "buf.h"
#include "config.h"
#include "findings.h"
#include "log.h"
#include "mem.h"
#include "report.h"

/* Columns: a terminal's, within reason; else what fits any. */
static unsigned width_of(int fd)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) || w.ws_col < 40)
		return 80;
	return w.ws_col < 120 ? w.ws_col : 120;
}

/* no-color.org; a dumb terminal would show the bytes */
static int wants_colour(int fd)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(none && *none) && term &&
	       strcmp(term, "dumb") != 0;
}

static void print_text(FILE *to, const struct scan_options *o,
		       const struct scan_outcome *c)
{
	const char *tips[] = { c->head };
	struct report_style style = {
		.max = c->config ? c->config->report : UINT_MAX,
		.width = width_of(fileno(to)),
		.colour = wants_colour(fileno(to)),
		.config = o->config,
		.is_staged = o->staged,
		.tips = tips,
		.nr_tips = *c->head ? 1 : 0,
	};
	const struct findings *fs = c->findings;

	if (fs->nr || fs->unknown)
		report_text(to, fs, &style);
	else
		fprintf(to, "no secrets found in %zu object%s, %zu bytes\n",
			fs->objects, fs->objects == 1 ? "" : "s", fs->bytes);
	cmd_scan_left_out(to, c->accept);
}

static int print(FILE *to, const struct scan_options *o,
		 const struct scan_outcome *c)
{
	int ret = 0;

	if (o->explain)
		ret = cmd_scan_explain_show(to, c->explain, c->findings,
					    c->accept);
	else if (o->format == FORMAT_TEXT)
		print_text(to, o, c);
	else if (o->format == FORMAT_JSON)
		report_json(to, c->findings, c->rules);
	else
		report_sarif(to, c->findings, c->rules, PACKAGE_VERSION);
	if (!fflush(to) && !ferror(to))
		return ret;
	log_error("the report cannot be written: %s", strerror(errno));
	return -1;
}

/* A report's file: whole, or as it was before. */
struct target {
	FILE *to;
	char *path, *temp; /* temp is to become path; NULL: written in place */
};

/* Returns a file to be renamed, or -1: only in place can it be written. */
static int open_beside(struct target *t, const struct stat *st)
{
	mode_t mask = umask(0);
	struct buf name = BUF_INIT;
	int fd;

	umask(mask);
	buf_addf(&name, "%s.XXXXXX", t->path);
	fd = mkostemp(name.data, O_CLOEXEC);
	if (fd >= 0 && !fchmod(fd, st ? st->st_mode & 0777 : 0666 & ~mask)) {
		t->temp = buf_take(&name);
		return fd;
	}
	if (fd >= 0) {
		unlink(name.data);
		close(fd);
	}
	buf_clear(&name);
	return -1;
}

/* What is no regular file, such as a pipe, stays what it is. */
static int open_target(struct target *t, const char *path)
{
	struct stat st;
	int there = !stat(path, &st), fd = -1;

	t->path = there ? realpath(path, NULL) : NULL;
	if (!t->path)
		t->path = mem_strdup(path);
	if (!there || S_ISREG(st.st_mode))
		fd = open_beside(t, there ? &st : NULL);
	t->to = fd >= 0 ? fdopen(fd, "w") : fopen(path, "we");
	if (t->to)
		return 0;
	log_error("--report %s: cannot be written: %s", path,
		  strerror(errno));
	return -1;
}

static int close_target(struct target *t, int good)
{
	int bad = t->to && fclose(t->to);

	if (!bad && good && t->temp)
		bad = rename(t->temp, t->path);
	if (bad)
		log_error("--report %s: %s", t->path, strerror(errno));
	if (t->temp && (bad || !good))
		unlink(t->temp);
	free(t->temp);
	free(t->path);
	return bad ? -1 : 0;
}

static int print_to_file(const struct scan_options *o,
			 const struct scan_outcome *outcome)
{
	const struct findings *fs = outcome->findings;
	struct target t = { NULL };
	int ret;

	/* a word that was mistyped: no report that was there is lost by it */
	if (fs->unknown && !fs->objects && !fs->nr) {
		log_error("--report %s: not written, since nothing was scanned",
			  o->report);
		return -1;
	}
	ret = open_target(&t, o->report);
	if (!ret)
		ret = print(t.to, o, outcome);
	return close_target(&t, !ret) ? -1 : ret;
}

int cmd_scan_report(const struct scan_options *o,
		    const struct scan_outcome *outcome)
{
	int ret = o->report ? print_to_file(o, outcome) :
			      print(stdout, o, outcome);

	/* a program reads the report: people are told beside it */
	if (!o->explain && (o->format != FORMAT_TEXT || o->report))
		cmd_scan_left_out(stderr, outcome->accept);
	return ret;
}
