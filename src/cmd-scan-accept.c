/*
 * What a scan leaves out: the operator's exceptions and fingerprints, and an
 * earlier report. Takes the command line and the configuration; looks for no
 * such file by itself, since the repository may be anybody's.
 */
#include "cmd-scan-internal.h"

#include <time.h>

#include "accept.h"
#include "baseline.h"
#include "config.h"
#include "exceptions.h"
#include "ignore.h"
#include "log.h"

/* Those for some repositories hold where --repo says that this is one. */
static int load_exceptions(const struct scan_options *o,
			   const struct config *c, struct accept *a)
{
	const struct config_repo *repo;

	a->exceptions = exceptions_load(c->exceptions);
	if (!a->exceptions || !o->repo)
		return a->exceptions ? 0 : -1;
	a->repo = o->repo;
	/* as the gate knows it: in lower case, where case does not count */
	repo = config_repo(c, o->repo);
	if (!repo) {
		log_error("--repo %s: no [repo] of %s has that name", o->repo,
			  c->name);
		return -1;
	}
	a->exceptions->icase = repo->upstream && repo->upstream->ignore_case;
	return 0;
}

int cmd_scan_accept(const struct scan_options *o, const struct config *c,
		    struct accept *a)
{
	const char *ignore = o->ignore ? o->ignore : c ? c->ignore : NULL;

	a->now = time(NULL);
	if (c && c->exceptions && load_exceptions(o, c, a))
		return -1;
	if (ignore) {
		/* one that a gate decides by is checked as it is there */
		a->ignore = ignore_load(ignore, !o->ignore);
		if (!a->ignore)
			return -1;
	}
	if (o->baseline) {
		a->baseline = baseline_load(o->baseline);
		if (!a->baseline)
			return -1;
	}
	return 0;
}

void cmd_scan_accept_end(struct accept *a)
{
	exceptions_free(a->exceptions);
	ignore_free(a->ignore);
	baseline_free(a->baseline);
	accept_clear(a);
}

void cmd_scan_left_out(FILE *to, const struct accept *a)
{
	const struct {
		size_t nr;
		const char *by;
	} all[] = { { a->excepted.nr, "by exceptions" },
		    { a->ignored.nr, "by their fingerprints" },
		    { a->known.nr, "in the baseline" } };
	const char *gap = "left out: ";

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (!all[i].nr)
			continue;
		fprintf(to, "%s%zu %s", gap, all[i].nr, all[i].by);
		gap = ", ";
	}
	if (a->excepted.nr + a->ignored.nr + a->known.nr)
		fputc('\n', to);
}
