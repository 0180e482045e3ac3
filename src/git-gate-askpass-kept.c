/*
 * Tokens that the responder keeps: takes an upstream, asks git-gated at its
 * control socket for that one's token, and gives it a new one to keep.
 * Without a responder nothing is kept. A token goes nowhere else.
 */
#include "git-gate-askpass-internal.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "clock.h"
#include "config.h"
#include "control.h"
#include "log.h"
#include "token.h"

/* For the answer to one question; the responder has it in memory. */
#define ANSWER_MS 5000
/* For another's tokenCommand, which has 30 s. */
#define WAIT_MS 30000
/* From one question to the next: each one waits twice as long, up to this. */
#define AGAIN_MOST_MS 200
/* With a longer key, and more than its token, a line would be too long. */
#define KEY_MAX 8192

/* A word of the key: bytes that could end it are written as %XX. */
static void add_word(struct buf *key, const char *s)
{
	buf_addc(key, '|');
	for (; s && *s; s++)
		if ((unsigned char)*s <= ' ' || *s == '%' || *s == '|' ||
		    *s == 0x7f)
			buf_addf(key, "%%%02X", (unsigned char)*s);
		else
			buf_addc(key, *s);
}

/*
 * All that the token is for and comes from. A configuration that was read
 * anew, or another program in the command's place, has another key, so that no
 * earlier token is given for it.
 */
static void key_of(const struct config_upstream *u, struct buf *key)
{
	struct stat st = { 0 };

	add_word(key, u->name);
	add_word(key, u->url);
	add_word(key, u->username);
	add_word(key, u->token_command);
	if (stat(u->token_command, &st))
		return; /* it will not run either */
	buf_addf(key, "|%ju.%ju.%jd.%ld", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino, (intmax_t)st.st_mtim.tv_sec,
		 st.st_mtim.tv_nsec);
}

/* Send "WORD KEY[REST]". The answer, without its newline, to out. */
static int tell(const struct config *c, const struct config_upstream *u,
		const char *word, const struct buf *rest, struct buf *out)
{
	struct buf line = BUF_INIT, key = BUF_INIT;
	int rc = -1;

	key_of(u, &key);
	if (key.len <= KEY_MAX) {
		/* Room for all at once, here and there: growing would leave
		   copies behind. */
		buf_room(&line, TOKEN_MAX + KEY_MAX + 64);
		buf_addf(&line, "%s %s", word, key.data);
		if (rest)
			buf_add(&line, rest->data, rest->len);
		buf_addc(&line, '\n');
		buf_room(out, TOKEN_MAX + 32768);
		rc = control_ask(c, line.data, ANSWER_MS, 1, out);
	}
	if (!rc && out->len && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
	askpass_wipe(&line);
	buf_clear(&key);
	return rc;
}

/* One question. Returns 0: ask again. */
static int ask_once(const struct config *c, const struct config_upstream *u,
		    const char *word, struct buf *out, enum askpass_kept *kept)
{
	struct buf answer = BUF_INIT;
	int done = 1;

	*kept = ASKPASS_ALONE;
	if (tell(c, u, word, NULL, &answer)) {
		log_debug("no responder keeps tokens");
	} else if (answer.len > 5 && !strncmp(answer.data, "have ", 5)) {
		buf_add(out, answer.data + 5, answer.len - 5);
		*kept = ASKPASS_HAVE;
	} else if (answer.len && !strcmp(answer.data, "mint")) {
		*kept = ASKPASS_MINT;
	} else if (answer.len && (!strcmp(answer.data, "wait") ||
				  !strcmp(answer.data, "busy"))) {
		*kept = ASKPASS_LATE;
		done = 0;
	}
	askpass_wipe(&answer);
	return done;
}

enum askpass_kept askpass_kept(const struct config *c,
			       const struct config_upstream *u, int renew,
			       struct buf *out)
{
	int64_t end = clock_ms() + WAIT_MS;
	enum askpass_kept kept;
	int pause = 10;

	while (!ask_once(c, u, renew ? "renew" : "token", out, &kept) &&
	       clock_left(end) > 0) {
		poll(NULL, 0, pause);
		if (pause < AGAIN_MOST_MS)
			pause *= 2;
	}
	return kept;
}

void askpass_keep(const struct config *c, const struct config_upstream *u,
		  const struct buf *token, int64_t until)
{
	struct buf rest = BUF_INIT, answer = BUF_INIT;
	const char *word = until ? "keep" : "loose";

	buf_room(&rest, TOKEN_MAX + 64);
	if (until) {
		buf_addf(&rest, " %" PRId64 " ", until);
		buf_add(&rest, token->data, token->len);
	}
	/* The token is of use all the same, so nothing fails. */
	if (tell(c, u, word, &rest, &answer) ||
	    (strcmp(answer.data, "kept") && strcmp(answer.data, "good")))
		log_warn("git-gated did not take a token to keep");
	askpass_wipe(&rest);
	askpass_wipe(&answer);
}
