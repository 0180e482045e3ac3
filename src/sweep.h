#ifndef SWEEP_H
#define SWEEP_H

#include <stddef.h>
#include <stdint.h>

#include "oids.h"
#include "scan.h"

struct odb;
struct odb_help;
struct rules;
struct scanner;
struct unpack_limits;

/*
 * Every blob, commit and tag of one store to scan_probe, in delta order and
 * in several threads: which of them must be looked at whole.
 */
struct sweep_limits {
	uint64_t max_object; /* bytes; larger: unsure */
	size_t memory;       /* bytes, for all threads */
	size_t less;         /* of that, texts have so many less, if they can */
	unsigned threads;
	unsigned depth;      /* of encodings */
	const struct unpack_limits *unpack; /* NULL: archives are not entered */
	int64_t deadline;    /* clock_ms() value, 0 for none */
	/* of the same rules, depth and deadline, for one thread; or NULL */
	struct scanner *scanner;
	struct odb_help *help; /* who is to be the last thread; or NULL */
};

struct sweep {
	struct oids hot;    /* scan_text could find something */
	struct scan_who *who; /* of each of them: which rules */
	size_t who_alloc;
	struct oids unsure; /* could not be looked at; its why in whys */
	char **whys;
	size_t whys_alloc;
	uint64_t objects, bytes, fresh; /* bytes in all; those not copied */
	uint64_t pointers;    /* of Git LFS, whose contents are elsewhere */
	int late;             /* the time ran out */
	int full;             /* more are told than memory allows: not all */
};

#define SWEEP_INIT { .hot = OIDS_INIT, .unsure = OIDS_INIT }

typedef void sweep_progress(void *arg, uint64_t done, uint64_t total);

/* Returns 0, or -1, logged: not every object was come to. */
int sweep_run(const struct odb *o, const struct rules *r,
	      const struct sweep_limits *limits, sweep_progress *progress,
	      void *arg, struct sweep *out);
void sweep_clear(struct sweep *s);

/* Is this file a pointer of Git LFS? */
int sweep_is_pointer(const char *data, size_t len);

#endif
