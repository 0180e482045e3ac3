#ifndef PARK_INTERNAL_H
#define PARK_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "child.h"
#include "park.h"

/* What the files of park share; nobody else includes this. */

/* Bytes of words of git that are kept. */
#define PARK_WORDS_MAX 65536

/* park-note.c: ID.push, "key value" lines. */
/* Returns 0, or -1, logged: a value would not stay on its line. */
int park_note_write(const struct park *p, struct buf *out);
/* Returns 0, or -1, which the caller tells of; p then holds nothing. */
int park_note_read(const char *path, struct park *p);
void park_note_clear(struct park *p);

/* park-dir.c: the directory. */
/* PARK/NAME and what follows it; replaces what is in out. */
const char *park_dir_file(const struct config *c, const char *name,
			  const char *after, struct buf *out);
/* An id of a session: no other name gets into a path. */
int park_dir_id_ok(const char *id);
/*
 * The file of this name, locked; waits so long. Returns a descriptor, or -1:
 * *busy, another has it; else logged.
 */
int park_dir_lock(const struct config *c, const char *name, int64_t wait_ms,
		  int *busy);
/* Who writes or removes holds this one. */
#define PARK_LOCK "lock"
/* Under the lock: remove what was left half-written. */
void park_dir_tidy(const struct config *c);
/* Renames and removals are on the disk. */
int park_dir_sync(const struct config *c);
/*
 * Each ID for which there is ID.push or ID.bundle, a line each; some twice.
 * Returns 0, also where there is no directory; or -1 with errno.
 */
int park_dir_ids(const struct config *c, struct buf *out);

/* park-list.c: under the lock, is the same push kept already? 1, its id; 0. */
int park_list_same(const struct config *c, const struct park *p, char id[17]);

/* park-bundle.c */
/*
 * Write a bundle of what is new to the repository to the new file at path, of
 * at most room bytes, on the disk. Returns 0; 1, no room, logged; or -1,
 * logged. A file that is begun is left.
 */
int park_bundle_write(const struct config *c, const struct updates *u,
		      const char *path, uint64_t room, int64_t deadline,
		      uint64_t *bytes);

#endif
