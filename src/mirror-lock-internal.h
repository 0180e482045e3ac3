#ifndef MIRROR_LOCK_INTERNAL_H
#define MIRROR_LOCK_INTERNAL_H

#include <pthread.h>
#include "mirror-internal.h"

/* What the files of mirror-lock share; nobody else includes this. */

/* A push under way, by its session's id. */
struct push {
	struct push *next;
	int forwards;
	int many;        /* references: too many to be left alone one by one */
	struct buf refs; /* a line each */
	char id[17];
};

struct entry {
	struct entry *next;
	char *path;
	unsigned users;  /* threads inside, sessions and pushes under way */
	struct push *pushes;
	unsigned forwards; /* of them, those of many references */
	int refreshing, sweeping;
	int caring;       /* maintenance runs */
	int care_fd;      /* open while it may go on; -1 */
	int64_t turn;     /* clock_ms(): others wait for it until then */
	int broken;       /* a push left something */
	int refresh_next; /* a refresh waits for forwards to end */
	int64_t asked;    /* clock_ms() when a forward was put off; 0: none */
	uint64_t started, ended; /* numbers of the last refresh */
	enum fault_kind fault;   /* of the one that ended last */
};

/* Guards the table and what is in it. */
extern pthread_mutex_t mirror_lock_mutex;
extern struct entry *mirror_lock_entries;

/* The entry of a path, made when it is new; locks the table. */
struct entry *mirror_lock_enter(const char *path);
/* Unlocks the table; an entry that nobody uses is freed. */
void mirror_lock_leave(struct entry *e);
/* In between: returns 0, or -1 once the time has passed or nobody waits. */
int mirror_lock_wait(const struct entry *e, const struct mirror_wait *wait);
/* What others wait for may have come. */
void mirror_lock_changed(void);
/* Has a forward been put off that may come before the next refresh? */
int mirror_lock_forward_asks(const struct entry *e);
/* Tell maintenance, if it runs, to end; now, or when its turn is over. */
void mirror_lock_stop_care(struct entry *e, int now);
/* Does maintenance wait for its turn, and others for it? */
int mirror_lock_turn(const struct entry *e);

#endif
