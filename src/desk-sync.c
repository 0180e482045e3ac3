/*
 * "sync NAME": the mirror of a name, brought to what its upstream has now, as
 * a session's advertisement would. Takes a name as a client may write it,
 * answers "ok NAME" or "failed CODE SENTENCE (GIT'S WORDS)".
 */
#include "desk-internal.h"

#include <stdint.h>
#include <string.h>

#include "buf.h"
#include "config.h"
#include "fault.h"
#include "mirror-keep.h"
#include "mirror.h"
#include "route.h"

static void fail(struct desk_request *r, const char *code, const char *sentence)
{
	buf_addf(r->out, "failed %s %s\n", code, sentence);
}

static void refresh(struct desk_request *r, const struct config_repo *repo,
		    const char *name)
{
	struct buf path = BUF_INIT, words = BUF_INIT;
	enum fault_kind fault;
	int64_t age;

	/* what there is, however old, is not what was asked for */
	if (!mirror_refresh_now(r->c, repo, name, r->fd, r->c->refresh_ms,
				&age, &fault)) {
		buf_addf(r->out, "ok %s\n", name);
		return;
	}
	/* the remedy is for clients; who asks here can use git's own words */
	if (!mirror_path(r->c, repo, name, &path))
		mirror_error_words(path.data, fault_text(fault)->code, &words);
	buf_addf(r->out, "failed %s %s", fault_text(fault)->code,
		 fault_text(fault)->sentence);
	if (words.len)
		buf_addf(r->out, " (%s)", words.data);
	buf_addc(r->out, '\n');
	buf_clear(&path);
	buf_clear(&words);
}

void desk_sync(struct desk_request *r)
{
	char name[ROUTE_NAME_MAX + 1];
	const struct config_repo *repo;
	const char *error;

	r->words[strcspn(r->words, "\n")] = '\0';
	if (route_name(r->words, name, &error)) {
		fail(r, "bad-name", error);
		return;
	}
	repo = config_repo(r->c, name);
	if (!repo)
		fail(r, "not-found", "no [repo] has this name");
	else if (!repo->upstream)
		fail(r, "hosted", "it has no upstream");
	else
		refresh(r, repo, name);
}
