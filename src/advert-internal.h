#ifndef ADVERT_INTERNAL_H
#define ADVERT_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "asked.h"
#include "buf.h"

/* What the files of advert share; nobody else includes this. */

/*
 * How one file is held against what it was: by all that stat(2) says of its
 * content; by that only while git answers (it changes for reasons of its own,
 * and later only which file it is counts); or by which file it is, only.
 */
enum state_how { HOW_CONTENT, HOW_WHILE, HOW_WHICH };

/* What was seen at one path; mode 0: nothing is there. Times are of the epoch,
   nanoseconds. */
struct state_seen {
	uint64_t dev, ino, size;
	int64_t mtime, ctime;
	uint32_t mode, uid, gid;
	enum state_how how;
	size_t path; /* in paths; absolute, or below the repository */
};

/*
 * What git looks at, in one repository, for one kind of answer. Paths and what
 * was seen there; no file is kept open.
 */
struct advert_state {
	struct state_seen *seen;
	size_t nr, alloc;
	struct buf paths; /* each with its NUL; the repository's first */
	int64_t at;       /* the time before the first look; of the epoch, ns */
};

#define ADVERT_STATE_INIT { .paths = BUF_INIT }

enum state_is {
	STATE_GOOD = 0, /* an answer that git gives now may be kept */
	STATE_YOUNG,    /* something has changed too short a time ago */
	STATE_STRANGE,  /* git looks at more than we do */
};

/* programs: absolute paths, ends with NULL. Nothing is logged. */
enum state_is advert_state_take(struct advert_state *s, const char *git_dir,
				const char *const *programs, enum asked asked);
/*
 * Is everything as it was seen? With now, which is for the end of the git that
 * was started after advert_state_take, also what only counts meanwhile.
 */
int advert_state_same(const struct advert_state *s, int now);
/* Are they of the same moment, as far as content tells? */
int advert_state_equal(const struct advert_state *a,
		       const struct advert_state *b);
/* Bytes that it takes. */
size_t advert_state_size(const struct advert_state *s);
void advert_state_clear(struct advert_state *s);

/* One that is kept, or is being made. */
struct advert {
	struct advert *next;          /* of its bucket */
	struct advert *newer, *older; /* by use */
	struct advert *before, *after; /* by when they were kept, of those whose
					  repositories' paths look alike */
	uint64_t hash;
	enum asked asked;
	struct buf key;
	struct advert_state state;
	struct buf data; /* empty: it cannot be kept, until then */
	int64_t until;   /* clock_ms() */
	unsigned users;  /* the table is one */
	size_t size;     /* of all this */
};

struct advert_ask;

/* advert-table.c: each with advert.c's lock held. */

uint64_t advert_table_hash(const struct advert_ask *ask); /* needs no lock */
/* Is it what is asked for? */
int advert_table_is(const struct advert *a, const struct advert_ask *ask,
		    uint64_t hash);
struct advert *advert_table_find(const struct advert_ask *ask, uint64_t hash);
/* The table is one of its users; the last one's end frees it. */
void advert_table_add(struct advert *a);
/* Harmless when it is not there any more. */
void advert_table_remove(struct advert *a);
void advert_table_release(struct advert *a);
/*
 * One that was added, just now, and is good now: others of its kind, for its
 * repository in another state, never are again. They go, some at a time.
 */
void advert_table_outdate(const struct advert *a);
/* It is used now: the last that will have to go. */
void advert_table_use(struct advert *a);
/*
 * Count n more bytes for a, which others may have to go for. What a client is
 * just being sent is counted until that has ended. Returns 0, or -1: there is
 * no room among most bytes.
 */
int advert_table_count(struct advert *a, size_t n, size_t most);
void advert_table_uncount(struct advert *a);
void advert_table_total(size_t *bytes, size_t *answers);
void advert_table_clear(void);

/* advert-judge.c, without looking: */

void advert_judge_fill(struct state_seen *seen, const struct stat *st);
int advert_judge_same(const struct state_seen *a, const struct state_seen *b,
		      int now);
/*
 * Would any change after the time `at` be seen in its times? Not while the last
 * change is so near to it that another could get the same times.
 */
int advert_judge_settled(const struct state_seen *seen, int64_t at);
/* May the configuration, or a reference that is a file, lead elsewhere? */
int advert_judge_config(const char *text, size_t n);
int advert_judge_ref(const char *text, size_t n);

#endif
