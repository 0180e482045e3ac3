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
	int new_token;     /* for the git that runs next, gitenv.h */
	int asked_anew;    /* that was done once */
	int unasked;       /* it ended for what is not the upstream's fault */
	int fetched;       /* objects may have come */
	int cloned;        /* by mirror_git_init: all is there already */
};

/*
 * mirror-ask.c: what an upstream is asked, again where that may help: after
 * 200 and 400 ms when it could not be reached, once with another token when it
 * took none. Logged.
 */
enum fault_kind mirror_ask(struct mirror_job *j);
enum fault_kind mirror_ask_fetch(struct mirror_job *j, const char *dir);
/* What git and ssh said, for the operator. */
void mirror_ask_log(const struct mirror_job *j, enum fault_kind fault);

/*
 * mirror-crowd.c: one who asks this upstream's server; so many do at a time.
 * Returns 0, for one mirror_crowd_leave, or -1: no turn until the deadline
 * (clock_ms()), or the client left.
 */
int mirror_crowd_enter(const struct config_upstream *u, int64_t deadline,
		       int client);
void mirror_crowd_leave(const struct config_upstream *u);

/*
 * mirror-git.c: each runs git; returns FAULT_NONE or what went wrong. Asking
 * ends when the client leaves (FAULT_TIMEOUT, on which others ask by
 * themselves); what was begun to be fetched is of use to the next one.
 */
enum fault_kind mirror_git_ask(struct mirror_job *j);
enum fault_kind mirror_git_init(struct mirror_job *j, const char *dir);
enum fault_kind mirror_git_fetch(struct mirror_job *j, const char *dir);
enum fault_kind mirror_git_head(struct mirror_job *j, const char *dir);
/*
 * A new default branch alone, and HEAD to it, before the fetch that prunes the
 * old one: nobody is to meet a HEAD that leads nowhere. Where that is not
 * possible the fetch and mirror_git_head do it.
 */
void mirror_git_lead(struct mirror_job *j, const char *dir);
/* What `git fsck` says of references and of objects that are in no pack. */
void mirror_git_check(struct mirror_job *j, const char *dir, struct buf *said);
/* Sort lines. */
void mirror_git_sort(struct buf *b);
/* mirror-near.c: returns 0, or -1: git is to be asked. */
int mirror_near_ask(struct mirror_job *j);
/* *same: the repository's references are those of the answer. */
enum fault_kind mirror_git_compare(struct mirror_job *j, const char *dir,
				   int *same);

/*
 * mirror-refs.c: the branches and tags of the repository dir as "OID TAB REF"
 * lines, in no order. Returns 0, or -1: something is unusual, ask git.
 */
int mirror_refs_read(const char *dir, struct buf *out);

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
/* It is used now; written down at most once a minute. */
void mirror_saved_used(const char *path);
/* Milliseconds since it was, as far as is known. */
int64_t mirror_saved_used_age(const char *path);
/* Its maintenance as a whole took too long; milliseconds since, -1: never. */
void mirror_saved_slow(const char *path);
int64_t mirror_saved_slow_age(const char *path);

/* Nothing was wrong with it in this process's time. */
void mirror_saved_known(const char *path);
int mirror_saved_is_known(const char *path);
/* Something was taken from it that a fetch brings back; until it is known. */
int mirror_saved_mending(const char *path);
int mirror_saved_is_mending(const char *path);
/* Its references are those of the answer that is saved, if any. */
int mirror_saved_agrees(const char *path);

/*
 * mirror-sound.c: are the files of the repository dir whole, as far as one can
 * tell without git? Returns 0; 1: not those that a fetch brings back, which are
 * removed when mends is set; 2: others. Appends to why what is wrong.
 */
int mirror_sound(const char *dir, int mends, struct buf *why);
/* Does `git fsck` speak of damage? 1, its first line of that in why; or 0. */
int mirror_sound_words(const struct buf *said, struct buf *why);

/*
 * mirror-heal.c: who refreshes it, after mirror_lock_settle. Returns 0, it is
 * whole; 1, something was taken away, and a refresh brings it back; 2, it is to
 * be made anew. Logged.
 */
int mirror_heal(struct mirror_job *j);
/* Could it be served as it is? Changes nothing; a no is logged. */
int mirror_heal_is_whole(struct mirror_job *j);
/* The repository tmp becomes the mirror, in place of what is there. */
enum fault_kind mirror_heal_place(struct mirror_job *j, const char *tmp);

/*
 * mirror-error.c: why the last refresh failed, until one succeeds. Kept in a
 * file inside the mirror; where there is none, in memory, for some paths.
 */
void mirror_error_set(const struct mirror_job *j, enum fault_kind fault);
void mirror_error_clear(const char *path);
/* Returns 1, its code, cleaned, in code, and how long ago; or 0: none. */
int mirror_error_get(const char *path, struct buf *code, int64_t *ago_ms);

/* mirror-due.c: objects have come to this mirror; it was used. */
void mirror_due_note(const char *path);
void mirror_due_active(void);
int mirror_due_stopping(void);

/* mirror-path.c */
/* Where an upstream's mirrors are. Returns 0, or -1, logged. */
int mirror_path_base(const struct config *c, const struct config_upstream *u,
		     struct buf *out);
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
/* Remove what an ended `git repack` has begun since (time(2)). */
void mirror_clean_packs(const char *path, int64_t since);
/*
 * Remove all bitmaps but the newest: git takes one, and tells every client of
 * the others, which an interrupted repack leaves.
 */
void mirror_clean_bitmaps(const char *path);
/* A name beside path that is known as half-made; the caller frees it. */
char *mirror_clean_name(const char *path);

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
/*
 * Waits for a sweep, and for maintenance to end. Returns 0, or -1: too late, or
 * nobody waits any more.
 */
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
/*
 * Returns 0 when there is no push, and none begins until mirror_lock_swept; or
 * -1: there is one.
 */
int mirror_lock_still(const char *path);

/*
 * mirror-lock-care.c: maintenance, which begins only when no refresh runs and
 * there is no push: 0, or -1. *watch hangs up when a push comes or a refresh is
 * about to change something: then it must end soon. With turn_ms it waits for
 * those that there are, and others for it, until so long from now.
 * mirror_lock_care_end returns whether it was told to end.
 */
int mirror_lock_care(const char *path, int turn_ms, int *watch);
int mirror_lock_care_end(const char *path, int watch);
/* Tell all that run to end. */
void mirror_lock_care_stop(void);
/*
 * By who refreshes it, before anything is changed: maintenance is told to end
 * and has ended. Returns 0, or -1: not in time.
 */
int mirror_lock_settle(const char *path, const struct mirror_wait *wait);
/* A session is served from it. */
void mirror_lock_hold(const char *path);
void mirror_lock_release(const char *path);
/* What fn returns, run while nobody is there or can come; 1: somebody is. */
int mirror_lock_alone(const char *path, int (*fn)(const char *path, void *arg),
		      void *arg);

#endif
