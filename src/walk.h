#ifndef WALK_H
#define WALK_H

#include <stddef.h>
#include <stdint.h>
#include "scan.h"
#include "unpack.h"

struct buf;
struct config;
struct findings;
struct rules;
struct updates;

/*
 * Every object that a push, a range or a whole repository brings, to the
 * scanner. The repository's own configuration, the user's and the system's
 * are not read.
 */
struct scanner;
struct walk;

/*
 * What a rule matched in a text, and what decided: for each, in the order of
 * the scan. path is as a finding has it, and lives until this returns.
 */
typedef void walk_explain(void *arg, const char *path,
			  const struct scan_event *e);

struct walk_limits {
	uint64_t max_object; /* bytes; a larger object is "could not tell" */
	int64_t deadline;    /* clock_ms() value, 0 for none */
	size_t memory;       /* bytes, 0 for no bound */
	unsigned threads;
	unsigned depth;      /* of encodings, as scan_new */
	struct unpack_limits unpack; /* depth 0: archives stay closed */
	int note_archives;   /* one that cannot be unpacked is logged only */
	walk_explain *explain; /* or NULL */
	void *explain_arg;
	/* lent, of the same rules and depth, not explaining; or NULL */
	struct scanner *scanner;
};

/* What is configured, or without a configuration (NULL) the defaults. */
void walk_limits_set(const struct config *c, struct walk_limits *out);
/*
 * More memory where so many objects need it, but for no more than half of what
 * the machine has: for a repository of one's own.
 */
void walk_limits_suit(struct walk_limits *l, uint64_t objects);
/* All of it ends at this clock_ms() value. */
void walk_limits_end(struct walk_limits *l, int64_t deadline);

/* What is freed goes back to the system: for a process that will scan. */
void walk_free_memory(void);

/*
 * Neither a core file nor another process of this user shows what this one
 * reads: for a process that reads what others push.
 */
void walk_close_memory(void);

/*
 * Open the bare repository at git_dir. quarantine is the object directory of
 * a push in progress (GIT_OBJECT_DIRECTORY in a hook), or NULL. digits is how
 * long an id is there, 0: to be found out. Returns NULL, logged, on failure.
 */
struct walk *walk_open(const char *git_dir, const char *quarantine,
		       size_t digits);
void walk_close(struct walk *w);
/* How many objects it has, without those that it borrows. */
uint64_t walk_objects(const struct walk *w);

/*
 * Tell fast-forward from rewind: sets op of each update that is neither a
 * creation nor a deletion. A tag that moves is a rewind. Returns 0 or -1.
 */
int walk_classify(struct walk *w, struct updates *u);

/*
 * What a push says to the upstream: GIT_PUSH_OPTION_n of the environment, see
 * githooks(5), whose strings they are.
 */
#define WALK_OPTIONS_MAX 100
struct walk_options {
	const char *list[WALK_OPTIONS_MAX];
	size_t nr;
};

/* Returns 0, or -1, logged: malformed, or too many. */
int walk_options_read(struct walk_options *out);
/* The first that none of the globs (blanks between; NULL: none) matches. */
const char *walk_options_denied(const struct walk_options *o,
				const char *globs);
/* "the push option NAME", or "a push option" if the name may be a secret. */
void walk_name_option(struct scanner *scanner, const char *before,
		      const char *option, struct buf *out);

/*
 * Is this a symbolic reference, of which git would change the target? 1, 0,
 * or -1, logged: cannot be told.
 */
int walk_is_symbolic(const struct walk *w, const char *ref);

/*
 * Scan what a push brings: every object of the quarantine that the repository
 * did not have, reachable or not, and all that the new tips reach and no
 * existing reference does; blobs of each version, commit and tag objects
 * whole, path names, reference names, push options. A finding does not count
 * when a parent's version of the same path, or of the path that it was renamed
 * from, yields the same rule and secret.
 */
enum scan_result walk_push(struct walk *w, const struct rules *r,
			   const struct updates *u,
			   const struct walk_options *options,
			   const struct walk_limits *limits,
			   struct findings *out);

/*
 * Scan the history that a revision range names ("A..B", "REF"; NULL: all
 * references), the same way. progress (may be NULL) is called now and then, in
 * this thread or another, with objects and commits; each phase from 0 on.
 */
typedef void walk_progress(void *arg, size_t done, size_t total);
enum scan_result walk_range(struct walk *w, const struct rules *r,
			    const char *range,
			    const struct walk_limits *limits,
			    walk_progress *progress, void *arg,
			    struct findings *out);

/*
 * Scan what a commit of this index file (NULL: the repository's own) would
 * bring, the same way: what HEAD, or in a merge any of its parents, has not at
 * the same path.
 */
enum scan_result walk_staged(struct walk *w, const struct rules *r,
			     const char *index,
			     const struct walk_limits *limits,
			     walk_progress *progress, void *arg,
			     struct findings *out);

/* HEAD's object in hexadecimal, or NULL: it names none. */
const char *walk_head(const struct walk *w, char out[65]);

/*
 * Scan files, and directories below which nothing is followed that is a link
 * and ".git" is left out; or what a descriptor gives, called name.
 */
enum scan_result walk_files(const struct rules *r, char *const *paths,
			    size_t nr, const struct walk_limits *limits,
			    struct findings *out);
enum scan_result walk_stream(const struct rules *r, int fd, const char *name,
			     const struct walk_limits *limits,
			     struct findings *out);

#endif
