/*
 * Ends what an earlier responder left running when it was killed. Takes the
 * state directory, by which every git of ours is marked in its environment
 * (gitenv.h), and looks through /proc for processes of our user that bear it;
 * ends their process groups, bounded. Never ends a process group of its own,
 * nor one that made itself a session: a daemon, which some upstream's hook
 * may have started. (A shared connection is one too: share_end_all ends it.)
 */
#include "strays.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "config.h"
#include "gitenv.h"
#include "log.h"
#include "mem.h"
#include "proc.h"

/* SIGTERM to SIGKILL, and from there to giving up. */
#define GRACE_MS 2000
#define KILL_MS 3000
/* From one look to the next. */
#define PAUSE_MS 20

struct pids {
	pid_t *list;
	size_t nr, alloc;
};

struct strays {
	struct buf mark;    /* NAME=STATE */
	int sig;            /* that they are told to end by now */
	unsigned nr;        /* found in this look */
	struct pids groups; /* that have been found, and told to end */
	struct pids seen;   /* processes */
};

static int has(const struct pids *p, pid_t pid)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		if (p->list[i] == pid)
			return 1;
	return 0;
}

static void add(struct pids *p, pid_t pid)
{
	if (has(p, pid))
		return;
	MEM_GROW(p->list, p->nr, p->alloc);
	p->list[p->nr++] = pid;
}

/* Marked or not, is it one that we must leave alone? */
static int is_ours(const struct proc *p)
{
	return p->pid == getpid() || p->parent == getpid() ||
	       p->group == getpgrp() || p->group <= 1 ||
	       p->group == p->session;
}

/* One process: a stray is counted, and told to end. */
static int look_at(void *arg, int dir, pid_t pid)
{
	struct strays *s = arg;
	struct proc p = { .pid = pid };
	int known;

	/* a zombie is its parent's to reap */
	if (proc_stat(dir, &p) < 0 || p.state == 'Z' || is_ours(&p))
		return 0;
	/* with its leader goes what shows no environment, as our hook */
	known = has(&s->groups, p.group);
	if (!known && (!proc_marked(dir, &p, s->mark.data, 1) || is_ours(&p)))
		return 0;
	add(&s->groups, p.group);
	add(&s->seen, pid);
	/* once SIGTERM: a second would stop git from tidying up */
	if (!known || s->sig == SIGKILL)
		kill(-p.group, s->sig);
	s->nr++;
	return 0;
}

/* Returns 0, or -1 when /proc cannot be read. */
static int end_all(struct strays *s)
{
	int64_t grace = clock_ms() + GRACE_MS, end = grace + KILL_MS;

	for (;;) {
		s->nr = 0;
		s->sig = clock_left(grace) > 0 ? SIGTERM : SIGKILL;
		if (proc_each(look_at, s) < 0)
			return -1;
		if (s->nr == 0 || clock_left(end) == 0)
			return 0;
		poll(NULL, 0, PAUSE_MS);
	}
}

void strays_end(const struct config *c)
{
	struct strays s = { .mark = BUF_INIT };

	buf_addf(&s.mark, GITENV_MARK "=%s", c->state);
	if (end_all(&s) < 0)
		log_warn("/proc: %s: what an earlier git-gated may have left "
			 "running is not looked for", strerror(errno));
	if (s.seen.nr > 0)
		log_warn("an earlier git-gated was killed; %zu processes that "
			 "it had left running were ended", s.seen.nr - s.nr);
	if (s.nr > 0)
		log_error("%u processes of an earlier git-gated cannot be "
			  "ended; look for " GITENV_MARK " in their "
			  "environment", s.nr);
	buf_clear(&s.mark);
	free(s.groups.list);
	free(s.seen.list);
}
