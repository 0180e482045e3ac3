/*
 * Every object of a store: takes a visitor, goes through each pack's trees of
 * deltas and then the loose objects, in several threads, of which one may come
 * later. They take roots from one counter; when there are no more, who is busy
 * gives what he would come to last to who is idle.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "odb-sweep-internal.h"

/* Bytes between two questions whether to stop: some milliseconds. */
#define ASK_BYTES ((size_t)4 << 20)
#define IDLE_MS 50       /* as often while there is nothing to do */
#define TAKE 8           /* units at a time */
/* Bytes of a version, its base and its delta that are had at least. */
#define MOST_LEAST ((size_t)16 << 20)
/* Fewer units than this are not worth a thread. */
#define UNITS_A_THREAD 64

static void ask(struct odb_walker *w)
{
	const struct odb_sweep *s = w->run->s;

	w->since = 0;
	if (!w->nr_self && s->stop && s->stop(s->args[0]))
		atomic_store(&w->run->stopped, 1);
}

int odb_sweep_stopped(struct odb_walker *w)
{
	if (w->since > ASK_BYTES)
		ask(w);
	return atomic_load_explicit(&w->run->stopped, memory_order_relaxed);
}

void odb_sweep_share(struct odb_walker *w)
{
	struct odb_run *run = w->run;
	struct odb_frame *f = &w->frames[0];

	pthread_mutex_lock(&run->lock);
	if (run->wanted) {
		MEM_GROW(run->frames, run->nr, run->alloc);
		run->frames[run->nr++] = *f;
		run->wanted = run->idle > run->nr;
		if (f->text)
			w->rooms.held -= f->text->size;
		memmove(f, f + 1, --w->nr * sizeof(*f));
		pthread_cond_signal(&run->change);
	}
	pthread_mutex_unlock(&run->lock);
}

/* With the lock held: until something is given, or all are idle. */
static void wait_for_frame(struct odb_walker *w)
{
	struct odb_run *run = w->run;

	run->wanted = 1;
	clock_wait(&run->change, &run->lock, clock_ms() + IDLE_MS);
}

/* A frame that was given away: 1; 0: there will be no more. */
static int take_frame(struct odb_walker *w, struct odb_frame *out)
{
	struct odb_run *run = w->run;
	int got = 0;

	pthread_mutex_lock(&run->lock);
	run->idle++;
	while (!run->nr && run->idle < run->nr_walkers) {
		wait_for_frame(w);
		ask(w);
	}
	if (run->nr) {
		*out = run->frames[--run->nr];
		run->idle--;
		got = 1;
	} else {
		pthread_cond_broadcast(&run->change);
	}
	pthread_mutex_unlock(&run->lock);
	return got;
}

static void take_units(struct odb_walker *w)
{
	struct odb_run *run = w->run;
	uint64_t i, end;

	while (!odb_sweep_stopped(w)) {
		i = atomic_fetch_add(&run->next, TAKE);
		if (i >= run->nr_units)
			return;
		end = run->nr_units - i < TAKE ? run->nr_units : i + TAKE;
		for (; i < end && !odb_sweep_stopped(w); i++)
			if (run->plan)
				odb_tree_root(w, run->plan->roots[i]);
			else
				odb_tree_loose(w, &run->loose[i]);
	}
}

void odb_sweep_work(struct odb_walker *w)
{
	struct odb_frame f;

	w->inflater = libdeflate_alloc_decompressor();
	if (!w->inflater)
		abort(); /* some kilobytes: as in mem.h */
	w->rooms.keep = w->run->share / 4;
	take_units(w);
	while (take_frame(w, &f))
		odb_tree_frame(w, &f);
	libdeflate_free_decompressor(w->inflater);
	odb_reader_free(w->reader);
	odb_rooms_clear(&w->rooms);
	odb_marks_clear(&w->marks);
	free(w->loose.head);
	free(w->frames);
	free(w->path);
}

static void *work(void *arg)
{
	odb_sweep_work(arg);
	return NULL;
}

/* As many threads as there is work for, each with its share. */
static unsigned count_threads(struct odb_run *run)
{
	const unsigned most = run->nr_units / UNITS_A_THREAD + 1;
	unsigned nr = run->s->threads;

	if (nr > most)
		nr = most;
	if (nr < 1)
		nr = 1;
	run->share = run->s->memory / 2 / nr;
	run->extra = run->s->memory / 2;
	return nr;
}

