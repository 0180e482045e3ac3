#ifndef ODB_INTERNAL_H
#define ODB_INTERNAL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "odb.h"

struct libdeflate_decompressor;

/* Kinds of entries in a pack beside those of enum odb_type. */
#define ODB_OFS_DELTA 6
#define ODB_REF_DELTA 7

/*
 * Longer chains are not followed. git itself makes them at most 4095 long
 * (git-pack-objects(1), --depth); each link costs a look at its head.
 */
#define ODB_CHAIN_MAX 10000

/* A file, mapped, read only. */
struct odb_map {
	const unsigned char *data; /* NULL: not mapped */
	size_t len;
};

/* Map the regular file `name` in dir. 0 or -1 with errno, not logged. */
int odb_map_open(struct odb_map *m, int dir, const char *name);
void odb_map_close(struct odb_map *m);

/* --- odb-idx.c: where in a pack an object is ------------------------------ */

struct odb_idx {
	const unsigned char *fanout;  /* 256 numbers of 4 bytes */
	const unsigned char *ids;     /* the first of them */
	const unsigned char *offsets; /* the first of them */
	const unsigned char *large;   /* of 8 bytes, version 2 */
	const unsigned char *pack_id; /* raw_len bytes: the pack's checksum */
	size_t raw_len;
	size_t id_step, offset_step;  /* from one to the next */
	size_t nr_large;
	uint32_t nr;
};

/* The bytes of an idx file, which stay the caller's. NULL, or what is wrong
 * with them, a constant. */
const char *odb_idx_parse(struct odb_idx *x, const unsigned char *data,
			  size_t len, size_t raw_len);
/* The place of an id in the index, or -1. */
ptrdiff_t odb_idx_find(const struct odb_idx *x, const unsigned char *raw);
/* The first place whose id is not less than raw: nr if there is none. */
uint32_t odb_idx_lower(const struct odb_idx *x, const unsigned char *raw);
const unsigned char *odb_idx_id(const struct odb_idx *x, uint32_t at);
/* Not checked against the pack; SIZE_MAX when the index itself is wrong. */
size_t odb_idx_offset(const struct odb_idx *x, uint32_t at);

/* --- odb-pack.c: entries -------------------------------------------------- */

struct odb_dir;
struct odb_pack {
	struct odb_map idx_map, map;
	struct odb_idx idx;
	size_t end;  /* where entries end and the checksum begins */
	char *name;  /* of the idx file, in its directory */
	const struct odb_dir *dir;
	uint64_t id; /* of this process, for the cache */
};

struct odb_entry {
	unsigned kind;  /* enum odb_type, or a delta */
	size_t size;    /* bytes when inflated */
	size_t at;      /* of the compressed bytes */
	size_t base;    /* offset, of ODB_OFS_DELTA */
	const unsigned char *base_id; /* of ODB_REF_DELTA */
};

/* NAME.idx in dir and its pack. NULL; *gone: one of them is not there (any
 * more); otherwise it is broken, which is logged with the path given. */
struct odb_pack *odb_pack_open(int dir, const char *path, const char *name,
			       size_t raw_len, int *gone);
/* The same of bytes that are the caller's. NULL, or what is wrong. */
const char *odb_pack_check(struct odb_pack *p, size_t raw_len);
void odb_pack_free(struct odb_pack *p);
/* The head of the entry at an offset. 0 or -1: not one. */
int odb_pack_entry(const struct odb_pack *p, size_t offset,
		   struct odb_entry *e);
/* Can n compressed bytes become size bytes? */
int odb_inflates_to(size_t n, size_t size);
/* Exactly len bytes of what starts at in, of which n may be read. 0 or -1. */
int odb_inflate(struct libdeflate_decompressor *d, const void *in, size_t n,
		void *out, size_t len);

/* --- odb-delta.c: instructions -------------------------------------------- */

/*
 * Copies are made in steps of up to 32 bytes: each buffer that a delta, its
 * base or its result is in has that many bytes beyond its end.
 */
#define ODB_SLACK 32

struct odb_delta {
	const unsigned char *at, *end; /* the instructions */
	size_t base_len, len;          /* of the base, of the result */
};

/* What a delta copies and what is fresh (struct odb_version); reused. */
struct odb_marks {
	struct odb_copy *copies;
	struct span *fresh;
	size_t nr_copies, nr_fresh;
	size_t alloc_copies, alloc_fresh;
};

/* The sizes at the head of a delta's text, as far as the rest of it can bear
 * them out. 0 or -1. */
int odb_delta_head(struct odb_delta *d, const unsigned char *text, size_t len);
/*
 * Make out, d->len bytes, from base, d->base_len bytes; marks may be NULL.
 * Returns 0 or -1: not a delta, out is undefined.
 */
int odb_delta_apply(const struct odb_delta *d, const char *base, char *out,
		    struct odb_marks *marks);
/* Marks of a text that is all fresh. */
void odb_marks_whole(struct odb_marks *m, size_t len);
void odb_marks_clear(struct odb_marks *m);

