/*
 * git gate deliver: lists the pushes that are parked, removes one, or sends
 * them to the upstream, the oldest first, as the configuration of now allows.
 * A push goes as its client meant it, against the values that it was made
 * against, or it stays. Never overwrites what the upstream has got meanwhile.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pwd.h>
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
#include "mem.h"
#include "policy.h"
#include "text.h"

static int usage(void)
{
	fputs("usage: git-gate deliver [-c FILE] [--list | --drop] [ID ...]\n",
	      stderr);
	return CMD_USAGE;
}

void cmd_deliver_worse(struct deliver *d, int status)
{
	if (status > d->status)
		d->status = status;
}

/*
 * Records and warnings are the gate's own log's, where a responder runs; else
 * we have them alone. Errors are the operator's.
 */
static void note(void *arg, enum log_level level, const char *line)
{
	struct deliver *d = arg;

	if (level == LOG_WARN) {
		free(d->warning);
		d->warning = mem_strdup(line);
	}
	if (level == LOG_ERR)
		fprintf(stderr, "git-gate: error: %s\n", line);
	else if (control_note(d->c, "log %s %s %s", d->id,
			      level == LOG_WARN ? "warning" : "info", line))
		fprintf(stderr, "git-gate: %s%s\n",
			level == LOG_WARN ? "warning: " : "", line);
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
	return *p->who ? p->who : "nobody (-)";
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
		 cmd_deliver_age(p, age), p->bytes, *p->who ? p->who : "-",
		 p->name);
	for (size_t i = 0; i < u->nr; i++)
		buf_addf(&line, "%s %s %s", i ? "," : " ",
			 policy_op_name(u->list[i].op), u->list[i].ref);
	text_clean(&clean, line.data, line.len);
	puts(clean.data);
	buf_clear(&line);
	buf_clear(&clean);
}

/* What cannot be delivered, and what to do with it. */
static void tell_damaged(struct deliver *d, const struct park_damaged *p)
{
	const char *dir = d->c->park;

	cmd_deliver_worse(d, CMD_UNKNOWN);
	switch (p->what) {
	case PARK_NO_NOTE:
		printf("%s: the bundle has no note, %s.push, and cannot be "
		       "delivered; its objects may be read with `git bundle "
		       "verify %s/%s.bundle'; remove it with --drop %s\n",
		       p->id, p->id, dir, p->id, p->id);
		break;
	case PARK_NO_BUNDLE:
		printf("%s: the note has no bundle, %s.bundle, and cannot be "
		       "delivered; remove it with --drop %s\n", p->id, p->id,
		       p->id);
		break;
	case PARK_BAD_NOTE:
		printf("%s: %s.push is damaged and cannot be delivered; its "
		       "objects may be read with `git bundle verify "
		       "%s/%s.bundle'; remove both with --drop %s\n", p->id,
		       p->id, dir, p->id, p->id);
		break;
	}
}

static void drop_damaged(struct deliver *d, const struct park_damaged *p)
{
	if (park_remove(d->c, p->id))
		cmd_deliver_worse(d, CMD_UNKNOWN);
	else
		printf("%s: dropped: it was damaged\n", p->id);
}

static int is_wanted(const struct request *r, const char *id)
{
	for (int i = 0; i < r->nr_ids; i++)
		if (!strcmp(r->ids[i], id))
			return 1;
	return !r->nr_ids;
}

static int is_kept(const struct park_list *l, const char *id)
{
	for (size_t i = 0; i < l->nr; i++)
		if (!strcmp(l->list[i].id, id))
			return 1;
	for (size_t i = 0; i < l->nr_damaged; i++)
		if (!strcmp(l->damaged[i].id, id))
			return 1;
	return 0;
}

/* A slip of the operator's is none of the gate's log. */
static void check_ids(struct deliver *d, const struct request *r)
{
	for (int i = 0; i < r->nr_ids; i++) {
		if (is_kept(&d->list, r->ids[i]))
			continue;
		log_error("no parked push has the id %s; `git-gate deliver "
			  "--list' shows them", r->ids[i]);
		cmd_deliver_worse(d, CMD_REFUSED);
	}
}

