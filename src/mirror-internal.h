#ifndef MIRROR_INTERNAL_H
#define MIRROR_INTERNAL_H

#include <stdint.h>
#include "buf.h"
#include "fault.h"

/* What the files of mirror share; nobody else includes this. */

struct commands;
struct config;
struct config_upstream;

/* One refresh: what for, and what came of it. */
struct mirror_job {
	const struct config *c;
	const struct config_upstream *u;
	const char *name;
	const char *path;  /* of the mirror */
	char *url;
	int64_t deadline;  /* clock_ms() value */
	int client;        /* descriptor that hangs up when nobody waits; or -1 */
	struct buf head;   /* the upstream's default branch; empty: not told */
	struct buf refs;   /* its "OID TAB REF" lines, sorted */
	struct buf words;  /* what git said last */
	struct buf busy;   /* references not to be touched, a line each */
};

/*
 * mirror-git.c: each runs git; returns FAULT_NONE or what went wrong. Asking
 * ends when the client leaves (FAULT_TIMEOUT, on which others ask by
 * themselves); what was begun to be fetched is of use to the next one.
 */
enum fault_kind mirror_git_ask(struct mirror_job *j);
enum fault_kind mirror_git_init(struct mirror_job *j, const char *dir);
enum fault_kind mirror_git_fetch(struct mirror_job *j, const char *dir);
enum fault_kind mirror_git_head(struct mirror_job *j, const char *dir);
/* *same: the repository's references are those of the answer. */
enum fault_kind mirror_git_compare(struct mirror_job *j, const char *dir,
				   int *same);

/* mirror-saved.c: the upstream's last answer, kept inside the mirror. */
int mirror_saved_equal(const struct mirror_job *j);
/* Returns 0, or -1, logged. */
int mirror_saved_write(const struct mirror_job *j, const char *dir);
int mirror_saved_remove(const char *path);
/* The last answer is as good as new. */
void mirror_saved_touch(const char *path);
/* Milliseconds since it, or -1 when there is none. */
int64_t mirror_saved_age(const char *path);
/* The upstream has answered, and the mirror agrees with it. */
void mirror_saved_asked(const char *path);
/* Milliseconds since that, whatever pushes did meanwhile; -1: never. */
int64_t mirror_saved_asked_age(const char *path);
/* Milliseconds since anything was known, saved answer or not. */
int64_t mirror_saved_any_age(const char *path);

/* mirror-path.c */
/* HEAD, objects and refs are there. */
int mirror_path_is_bare(const char *path);
/* Make the directories above path, mode 0700. Returns 0, or -1, logged. */
int mirror_path_parents(const char *path);

/* mirror-clean.c */
void mirror_clean_tree(const char *dir);
/* Remove lock files that are older than age_ms. */
void mirror_clean_locks(const char *path, int64_t age_ms);
/* Remove quarantines, of pushes that were ended. */
void mirror_clean_quarantines(const char *path);

/* mirror-lock.c: who may touch a path; one process, many threads. */
enum mirror_turn {
	MIRROR_TURN_RUN,    /* refresh, then mirror_lock_done */
	MIRROR_TURN_JOINED, /* another has done so; *fault is its end */
	MIRROR_TURN_LATE,   /* the deadline passed */
};
/* How long to wait, and for whom. */
struct mirror_wait {
	int64_t refresh; /* clock_ms(): for a refresh under way to end */
	int64_t push;    /* for pushes to end */
	int client;      /* descriptor that hangs up when nobody waits; or -1 */
};
/* On RUN, busy gets the references of pushes that are being forwarded. */
enum mirror_turn mirror_lock_refresh(const char *path,
				     const struct mirror_wait *wait,
				     struct buf *busy, enum fault_kind *fault);
void mirror_lock_done(const char *path, enum fault_kind fault);
/* Returns 0, or -1: too late, or nobody waits any more. */
int mirror_lock_push(const char *path, const char *id,
		     const struct commands *commands,
		     const struct mirror_wait *wait);
/* As mirror_push_forward; on 1 *path is a copy of the push's, to be freed. */
int mirror_lock_forward(const char *id, char **path);
/*
 * broken: it may have left a quarantine. *sweep is set to 1 for the last of
 * several pushes when any of them was broken: then no push begins until
 * mirror_lock_swept. Returns 1 when the push was forwarded, else 0.
 */
int mirror_lock_push_end(const char *path, const char *id, int broken,
			 int *sweep);
void mirror_lock_swept(const char *path);

#endif
