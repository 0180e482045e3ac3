/*
 * How old what is served is, in the answer itself: a repository that is
 * `fresh = offline-ok`, and an upstream that could not be asked. Takes what
 * the mirror knows, gives a header and a line for people.
 */
#include "serve-internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "mirror.h"

/* Milliseconds; -1: it is what the upstream has. */
static int64_t age_of(const struct serve *s)
{
	if (s->age_ms >= 0 || s->repo->upstream == NULL ||
	    s->repo->fresh != FRESH_OFFLINE)
		return s->age_ms;
	/* the advertisement before this request found it so */
	return mirror_stale_ms(s->git_dir.data);
}

/* As people say it: "5 minutes". */
static void say_age(int64_t ms, struct buf *out)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {
		{ "day", 86400000 }, { "hour", 3600000 },
		{ "minute", 60000 }, { "second", 1000 },
	};
	size_t i = 0, last = sizeof(units) / sizeof(*units) - 1;
	int64_t n;

	/* "90 minutes" says more than "1 hour" */
	while (i < last && ms < 2 * units[i].ms)
		i++;
	n = ms / units[i].ms;
	buf_addf(out, "%" PRId64 " %s%s", n, units[i].name, n == 1 ? "" : "s");
}

void serve_stale(const struct serve *s, struct buf *headers, struct buf *note)
{
	int64_t ms = age_of(s);
	struct buf text = BUF_INIT;

	buf_adds(headers, "");
	if (ms < 0)
		return;
	buf_addf(headers, "Warning: 110 git-gate \"the upstream cannot be "
		 "asked; this is %" PRId64 " s old\"\r\n", ms / 1000);
	if (s->route.kind != ROUTE_RPC ||
	    s->route.service != SERVICE_UPLOAD_PACK)
		return;
	buf_adds(&text, "git-gate: the upstream cannot be asked; this is what "
		 "it had ");
	say_age(ms, &text);
	buf_adds(&text, " ago\n");
	/* a pkt-line's four digits count themselves, and the band's number */
	buf_addf(note, "%04zx\2%s", text.len + 5, text.data);
	buf_clear(&text);
}

int serve_is_stale(const struct serve *s)
{
	struct buf headers = BUF_INIT, note = BUF_INIT;
	int stale;

	serve_stale(s, &headers, &note);
	stale = headers.len > 0 || note.len > 0;
	buf_clear(&headers);
	buf_clear(&note);
	return stale;
}
