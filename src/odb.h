#ifndef ODB_H
#define ODB_H

#include <stddef.h>
#include <stdint.h>

#include "oid.h"
#include "span.h"

/*
 * git's object stores, read by ourselves: packs with their indices (version 2,
 * or 1), loose objects, alternates; gitformat-pack(5). Every byte of them is
 * taken for hostile. Object ids are not computed again: git has checked them
 * when it took the objects in.
 */
enum odb_type { /* numbers as in a pack */
	ODB_NONE = 0,
	ODB_COMMIT = 1,
	ODB_TREE = 2,
	ODB_BLOB = 3,
	ODB_TAG = 4,
};

enum odb_status {
	ODB_BROKEN = 0, /* cannot be read */
	ODB_OK,
	ODB_MISSING,
	ODB_TOO_LARGE,
};

/* Stores opened together, const after; threads share it. */
struct odb;

/*
 * Open the object directory, and with alternates those that its
 * info/alternates name (at most 5 deep, as git has it). Returns NULL, logged.
 */
struct odb *odb_open(const char *objects, size_t raw_len, int alternates);
void odb_close(struct odb *o);

size_t odb_raw_len(const struct odb *o);
/* The path of a directory: 0 is that which was opened, then its alternates;
 * or NULL. */
const char *odb_path(const struct odb *o, size_t nr);
int odb_has(const struct odb *o, const struct oid *id);
/* An object by the first n (at least 4) hexadecimal digits of its id. 1; 0:
 * there is none; -1: there is more than one. */
int odb_abbreviated(const struct odb *o, const char *hex, size_t n,
		    struct oid *out);
/* How many, counted by each place where one is; not those of alternates. */
size_t odb_count(const struct odb *o);
/* Every id, once for each place where it is, not those of alternates, until fn
 * returns other than 0, which is returned; -1: a directory or a pack cannot be
 * read, logged. */
typedef int odb_id_fn(void *arg, const struct oid *id);
int odb_each(const struct odb *o, odb_id_fn *fn, void *arg);

/*
 * One thread's way to read objects of up to two stores (other may be NULL),
 * first looked for in o: a decompressor, and a cache of at most cache_bytes
 * of objects that others are deltas of, and of trees.
 */
struct odb_reader;
struct odb_reader *odb_reader_new(const struct odb *o, const struct odb *other,
				  size_t cache_bytes);
/* A delta, its base and what they make are at most so many bytes together;
 * more: ODB_TOO_LARGE. 0, as at first: no bound but that of odb_read. */
void odb_reader_bound(struct odb_reader *r, size_t most);
/* The cache has at most so many bytes from now on. */
void odb_reader_keep(struct odb_reader *r, size_t cache_bytes);
void odb_reader_free(struct odb_reader *r);

struct odb_object {
	enum odb_type type;
	const char *data; /* ended by a NUL that is not of it */
	size_t len;
	/* The caller's: 0 at first, and kept as long as it is in the cache, so
	 * that what was found out of it is known when it is read again. */
	unsigned *note;
	void *hold; /* for odb_release */
};

/* Type and length without the bytes, as odb_read. */
enum odb_status odb_header(struct odb_reader *r, const struct oid *id,
			   enum odb_type *type, size_t *len);
/*
 * Read an object of at most max bytes (0: any). *out lives until odb_release,
 * whatever is read in between, and at most as long as the reader.
 */
enum odb_status odb_read(struct odb_reader *r, const struct oid *id,
			 size_t max, struct odb_object *out);
void odb_release(struct odb_reader *r, struct odb_object *out);
/* Why the last one was not ODB_OK: a sentence part about "it"; a constant. */
const char *odb_why(const struct odb_reader *r);

/*
 * Every object of one store (not of its alternates), once for each place where
 * it is, each version soon after the one that it is a delta of.
 */
struct odb_copy {
	size_t to, from, len; /* bytes of the version, of its base */
};

struct odb_version {
	struct oid id;
	enum odb_type type;     /* ODB_NONE when that cannot be told */
	enum odb_status status; /* unless ODB_OK, there is no data */
	const char *why;        /* then: a sentence part; a constant */
	const char *data;       /* whole; 32 more bytes can be read, zero */
	size_t len;
	/*
	 * What was copied from the base, in the order of `to`, and the rest:
	 * fresh bytes, and an empty span wherever two copies meet that were
	 * not neighbours in the base so, or one begins or ends the version
	 * that did not the base. No copies, one span: all is fresh. So it is
	 * of those whose base was not ODB_OK.
	 */
	const struct odb_copy *copies;
	size_t nr_copies;
	const struct span *fresh;
	size_t nr_fresh;
	const void *base; /* what visit returned for the base, in whatever
			     thread, or NULL */
	int has_deltas;   /* others are made from this: keep what they need */
};

#define ODB_SWEEP_OBJECT 34
struct odb_sweep {
	unsigned types;        /* bits 1 << ODB_BLOB ... */
	unsigned threads;      /* at least 1 */
	/*
	 * Bytes in all threads for texts; beside it ODB_SWEEP_OBJECT bytes an
	 * object are taken. Where they are more, one thread has a version, its
	 * base and its delta up to twice that (16 MB at least), past which it
	 * is ODB_TOO_LARGE; but a text alone up to max_object, whatever this
	 * is.
	 */
	size_t memory;
	size_t max_object;     /* larger: ODB_TOO_LARGE; 0: none */
	/*
	 * Called for each version, with the argument of its thread; v and
	 * what it points to live until it returns. Returns what v->base shall
	 * be for those made from it, freed with forget, or NULL. forget may be
	 * called in another thread.
	 */
	void *(*visit)(void *arg, const struct odb_version *v);
	void (*forget)(void *kept);
	void **args;           /* one for each thread */
	int (*stop)(void *arg); /* asked now and then, with args[0] */
	struct odb_help *help; /* who is to be the last thread; or NULL */
};

/*
 * A thread that has something else to do first, and is one of a sweep's then:
 * that starts one less. odb_help returns when somebody has called odb_help_end,
 * once the sweep has ended.
 */
struct odb_help *odb_help_new(void);
void odb_help_free(struct odb_help *h);
void odb_help(struct odb_help *h);
void odb_help_end(struct odb_help *h);
int odb_help_ended(const struct odb_help *h);

/* Returns 0; 1: stopped; -1: not every object could be come to, logged. */
int odb_sweep(const struct odb *o, const struct odb_sweep *s);

#endif