/* In this thread and in nr - 1 more. */
static void work_in(struct odb_run *run, unsigned nr)
{
	struct odb_walker *walkers = mem_array(nr, sizeof(*walkers));
	pthread_t *threads = mem_array(nr, sizeof(*threads));
	unsigned i;

	for (i = 0; i < nr; i++) {
		walkers[i].run = run;
		walkers[i].nr_self = i;
	}
	for (i = 1; i < nr; i++)
		if (pthread_create(&threads[i], NULL, work, &walkers[i])) {
			/* the others do its part */
			pthread_mutex_lock(&run->lock);
			run->nr_walkers -= nr - i;
			pthread_mutex_unlock(&run->lock);
			nr = i;
		}
	work(&walkers[0]);
	for (i = 1; i < nr; i++)
		pthread_join(threads[i], NULL);
	free(walkers);
	free(threads);
}

static void work_all(struct odb_run *run)
{
	unsigned nr = count_threads(run);
	struct odb_help *help = nr > 1 ? run->s->help : NULL;

	/* one of them comes when it can */
	nr -= !!help;
	run->nr_walkers = run->nr_helper = nr;
	odb_help_open(help, run);
	work_in(run, nr);
	odb_help_close(help);
}

/*
 * Bases may be larger than what is shown, but not than what is had at a time
 * with what is made from them.
 */
static size_t limit_of(const struct odb_run *run)
{
	size_t max = run->s->max_object;

	if (!max || max >= SIZE_MAX / 8)
		return SIZE_MAX / 4;
	if (max * 2 <= run->most)
		return max * 2;
	return max > run->most ? max : run->most;
}

static void start(struct odb_run *run, const struct odb *o,
		  const struct odb_sweep *s)
{
	memset(run, 0, sizeof(*run));
	run->o = o;
	run->s = s;
	run->most = s->memory < MOST_LEAST / 2 ? MOST_LEAST : s->memory * 2;
	run->limit = limit_of(run);
	pthread_mutex_init(&run->big, NULL);
	pthread_mutex_init(&run->lock, NULL);
	clock_condition(&run->change);
}

static int finish(struct odb_run *run)
{
	pthread_mutex_destroy(&run->big);
	pthread_mutex_destroy(&run->lock);
	pthread_cond_destroy(&run->change);
	free(run->frames);
	return run->stopped;
}

/* Returns 1 when it was stopped, else 0. */
static int sweep_pack(const struct odb *o, const struct odb_sweep *s,
		      const struct odb_pack *pack)
{
	struct odb_plan plan;
	struct odb_run run;
	int rc;

	odb_plan_make(&plan, pack, s->types);
	start(&run, o, s);
	run.plan = &plan;
	run.nr_units = plan.nr_roots;
	work_all(&run);
	rc = finish(&run);
	odb_plan_clear(&plan);
	return rc;
}

struct ids {
	struct oid *list;
	size_t nr, alloc;
};

static int add_id(void *arg, const struct oid *id)
{
	struct ids *ids = arg;

	MEM_GROW(ids->list, ids->nr, ids->alloc);
	ids->list[ids->nr++] = *id;
	return 0;
}

static int sweep_loose(const struct odb *o, const struct odb_sweep *s)
{
	struct ids ids = { 0 };
	struct odb_run run;
	int rc;

	rc = odb_loose_each(&o->dirs[0], o->raw_len, -1, add_id, &ids);
	/* nobody has 2^32 files; a part that is left out is said to be */
	if (ids.nr > ODB_NOBODY - TAKE * 1024) {
		log_error("%s: too many loose objects", o->dirs[0].path);
		rc = -1;
	}
	if (!rc && ids.nr) {
		start(&run, o, s);
		run.loose = ids.list;
		run.nr_units = (uint32_t)ids.nr;
		work_all(&run);
		rc = finish(&run);
	}
	free(ids.list);
	return rc;
}

int odb_sweep(const struct odb *o, const struct odb_sweep *s)
{
	const struct odb_packs *packs = atomic_load(&o->packs);
	size_t i;
	int rc;

	for (i = 0; i < packs->nr_own; i++)
		if (sweep_pack(o, s, packs->list[i]))
			return 1;
	rc = sweep_loose(o, s);
	if (!rc && o->dirs[0].incomplete)
		rc = -1;
	return rc;
}
