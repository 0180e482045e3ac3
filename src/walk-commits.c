/*
 * Which commits are new: those that some tips reach and the hidden commits do
 * not. Visits the newest first, so that a push of one commit costs the same
 * in a large repository. A commit that is taken for new though it is old costs
 * time only; the other mistake is never made.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "walk-internal.h"

/*
 * Commits visited after the last doubtful one, for clocks that disagree;
 * the number is git's (revision.c, SLOP).
 */
#define SLOP 5

enum { HIDDEN = 1, QUEUED = 2, EXPANDED = 4, LISTED = 8 };

struct node {
	git_time_t time;
	size_t parents; /* the first, in commits.parents */
	unsigned nr_parents;
	unsigned flags;
};

struct commits {
	struct walk *walk;
	struct oidset ids; /* an id's index is its node's */
	struct node *nodes;
	size_t nodes_alloc;
	size_t *parents; /* indices of nodes */
	size_t nr_parents, parents_alloc;
	size_t *heap; /* of nodes, the newest first */
	size_t nr_heap, heap_alloc;
	size_t *found; /* in the order in which they were met */
	size_t nr_found, found_alloc;
	size_t interesting; /* in the heap and not hidden */
	size_t doubtful;    /* found, and could turn out to be old */
	git_time_t oldest;  /* of the doubtful */
	int failed;
};

struct commits *walk_commits_new(struct walk *w)
{
	struct commits *c = mem_zalloc(sizeof(*c));

	c->walk = w;
	return c;
}

void walk_commits_free(struct commits *c)
{
	oidset_clear(&c->ids);
	free(c->nodes);
	free(c->parents);
	free(c->heap);
	free(c->found);
	free(c);
}

static int newer(const struct commits *c, size_t a, size_t b)
{
	return c->nodes[c->heap[a]].time > c->nodes[c->heap[b]].time;
}

static void swap(struct commits *c, size_t a, size_t b)
{
	size_t t = c->heap[a];

	c->heap[a] = c->heap[b];
	c->heap[b] = t;
}

static void heap_push(struct commits *c, size_t node)
{
	size_t i = c->nr_heap;

	MEM_GROW(c->heap, c->nr_heap, c->heap_alloc);
	c->heap[c->nr_heap++] = node;
	for (; i && newer(c, i, (i - 1) / 2); i = (i - 1) / 2)
		swap(c, i, (i - 1) / 2);
	c->nodes[node].flags |= QUEUED;
	if (!(c->nodes[node].flags & HIDDEN))
		c->interesting++;
}

static size_t heap_pop(struct commits *c)
{
	size_t node = c->heap[0], i = 0, child;

	c->heap[0] = c->heap[--c->nr_heap];
	while ((child = 2 * i + 1) < c->nr_heap) {
		if (child + 1 < c->nr_heap && newer(c, child + 1, child))
			child++;
		if (!newer(c, child, i))
			break;
		swap(c, i, child);
		i = child;
	}
	c->nodes[node].flags &= ~(unsigned)QUEUED;
	if (!(c->nodes[node].flags & HIDDEN))
		c->interesting--;
	return node;
}

/* The commit's time. A hidden one that is not here hides nothing. */
static void load(struct commits *c, size_t i, unsigned flags)
{
	int hidden = flags & HIDDEN;
	git_commit *commit;

	c->nodes[i] = (struct node){ .flags = flags };
	commit = walk_read_commit(c->walk, &c->ids.list[i], hidden);
	if (commit)
		c->nodes[i].time = git_commit_time(commit);
	else if (!hidden)
		c->failed = 1;
	git_commit_free(commit);
}

/* The node of id, which is made and queued when there is none yet. */
static size_t node_of(struct commits *c, const git_oid *id, unsigned flags,
		      int *added)
{
	size_t i = oidset_put(&c->ids, id, added);

	if (!*added)
		return i;
	MEM_GROW(c->nodes, i, c->nodes_alloc);
	load(c, i, flags);
	heap_push(c, i);
	return i;
}

