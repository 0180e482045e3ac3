/*
 * git gate allow: one finding more that passes, with a reason, in the file
 * that the configuration names. Takes a fingerprint from a report; writes down
 * who allowed it, and when. Nothing that was pushed is asked.
 */
#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "config.h"
#include "exceptions.h"
#include "log.h"
#include "rules.h"
#include "scan.h"

/* What the kernel says when nobody logged in: (uid_t)-1. */
#define NO_LOGIN 4294967295ul

static void add_user(struct buf *out, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw)
		buf_adds(out, pw->pw_name);
	else
		buf_addf(out, "user %u", (unsigned)uid);
}

/* Who logged in, and as whom he works now: sudo(8) does not change that. */
static void find_who(struct buf *out)
{
	struct buf text = BUF_INIT;
	unsigned long login = NO_LOGIN;

	if (!buf_read_file(&text, "/proc/self/loginuid", 32) && text.len)
		login = strtoul(text.data, NULL, 10);
	if (login != NO_LOGIN && login != getuid()) {
		add_user(out, (uid_t)login);
		buf_adds(out, " as ");
	}
	add_user(out, getuid());
	buf_clear(&text);
}

struct asked {
	const char *config, *fingerprint, *reason, *expires, *repo;
};

/* Returns 0, or -1, logged. */
static int parse(int argc, char **argv, struct asked *a)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "reason", required_argument, NULL, 'r' },
		{ "expires", required_argument, NULL, 'e' },
		{ "repo", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	optind = 1;
	while ((o = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (o == 'c')
			a->config = optarg;
		else if (o == 'r')
			a->reason = optarg;
		else if (o == 'e')
			a->expires = optarg;
		else if (o == 'p')
			a->repo = optarg;
		else
			return -1; /* getopt has said it */
	}
	if (optind == argc)
		log_error("allow: name the finding by its fingerprint, which "
			  "a report shows");
	else if (optind + 1 < argc)
		log_error("allow: one finding at a time; is '%s' a part of the "
			  "reason? quote it", argv[optind + 1]);
	else
		a->fingerprint = argv[optind];
	return a->fingerprint ? 0 : -1;
}

/* Words for the file, which people and diffs show. */
static int bad_text(const char *option, const char *s)
{
	size_t n = strlen(s);

	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		if (*p < 0x20 || *p == 0x7f) {
			log_error("allow: %s has a control character in it; "
				  "write it in one line", option);
			return -1;
		}
	if (n > EXCEPTIONS_REASON_MAX)
		log_error("allow: %s has %zu bytes; shorten it to %d", option,
			  n, EXCEPTIONS_REASON_MAX);
	else if (!s[strspn(s, " ")])
		log_error("allow: %s is empty", option);
	else
		return 0;
	return -1;
}

static int bad_fingerprint(const char *s)
{
	if (exceptions_is_fingerprint(s))
		return 0;
	if (strchr(s, ':'))
		log_error("allow: %s: a fingerprint of gitleaks' changes with "
			  "each rebase; name the 40 digits of our report, or "
			  "put this one into the file of [scan] ignore", s);
	else
		log_error("allow: %s: not a fingerprint; copy the 40 digits of "
			  "0-9 a-f that the report shows", s);
	return -1;
}

/* A whole exception of what was asked. 0, or -1, logged. */
static int fill(const struct asked *a, struct exception *e)
{
	if (bad_fingerprint(a->fingerprint))
		return -1;
	if (!a->reason) {
		log_error("allow: say why, with --reason TEXT: whoever reads "
			  "the file later needs it");
		return -1;
	}
	if (bad_text("--reason", a->reason) ||
	    (a->repo && bad_text("--repo", a->repo)))
		return -1;
	e->date = time(NULL);
	if (a->expires && exceptions_time(a->expires, e->date, &e->expires)) {
		log_error("allow: --expires %s: write a time from now, such as "
			  "30d, or a date, such as 2027-01-31", a->expires);
		return -1;
	}
	if (a->expires && e->expires <= e->date) {
		log_error("allow: --expires %s is past; write a later date, or "
			  "leave it out", a->expires);
		return -1;
	}
	memcpy(e->fingerprint, a->fingerprint, sizeof(e->fingerprint));
	e->reason = (char *)a->reason;
	e->repo = (char *)a->repo;
	return 0;
}

static void hit(void *arg, const struct scan_finding *f)
{
	(void)f;
	*(int *)arg = 1;
}

/* A reason that quotes the secret would put it into the operator's git. */
static int has_secret(const struct config *c, const char *reason)
{
	struct rules *r = c->rules ? rules_load_trusted(c->rules) :
				     rules_builtin();
	struct scanner *s = r ? scan_new(r, SCAN_DEPTH) : NULL;
	const struct scan_input in = { .text = reason,
				       .len = strlen(reason) };
	int found = 0;

	if (!s || scan_text(s, &in, hit, &found, NULL) == SCAN_UNKNOWN)
		found = 1;
	scan_free(s);
	rules_free(r);
	if (found)
		log_error("allow: --reason looks as if it held a secret; say "
			  "it without that");
	return found;
}

/* A name without wildcards that no push could have. */
static void warn_of_repo(const struct config *c, const char *repo)
{
	if (!strpbrk(repo, "*?") && !config_find(c, repo))
		log_warn("allow: --repo %s: no [repo] of %s has that name, so "
			 "that nothing is allowed yet", repo, c->name);
}

static int same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The one that allows as much already, or NULL. */
static const struct exception *find_same(const struct exceptions *x,
					 const struct exception *e)
{
	for (size_t i = 0; i < x->nr; i++) {
		const struct exception *old = &x->list[i];

		if (!strcmp(old->fingerprint, e->fingerprint) &&
		    same(old->repo, e->repo) &&
		    (!old->expires ||
		     (e->expires && old->expires >= e->expires)))
			return old;
	}
	return NULL;
}

static void tell(const char *file, const struct exception *e)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s: %s is allowed", file, e->fingerprint);
	if (e->repo)
		buf_addf(&b, " in %s", e->repo);
	if (e->expires) {
		buf_adds(&b, " until ");
		exceptions_show_time(e->expires, &b);
	}
	puts(b.data);
	buf_clear(&b);
}

