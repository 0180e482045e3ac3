#ifndef PARK_H
#define PARK_H

#include <stddef.h>
#include <stdint.h>
#include "updates.h"

struct buf;
struct config;
struct config_upstream;

/*
 * Pushes that passed and could not be delivered, kept for the operator in the
 * directory [push] park: ID.bundle, a bundle (gitformat-bundle(5)), and
 * ID.push, whose push of what to where it was; of a push that only deletes
 * the latter alone. Bounded in number and bytes. Files that are in the making
 * end in ".tmp".
 */

/* park_push gives up after this time; what a slow disk takes comes on top. */
#define PARK_MS 25000

/*
 * From the hook, in its quarantine: keep this push. Returns 0, and in kept its
 * id, or that of the same push which is kept already; 1, there is no room
 * (logged); or -1, logged. Nothing half-written stays, and nothing is kept
 * without [push] park.
 */
int park_push(const struct config *c, const char *name, const char *id,
	      const char *who, const struct updates *u, char kept[17]);

/*
 * How many notes there are, and the bytes of all files. Returns 0, also where
 * there is no directory; or -1 with errno.
 */
int park_count(const struct config *c, unsigned *pushes, uint64_t *bytes);

/* The rest is for `git gate deliver` and `git gate status`. */

/* One that is kept. */
struct park {
	char id[17];
	char *who;  /* "" for nobody */
	char *name; /* of the repository */
	char *upstream;
	int64_t time;    /* when, seconds of time(2) */
	uint64_t bundle; /* its bytes; 0: there is none */
	uint64_t bytes;  /* of both files */
	char **options;  /* push options */
	size_t nr_options, alloc_options;
	struct updates updates;
};

/* Files that cannot be delivered. */
struct park_damaged {
	char id[17];
	enum park_damage {
		PARK_NO_NOTE,   /* a bundle alone */
		PARK_NO_BUNDLE, /* a note whose bundle is not there */
		PARK_BAD_NOTE,  /* it cannot be read, or is not whole */
	} what;
};

struct park_list {
	struct park *list;
	size_t nr, alloc;
	struct park_damaged *damaged;
	size_t nr_damaged, alloc_damaged;
};

#define PARK_LIST_INIT { 0 }

/*
 * All that are kept, oldest first, and what is damaged. Returns 0, or -1 with
 * errno: the directory cannot be read.
 */
int park_list(const struct config *c, struct park_list *out);
void park_list_clear(struct park_list *l);

/*
 * Keep other deliveries away until the descriptor is closed. Returns it; -1,
 * another one is at work, or, as all else, logged.
 */
int park_hold(const struct config *c);

/* Write ID.push anew: it has fewer updates now. Returns 0, or -1, logged. */
int park_save(const struct config *c, const struct park *p);
/* A damaged one too. Returns 0, or -1, logged. */
int park_remove(const struct config *c, const char *id);

/*
 * A bare repository in STATE, for one delivery: the objects of the mirror
 * (NULL: there is none) and those of the bundle; what lacks is fetched from
 * the upstream. Its path goes to dir. Returns 0, or -1 with *why, a sentence
 * for the operator. Either way park_repo_remove follows. There is one at a
 * time, so only under park_hold; what a killed delivery left goes first.
 */
int park_repo_make(const struct config *c, const struct park *p,
		   const struct config_upstream *u, const char *mirror,
		   struct buf *dir, struct buf *why);
/*
 * In what park_repo_make made: has the upstream all of this push already, each
 * reference at its new value, or a branch beyond it? Asks it, and fetches from
 * it where that takes its objects. Returns 1; or 0: no, or it cannot be told.
 */
int park_repo_has(const struct config *c, const struct park *p,
		  const struct config_upstream *u, const char *dir);
void park_repo_remove(const struct config *c);

#endif
