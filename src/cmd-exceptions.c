/*
 * git gate exceptions: the findings that pass, and until when. Takes the
 * configuration, prints the file that it names; changes nothing.
 */
#include "cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "config.h"
#include "exceptions.h"
#include "log.h"
#include "text.h"

static const char *state_name(const struct exceptions *x,
			      const struct exception *e, int64_t now)
{
	switch (exceptions_state(e, now)) {
	case EXCEPTION_EXPIRED:
		/* one that was allowed again needs nobody's care */
		return exceptions_is_over(x, e, now) ? "expired" : "renewed";
	case EXCEPTION_SOON:
		return "soon";
	case EXCEPTION_ACTIVE:
		break;
	}
	return "active";
}

static void put_time(int64_t when)
{
	struct buf b = BUF_INIT;

	if (when)
		exceptions_show_time(when, &b);
	else
		buf_addc(&b, '-');
	fputs(b.data, stdout);
	buf_clear(&b);
}

static void put_text(const char *s)
{
	struct buf b = BUF_INIT;

	text_clean(&b, s ? s : "-", s ? strlen(s) : 1);
	fputs(b.data ? b.data : "", stdout);
	buf_clear(&b);
}

/* For programs: state, expires, fingerprint, repo, by, date, line, reason. */
static void put_row(const struct exception *e, const char *state)
{
	printf("%s\t", state);
	put_time(e->expires);
	printf("\t%s\t", e->fingerprint);
	put_text(e->repo);
	putchar('\t');
	put_text(e->by);
	putchar('\t');
	put_time(e->date);
	printf("\t%d\t", e->line);
	put_text(e->reason);
	putchar('\n');
}

static void put_person(const struct exception *e, const char *state)
{
	printf("%-8s %s  %s\n", state, e->fingerprint,
	       e->repo ? "" : "everywhere");
	if (e->repo) {
		fputs("         in ", stdout);
		put_text(e->repo);
		putchar('\n');
	}
	fputs("         until ", stdout);
	if (e->expires)
		put_time(e->expires);
	else
		fputs("it is removed", stdout);
	fputs(", by ", stdout);
	put_text(e->by);
	if (e->date) {
		fputs(" at ", stdout);
		put_time(e->date);
	}
	fputs("\n         ", stdout);
	put_text(e->reason);
	putchar('\n');
}

static int list(const struct exceptions *x)
{
	int64_t now = time(NULL);
	int person = isatty(STDOUT_FILENO);

	for (size_t i = 0; i < x->nr; i++) {
		const char *state = state_name(x, &x->list[i], now);

		if (person)
			put_person(&x->list[i], state);
		else
			put_row(&x->list[i], state);
	}
	if (person && !x->nr)
		printf("%s: no exceptions%s\n", x->file,
		       x->missing ? " yet; git-gate allow makes it" : "");
	return CMD_OK;
}

int cmd_exceptions(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = CONFIG_DEFAULT;
	struct exceptions *x = NULL;
	struct config *c;
	int status = CMD_UNKNOWN, o, bad = 0;

	optind = 1;
	while ((o = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (o == 'c')
			file = optarg;
		else
			bad = 1;
	}
	if (bad || optind != argc) {
		log_error("usage: git-gate exceptions [-c FILE]; to add one, "
			  "git-gate allow");
		return CMD_USAGE;
	}
	c = config_load(file);
	if (c && !c->exceptions)
		log_error(CMD_NO_EXCEPTIONS, c->name);
	else if (c)
		x = exceptions_load(c->exceptions);
	if (x)
		status = list(x);
	exceptions_free(x);
	config_free(c);
	return status;
}