/* --- odb-cache.c: objects in memory --------------------------------------- */

/* An object that its users share; freed when the last lets go. */
struct odb_held {
	unsigned refs;
	enum odb_type type;
	size_t len;
	char *data;
	uint64_t pack; /* of the cache from here on: its key */
	size_t offset;
	struct odb_held *newer, *older; /* as they came */
	int used;                       /* since it came, or was spared */
	int named;                      /* it is found by its id too */
	unsigned note;                  /* of struct odb_object */
	struct oid id;                  /* if it is named */
	char room[];
};

/* The hash beside it: what is not looked for need not be touched. */
struct odb_slot {
	uint64_t hash;
	struct odb_held *h; /* or NULL */
};

struct odb_cache {
	struct odb_slot *places, *ids; /* of all; of those asked for by id */
	size_t nr_slots; /* of each; a power of two, or 0 */
	uint64_t seed;
	size_t nr, bytes, max;
	struct odb_held *newest, *oldest;
};

/* One reference is the caller's. NULL: there is not that much memory. head
 * bytes of room before the data. */
struct odb_held *odb_held_new(size_t len, size_t head);
void odb_held_release(struct odb_held *h);
/* With a reference for the caller, or NULL. */
struct odb_held *odb_cache_get(struct odb_cache *c, uint64_t pack,
			       size_t offset);
struct odb_held *odb_cache_find(struct odb_cache *c, const struct oid *id);
/* What is too large for it, or in it already, is not taken. */
void odb_cache_put(struct odb_cache *c, uint64_t pack, size_t offset,
		   struct odb_held *h);
/* The same; a loose one is found by its id alone: name it then. */
struct odb_place;
void odb_cache_put_at(struct odb_cache *c, const struct odb_place *at,
		      const struct oid *id, struct odb_held *h);
/* If it is there, it is found by this id from now on. */
void odb_cache_name(struct odb_cache *c, struct odb_held *h,
		    const struct oid *id);
void odb_cache_limit(struct odb_cache *c, size_t max);
void odb_cache_clear(struct odb_cache *c);

/* --- odb.c, odb-dirs.c: directories --------------------------------------- */

struct odb_dir {
	int fd;     /* of objects/ */
	char *path; /* for messages, and to know it again */
	dev_t dev;
	ino_t ino;
	int64_t scanned[2]; /* mtime of pack/ when it was read: s, ns */
	int incomplete;     /* a pack of it cannot be read; logged */
};

/* An array that is not changed once it is published. */
struct odb_packs {
	struct odb_packs *old; /* freed at the end: others may be reading it */
	size_t nr, nr_own;     /* those of the first directory come first */
	struct odb_pack *list[];
};

struct odb {
	size_t raw_len;
	struct odb_dir *dirs;
	size_t nr_dirs, alloc_dirs;
	struct odb_packs *_Atomic packs;
	pthread_mutex_t lock; /* of who reads pack directories again */
};

struct odb_place {
	const struct odb_pack *pack; /* NULL: loose */
	const struct odb_dir *dir;
	size_t offset;
};

/* The pack that has it; 0, or -1. */
int odb_find_packed(const struct odb *o, const struct oid *id,
		    struct odb_place *out);
/* The same, or loose. */
int odb_find(const struct odb *o, const struct oid *id, struct odb_place *out);
/* Packs may have come since they were listed: 1 if so, else 0. */
int odb_refresh(const struct odb *o);

/* --- odb-loose.c ---------------------------------------------------------- */

/* "xx/yyyy..." */
#define ODB_LOOSE_NAME (OID_HEX_MAX + 2)
/* A loose object is read, at most max bytes of it (odb-read.c). */
struct odb_loose {
	struct libdeflate_decompressor *inflater;
	unsigned char *head; /* LOOSE_HEAD bytes, or NULL */
	const char *why;
};

int odb_loose_has(const struct odb_dir *d, const struct oid *id,
		  size_t raw_len);
/* out NULL: type and length alone. */
enum odb_status odb_loose_read(struct odb_loose *l, const struct odb_dir *d,
			       const struct oid *id, size_t raw_len, size_t max,
			       enum odb_type *type, size_t *len,
			       struct odb_held **out);
/* Each id of a directory, or of one of its 256 (first >= 0), until fn returns
 * other than 0, which is returned; -1: cannot be read, logged. */
int odb_loose_each(const struct odb_dir *d, size_t raw_len, int first,
		   odb_id_fn *fn, void *arg);

/* --- odb-read.c ----------------------------------------------------------- */

struct odb_link {
	const struct odb_pack *pack;
	size_t offset;
	struct odb_entry entry;
};

struct odb_reader {
	const struct odb *stores[2];
	struct odb_loose loose; /* owns the inflater, keeps the reason */
	struct odb_cache cache;
	struct odb_link *chain; /* from the object wanted to its last base */
	size_t nr, alloc;
	unsigned char *delta; /* the text of one */
	size_t delta_alloc, most;
};

#endif
