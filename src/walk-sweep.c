/*
 * The sweep of a walk: which objects of a store must be looked at whole. With
 * several threads it runs beside the walk, which finds out meanwhile what there
 * is to judge, keeps that (walk-later.c), and helps then: its thread is one of
 * those. Nobody else touches w->sweep and w->scanner until it has ended.
 */
#include <pthread.h>
#include <stdlib.h>

#include "mem.h"
#include "walk-internal.h"

/* So many objects are worth a thread. */
#define OBJECTS_BESIDE 1024
/*
 * [memory] while a sweep is under way, in eighths: 6 for it, of which the half
 * for texts has the list of objects too, and gives up to 2 to what the walk
 * keeps meanwhile; what is told takes less than its part of the 6, by which the
 * walk's cache has more than 1. Less than this part of memory for what the walk
 * keeps is not worth it.
 */
#define LATER_LEAST 16
/* Where no bound is given, bytes. */
#define LATER_BYTES ((size_t)64 << 20)

struct walk_beside {
	pthread_t thread;
	struct walk *w;
	struct odb_help *help;
	int result;
};

static void tell(void *arg, uint64_t done, uint64_t total)
{
	const struct walk *w = arg;

	w->progress(w->progress_arg, (size_t)done, (size_t)total);
}

static int run(struct walk *w, const struct odb *o)
{
	const struct walk_limits *l = w->limits;
	struct sweep_limits limits = {
		.max_object = l->max_object,
		.memory = l->memory - l->memory / 4,
		.less = w->beside ? l->memory / 4 : 0,
		.threads = l->threads,
		.depth = l->depth,
		.unpack = &l->unpack,
		.deadline = l->deadline,
		.scanner = w->scanner,
		.help = w->beside ? w->beside->help : NULL,
	};

	return sweep_run(o, w->rules, &limits, w->progress ? tell : NULL, w,
			 &w->sweep);
}

/* What it came to, once it has ended. */
static void take_result(struct walk *w, int result)
{
	if (result)
		findings_unknown(w->out, "not all objects can be read");
	if (w->sweep.full)
		walk_give_up(w, "more of its objects want a closer look than "
			     "memory is allowed for");
	if (w->sweep.late)
		walk_late(w);
}

static void *work(void *arg)
{
	struct walk_beside *b = arg;

	b->result = run(b->w, b->w->h->fresh);
	odb_help_end(b->help);
	return NULL;
}

static void free_beside(struct walk *w)
{
	odb_help_free(w->beside->help);
	free(w->beside);
	w->beside = NULL;
}

/* Returns 0, or -1: there is no thread for it. w->beside is set first, for the
 * thread itself looks at it. */
static int start(struct walk *w)
{
	struct walk_beside *b = mem_zalloc(sizeof(*b));

	b->w = w;
	b->help = odb_help_new();
	w->beside = b;
	if (!pthread_create(&b->thread, NULL, work, b))
		return 0;
	free_beside(w);
	return -1;
}

/* What there is for what waits, beside a sweep of so many objects; or 0. */
static size_t later_max(const struct walk *w, size_t objects)
{
	const size_t memory = w->limits->memory;
	const size_t list = objects * ODB_SWEEP_OBJECT;

	if (w->limits->threads < 2 || objects < OBJECTS_BESIDE)
		return 0;
	if (!memory)
		return LATER_BYTES;
	return list + memory / LATER_LEAST < memory / 8 * 3 ?
		       memory / 8 * 3 - list : 0;
}

/* Has a half of memory room for the list of so many objects? */
static int fits(const struct walk *w, size_t objects)
{
	const size_t half = w->limits->memory / 2;

	return !half || objects <= half / ODB_SWEEP_OBJECT;
}

void walk_sweep(struct walk *w)
{
	const size_t objects = odb_count(w->h->fresh);

	/* a probe tells of nothing that it can do without */
	if (w->limits->explain)
		return;
	if (!fits(w, objects)) {
		walk_give_up(w, "it has more objects than [scan] memory has "
			     "room for");
		return;
	}
	w->swept = w->h->fresh;
	w->later_max = later_max(w, objects);
	if (!w->later_max || start(w))
		take_result(w, run(w, w->h->fresh));
}

int walk_sweep_ended(const struct walk *w)
{
	return odb_help_ended(w->beside->help);
}

void walk_settle(struct walk *w)
{
	int result;

	if (!w->beside)
		return;
	odb_help(w->beside->help);
	pthread_join(w->beside->thread, NULL);
	result = w->beside->result;
	free_beside(w);
	take_result(w, result);
	walk_later_do(w);
}

/*
 * What a repository borrows. One that cannot be opened is met as missing, or
 * its objects are read one by one.
 */
void walk_sweep_alternates(struct walk *w, size_t commits)
{
	const char *path;
	struct odb *o;
	size_t i;
	int all = 1;

	for (i = 1; (path = odb_path(w->h->store, i)) && !walk_late(w); i++) {
		walk_settle(w);
		o = odb_open(path, w->h->raw_len, 0);
		/* one that others borrow from too may be much larger */
		if (o && commits * WALK_SWEEP_SHARE > odb_count(o) &&
		    fits(w, odb_count(o)))
			take_result(w, run(w, o));
		else
			all = 0;
		odb_close(o);
	}
	if (all && i > 1)
		w->swept = w->h->store;
}