static int add(const struct config *c, struct exception *e)
{
	struct exceptions *x = exceptions_load(c->exceptions);
	const struct exception *old;
	struct buf who = BUF_INIT;
	int status = CMD_UNKNOWN;

	if (!x)
		return CMD_UNKNOWN;
	old = find_same(x, e);
	if (old) {
		printf("%s:%d: %s is allowed already\n", c->exceptions,
		       old->line, e->fingerprint);
		status = CMD_OK;
	} else {
		find_who(&who);
		e->by = who.data;
		if (!exceptions_add(c->exceptions, e)) {
			tell(c->exceptions, e);
			status = CMD_OK;
		}
	}
	buf_clear(&who);
	exceptions_free(x);
	return status;
}

static int allow(const struct asked *a, struct exception *e)
{
	struct config *c = config_load(a->config);
	int status = CMD_UNKNOWN;

	if (!c)
		return CMD_UNKNOWN;
	if (!c->exceptions) {
		log_error(CMD_NO_EXCEPTIONS, c->name);
	} else if (!has_secret(c, e->reason)) {
		if (e->repo)
			warn_of_repo(c, e->repo);
		status = add(c, e);
	}
	config_free(c);
	return status;
}

int cmd_allow(int argc, char **argv)
{
	struct asked a = { .config = CONFIG_DEFAULT };
	struct exception e = { .line = 0 };

	if (parse(argc, argv, &a) || fill(&a, &e)) {
		fputs("`git-gate help allow' shows what it takes\n", stderr);
		return CMD_USAGE;
	}
	return allow(&a, &e);
}
