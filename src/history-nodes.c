/*
 * Commits that were met, and the queue of them. Each is read once: what is
 * kept of it is its tree, its parents and its time.
 */
#include <stdlib.h>
#include <string.h>

#include "history-internal.h"
#include "mem.h"

/* Of a commit with a parent, in all arrays that it is in, as they grow. */
#define NODE_BYTES 160
/* Commits after which who asked is told how much is kept. */
#define TELL 4096

/* Commits may take so much of what all that is met may take. */
static int is_full(const struct history_nodes *n, size_t nr)
{
	const struct history *h = n->h;

	/* the numbers are of 32 bits, whatever memory is there */
	return (h->memory && h->kept > HISTORY_KEPT_MAX(h->memory)) ||
	       nr + n->nr_parents > UINT32_MAX / 2;
}

static void count(struct history_nodes *n, size_t nr)
{
	struct history *h = n->h;

	h->kept += NODE_BYTES;
	if (h->grown && nr % TELL == TELL - 1)
		h->grown(h->grown_arg);
	n->full |= is_full(n, nr);
}

uint32_t history_nodes_get(struct history_nodes *n, const struct oid *id)
{
	size_t i;
	int added;

	i = oids_put(&n->ids, id, &added);
	if (added) {
		MEM_GROW(n->list, i, n->alloc);
		memset(&n->list[i], 0, sizeof(n->list[i]));
		count(n, i);
	}
	return (uint32_t)i;
}

static void add_parents(struct history_nodes *n, uint32_t i,
			const struct history_commit *commit)
{
	uint32_t parent;
	struct oid id;
	size_t k;

	n->list[i].parents = (uint32_t)n->nr_parents;
	if (oids_find(&n->h->shallow, &n->ids.list[i]) >= 0)
		return;
	for (k = 0; k < commit->nr_parents; k++) {
		history_parse_parent(commit, k, n->h->raw_len, &id);
		parent = history_nodes_get(n, &id);
		MEM_GROW(n->parents, n->nr_parents, n->parents_alloc);
		n->parents[n->nr_parents++] = parent;
	}
	n->list[i].nr_parents = (uint32_t)commit->nr_parents;
}

int history_nodes_load(struct history_nodes *n, uint32_t i)
{
	struct oid id = n->ids.list[i];
	struct history_commit commit;
	struct odb_object o;
	const char *why;

	if (n->list[i].flags & NODE_LOADED)
		return n->list[i].flags & NODE_BROKEN ? -1 : 0;
	n->list[i].flags |= NODE_LOADED;
	why = n->full ? "is one of too many commits" :
			history_read(n->h, &id, ODB_COMMIT, &o);
	if (!why) {
		if (history_parse_commit(o.data, o.len, n->h->raw_len,
					 &commit)) {
			why = "is malformed";
		} else {
			add_parents(n, i, &commit);
			n->list[i].tree = commit.tree;
			n->list[i].time = commit.time;
		}
		odb_release(n->h->reader, &o);
	}
	if (!why)
		return 0;
	n->why = why;
	n->list[i].flags |= NODE_BROKEN;
	return -1;
}

static int newer(const struct history_nodes *n, size_t a, size_t b)
{
	return n->list[n->heap[a]].time > n->list[n->heap[b]].time;
}

static void swap(struct history_nodes *n, size_t a, size_t b)
{
	uint32_t t = n->heap[a];

	n->heap[a] = n->heap[b];
	n->heap[b] = t;
}

void history_nodes_push(struct history_nodes *n, uint32_t i)
{
	size_t at = n->nr_heap;

	MEM_GROW(n->heap, n->nr_heap, n->heap_alloc);
	n->heap[n->nr_heap++] = i;
	for (; at && newer(n, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(n, at, (at - 1) / 2);
	n->list[i].flags |= NODE_QUEUED;
}

uint32_t history_nodes_pop(struct history_nodes *n)
{
	size_t at = 0, child;
	uint32_t top = n->heap[0];

	n->heap[0] = n->heap[--n->nr_heap];
	while ((child = 2 * at + 1) < n->nr_heap) {
		if (child + 1 < n->nr_heap && newer(n, child + 1, child))
			child++;
		if (!newer(n, child, at))
			break;
		swap(n, at, child);
		at = child;
	}
	n->list[top].flags &= ~(unsigned)NODE_QUEUED;
	return top;
}

void history_nodes_clear(struct history_nodes *n)
{
	n->h->kept -= n->ids.nr * NODE_BYTES;
	oids_clear(&n->ids);
	free(n->list);
	free(n->parents);
	free(n->heap);
	memset(n, 0, sizeof(*n));
}
