#ifndef PACKS_H
#define PACKS_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct config;
struct env;

/*
 * Packs that git pack-objects has made for fetches, kept in STATE/packs, each
 * under the hash of all that it depends on. What git-gate-pack, which git
 * upload-pack runs in the place of pack-objects, and the responder know of
 * them. Any failure means: git pack-objects is to be run as if none were kept.
 */

/* --- the responder ------------------------------------------------------- */

/*
 * Empty the directory, and make it. To be called when no other responder has
 * STATE and none of its processes runs. Where that fails, which is logged,
 * none are kept until the next start.
 */
void packs_open(const struct config *c);

/*
 * Have the git upload-pack that gets this environment ask git-gate-pack.
 * Nothing is set when [backend] packs is 0, or git would need a shell to find
 * the program. Call it once.
 */
void packs_env(struct env *e, const struct config *c);

/*
 * Remove what is too old, or more than there may be by now. Returns how many
 * are left; 1 when that cannot be told.
 */
size_t packs_tidy(const struct config *c);

/* End those that are being made for nobody, at the very end. */
void packs_end(const struct config *c);

/* How many there are, whole or not, and bytes on the disk. Returns 0 or -1. */
int packs_count(const struct config *c, size_t *nr, uint64_t *bytes);

/* Bytes at a pack's end: its checksum is in them. */
#define PACKS_LAST 32
/* One that was given, all of it: which it is, and how to know it again. */
struct packs_kept {
	char key[65];
	uint64_t size; /* bytes of the pack */
	char last[PACKS_LAST];
};

/* Is one kept that has this size and this end? Sets key. Returns 0 or -1. */
int packs_kept_find(const struct config *c, struct packs_kept *k);
/*
 * Open it, if it still is what it was; that is a use of it, and it stays
 * meanwhile. Returns a descriptor or -1.
 */
int packs_kept_open(const struct config *c, const struct packs_kept *k);
/* How often that was possible since the start. */
uint64_t packs_kept_opened(void);
/* Bytes of the pack from `at` on, all n of them. Returns 0; -1: they are not
   there any more. */
int packs_kept_read(int fd, uint64_t at, char *data, size_t n);

/* --- git-gate-pack ------------------------------------------------------- */

/* What the responder said; strings are the environment's. */
struct packs {
	const char *git;   /* absolute path */
	uint64_t size;     /* bytes, all together */
	int64_t age_ms;    /* since the last use */
	int64_t total_ms;  /* one may take so long to be made */
	int responder;     /* its process id */
	int fd;            /* of the directory */
	char **envp;       /* for git */
	char **exec;       /* its arguments; the first is its path */
	const char **argv; /* of those, what decides on the pack */
	int progress;      /* the client wants to see it */
	struct buf *input; /* of git; NULL: it was not read */
	int more;          /* and what standard input still has */
	char key[65];      /* hexadecimal */
};

/*
 * From the environment, and exec, the first of which is replaced. Returns 0,
 * or -1: none are kept; what git needs to be run is there.
 */
int packs_take(struct packs *p);
void packs_drop(struct packs *p);

/*
 * Fill in key. Returns 0, or -1: a pack for this depends on more than we know,
 * and none may be kept.
 */
int packs_key(struct packs *p);

/* One pack, open for reading. */
struct packs_file {
	int fd;     /* its reader's lock is on it */
	int maker;  /* for packs_make; else -1 */
};

#define PACKS_FILE_INIT { .fd = -1, .maker = -1 }

/*
 * Find it, or begin it: then maker is set, and nobody else begins it until
 * that is closed. Returns 0, or -1: do without.
 */
int packs_file_open(const struct packs *p, struct packs_file *f);
/* Is anybody still making it? Does anybody read it? */
int packs_file_alive(int fd);
int packs_file_used(int fd);
/*
 * Is it the maker's alone? Once this is true nobody comes to read it.
 */
int packs_file_alone(int maker);
/* All of it is there, and stays; or it will never be. */
int packs_file_whole(int maker);
/* Its name goes, if it still has it; who reads it goes on. */
void packs_file_remove(const struct packs *p, int maker);
void packs_file_close(struct packs_file *f);

/*
 * How large it may become: as all packs of the repository together, for a
 * client that has nothing and wants all; of others nothing is known.
 */
uint64_t packs_guess(const struct packs *p);
/*
 * Room for need more bytes within p's bounds: the least recently used go, but
 * for those that somebody reads, whose bytes would stay.
 * The caller has the lock of the directory. Returns 0, or -1: there is none.
 */
int packs_room(const struct packs *p, uint64_t need);
/* The lock of the directory: 0, or -1: not within a moment. */
int packs_lock(const struct packs *p);
void packs_unlock(const struct packs *p);

/*
 * Have git make it, in a process that outlives the caller. Takes f->maker.
 * Returns 0, or -1: it is not made.
 */
int packs_make(struct packs *p, struct packs_file *f);

/*
 * Give it on standard output, from its begin, also while it is being made.
 * Returns 0; 1 when there will be no more of it than *sent bytes; -1 when
 * nobody takes it any more.
 */
int packs_give(const struct packs *p, const struct packs_file *f,
	       uint64_t *sent);

/* A file in memory with n bytes, to be read from its begin; or -1. */
int packs_memory(const void *data, size_t n);

/* Run git in our place. Returns only when that cannot be: an exit status. */
int packs_own(const struct packs *p);
/*
 * Run git and give what it gives after the first `sent` bytes, which must be
 * those of the pack in file. Returns an exit status.
 */
int packs_own_rest(const struct packs *p, int file, uint64_t sent);

#endif
