/*
 * Every blob, commit and tag of one object store to the scanner's probe, in
 * delta order and in several threads: which must be looked at whole. Takes a
 * store and rules, gives ids; an object that could not be looked at is told
 * with its reason, never left out.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"
#include "odb.h"
#include "scan.h"
#include "sweep.h"
#include "sweep-internal.h"
#include "unpack.h"

/*
 * What [memory] is divided into: one half for texts and the list of objects, a
 * quarter for what is told, an eighth for what is known of versions that others
 * are made from, an eighth for text that was met.
 */
#define TEXTS_LEAST_PART 16
#define KEPT_PART 8
#define KNOWN_PART 8
#define TOLD_PART 4
/* Of one id that is told, with its place in the table and its reason. */
#define TOLD_BYTES 256
/* A thread is worth its start from so many objects on. */
#define OBJECTS_EACH 1024
#define THREADS_MAX 64
/* With fewer objects most texts are new: to keep them costs a third of all
 * the time. With 10,000 it is even, with 95,000 it saves a fifth. */
#define OBJECTS_KNOWN 8192
/* Bytes, where no bound is given. */
#define MEMORY ((size_t)192 << 20)

struct job;

/* What is known of a version; its first member is what a visitor sees. */
struct kept {
	struct scan_trace trace;
	size_t size;
	struct job *job;
};

struct job {
	const struct sweep_limits *limits;
	pthread_mutex_t lock; /* of out */
	struct sweep *out;
	struct unpack_clean *clean; /* what archives hold, met before */
	uint64_t unpack_share;      /* bytes that each thread may unpack */
	pthread_mutex_t big;        /* of the one that unpacks more */
	struct sweep_known *known;  /* texts met before, or NULL */
	atomic_size_t kept;         /* bytes of traces */
	size_t kept_max;
	struct kept anew;           /* stands for those that are too many */
	atomic_uint_fast64_t done;
	uint64_t total;
	sweep_progress *progress;
	void *arg;
};

/* One thread's. */
struct searcher {
	struct job *job;
	struct scanner *scanner;
	struct sweep_copies *copies;
	uint64_t objects, bytes, fresh, pointers;
};

/* The first line and the size, of Git LFS's specification of pointers. */
int sweep_is_pointer(const char *data, size_t len)
{
	static const char line[] = "version https://git-lfs.github.com/spec/v1";

	return len < 1024 && len > sizeof(line) &&
	       !memcmp(data, line, sizeof(line) - 1);
}

static int is_full(const struct job *j)
{
	const struct sweep *out = j->out;

	return j->limits->memory && out->hot.nr + out->unsure.nr >
	       j->limits->memory / TOLD_PART / TOLD_BYTES;
}

static void tell_hot(struct job *j, const struct oid *id,
		     const struct scan_who *who)
{
	struct sweep *out = j->out;
	int added;
	size_t i;

	pthread_mutex_lock(&j->lock);
	i = oids_put(&out->hot, id, &added);
	if (added) {
		MEM_GROW(out->who, i, out->who_alloc);
		out->who[i] = *who;
	}
	scan_who_add(&out->who[i], who);
	out->full |= is_full(j);
	pthread_mutex_unlock(&j->lock);
}

static void tell_unsure(struct job *j, const struct oid *id, const char *why)
{
	struct sweep *out = j->out;
	int added;
	size_t i;

	pthread_mutex_lock(&j->lock);
	i = oids_put(&out->unsure, id, &added);
	if (added) {
		MEM_GROW(out->whys, i, out->whys_alloc);
		out->whys[i] = mem_strdup(why ? why : "cannot be scanned");
	}
	j->out->full |= is_full(j);
	pthread_mutex_unlock(&j->lock);
}

static void probe(struct searcher *s, const struct odb_version *v,
		  struct scan_trace *trace)
{
	struct job *j = s->job;
	const struct sweep_inside in = { s->scanner, j->limits->unpack,
					 j->clean, j->unpack_share, &j->big };
	const char *why = NULL;
	const struct span *fresh;
	enum scan_result r;
	size_t nr, i;

	fresh = sweep_copies_take(s->copies, v, trace, &nr);
	for (i = 0; i < nr; i++)
		s->fresh += fresh[i].end - fresh[i].start;
	r = scan_probe(s->scanner, v->data, v->len, fresh, nr, trace, &why);
	if (r == SCAN_UNKNOWN)
		tell_unsure(j, &v->id, why);
	else if (!sweep_is_clean_inside(&in, v, r == SCAN_FOUND, trace))
		tell_hot(j, &v->id, &trace->who);
}

/*
 * What those made from this version need to know of it; NULL: nothing. When
 * too much is kept, they are looked at anew: as right, but slower.
 */
static void *keep(const struct searcher *s, const struct odb_version *v,
		  struct scan_trace *trace)
{
	struct job *j = s->job;
	struct kept *kept;
	size_t size;

	if (!v->has_deltas || (!trace->nr && !trace->nr_marks && !trace->far &&
			       !trace->whole)) {
		scan_trace_clear(trace);
		return NULL;
	}
	size = sizeof(*kept) + scan_trace_size(s->scanner, trace);
	if (atomic_fetch_add(&j->kept, size) + size > j->kept_max) {
		atomic_fetch_sub(&j->kept, size);
		scan_trace_clear(trace);
		return &j->anew;
	}
	kept = mem_zalloc(sizeof(*kept));
	*kept = (struct kept){ *trace, size, j };
	return kept;
}

