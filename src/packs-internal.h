#ifndef PACKS_INTERNAL_H
#define PACKS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "packs.h"

/* What the files of packs share; nobody else includes this. */

/* Below STATE. */
#define PACKS_DIR "/packs"
/*
 * Variables of git-gate-pack; all begin with GIT_GATE_, so that they are no
 * part of a key.
 */
#define PACKS_ENV_DIR "GIT_GATE_PACKS"
#define PACKS_ENV_SIZE "GIT_GATE_PACKS_SIZE"
#define PACKS_ENV_AGE "GIT_GATE_PACKS_AGE"
#define PACKS_ENV_TOTAL "GIT_GATE_PACKS_TOTAL"
#define PACKS_ENV_PID "GIT_GATE_PACKS_PID"
#define PACKS_ENV_GIT "GIT_GATE_GIT"

/*
 * A file's mode says whether all of it is there: that stays with the file when
 * its name has gone, and a reader sees it with its size in one fstat(2).
 */
#define PACKS_MAKING 0600
#define PACKS_WHOLE 0400
#define PACKS_KEY_LEN 64
/* Bytes before the pack: what git said on standard error, up to a NUL. */
#define PACKS_HEAD 4096

/* The same, as it comes, or as far as it has been given on. */
struct packs_words {
	char text[PACKS_HEAD]; /* of who takes: all; else the changing line */
	size_t done;           /* bytes of lines that are finished */
	size_t now;            /* and of the one that still changes */
	int ended;             /* it will be written over */
};
/* Read once, and put it into the file. Returns 1; 0: nothing is there now; or
   -1: there is no more. */
int packs_words_take(struct packs_words *w, int from, int file);
/* What is new, on standard error. */
void packs_words_give(struct packs_words *w, int file);

/*
 * One look at the directory: how many there are and how many bytes they take
 * on the disk; and those that are too old, too much for size with need more,
 * or half made by nobody, are removed when size is not UINT64_MAX.
 */
struct packs_look {
	uint64_t size, need;
	int64_t age_ms;
	size_t nr;
	uint64_t bytes;
};
/* With its lock held, when it may remove. Returns 0 or -1. */
int packs_look(int dir, struct packs_look *look);

/* Has a file with this in its status all of its bytes? */
int packs_file_is_whole(const struct stat *st);
/*
 * Open the one of p's key if it is whole and not too old, with a reader's lock;
 * its use is noted. Returns a descriptor or -1; nothing is begun or removed.
 */
int packs_file_find(const struct packs *p);
/* Is that the name of one? */
int packs_is_key(const char *name);
/* The directory, if any are kept at all; else -1. */
int packs_dir(const struct config *c);

#endif
