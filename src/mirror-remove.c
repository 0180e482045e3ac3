/*
 * Mirrors that go: takes [maintenance] removeUnused and maxSize, removes the
 * mirrors that nobody has used for so long, and while all are too large the
 * least recently used. Never one that a session or a refresh is at. A mirror
 * that goes is renamed first, so that it is there whole or not at all.
 */
#include "mirror-keep.h"
#include "mirror-internal.h"

#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "log.h"
#include "mem.h"

/* What was used in this time stays, whatever all of them take. */
#define RECENT_MS (60 * 60 * 1000)

struct mirror {
	char *path;
	int64_t used_ms;
	uint64_t bytes; /* on disk */
};

struct mirrors {
	struct mirror *list;
	size_t nr, alloc;
};

static int add(void *arg, const char *path)
{
	struct mirrors *m = arg;

	MEM_GROW(m->list, m->nr, m->alloc);
	m->list[m->nr++] = (struct mirror){
		.path = mem_strdup(path),
		.used_ms = mirror_saved_used_age(path),
	};
	return 0;
}

static int by_use(const void *a, const void *b)
{
	const struct mirror *x = a, *y = b;

	return x->used_ms < y->used_ms ? 1 : x->used_ms > y->used_ms ? -1 : 0;
}

/* What it takes on disk: st_blocks counts 512 bytes, inode(7). */
static uint64_t size_of(const char *path)
{
	char *const list[] = { (char *)path, NULL };
	FTS *fts = fts_open(list, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	uint64_t bytes = 0;
	FTSENT *f;

	while (fts && (f = fts_read(fts)))
		if (f->fts_info == FTS_F || f->fts_info == FTS_D)
			bytes += (uint64_t)f->fts_statp->st_blocks * 512;
	if (fts)
		fts_close(fts);
	return bytes;
}

struct going {
	int64_t unused_ms; /* at least, still */
	char *to;
};

/* While nobody can come: one rename(2). */
static int step_aside(const char *path, void *arg)
{
	struct going *g = arg;

	if (mirror_saved_used_age(path) < g->unused_ms)
		return 1;
	g->to = mirror_clean_name(path);
	if (!rename(path, g->to))
		return 0;
	log_error("%s: cannot be removed: %s", path, strerror(errno));
	return -1;
}

/* Returns 0 when it is gone. */
static int drop(const struct mirror *m, int64_t unused_ms, const char *why)
{
	struct going g = { .unused_ms = unused_ms };
	int rc = mirror_due_stopping()
			 ? 1 : mirror_lock_alone(m->path, step_aside, &g);

	if (!rc) {
		log_info("%s: last used %" PRId64 " minutes ago, %s: removed",
			 m->path, m->used_ms / 60000, why);
		mirror_clean_tree(g.to);
	}
	free(g.to);
	return rc;
}

static void drop_unused(const struct config *c, struct mirrors *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->nr; i++) {
		if (m->list[i].used_ms >= c->unused_ms &&
		    !drop(&m->list[i], c->unused_ms,
			  "longer than maintenance.removeUnused"))
			free(m->list[i].path);
		else
			m->list[kept++] = m->list[i];
	}
	m->nr = kept;
}

/* The list is in the order in which they go. */
static void drop_large(const struct config *c, struct mirrors *m)
{
	uint64_t all = 0;
	size_t i;

	for (i = 0; i < m->nr; i++)
		all += m->list[i].bytes = size_of(m->list[i].path);
	for (i = 0; i < m->nr && all > c->mirrors_size; i++)
		if (m->list[i].used_ms >= RECENT_MS &&
		    !drop(&m->list[i], RECENT_MS,
			  "and all are more than maintenance.maxSize"))
			all -= m->list[i].bytes;
	if (all > c->mirrors_size)
		log_warn("%s: mirrors take %" PRIu64 " bytes, more than "
			 "maintenance.maxSize, and all others are in use; "
			 "raise it", c->mirrors, all);
}

void mirror_remove(const struct config *c)
{
	struct mirrors m = { 0 };

	mirror_each(c, add, &m);
	if (m.nr)
		qsort(m.list, m.nr, sizeof(*m.list), by_use);
	if (c->unused_ms > 0)
		drop_unused(c, &m);
	if (c->mirrors_size > 0)
		drop_large(c, &m);
	for (size_t i = 0; i < m.nr; i++)
		free(m.list[i].path);
	free(m.list);
}
