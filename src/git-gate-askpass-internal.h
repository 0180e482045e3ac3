#ifndef GIT_GATE_ASKPASS_INTERNAL_H
#define GIT_GATE_ASKPASS_INTERNAL_H

#include <stdint.h>

/* What the files of git-gate-askpass share; nobody else includes this. */

struct buf;
struct config;
struct config_upstream;

/* Overwrite and free. */
void askpass_wipe(struct buf *b);

/*
 * git-gate-askpass-token.c: the upstream's token, appended to out: from its
 * tokenFile, which is read each time, or its tokenCommand, which is run when
 * the responder has none. Returns 0, or -1, logged (unless the upstream has
 * neither: git says that).
 */
int askpass_token(const struct config *c, const struct config_upstream *u,
		  struct buf *out);

/*
 * git-gate-askpass-kept.c: what the responder keeps for a tokenCommand.
 * askpass_kept waits while another process makes a token. HAVE: it is in out;
 * MINT: make one, and tell of it by one of the next two; ALONE: nobody keeps
 * it; LATE: the other one did not succeed in time.
 */
enum askpass_kept {
	ASKPASS_LATE = 0,
	ASKPASS_ALONE,
	ASKPASS_MINT,
	ASKPASS_HAVE,
};
enum askpass_kept askpass_kept(const struct config *c,
			       const struct config_upstream *u, int renew,
			       struct buf *out);
/* until: UNIX seconds; 0: it is not known, so it cannot be kept. */
void askpass_keep(const struct config *c, const struct config_upstream *u,
		  const struct buf *token, int64_t until);

#endif
