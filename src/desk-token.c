/*
 * What git-gate-askpass asks: the token that the vault keeps for an upstream,
 * and to keep another; and the marks of tokens, which whoever hands on an
 * upstream's words asks for. Takes requests of our own user alone, gives the
 * vault's answer; never logs what it carries.
 */
#include "desk-internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "mem.h"
#include "vault.h"

/* The process at the other end, or -1: another's, root's too. */
static pid_t peer_of(const struct desk_request *r)
{
	struct ucred peer = { 0 };
	socklen_t n = sizeof(peer);

	if (!getsockopt(r->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) &&
	    peer.uid == geteuid() && peer.pid > 0)
		return peer.pid;
	log_warn("control: user %u has no business with tokens",
		 (unsigned)peer.uid);
	buf_adds(r->out, "no\n");
	return -1;
}

/* The next word of the request, or what is left of its line. */
static char *next_word(struct desk_request *r, const char *ends)
{
	char *word = r->words;
	size_t n = strcspn(word, ends);

	r->words += n;
	if (*r->words)
		*r->words++ = '\0';
	return *word ? word : NULL;
}

static void ask(struct desk_request *r, int renew)
{
	static const char *const words[] = { [VAULT_MINT] = "mint",
					     [VAULT_WAIT] = "wait",
					     [VAULT_HAVE] = "" };
	const char *key = next_word(r, " \n");
	struct buf token = BUF_INIT;
	enum vault_answer answer;
	pid_t peer;

	if (!key || (peer = peer_of(r)) < 0)
		return;
	answer = vault_ask(r->vault, key, peer, renew, &token);
	if (answer == VAULT_HAVE) {
		/* one allocation each: growing would leave copies behind */
		buf_room(r->out, token.len + 8);
		buf_adds(r->out, "have ");
		buf_add(r->out, token.data, token.len);
		mem_wipe(token.data, token.alloc);
	} else {
		buf_adds(r->out, words[answer]);
	}
	buf_addc(r->out, '\n');
	buf_clear(&token);
}

void desk_token(struct desk_request *r)
{
	ask(r, 0);
}

void desk_renew(struct desk_request *r)
{
	ask(r, 1);
}

/* KEY UNTIL TOKEN; the token may have blanks. */
void desk_keep(struct desk_request *r)
{
	const char *key = next_word(r, " \n"), *time_text, *token;
	char *end = NULL;
	int64_t until = 0;

	time_text = next_word(r, " \n");
	token = next_word(r, "\n");
	if (time_text)
		until = strtoimax(time_text, &end, 10);
	if (!key || !token || !end || *end || until <= time(NULL)) {
		buf_adds(r->out, "no\n");
		return;
	}
	if (peer_of(r) < 0)
		return;
	vault_keep(r->vault, key, token, strlen(token), until);
	buf_adds(r->out, "kept\n");
}

void desk_loose(struct desk_request *r)
{
	const char *key = next_word(r, " \n");

	if (!key || peer_of(r) < 0)
		return;
	vault_loose(r->vault, key);
	buf_adds(r->out, "good\n");
}

/* NAME MARK... */
void desk_mark(struct desk_request *r)
{
	const char *name = next_word(r, " \n"), *marks;

	marks = next_word(r, "\n");
	if (!name || !marks || peer_of(r) < 0)
		return;
	vault_mark(r->vault, name, marks);
	buf_adds(r->out, "good\n");
}

void desk_marks(struct desk_request *r)
{
	const char *name = next_word(r, " \n");

	if (!name || peer_of(r) < 0)
		return;
	vault_marks(r->vault, name, r->out);
	buf_addc(r->out, '\n');
}
