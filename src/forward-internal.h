#ifndef FORWARD_INTERNAL_H
#define FORWARD_INTERNAL_H

#include <stdint.h>

#include "buf.h"
#include "forward.h"
#include "updates.h"
#include "veil.h"

/* What is known of one update of the push. */
enum forward_state {
	FORWARD_UNSAID = 0, /* not known, or not tried */
	FORWARD_TAKEN,      /* the upstream has it */
	FORWARD_REFUSED     /* it has not; u->list[i].reason says why */
};

/* Once the upstream's token was not accepted. */
enum forward_token {
	FORWARD_TOKEN_OLD = 0,
	FORWARD_TOKEN_WANTED, /* the next git is to have another */
	FORWARD_TOKEN_ASKED   /* one had; there is no third */
};

/* A push on its way: of all attempts, and of the newest git. */
struct forward {
	const struct config *c;
	const struct config_repo *r;
	const char *name;
	struct updates *u;
	size_t objects; /* that it brings; 0: not known */
	forward_say *say;
	void *arg;
	forward_meanwhile *meanwhile;
	int64_t deadline;
	enum forward_state *states; /* one for each update */
	int atomic;                 /* all or none of several */
	enum forward_token new_token;
	size_t said;                /* lines of the upstream */
	enum fault_kind fault; /* of the newest push */
	int failed;            /* pushes so far */
	enum fault_kind quiet; /* of one that is not logged yet */
	int cut;     /* it is not known what the upstream made of it */
	int was_cut; /* nor was it of an earlier one, which may end late */
	/* of the newest git */
	struct buf words;
	struct veil veil;
	int veiled; /* the token's marks are there */
	size_t next; /* the update that its next line is likely to be of */
	int unknown; /* a line said that the upstream's report is missing */
	int gone;    /* what is to be deleted is not as it was: deleted? */
};

/* Of the parts below: how many updates are in this state. */
size_t forward_count(const struct forward *f, enum forward_state state);
/* An update is refused, for this reason, unless one is known already. */
void forward_refuse(struct forward *f, size_t i, const char *reason);

/* The upstream has it after all. */
void forward_take(struct forward *f, size_t i);

/* The constant sentences of reasons. */
extern const char forward_moved[];   /* the upstream has another value */
extern const char forward_another[]; /* of one that fell with others */

/*
 * forward-args: the arguments of the git push of all that is not known to be
 * taken, NULL-terminated, for forward_args_free; NULL when they are too many.
 */
char **forward_args(const struct forward *f);
void forward_args_free(char **argv);

/* forward-words: a whole line of git's stdout (0) or stderr (1). */
void forward_words(struct forward *f, int which, const char *s, size_t n);
/* At the end: what was refused, and why. */
void forward_say_refusals(struct forward *f);

/* forward-run: one git push; its exit status as child_run returns it. */
int forward_run(struct forward *f, char **argv);

/*
 * forward-look: what the upstream has now, told by git ls-remote within
 * timeout_ms. An update that it has becomes FORWARD_TAKEN, also one that it
 * called refused; an unsaid one whose reference has neither the old nor the
 * new value becomes FORWARD_REFUSED; what is as it was stays. Returns 0; or
 * -1: it did not answer, or does not show a reference that matters.
 */
int forward_look(struct forward *f, int timeout_ms);

#endif
