#ifndef SWEEP_INTERNAL_H
#define SWEEP_INTERNAL_H

#include <endian.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "span.h"

struct odb_version;
struct scan_trace;
struct scanner;
struct unpack_clean;
struct unpack_limits;

/* --- sweep-known.c: texts that were probed before, whatever of ------------ */

struct sweep_known;
/* For all threads; up to so many bytes are kept. NULL: that is too few. */
struct sweep_known *sweep_known_new(const struct scanner *s, size_t max);
void sweep_known_free(struct sweep_known *k);

/* Bytes of a version, and where in a text they are too. */
struct sweep_match {
	struct span at;
	const struct scan_trace *of; /* of the text; it lives while held */
	size_t from;
};

/* Nothing is kept or dropped from the first to the second. */
void sweep_known_hold(struct sweep_known *k);
void sweep_known_let_go(struct sweep_known *k);
/*
 * Held: does a text have what is at `at`, an anchor? A match may begin before
 * that, but not before least. 1 or 0.
 */
int sweep_known_find(const struct sweep_known *k, const struct odb_version *v,
		     size_t at, size_t least, struct sweep_match *m);
/* Keep that version; the trace is what its probe made. */
void sweep_known_put(struct sweep_known *k, const struct odb_version *v,
		     const struct scan_trace *trace);

/*
 * Texts are found by the first bytes of one line in four; of short lines, of
 * one in so many bytes. So many bytes, of that line or not, can be read there.
 */
#define SWEEP_GRAM 64
#define SWEEP_ANCHOR_AT 24
#define SWEEP_ANCHOR_BYTES 160
/* 2^64 / phi (Knuth, 6.4). */
#define SWEEP_SPREAD UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t sweep_load(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/*
 * Is the line of n bytes at p one? Bytes that are not its indentation say so:
 * of two texts that are the same there, both have it or none.
 */
static inline int sweep_is_anchor(const char *p, size_t n)
{
	uint64_t chance = sweep_load(p + SWEEP_ANCHOR_AT) * SWEEP_SPREAD >> 32;
	uint64_t most = UINT64_C(1) << 30;

	if (n < SWEEP_ANCHOR_BYTES / 4)
		most = ((uint64_t)n << 32) / SWEEP_ANCHOR_BYTES;
	return chance < most;
}

/* Where the line after the one at `at` begins, or end. */
static inline size_t sweep_line_after(const char *text, size_t at, size_t end)
{
	const char *p = memchr(text + at, '\n', end - at);

	return p ? (size_t)(p - text) + 1 : end;
}

/* --- sweep-inside.c: what is packed in a version ------------------------- */

struct sweep_inside {
	struct scanner *scanner;
	const struct unpack_limits *limits; /* NULL: nothing is unpacked */
	struct unpack_clean *clean;         /* may be NULL */
	uint64_t share;       /* bytes that may be unpacked at any time */
	pthread_mutex_t *big; /* of the one that unpacks more of limits */
};
/*
 * Of a version that was just probed, and found hot or not: is it clean, with
 * all that is packed in it? What is not is added to its trace.
 */
int sweep_is_clean_inside(const struct sweep_inside *in,
			  const struct odb_version *v, int hot,
			  struct scan_trace *trace);

/* --- sweep-copies.c: what a version has of them -------------------------- */

struct sweep_copies;
/* One thread's; known may be NULL. */
struct sweep_copies *sweep_copies_new(struct sweep_known *known,
				      const struct scanner *s);
void sweep_copies_free(struct sweep_copies *k);
/*
 * Into the empty trace what the version has of its base and of what is known.
 * Returns the spans that are left for scan_probe, v->fresh or less; they live
 * until the next call.
 */
const struct span *sweep_copies_take(struct sweep_copies *k,
				     const struct odb_version *v,
				     struct scan_trace *trace, size_t *nr);
/* Keep that version if it is worth it; the trace is what its probe made. */
void sweep_copies_keep(const struct sweep_copies *k,
		       const struct odb_version *v,
		       const struct scan_trace *trace);

#endif
