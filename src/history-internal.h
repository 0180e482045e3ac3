#ifndef HISTORY_INTERNAL_H
#define HISTORY_INTERNAL_H

#include "history.h"

/*
 * What the files of this room share. history-refs.c: references and shallow
 * commits, into h; the first id that it meets tells raw_len, if that is 0.
 * Returns 0 or -1, logged.
 */
int history_refs_read(struct history *h);
void history_refs_clear(struct history_refs *refs);

/*
 * Commits that were met, each read once, and a queue of them with the newest
 * first (history-nodes.c); for history-commits.c and history-reach.c, which
 * say what the flags mean.
 */
enum {
	NODE_LOADED = 1, /* read; its parents have nodes */
	NODE_QUEUED = 2,
	NODE_EXPANDED = 4,
	NODE_BROKEN = 8, /* could not be read */
	NODE_OWN = 16,   /* the first of the flags for users */
};

struct history_node {
	struct oid tree;
	int64_t time;
	uint32_t parents; /* the first, in history_nodes.parents */
	uint32_t nr_parents;
	unsigned flags;
};

struct history_nodes {
	struct history *h;
	struct oids ids; /* an id's index is its node's */
	struct history_node *list;
	size_t alloc;
	uint32_t *parents;
	size_t nr_parents, parents_alloc;
	uint32_t *heap;
	size_t nr_heap, heap_alloc;
	const char *why; /* the last that could not be read was not */
	int full;        /* the memory for them is used up */
};

uint32_t history_nodes_get(struct history_nodes *n, const struct oid *id);
/* Read it, if it was not yet. Returns 0, or -1: it cannot be. */
int history_nodes_load(struct history_nodes *n, uint32_t i);
void history_nodes_push(struct history_nodes *n, uint32_t i);
uint32_t history_nodes_pop(struct history_nodes *n);
void history_nodes_clear(struct history_nodes *n);

#endif
