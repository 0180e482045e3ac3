#ifndef UNPACK_H
#define UNPACK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Archives and compressed files in memory (zip and its kin, tar, ar, gz, bz2,
 * xz, lzma, zst, 7z), one within the other, through libarchive.
 */
struct unpack_limits {
	unsigned depth;     /* one archive within another */
	unsigned entries;   /* in all */
	uint64_t bytes;     /* unpacked, in all; an entry must fit into it */
	unsigned ratio;     /* unpacked bytes for one packed */
	int64_t deadline;   /* clock_ms() value, 0 for none */
};

enum unpack_result {
	UNPACK_UNKNOWN = 0, /* past a limit, encrypted, or broken: *why */
	UNPACK_DONE,        /* all entries were given */
	UNPACK_NONE,        /* neither an archive nor compressed */
};

/* By its first bytes: would unpack_each look into it? */
int unpack_wants(const char *data, size_t len);

/*
 * Give every file in it to fn, until that returns other than 0 (UNPACK_DONE
 * then). name is "dir/file", or with archives within "inner.zip!dir/file";
 * data lives until fn returns. Names, links' targets and comments are given as
 * the text of an entry too, where they hold anything. Writes nothing to disk.
 */
typedef int unpack_fn(void *arg, const char *name, const char *data,
		      size_t len);
enum unpack_result unpack_each(const char *data, size_t len,
			       const struct unpack_limits *limits,
			       unpack_fn *fn, void *arg, const char **why);

/*
 * The same in steps, for an object that has several things to be unpacked: the
 * limits are for all of them together. After unpack_begin, unpack_object for
 * the bytes of the object itself and unpack_inner for what they hold in some
 * way of their own, under a name; unpack_inner in fn too, for what the entry
 * holds that fn is given: it is one deeper. Each returns what could not be told
 * and was the first such thing, or NULL. Of a short gzip that is broken
 * unpack_inner gives what comes out, and is sure of it. unpack_end frees it.
 */
struct unpack_clean;
struct unpack;
struct unpack *unpack_begin(const struct unpack_limits *limits,
			    struct unpack_clean *clean, unpack_fn *fn,
			    void *arg);
const char *unpack_object(struct unpack *u, const char *data, size_t len);
const char *unpack_inner(struct unpack *u, const char *name, const char *data,
			 size_t len);
enum unpack_result unpack_end(struct unpack *u, const char **why);

/*
 * Files of zips for which fn has returned 0, to be shared by threads. With it
 * the same packed bytes are neither unpacked nor given again, whatever their
 * name: so fn must not mind names. Limits count them as before. An archive
 * within another is entered each time. NULL: there is no randomness.
 */
struct unpack_clean *unpack_clean_new(void);
void unpack_clean_free(struct unpack_clean *c);
/* unpack_each, with clean, which may be NULL. */
enum unpack_result unpack_fresh(const char *data, size_t len,
				const struct unpack_limits *limits,
				struct unpack_clean *clean, unpack_fn *fn,
				void *arg, const char **why);

#endif
