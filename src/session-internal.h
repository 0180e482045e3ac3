#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

#include <pthread.h>
#include "session.h"

/* What the files of session share; nobody else includes this. */

enum session_place_state { PLACE_NONE, PLACE_WAITING, PLACE_HELD };

/* Guards the table. */
extern pthread_mutex_t session_lock;
extern struct session *session_entries;
/* From here on none is in use: what looks at all of them ends before. */
extern unsigned session_top;

/* What status and the log call it. */
const char *session_stage_name(enum session_stage stage);

/* What session_table and session_table_free do for session-watch.c. */
int session_watch_open(int wake_fd);
void session_watch_close(void);
/* The watchdog may have to look at s sooner than it knows; session_lock is
   held. */
void session_due(const struct session *s);
/*
 * Does everybody hurry? s, which begins and may be NULL, does too then;
 * session_lock is held.
 */
int session_hurried(struct session *s);

/*
 * Give the places that are free now to who waits; session_lock is held. To be
 * called whenever one may have become free.
 */
void session_place_grant(void);
/* How many there are, and may be: for session_print. */
void session_place_count(unsigned *working, unsigned *waiting,
			 struct session_caps *most);

#endif