static void *visit(void *arg, const struct odb_version *v)
{
	struct scan_trace trace = SCAN_TRACE_INIT;
	struct searcher *s = arg;

	s->objects++;
	atomic_fetch_add_explicit(&s->job->done, 1, memory_order_relaxed);
	if (v->status != ODB_OK) {
		tell_unsure(s->job, &v->id, v->why);
		return NULL;
	}
	s->bytes += v->len;
	s->pointers += v->type == ODB_BLOB && sweep_is_pointer(v->data, v->len);
	probe(s, v, &trace);
	sweep_copies_keep(s->copies, v, &trace);
	return keep(s, v, &trace);
}

static void forget(void *arg)
{
	struct kept *kept = arg;

	if (kept == &kept->job->anew)
		return;
	atomic_fetch_sub(&kept->job->kept, kept->size);
	scan_trace_clear(&kept->trace);
	free(kept);
}

static int stop(void *arg)
{
	struct job *j = ((struct searcher *)arg)->job;
	int full;

	if (j->progress)
		j->progress(j->arg, atomic_load(&j->done), j->total);
	if (j->limits->deadline && clock_ms() >= j->limits->deadline)
		j->out->late = 1;
	pthread_mutex_lock(&j->lock);
	full = j->out->full;
	pthread_mutex_unlock(&j->lock);
	return full || j->out->late;
}

static unsigned thread_count(const struct sweep_limits *limits, uint64_t total)
{
	uint64_t n = 1 + total / OBJECTS_EACH;

	if (n > limits->threads)
		n = limits->threads;
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	return n ? (unsigned)n : 1;
}

/* All of them may unpack half of what one alone may. */
static uint64_t unpack_share(const struct unpack_limits *limits, unsigned nr)
{
	if (!limits)
		return 0;
	return nr > 1 ? limits->bytes / 2 / nr : limits->bytes;
}

static size_t memory_of(const struct sweep_limits *limits)
{
	return limits->memory ? limits->memory : MEMORY;
}

/* For texts: the half, without the list of objects and what others have. */
static size_t texts_of(const struct sweep_limits *limits, uint64_t objects)
{
	const size_t half = memory_of(limits) / 2;
	const size_t less = limits->less + (size_t)objects * ODB_SWEEP_OBJECT;
	const size_t least = memory_of(limits) / TEXTS_LEAST_PART;

	return half > least + less ? half - less : least;
}

/* Scanners for all threads. Returns 0, or -1, logged. */
static int start(struct searcher *s, unsigned nr, struct job *j,
		 const struct rules *r)
{
	unsigned i;

	for (i = 0; i < nr; i++) {
		s[i].job = j;
		s[i].scanner = i == 0 && j->limits->scanner
				       ? j->limits->scanner
				       : scan_new(r, j->limits->depth);
		if (!s[i].scanner)
			return -1;
		scan_set_deadline(s[i].scanner, j->limits->deadline);
		if (!i && j->total >= OBJECTS_KNOWN)
			j->known = sweep_known_new(s->scanner,
						   memory_of(j->limits) /
							   KNOWN_PART);
		s[i].copies = sweep_copies_new(j->known, s[i].scanner);
	}
	return 0;
}

static void finish(struct searcher *s, unsigned nr, struct job *j)
{
	const struct scanner *lent = j->limits->scanner;
	struct sweep *out = j->out;
	unsigned i;

	sweep_known_free(j->known);

	for (i = 0; i < nr; i++) {
		out->objects += s[i].objects;
		out->bytes += s[i].bytes;
		out->fresh += s[i].fresh;
		out->pointers += s[i].pointers;
		sweep_copies_free(s[i].copies);
		if (s[i].scanner != lent)
			scan_free(s[i].scanner);
	}
}

int sweep_run(const struct odb *o, const struct rules *r,
	      const struct sweep_limits *limits, sweep_progress *progress,
	      void *arg, struct sweep *out)
{
	struct job j = { .limits = limits, .out = out, .progress = progress,
			 .arg = arg, .total = odb_count(o) };
	unsigned nr = thread_count(limits, j.total), i;
	struct searcher s[THREADS_MAX] = { { 0 } };
	void *args[THREADS_MAX];
	struct odb_sweep sweep = {
		.types = 1U << ODB_BLOB | 1U << ODB_COMMIT | 1U << ODB_TAG,
		.threads = nr, .memory = texts_of(limits, j.total),
		.max_object = limits->max_object, .visit = visit,
		.forget = forget, .args = args, .stop = stop,
		.help = limits->help,
	};
	int ret = -1;

	j.kept_max = memory_of(limits) / KEPT_PART;
	j.anew = (struct kept){ .trace = { .whole = 1 }, .job = &j };
	pthread_mutex_init(&j.lock, NULL);
	pthread_mutex_init(&j.big, NULL);
	j.unpack_share = unpack_share(limits->unpack, nr);
	/* without it each is unpacked each time */
	j.clean = limits->unpack ? unpack_clean_new() : NULL;
	for (i = 0; i < nr; i++)
		args[i] = &s[i];
	if (!start(s, nr, &j, r))
		ret = odb_sweep(o, &sweep) < 0 ? -1 : 0;
	finish(s, nr, &j);
	unpack_clean_free(j.clean);
	pthread_mutex_destroy(&j.lock);
	pthread_mutex_destroy(&j.big);
	return ret;
}

void sweep_clear(struct sweep *s)
{
	size_t i;

	for (i = 0; i < s->unsure.nr; i++)
		free(s->whys[i]);
	free(s->whys);
	oids_clear(&s->hot);
	free(s->who);
	oids_clear(&s->unsure);
	memset(s, 0, sizeof(*s));
}