static void work_on(struct deliver *d, const struct request *r, struct park *p)
{
	d->id = p->id;
	if (r->list)
		list_one(p);
	else if (r->drop)
		drop_one(d, p);
	else
		cmd_deliver_send(d, p);
}

/* One line at the end, where anything was to be sent. */
static void tell_sum(const struct deliver *d, const struct request *r)
{
	int terminal = isatty(STDOUT_FILENO);

	if (d->delivered + d->not_delivered + d->not_tried)
		printf("%u delivered, %u not delivered, %u not tried\n",
		       d->delivered, d->not_delivered, d->not_tried);
	else if (!d->list.nr && d->status == CMD_OK && (!r->list || terminal))
		puts("nothing is parked");
}

static void work(struct deliver *d, const struct request *r)
{
	const struct park_list *l = &d->list;

	if (park_list(d->c, &d->list)) {
		log_error("%s: cannot be read: %s", d->c->park,
			  strerror(errno));
		cmd_deliver_worse(d, CMD_UNKNOWN);
		return;
	}
	check_ids(d, r);
	log_set_tee(note, d, 1);
	if (r->list && l->nr)
		printf("%-16s  %4s  %10s  %-14s  %-20s  %s\n", "ID", "AGE",
		       "BYTES", "WHO", "REPOSITORY", "REFERENCES");
	for (size_t i = 0; i < l->nr; i++)
		if (is_wanted(r, l->list[i].id))
			work_on(d, r, &l->list[i]);
	for (size_t i = 0; i < l->nr_damaged; i++) {
		if (!is_wanted(r, l->damaged[i].id))
			continue;
		if (r->drop)
			drop_damaged(d, &l->damaged[i]);
		else
			tell_damaged(d, &l->damaged[i]);
	}
	log_set_tee(NULL, NULL, 0);
	tell_sum(d, r);
}

static const char *user_name(uid_t uid, char out[32])
{
	const struct passwd *pw = getpwuid(uid);

	if (pw)
		snprintf(out, 32, "%s", pw->pw_name);
	else
		snprintf(out, 32, "%u", (unsigned)uid);
	return out;
}

/* The directory is another user's: say whose, and what to do. */
static void tell_owner(const struct config *c, uid_t owner)
{
	struct stat state;
	char name[32], own[32];

	user_name(owner, name);
	user_name(geteuid(), own);
	/* made by root's hand; the gate itself, which we are, cannot use it */
	if (owner == 0 && !stat(c->state, &state) &&
	    state.st_uid == geteuid())
		log_error("%s:%d: park %s belongs to root, and the gate's user "
			  "is %s; as root, chown %s %s", c->name,
			  config_park_line(c), c->park, own, own, c->park);
	else
		log_error("%s:%d: park %s belongs to %s, and you are %s; run "
			  "this as that user, for instance by su -s /bin/sh -c "
			  "'git-gate deliver' %s", c->name,
			  config_park_line(c), c->park, name, own, name);
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
		log_error("%s:%d: park %s: %s; run this as the gate's user",
			  c->name, config_park_line(c), c->park,
			  strerror(errno));
		return -1;
	}
	if (st.st_uid == geteuid())
		return 0;
	tell_owner(c, st.st_uid);
	return -1;
}

static int run(const struct request *r)
{
	struct deliver d = { .c = config_load(r->file), .id = "-" };
	int there = d.c ? check_owner(d.c) : -1, hold = -1;

	if (!there && !r->list && (hold = park_hold(d.c)) < 0)
		there = -1;
	if (there < 0)
		d.status = CMD_UNKNOWN;
	else
		work(&d, r);
	if (hold >= 0)
		close(hold);
	park_list_clear(&d.list);
	free(d.silent);
	free(d.warning);
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
	if (r.list && r.drop)
		return usage();
	/* what all are is not dropped by a word too few */
	if (r.drop && !r.nr_ids) {
		log_error("--drop needs at least one ID");
		return usage();
	}
	/* the caller's repository and push options are none of this push's */
	clearenv();
	return run(&r);
}
