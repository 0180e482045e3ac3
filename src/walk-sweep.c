/*
 * The sweep of a walk: which objects of a store must be looked at whole. With
 * several threads it runs beside the walk, which finds out meanwhile what there
 * is to judge, and keeps that (walk-later.c). Nobody else touches w->sweep and
 * w->scanner until it has ended.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mem.h"
#include "walk-internal.h"

/* So many objects are worth a thread. */
#define OBJECTS_BESIDE 1024

struct walk_beside {
	pthread_t thread;
	struct walk *w;
	int result;
	atomic_int ended;
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
		.threads = l->threads,
		.depth = l->depth,
		.unpack = l->unpack.depth ? &l->unpack : NULL,
		.deadline = l->deadline,
		.scanner = w->scanner,
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
	atomic_store(&b->ended, 1);
	return NULL;
}

/* Returns 0, or -1: there is no thread for it. */
static int start(struct walk *w)
{
	struct walk_beside *b = mem_zalloc(sizeof(*b));

	b->w = w;
	if (pthread_create(&b->thread, NULL, work, b)) {
		free(b);
		return -1;
	}
	w->beside = b;
	return 0;
}

void walk_sweep(struct walk *w)
{
	/* a probe tells of nothing that it can do without */
	if (w->limits->explain)
		return;
	w->swept = w->h->fresh;
	if (w->limits->threads < 2 ||
	    odb_count(w->h->fresh) < OBJECTS_BESIDE || start(w))
		take_result(w, run(w, w->h->fresh));
}

int walk_sweep_ended(const struct walk *w)
{
	return atomic_load(&w->beside->ended);
}

void walk_settle(struct walk *w)
{
	struct walk_beside *b = w->beside;

	if (!b)
		return;
	pthread_join(b->thread, NULL);
	w->beside = NULL;
	take_result(w, b->result);
	free(b);
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
		if (o && commits * WALK_SWEEP_SHARE > odb_count(o))
			take_result(w, run(w, o));
		else
			all = 0;
		odb_close(o);
	}
	if (all && i > 1)
		w->swept = w->h->store;
}
