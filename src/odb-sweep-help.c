/*
 * One thread more for a sweep under way: takes a thread that has ended what it
 * had to do, and gives it a place in the run that is open, and in those after
 * it, until there are no more.
 */
#include <stdlib.h>

#include "mem.h"
#include "odb-sweep-internal.h"

struct odb_help {
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct odb_run *run; /* that is open, or NULL */
	unsigned nr;         /* of those that were */
	int inside;          /* somebody is at work in it */
	_Atomic int ended;   /* there will be no more */
};

struct odb_help *odb_help_new(void)
{
	struct odb_help *h = mem_zalloc(sizeof(*h));

	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->change, NULL);
	return h;
}

void odb_help_free(struct odb_help *h)
{
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->change);
	free(h);
}

void odb_help_open(struct odb_help *h, struct odb_run *run)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->run = run;
	h->nr++;
	pthread_cond_broadcast(&h->change);
	pthread_mutex_unlock(&h->lock);
}

void odb_help_close(struct odb_help *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->run = NULL;
	/* he ends when the others have, who have */
	while (h->inside)
		pthread_cond_wait(&h->change, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

void odb_help_end(struct odb_help *h)
{
	pthread_mutex_lock(&h->lock);
	h->ended = 1;
	pthread_cond_broadcast(&h->change);
	pthread_mutex_unlock(&h->lock);
}

int odb_help_ended(const struct odb_help *h)
{
	return h->ended;
}

/* A place in a run: 1; 0: there is nothing left to do in it. */
static int take_place(struct odb_run *run, struct odb_walker *w)
{
	int taken = 0;

	pthread_mutex_lock(&run->lock);
	if (run->nr || run->idle < run->nr_walkers) {
		w->run = run;
		w->nr_self = run->nr_helper;
		run->nr_walkers++;
		taken = 1;
	}
	pthread_mutex_unlock(&run->lock);
	return taken;
}

/* With the lock held, which is let go of meanwhile. */
static void help_run(struct odb_help *h, struct odb_run *run)
{
	struct odb_walker w = { 0 };

	if (!take_place(run, &w))
		return;
	h->inside = 1;
	pthread_mutex_unlock(&h->lock);
	odb_sweep_work(&w);
	pthread_mutex_lock(&h->lock);
	h->inside = 0;
	pthread_cond_broadcast(&h->change);
}

void odb_help(struct odb_help *h)
{
	unsigned last = 0;

	pthread_mutex_lock(&h->lock);
	while (!h->ended) {
		if (h->run && h->nr != last) {
			last = h->nr;
			help_run(h, h->run);
		} else {
			pthread_cond_wait(&h->change, &h->lock);
		}
	}
	pthread_mutex_unlock(&h->lock);
}
