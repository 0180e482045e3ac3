/*
 * Where an upstream's token comes from: takes the upstream, reads its
 * tokenFile, or gets a token that is kept or runs its tokenCommand; gives the
 * token. Of what a command says the last line is repeated when it fails, unless
 * that may hold the token.
 */
#include "git-gate-askpass-internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "child.h"
#include "config.h"
#include "env.h"
#include "log.h"
#include "mem.h"
#include "text.h"
#include "token.h"
#include "veil.h"

/* Bound for tokenCommand. */
#define COMMAND_MS 30000
/* Of its words, for the log. */
#define LINE_MAX_BYTES 200

void askpass_wipe(struct buf *b)
{
	if (b->data)
		mem_wipe(b->data, b->alloc);
	buf_clear(b);
}

/*
 * Log: which key of which upstream, and what is the matter with it. fault.c
 * knows the opening of this line.
 */
__attribute__((format(printf, 3, 4)))
static void fail(const struct config *c, const struct config_upstream *u,
		 const char *fmt, ...)
{
	const char *key = u->token_command ? "tokenCommand" : "tokenFile";
	const char *file = getenv("GIT_GATE_CONFIG_NAME");
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("[upstream \"%s\"] %s %s (%s:%d) %s", u->name, key,
		  u->token_command ? u->token_command : u->token_file,
		  file && *file ? file : c->name, config_upstream_line(u, key),
		  text);
}

/*
 * The last line of what the command said, for people; of this and earlier
 * tokens nothing is in it, as far as that can be told.
 */
static void last_words(const struct config *c, const struct config_upstream *u,
		       const struct buf *printed, struct buf *words,
		       struct buf *out)
{
	const char *line;
	size_t n;

	/* marks of earlier tokens, in their place */
	veil_all(c, u, words);
	n = words->len;
	while (n && (unsigned char)words->data[n - 1] <= ' ')
		n--;
	if (!n)
		return;
	line = memrchr(words->data, '\n', n);
	line = line ? line + 1 : words->data;
	n -= (size_t)(line - words->data);
	if (n > LINE_MAX_BYTES)
		n = LINE_MAX_BYTES;
	buf_adds(out, ": ");
	if (token_may_show(line, n, printed->len ? printed->data : "",
			   printed->len))
		text_clean(out, line, n);
	else
		buf_adds(out, "its last words may hold the token and are not "
			      "shown");
}

/* What became of the command, unless it went well. */
static void judge_end(const struct config *c, const struct config_upstream *u,
		      int status, const struct buf *printed, struct buf *words)
{
	struct buf last = BUF_INIT;

	buf_adds(&last, "");
	if (status > 0)
		last_words(c, u, printed, words, &last);
	if (status == CHILD_TIMEOUT)
		fail(c, u, "gave no token within %d s%s", COMMAND_MS / 1000,
		     last.data);
	else if (status == CHILD_TOO_LONG)
		fail(c, u, "prints more than %d bytes", TOKEN_TEXT_MAX);
	else if (status > 0)
		fail(c, u, "ended with status %d%s", status, last.data);
	else if (status < 0)
		fail(c, u, "cannot be run");
	buf_clear(&last);
}

/* tokenCommand's output into out. */
static int run_command(const struct config *c, const struct config_upstream *u,
		       struct buf *out)
{
	const char *const argv[] = { u->token_command, NULL };
	struct child child = CHILD_INIT;
	struct buf words = BUF_INIT;
	struct env e = ENV_INIT;
	int status;

	env_set(&e, "PATH", "/usr/bin:/bin");
	env_set(&e, "LC_ALL", "C");
	child.argv = argv;
	child.envp = env_list(&e);
	child.dir = "/";
	/* room for all at once: growing would leave copies behind */
	buf_room(&words, TOKEN_TEXT_MAX + 32768);
	status = child_run(&child, NULL, TOKEN_TEXT_MAX, COMMAND_MS, out,
			   &words);
	judge_end(c, u, status, out, &words);
	askpass_wipe(&words);
	env_clear(&e);
	return status == 0 ? 0 : -1;
}

/* What there is, read; then only the token is left of it. */
static int take_token(const struct config *c, const struct config_upstream *u,
		      struct buf *text, struct token *token)
{
	const char *wrong = token_read(text->len ? text->data : "", text->len,
				       token);

	if (wrong) {
		fail(c, u, "%s%s%.*s", wrong, token->bad ? ": " : "",
		     token->bad ? (int)token->bad_len : 0,
		     token->bad ? token->bad : "");
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

	if (run_command(c, u, out) || take_token(c, u, out, &token))
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
	fail(c, u, "is run by another push or fetch, which has no token yet");
	return -1;
}

static int token_of_file(const struct config *c,
			 const struct config_upstream *u, struct buf *out)
{
	struct token token;

	if (buf_read_file(out, u->token_file, TOKEN_TEXT_MAX)) {
		fail(c, u, "cannot be read: %s", strerror(errno));
		return -1;
	}
	/* its other lines are nobody's business */
	if (out->len && memchr(out->data, '\n', out->len))
		out->len = (size_t)((char *)memchr(out->data, '\n', out->len) -
				    out->data);
	return take_token(c, u, out, &token);
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
		rc = token_of_file(c, u, out);
	/* before the upstream can say anything about it */
	if (!rc)
		veil_leave(c, u, u->username ? u->username : "git", out->data,
			   out->len);
	return rc;
}
