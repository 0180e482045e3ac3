#ifndef SWEEP_INTERNAL_H
#define SWEEP_INTERNAL_H

#include <stddef.h>

#include "span.h"

struct odb_version;
struct scan_trace;
struct scanner;

/* --- sweep-known.c: texts that were probed before, whatever of ------------ */

struct sweep_known;
/* One thread's; up to so many bytes are kept. */
struct sweep_known *sweep_known_new(const struct scanner *s, size_t max);
void sweep_known_free(struct sweep_known *k);
/*
 * Into the empty trace what the version has of its base and of what is known.
 * Returns the spans that are left for scan_probe, v->fresh or less; they live
 * until the next call.
 */
const struct span *sweep_known_copy(struct sweep_known *k,
				    const struct odb_version *v,
				    struct scan_trace *trace, size_t *nr);
/* Keep that version if it is worth it; the trace is what its probe made. */
void sweep_known_keep(struct sweep_known *k, const struct odb_version *v,
		      const struct scan_trace *trace);

#endif
