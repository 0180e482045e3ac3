#ifndef UNPACK_INTERNAL_H
#define UNPACK_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "unpack.h"

/* What bytes are, by their beginning (or, of a zip, by their end). */
enum unpack_kind {
	UNPACK_PLAIN = 0,
	UNPACK_ZIP,
	UNPACK_SEVEN,
	UNPACK_TAR,
	UNPACK_AR,
	UNPACK_GZIP,
	UNPACK_BZIP2,
	UNPACK_XZ,
	UNPACK_ZSTD,
	UNPACK_LZ4,
	UNPACK_LZMA,
};
enum unpack_kind unpack_kind(const char *data, size_t len);
/* Whatever it begins with. */
int unpack_is_tar(const char *data, size_t len);

/*
 * The last place before `before` where a zip's directory ends (APPNOTE.TXT
 * 4.3.16, without its comment), of those near enough to the end of the data
 * and with a directory where they say; or len: there is none.
 */
#define UNPACK_ZIP_END 22
size_t unpack_zip_end(const char *data, size_t len, size_t before);
/* Does the comment of that one reach to the very end? */
int unpack_zip_fits(const char *data, size_t len, size_t at);

/* Bytes met before, by hashes that nobody can foresee. */
struct unpack_hash {
	uint64_t a, b;
};

struct unpack_seen {
	uint64_t keys[2];
	struct unpack_hash *hashes;
	size_t nr, size; /* size: a power of two, or 0 */
};
/* Returns 0, or -1: there is no randomness. */
int unpack_seen_init(struct unpack_seen *s);
void unpack_seen_clear(struct unpack_seen *s);
/* Bytes into *h, which is zero at first; what comes after them as well. */
void unpack_seen_hash(const struct unpack_seen *s, const void *data, size_t n,
		      struct unpack_hash *h);
int unpack_seen_has(const struct unpack_seen *s, struct unpack_hash h);
void unpack_seen_put(struct unpack_seen *s, struct unpack_hash h);

/* What was clean (unpack.h): packed bytes, and what they are to become. */
struct unpack_hash unpack_clean_hash(const struct unpack_clean *c,
				     const void *data, size_t n,
				     uint64_t becomes);
int unpack_clean_has(struct unpack_clean *c, struct unpack_hash h);
void unpack_clean_put(struct unpack_clean *c, struct unpack_hash h);

/* What one set of limits is for. */
struct unpack {
	const struct unpack_limits *limits;
	unpack_fn *fn;
	void *arg;
	struct unpack_clean *clean; /* or NULL */
	const struct unpack_source *at; /* what fn is given a part of, and */
	const char *name;  /* that part's; NULL: fn is not at work */
	uint64_t packed;   /* bytes of the outermost */
	uint64_t bytes;    /* unpacked so far */
	unsigned entries;  /* so far */
	const char *why;   /* the first thing that could not be told */
	int encrypted;     /* something was */
	int over;          /* a limit is met: no more */
	int stopped;       /* fn wants no more */
};

/* What is to be looked into, and as what. */
struct unpack_source {
	const char *data;
	size_t len;
	const char *name; /* of it, "" for the outermost */
	unsigned level;   /* 1 for the outermost */
	int headers;      /* a tar whose own bytes nobody was given */
};

/* Reasons; with the first two, nothing is known of the rest. */
extern const char unpack_broken[], unpack_partly[], unpack_deeper[];
/* It could not be told: keep the first reason. */
void unpack_unsure(struct unpack *u, const char *why);
/* The same of a limit, where all ends. */
void unpack_over(struct unpack *u, const char *why);
static inline int unpack_ended(const struct unpack *u)
{
	return u->over || u->stopped;
}

/* Is there room for n more bytes, and time? If not, all ends. */
int unpack_may(struct unpack *u, uint64_t n);

/*
 * One entry to fn, and what is in it. With `same`, what is in it is no deeper
 * than itself.
 */
void unpack_give(struct unpack *u, const struct unpack_source *of,
		 const char *name, const char *data, size_t len, int same);

/* Bytes that are known to be no archive, to fn alone. */
void unpack_text(struct unpack *u, const struct unpack_source *of,
		 const char *name, const char *data, size_t len);

/*
 * Into a list, the parts of an entry's name, a line each: in the archive itself
 * a "/" stands before them. Nothing of a name of one part.
 */
void unpack_list_parts(struct buf *list, const char *name, size_t len);

/* How one pass through an archive ended. */
enum unpack_end {
	UNPACK_END_BROKEN = 0,
	UNPACK_END_WHOLE,
};
struct unpack_pass {
	enum unpack_kind kind;
	int local;                /* a zip by its entries, not its directory */
	struct unpack_seen *seen; /* what it has is not given; may be NULL */
	int packed;               /* out: compressed it is, whole or not */
	size_t given;             /* out: entries that were there */
	size_t used;              /* out: bytes of the source that were read */
};
enum unpack_end unpack_read(struct unpack *u, const struct unpack_source *s,
			    struct unpack_pass *pass);

/*
 * A zip that can be read in one way alone. Returns 0, or -1: it is not one, or
 * is broken; some of it may have been given.
 */
int unpack_zip(struct unpack *u, const struct unpack_source *s);

/*
 * A gzip file of one member that ends where the file does, and was made from
 * less than 4 GiB. Returns 0, or -1: it is not one; nothing was given.
 */
int unpack_gzip(struct unpack *u, const struct unpack_source *s);
/*
 * One of at most so many bytes that is broken: what comes out of it, of which
 * nothing is demanded.
 */
#define UNPACK_CITED_MAX 256
void unpack_gzip_cited(struct unpack *u, const struct unpack_source *s);

/* All that is in a source that is no plain text. */
void unpack_into(struct unpack *u, const struct unpack_source *s);

#endif
