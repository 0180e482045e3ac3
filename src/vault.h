#ifndef VAULT_H
#define VAULT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;

/*
 * Tokens in the responder's memory, each under the key that whoever asks has
 * made of its upstream's settings; the text of keys means nothing here. Pages
 * of their own hold them, locked and left out of core files where the system
 * allows it, and are wiped when the token's time is over. Threads may share
 * it.
 */
struct vault;

struct vault *vault_open(void);
/* Wipe all and free; nobody may be in here any more. */
void vault_close(struct vault *v);

enum vault_answer {
	VAULT_MINT = 0, /* there is none: make one, and vault_keep it */
	VAULT_WAIT,     /* another process makes one: ask again soon */
	VAULT_HAVE,     /* here it is */
};

/*
 * For the process asker: the token under key, appended to out, or what to do
 * about it. The turn to make one ends when that process ends, or after
 * VAULT_MINT_MS. renew: the upstream did not accept the one that was given;
 * unless it was made within the last VAULT_NEW_MS, when another must have had
 * the same thought, it is forgotten.
 */
#define VAULT_MINT_MS 40000
#define VAULT_NEW_MS 10000
enum vault_answer vault_ask(struct vault *v, const char *key, pid_t asker,
			    int renew, struct buf *out);

/* Keep a token for until then, UNIX seconds; another under key is wiped. */
void vault_keep(struct vault *v, const char *key, const char *token, size_t n,
		int64_t until);

/*
 * Tokens of this key cannot be kept: for the next VAULT_LOOSE_MS, whoever asks
 * may make one without waiting for others.
 */
#define VAULT_LOOSE_MS 60000
void vault_loose(struct vault *v, const char *key);

/*
 * By what the tokens of an upstream are known (veil.h): marks are words with
 * blanks between. The newest stand first; when there are too many, or the
 * upstream's entry has to go, the oldest are forgotten. They are no secrets.
 */
void vault_mark(struct vault *v, const char *name, const char *marks);
void vault_marks(struct vault *v, const char *name, struct buf *out);

#endif
