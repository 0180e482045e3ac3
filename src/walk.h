#ifndef WALK_H
#define WALK_H

#include <stddef.h>
#include <stdint.h>
#include "scan.h"

struct buf;
struct findings;
struct rules;
struct updates;

/*
 * Every object that a push, a range or a whole repository brings, through
 * libgit2, to the scanner. The repository's own configuration, the user's and
 * the system's are not read.
 */
struct walk;

struct walk_limits {
	uint64_t max_object; /* bytes; a larger object is "could not tell" */
	int64_t deadline;    /* clock_ms() value, 0 for none */
};

/*
 * Neither a core file nor another process of this user shows what this one
 * reads: for a process that reads what others push.
 */
void walk_close_memory(void);

/*
 * Open the bare repository at git_dir. quarantine is the object directory of
 * a push in progress (GIT_OBJECT_DIRECTORY in a hook), or NULL. Returns NULL,
 * logged, on failure.
 */
struct walk *walk_open(const char *git_dir, const char *quarantine);
void walk_close(struct walk *w);

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
 * whole, path names, reference names, push options. A finding does not count when a parent's
 * version of the same path yields the same rule and secret.
 */
enum scan_result walk_push(struct walk *w, const struct rules *r,
			   const struct updates *u,
			   const struct walk_options *options,
			   const struct walk_limits *limits,
			   struct findings *out);

/*
 * Scan the history that a revision range names ("A..B", "REF"; NULL: all
 * references), the same way. progress (may be NULL) is called now and then.
 */
typedef void walk_progress(void *arg, size_t done, size_t total);
enum scan_result walk_range(struct walk *w, const struct rules *r,
			    const char *range,
			    const struct walk_limits *limits,
			    walk_progress *progress, void *arg,
			    struct findings *out);

/*
 * Text for people (a path, a reference's name), without the secrets in it;
 * "(not shown)" when it cannot be told. Not cleaned of control characters.
 */
void walk_redact(struct scanner *scanner, const char *text, struct buf *out);

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