/* Hide a node and all that is known of what it reaches. */
static void hide(struct commits *c, size_t i)
{
	size_t *stack = NULL, nr = 0, alloc = 0, k;
	struct node *n;

	MEM_GROW(stack, nr, alloc);
	stack[nr++] = i;
	while (nr) {
		n = &c->nodes[stack[--nr]];
		if (n->flags & HIDDEN)
			continue;
		n->flags |= HIDDEN;
		if (n->flags & QUEUED)
			c->interesting--;
		if (!(n->flags & EXPANDED))
			continue;
		for (k = 0; k < n->nr_parents; k++) {
			MEM_GROW(stack, nr, alloc);
			stack[nr++] = c->parents[n->parents + k];
		}
	}
	free(stack);
}

int walk_commits_tip(struct commits *c, const git_oid *id)
{
	int added;

	node_of(c, id, 0, &added);
	return c->failed ? -1 : 0;
}

void walk_commits_hide(struct commits *c, const git_oid *id)
{
	int added;
	size_t i = node_of(c, id, HIDDEN, &added);

	if (!added)
		hide(c, i);
}

/* Make nodes of a commit's parents. */
static void expand(struct commits *c, size_t i)
{
	unsigned hidden = c->nodes[i].flags & HIDDEN, k, nr;
	git_oid id = c->ids.list[i];
	git_commit *commit;
	size_t parent;
	int added;

	c->nodes[i].flags |= EXPANDED;
	c->nodes[i].parents = c->nr_parents;
	if (oidset_find(&c->walk->shallow, &id) >= 0)
		return;
	commit = walk_read_commit(c->walk, &id, hidden);
	if (!commit) {
		c->failed |= !hidden;
		return;
	}
	nr = git_commit_parentcount(commit);
	for (k = 0; k < nr; k++) {
		parent = node_of(c, git_commit_parent_id(commit, k), hidden,
				 &added);
		if (!added && hidden)
			hide(c, parent);
		MEM_GROW(c->parents, c->nr_parents, c->parents_alloc);
		c->parents[c->nr_parents++] = parent;
	}
	c->nodes[i].nr_parents = nr;
	git_commit_free(commit);
}

/*
 * A commit that came in the quarantine cannot be reached by what was there
 * before; one that the store has, left over from something else, can.
 */
static void found(struct commits *c, size_t i)
{
	const struct walk *w = c->walk;

	MEM_GROW(c->found, c->nr_found, c->found_alloc);
	c->found[c->nr_found++] = i;
	if (w->store && !git_odb_exists_ext(w->store, &c->ids.list[i],
					    GIT_ODB_LOOKUP_NO_REFRESH))
		return;
	if (!c->doubtful++ || c->nodes[i].time < c->oldest)
		c->oldest = c->nodes[i].time;
}

static void limit(struct commits *c)
{
	int slop = SLOP;
	size_t i;

	while (c->nr_heap && !walk_late(c->walk)) {
		/* only hidden ones are left, and none found can be old */
		if (!c->interesting && !c->doubtful)
			break;
		if (c->interesting || c->nodes[c->heap[0]].time >= c->oldest)
			slop = SLOP;
		else if (!slop--)
			break;
		i = heap_pop(c);
		expand(c, i);
		if (!(c->nodes[i].flags & HIDDEN))
			found(c, i);
	}
}

struct frame {
	size_t node;
	unsigned next;
};

/* Add a node to out after all of its parents; no recursion, history is deep. */
static void list_from(struct commits *c, size_t start, struct oidset *out)
{
	struct frame *stack = NULL;
	size_t nr = 0, alloc = 0, parent;
	struct node *n;

	MEM_GROW(stack, nr, alloc);
	stack[nr++] = (struct frame){ .node = start };
	while (nr) {
		n = &c->nodes[stack[nr - 1].node];
		if (stack[nr - 1].next == 0 && n->flags & (HIDDEN | LISTED)) {
			nr--;
			continue;
		}
		if (stack[nr - 1].next < n->nr_parents) {
			parent = c->parents[n->parents + stack[nr - 1].next++];
			MEM_GROW(stack, nr, alloc);
			stack[nr++] = (struct frame){ .node = parent };
			continue;
		}
		n->flags |= LISTED;
		oidset_put(out, &c->ids.list[stack[--nr].node], NULL);
	}
	free(stack);
}

int walk_commits_list(struct commits *c, struct oidset *out)
{
	size_t i;

	limit(c);
	for (i = c->nr_found; i; i--)
		list_from(c, c->found[i - 1], out);
	return c->failed || c->walk->stop ? -1 : 0;
}
