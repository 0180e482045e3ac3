/*
 * What an upstream is asked: takes a job, lets mirror-git.c run git for it, as
 * often as there is a point in it, and in its turn where many ask the same
 * server. Gives a fault when that is final. Permanent ones are at once.
 */
#include "mirror-internal.h"

#include <poll.h>

#include "clock.h"
#include "config.h"
#include "gitenv.h"
#include "log.h"

/* What fails within this time is tried again. */
#define QUICK_MS 3000
#define ATTEMPTS 3

typedef enum fault_kind asking(struct mirror_job *j, const char *dir);

void mirror_ask_log(const struct mirror_job *j, enum fault_kind fault)
{
	struct buf line = BUF_INIT;
	struct gitenv_url url = { 0 };

	gitenv_url(j->u->url, &url);
	fault_words(j->words.len ? j->words.data : "", j->words.len, &line);
	if (fault == FAULT_AUTH)
		config_offered(j->u, &line);
	if (fault != FAULT_NONE)
		log_warn("%s: upstream \"%s\" (%s %s): %s: %s", j->name,
			 j->u->name, url.scheme, *url.host ? url.host : "local",
			 fault_text(fault)->code, line.data);
	else
		log_warn("%s: upstream \"%s\": %s", j->name, j->u->name,
			 line.data);
	buf_clear(&line);
}

/* A token may have been withdrawn before its time; the next one may do. */
static enum fault_kind with_token(struct mirror_job *j, asking *fn,
				  const char *dir)
{
	enum fault_kind fault = fn(j, dir);

	if (fault != FAULT_AUTH || !j->u->token_command || j->asked_anew)
		return fault;
	mirror_ask_log(j, fault);
	j->asked_anew = j->new_token = 1;
	fault = fn(j, dir);
	j->new_token = 0;
	return fault;
}

static enum fault_kind patiently(struct mirror_job *j, asking *fn,
				 const char *dir)
{
	int64_t quick = clock_ms() + QUICK_MS;
	enum fault_kind fault;

	for (int try = 1;; try++) {
		fault = with_token(j, fn, dir);
		/* It may have answered at the second dial only. */
		if (fault == FAULT_NONE && j->words.len)
			mirror_ask_log(j, fault);
		if (fault != FAULT_UNREACHABLE || try == ATTEMPTS ||
		    !clock_left(quick) || clock_left(j->deadline) < 1000)
			return fault;
		mirror_ask_log(j, fault);
		poll(NULL, 0, 100 << try);
	}
}

/* In turn: it is what many begin at the same moment, and it is short. */
static enum fault_kind ask(struct mirror_job *j, const char *dir)
{
	enum fault_kind fault;

	(void)dir;
	if (mirror_crowd_enter(j->u, j->deadline, j->client)) {
		j->unasked = 1;
		buf_reset(&j->words);
		buf_adds(&j->words, "no turn among those that ask this server");
		return FAULT_BUSY;
	}
	fault = mirror_git_ask(j);
	mirror_crowd_leave(j->u);
	return fault;
}

enum fault_kind mirror_ask(struct mirror_job *j)
{
	return patiently(j, ask, NULL);
}

enum fault_kind mirror_ask_fetch(struct mirror_job *j, const char *dir)
{
	j->fetched = 1;
	return patiently(j, mirror_git_fetch, dir);
}
