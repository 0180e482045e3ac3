/*
 * Where an upstream's token comes from: takes the upstream, reads its
 * tokenFile, or gets a token that is kept or runs its tokenCommand; gives the
 * token. What a command says is never repeated: it may hold the token.
 */
#include "git-gate-askpass-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "child.h"
#include "config.h"
#include "env.h"
#include "log.h"
#include "mem.h"
#include "token.h"
#include "veil.h"

/* Bound for tokenCommand. */
#define COMMAND_MS 30000

void askpass_wipe(struct buf *b)
{
	if (b->data)
		mem_wipe(b->data, b->alloc);
	buf_clear(b);
}

/* tokenCommand's output into out. */
static int run_command(const char *command, struct buf *out)
{
	const char *const argv[] = { command, NULL };
	struct child child = CHILD_INIT;
	struct buf words = BUF_INIT;
	struct env e = ENV_INIT;
	int status;

	env_set(&e, "PATH", "/usr/bin:/bin");
	env_set(&e, "LC_ALL", "C");
	child.argv = argv;
	child.envp = env_list(&e);
	child.dir = "/";
	status = child_run(&child, NULL, TOKEN_TEXT_MAX, COMMAND_MS, out,
			   &words);
	if (status == CHILD_TIMEOUT)
		log_error("%s: no token within %d s", command,
			  COMMAND_MS / 1000);
	else if (status == CHILD_TOO_LONG)
		log_error("%s: it prints more than %d bytes", command,
			  TOKEN_TEXT_MAX);
	else if (status > 0)
		log_error("%s: ended with status %d", command, status);
	askpass_wipe(&words);
	env_clear(&e);
	return status == 0 ? 0 : -1;
}

/* What there is, read; then only the token is left of it. */
static int take_token(struct buf *text, const char *from, struct token *token)
{
	const char *wrong = token_read(text->len ? text->data : "", text->len,
				       token);

	if (wrong) {
		log_error("%s: %s", from, wrong);
		return -1;
	}
	mem_wipe(text->data + token->len, text->len - token->len);
	text->len = token->len;
	return 0;
}

/* Run the command, and say to the responder what became of it. */
static int mint(const struct config *c, const struct config_upstream *u,
		int keep, struct buf *out)
{
	struct token token;
	int64_t now, until;

	if (run_command(u->token_command, out) ||
	    take_token(out, u->token_command, &token))
		return -1;
	now = time(NULL);
	until = token.expires ? token_until(now, token.expires) : 0;
	if (token.expires && !until)
		log_warn("%s: its token has expired already; is the clock "
			 "right?", u->token_command);
	if (keep)
		askpass_keep(c, u, out, until);
	return 0;
}

static int token_of_command(const struct config *c,
			    const struct config_upstream *u, struct buf *out)
{
	/* of gitenv_new_token: git was told that the last one is not good */
	const char *new = getenv("GIT_GATE_NEW_TOKEN");

	switch (askpass_kept(c, u, new && !strcmp(new, "yes"), out)) {
	case ASKPASS_HAVE:
		return 0;
	case ASKPASS_MINT:
		return mint(c, u, 1, out);
	case ASKPASS_ALONE:
		return mint(c, u, 0, out);
	case ASKPASS_LATE:
		break;
	}
	log_error("%s: another push or fetch runs it, and has no token yet",
		  u->token_command);
	return -1;
}

static int token_of_file(const char *file, struct buf *out)
{
	struct token token;

	if (buf_read_file(out, file, TOKEN_TEXT_MAX)) {
		log_error("%s: cannot be read: %s", file, strerror(errno));
		return -1;
	}
	/* its other lines are nobody's business */
	if (out->len && memchr(out->data, '\n', out->len))
		out->len = (size_t)((char *)memchr(out->data, '\n', out->len) -
				    out->data);
	return take_token(out, file, &token);
}

int askpass_token(const struct config *c, const struct config_upstream *u,
		  struct buf *out)
{
	int rc = -1; /* with neither: git says that it could not read one */

	/* Room for all at once: growing would leave copies behind. */
	buf_room(out, TOKEN_TEXT_MAX + 32768);
	if (u->token_command)
		rc = token_of_command(c, u, out);
	else if (u->token_file)
		rc = token_of_file(u->token_file, out);
	/* before the upstream can say anything about it */
	if (!rc)
		veil_leave(c, u, u->username ? u->username : "git", out->data,
			   out->len);
	return rc;
}
