#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

#include <pthread.h>
#include "session.h"

/* What the files of session share; nobody else includes this. */

enum session_place_state { PLACE_NONE, PLACE_WAITING, PLACE_HELD };

/* Guards the table. */
extern pthread_mutex_t session_lock;
extern struct session *session_entries;
extern unsigned session_size;

/*
 * Give the places that are free now to who waits; session_lock is held. To be
 * called whenever one may have become free.
 */
void session_place_grant(void);
/* How many there are, and may be: for session_print. */
void session_place_count(unsigned *working, unsigned *waiting,
			 struct session_caps *most);

#endif
