/*
 * The keeper: asks the mirrors' room what is due, under the configuration of
 * now, and has it done. Nothing waits for it, and it gives way to everybody.
 */
#include "keeper.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config.h"
#include "log.h"
#include "mem.h"
#include "mirror-keep.h"
#include "workers.h"

#define STACK_SIZE (512 * 1024)

struct keeper {
	struct workers *workers;
	pthread_t thread;
};

static void perform(struct keeper *k, enum mirror_task task,
		    const struct mirror_due *due)
{
	const struct config *c;
	struct shared_config *held = workers_config(k->workers, &c);

	switch (task) {
	case MIRROR_TASK_CARE:
		mirror_due_done(due, mirror_care(c, due));
		break;
	case MIRROR_TASK_REMOVE:
		mirror_remove(c);
		break;
	case MIRROR_TASK_AGAIN:
	case MIRROR_TASK_STOP:
		break;
	}
	workers_config_done(k->workers, held);
}

/* Asleep it holds no configuration, which may be an old one by then. */
static enum mirror_task wait_task(struct keeper *k, struct mirror_due *due)
{
	const struct config *c;
	struct shared_config *held = workers_config(k->workers, &c);
	int64_t delay_ms = c->maintain ? c->maintain_ms : -1;
	int removes = c->unused_ms > 0 || c->mirrors_size > 0;

	workers_config_done(k->workers, held);
	return mirror_due_wait(delay_ms, removes, due);
}

static void *run(void *arg)
{
	struct keeper *k = arg;
	enum mirror_task task;
	struct mirror_due due;

	do {
		task = wait_task(k, &due);
		perform(k, task, &due);
		free(due.path);
	} while (task != MIRROR_TASK_STOP);
	return NULL;
}

struct keeper *keeper_start(struct workers *w)
{
	struct keeper *k = mem_zalloc(sizeof(*k));
	pthread_attr_t attr;
	int rc;

	k->workers = w;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	rc = pthread_create(&k->thread, &attr, run, k);
	pthread_attr_destroy(&attr);
	if (!rc)
		return k;
	log_error("cannot start the keeper of mirrors: %s", strerror(rc));
	free(k);
	return NULL;
}

void keeper_reload(void)
{
	mirror_due_again();
}

void keeper_stop(void)
{
	mirror_due_stop();
}

int keeper_join(struct keeper *k, int timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000 + 1;
	if (pthread_clockjoin_np(k->thread, NULL, CLOCK_MONOTONIC, &until))
		return -1;
	free(k);
	return 0;
}
