/*
 * git gate deliver: lists the pushes that are parked, removes one, or sends
 * them to the upstream, the oldest first, as the configuration of now allows.
 * A push goes as its client meant it, against the values that it was made
 * against, or it stays. Never overwrites what the upstream has got meanwhile.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "cmd-deliver-internal.h"
#include "cmd.h"
#include "config.h"
#include "control.h"
#include "log.h"
#include "policy.h"
#include "text.h"

static int usage(void)
{
	fputs("usage: git gate deliver [-c FILE] [--list | --drop] [ID ...]\n",
	      stderr);
	return CMD_USAGE;
}

void cmd_deliver_worse(struct deliver *d, int status)
{
	if (status > d->status)
		d->status = status;
}

/* The gate's own log hears of it too, where a responder runs. */
static void note(void *arg, enum log_level level, const char *line)
{
	static const char names[][8] = { "error", "warning", "info", "debug" };
	const struct deliver *d = arg;

	control_note(d->c, "log %s %s %s", d->id, names[level], line);
}

void cmd_deliver_tell(const struct park *p, const char *fmt, ...)
{
	struct buf clean = BUF_INIT;
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n >= 0) {
		text_clean(&clean, text, (size_t)n);
		printf("%s: %s\n", p->id, clean.len ? clean.data : "");
		fflush(stdout);
		free(text);
	}
	buf_clear(&clean);
}

const char *cmd_deliver_who(const struct park *p)
{
	return *p->who ? p->who : "-";
}

/* "17s", "5m", "3h", "12d" */
const char *cmd_deliver_age(const struct park *p, char out[24])
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	int64_t age = time(NULL) - p->time;
	size_t i = 0;

	if (age < 0)
		age = 0;
	while (i < 3 && age < units[i].seconds)
		i++;
	snprintf(out, 24, "%" PRId64 "%c", age / units[i].seconds,
		 units[i].unit);
	return out;
}

static void drop_one(struct deliver *d, struct park *p)
{
	if (park_remove(d->c, p->id)) {
		cmd_deliver_worse(d, CMD_UNKNOWN);
		return;
	}
	cmd_deliver_audit(d, p, "refused", "dropped");
	cmd_deliver_tell(p, "dropped: %s of %s", p->name, cmd_deliver_who(p));
}

/* Parsed from the command line. */
struct request {
	const char *file;
	int list, drop;
	char **ids;
	int nr_ids;
};

static void list_one(const struct park *p)
{
	const struct updates *u = &p->updates;
	struct buf line = BUF_INIT, clean = BUF_INIT;
	char age[24];

	buf_addf(&line, "%s  %4s  %10" PRIu64 "  %-14s  %-20s", p->id,
		 cmd_deliver_age(p, age), p->bytes, cmd_deliver_who(p),
		 p->name);
	for (size_t i = 0; i < u->nr; i++)
		buf_addf(&line, "%s %s %s", i ? "," : " ",
			 policy_op_name(u->list[i].op), u->list[i].ref);
	text_clean(&clean, line.data, line.len);
	puts(clean.data);
	buf_clear(&line);
	buf_clear(&clean);
}

static int is_wanted(const struct request *r, const char *id)
{
	for (int i = 0; i < r->nr_ids; i++)
		if (!strcmp(r->ids[i], id))
			return 1;
	return !r->nr_ids;
}

static void check_ids(struct deliver *d, const struct request *r)
{
	for (int i = 0; i < r->nr_ids; i++) {
		size_t k = 0;

		while (k < d->list.nr &&
		       strcmp(d->list.list[k].id, r->ids[i]) != 0)
			k++;
		if (k < d->list.nr)
			continue;
		log_error("no parked push has the id %s; `git gate deliver "
			  "--list' shows them", r->ids[i]);
		cmd_deliver_worse(d, CMD_REFUSED);
	}
}

static void work(struct deliver *d, const struct request *r)
{
	if (park_list(d->c, &d->list))
		cmd_deliver_worse(d, CMD_UNKNOWN);
	check_ids(d, r);
	if (r->list && d->list.nr)
		printf("%-16s  %4s  %10s  %-14s  %-20s  %s\n", "ID", "AGE",
		       "BYTES", "WHO", "REPOSITORY", "REFERENCES");
	for (size_t i = 0; i < d->list.nr; i++) {
		struct park *p = &d->list.list[i];

		d->id = p->id;
		if (!is_wanted(r, p->id))
			continue;
		if (r->list)
			list_one(p);
		else if (r->drop)
			drop_one(d, p);
		else
			cmd_deliver_send(d, p);
	}
	if (!d->list.nr && d->status == CMD_OK && !r->list)
		puts("nothing is parked");
}

/*
 * Who reads the directory must be who wrote it: what another user makes in
 * STATE, such as a shared connection, would be in the gate's way.
 * Returns 0; 1: there is none yet; -1, logged.
 */
static int check_owner(const struct config *c)
{
	struct stat st;

	if (!c->park) {
		log_error("%s: has no [push] park, so no push is kept",
			  c->name);
		return -1;
	}
	if (stat(c->park, &st)) {
		if (errno == ENOENT)
			return 1;
		log_error("%s: %s; run this as the gate's user", c->park,
			  strerror(errno));
		return -1;
	}
	if (st.st_uid == geteuid())
		return 0;
	log_error("%s: belongs to the user of number %u; run this as that "
		  "user", c->park, (unsigned)st.st_uid);
	return -1;
}

static int run(const struct request *r)
{
	struct deliver d = { .c = config_load(r->file), .id = "-" };
	int there = d.c ? check_owner(d.c) : -1, hold = -1;

	if (!there && !r->list && (hold = park_hold(d.c)) < 0)
		there = -1;
	if (there < 0) {
		d.status = CMD_UNKNOWN;
	} else if (!there) {
		log_set_tee(note, &d, 0);
		work(&d, r);
		log_set_tee(NULL, NULL, 0);
	} else if (!r->list) {
		puts("nothing is parked");
	}
	if (hold >= 0)
		close(hold);
	park_list_clear(&d.list);
	free(d.silent);
	config_free(d.c);
	return d.status;
}

int cmd_deliver(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "list", no_argument, NULL, 'l' },
		{ "drop", no_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	struct request r = { .file = CONFIG_DEFAULT };
	int opt;

	while ((opt = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (opt == 'c')
			r.file = optarg;
		else if (opt == 'l')
			r.list = 1;
		else if (opt == 'd')
			r.drop = 1;
		else
			return usage();
	}
	r.ids = argv + optind;
	r.nr_ids = argc - optind;
	/* what all are is not dropped by a word too few */
	if ((r.list && r.drop) || (r.drop && !r.nr_ids))
		return usage();
	/* the caller's repository and push options are none of this push's */
	clearenv();
	return run(&r);
}
