#ifndef MIRROR_KEEP_H
#define MIRROR_KEEP_H

#include <stdint.h>
#include "route.h"

struct buf;
struct config;
struct config_repo;

/*
 * Mirrors as a whole: their upkeep, by one thread (keeper.c), and what there
 * is to be told of them.
 */

enum mirror_task {
	MIRROR_TASK_STOP,
	MIRROR_TASK_AGAIN,  /* ask again: the configuration may have changed */
	MIRROR_TASK_CARE,   /* this mirror has been quiet for long enough */
	MIRROR_TASK_REMOVE, /* look for those that nobody uses */
};

struct mirror_due {
	char *path;     /* to be freed; NULL unless MIRROR_TASK_CARE */
	unsigned tries; /* interrupted so often already */
	int64_t first;  /* clock_ms(): when the first objects came */
	int overdue;    /* its turn has come, quiet or not */
};

/*
 * Sleep until there is something to do. A mirror is due delay_ms after the
 * last objects came, twice as long for each time it was interrupted; at the
 * latest ten times delay_ms after the first, interrupted or not, so that one
 * that is never quiet has its turn too. delay_ms -1: never. With removes,
 * MIRROR_TASK_REMOVE comes at once and then at most once an hour, after
 * activity.
 */
enum mirror_task mirror_due_wait(int64_t delay_ms, int removes,
				 struct mirror_due *due);
/*
 * After its turn, with what mirror_care returned: 1, another one later; where
 * it was overdue, and so packed in part, one as a whole when it is quiet.
 */
void mirror_due_done(const struct mirror_due *due, int rc);
/* From other threads: mirror_due_wait returns AGAIN, or STOP from now on. */
void mirror_due_again(void);
void mirror_due_stop(void);

/*
 * Repack it, with a bitmap and a commit-graph, where that is worth it. Ends at
 * once when a push or a refresh is about to change it; one that is overdue is
 * packed in part, and they wait for it a while. Logged. Returns 0, done or not
 * needed; 1, interrupted; -1, failed.
 */
int mirror_care(const struct config *c, const struct mirror_due *due);

/* Remove those that are unused, or too many, as [maintenance] says. Logged. */
void mirror_remove(const struct config *c);

/* For each mirror on disk, in order of path, until fn returns other than 0. */
void mirror_each(const struct config *c,
		 int (*fn)(void *arg, const char *path), void *arg);
/*
 * The name by which a mirror is asked for, now. Returns its [repo], or NULL:
 * by none.
 */
const struct config_repo *mirror_name(const struct config *c, const char *path,
				      char name[ROUTE_NAME_MAX + 1]);

struct mirror_look {
	int64_t asked_ms; /* since the upstream last answered; -1: never */
	int64_t used_ms;  /* since a session was served from it */
	int64_t error_ms; /* since a refresh failed, none succeeding; -1 */
	unsigned packs;   /* without the one of unreachable objects */
	uint64_t bytes;   /* of all packs and what goes with them */
	uint64_t objects; /* in packs, about */
	int bitmap;       /* there is one */
};
/* code: of the error, appended. */
void mirror_look(const char *path, struct mirror_look *look, struct buf *code);
/*
 * What git said when its last refresh failed with this code, one line, cleaned
 * and veiled; nothing, where that is not known.
 */
void mirror_error_words(const char *path, const char *code, struct buf *out);
/*
 * Of those that have no mirror, the ones that failed within the last hour:
 * "PATH CODE MS".
 */
void mirror_error_each(void (*fn)(void *arg, const char *path, const char *code,
				  int64_t ago_ms), void *arg);

#endif
