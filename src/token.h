#ifndef TOKEN_H
#define TOKEN_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a tokenFile or tokenCommand gave. The first line is the token; of a
 * command, a further line may say when it expires, as "expires=TIME" or, as
 * git has it, "password_expiry_utc=TIME": UNIX seconds, or a time in UTC as
 * RFC 3339 has it. Other lines are nobody's business. Pure.
 */
struct token {
	size_t len;      /* of the token, which is where the text begins */
	int64_t expires; /* UNIX seconds; 0: not told */
	const char *bad; /* a time that is none, in the text; or NULL */
	size_t bad_len;
};

/* Bytes of a token at most; of all that a command prints. */
#define TOKEN_MAX 32768
#define TOKEN_TEXT_MAX 65536

/*
 * Returns NULL, or what is wrong with the text, for a message; of the text
 * itself there is nothing in it. out->bad can be shown beside it.
 */
const char *token_read(const char *text, size_t n, struct token *out);

/*
 * May people see these words, of somebody who knows the token? Not when four
 * bytes in a row, or a word, of the secret text are in them, nor when they
 * have what looks like a token.
 */
int token_may_show(const char *words, size_t len, const char *secret,
		   size_t n);

/*
 * Until when a token may be given out, that expires then: a minute before, or
 * half of its life where that is shorter. 0: it is too late for that.
 */
int64_t token_until(int64_t now, int64_t expires);

#endif
