#ifndef MIRROR_H
#define MIRROR_H

#include <stdint.h>
#include "fault.h"

struct buf;
struct commands;
struct config;
struct config_repo;

/*
 * The bare repository that serves a name: a mirror of its upstream's, made
 * and refreshed here, or one of the operator's own (hosted), never touched
 * but by pushes. A mirror is a cache and may be deleted at any time.
 */

/*
 * Where the repository is, or would be: HOSTED/NAME.git, or
 * MIRRORS/SCHEME_[USER@]HOST_PORT/PATH.git ("_SUFFIX" follows the port where
 * the upstream's suffix is not ".git"). Returns 0; -1 when it is hosted and not
 * there, or lies behind a symbolic link below HOSTED.
 */
int mirror_path(const struct config *c, const struct config_repo *r,
		const char *name, struct buf *out);

/*
 * Make it ready to be advertised, as fresh as its [repo] says: first clone,
 * refresh (one runs, one waits, a caller joins only one that starts after it
 * came), default branch. Bounded by left_ms and refreshTimeout, a wait for
 * pushes by queueTimeout; client is a descriptor that hangs up when nobody
 * waits for the answer any more, or -1. Logged. Returns 0; 1 when
 * `fresh = offline-ok` and what there is must do (*age_ms is its age); -1 with
 * *fault set.
 */
int mirror_refresh(const struct config *c, const struct config_repo *r,
		   const char *name, int client, int64_t left_ms,
		   int64_t *age_ms, enum fault_kind *fault);

/*
 * The same of one that has an upstream, which is asked whatever is known
 * already.
 */
int mirror_refresh_now(const struct config *c, const struct config_repo *r,
		       const char *name, int client, int64_t left_ms,
		       int64_t *age_ms, enum fault_kind *fault);

/*
 * Has the upstream been asked within bound_ms, or as long ago as its [repo]
 * allows? True of hosted repositories that are there.
 */
int mirror_fresh_enough(const struct config *c, const struct config_repo *r,
			const char *name, int64_t bound_ms);

/*
 * A push of these commands is about to run on this repository, in the session
 * of this id. It keeps nobody waiting while it is unpacked and scanned; it ends
 * maintenance. Returns 0, or -1: something of an ended push is being removed,
 * and that took longer than queueTimeout, or client (as above) left; at once,
 * where it is not to wait. Each 0 is paired with one mirror_push_end of the
 * path that mirror_path gave before (it may not be there any more); broken says
 * that the push did not end by itself: its quarantine is then removed, as soon
 * as no other push runs.
 */
int mirror_push_begin(const struct config *c, const struct config_repo *r,
		      const char *name, const char *id,
		      const struct commands *commands, int client, int wait);
void mirror_push_end(const char *path, const char *id, int broken);

/*
 * The push of this id is about to be forwarded: from now on until it ends no
 * refresh touches its references, so that none rewinds what the upstream
 * takes, and the next one asks the upstream whatever it knew. Where those are
 * very many, no refresh runs at all. Pushes do not wait for each other, only
 * for a refresh under way. Never blocks. Returns 1; 0: not yet, ask again
 * soon; -1: no such push.
 */
int mirror_push_forward(const char *id);

/*
 * A session is served from the mirror at path, there or not yet: it is not
 * removed until mirror_release, which also notes that it was used. Not for
 * hosted ones.
 */
void mirror_use(const char *path);
void mirror_release(const char *path);

/*
 * Did its last refresh fail? Then milliseconds since the upstream has last
 * answered, else -1.
 */
int64_t mirror_stale_ms(const char *path);

/*
 * At start: remove what an earlier process left half-made in mirrors, and its
 * locks and quarantines in hosted repositories. Logged.
 */
void mirror_clean(const struct config *c);

#endif
