/*
 * Which commits are new: those that some tips reach and the hidden commits do
 * not. Visits the newest first, so that a push of one commit costs the same
 * in a large repository, and looks at the references only when it must. A
 * commit that is taken for new though it is old costs time only; the other
 * mistake is never made.
 */
#include <stdlib.h>

#include "history-internal.h"
#include "mem.h"

/*
 * Commits visited after the last doubtful one, for clocks that disagree;
 * the number is git's (revision.c, SLOP).
 */
#define SLOP 5

enum {
	HIDDEN = NODE_OWN,
	LISTED = NODE_OWN << 1,
	DOUBTFUL = NODE_OWN << 2, /* found, and could turn out to be old */
};

struct history_commits {
	struct history_nodes n;
	uint32_t *found; /* in the order in which they were met */
	size_t nr_found, found_alloc;
	uint32_t *list;
	size_t nr_list, list_alloc;
	size_t interesting; /* in the heap and not hidden */
	size_t doubtful;
	int64_t oldest;     /* of the doubtful */
	int lazy;           /* all references hide, and are not queued yet */
	int hides;          /* any commit does: else none can be old */
};

struct history_commits *history_commits_new(struct history *h)
{
	struct history_commits *c = mem_zalloc(sizeof(*c));

	c->n.h = h;
	return c;
}

void history_commits_free(struct history_commits *c)
{
	history_nodes_clear(&c->n);
	free(c->found);
	free(c->list);
	free(c);
}

static void push(struct history_commits *c, uint32_t i)
{
	history_nodes_push(&c->n, i);
	if (!(c->n.list[i].flags & HIDDEN))
		c->interesting++;
}

static uint32_t pop(struct history_commits *c)
{
	uint32_t i = history_nodes_pop(&c->n);

	if (!(c->n.list[i].flags & HIDDEN))
		c->interesting--;
	return i;
}

/* Hide a node and all that is known of what it reaches. */
static void hide(struct history_commits *c, uint32_t i)
{
	uint32_t *stack = NULL, k;
	size_t nr = 0, alloc = 0;
	struct history_node *n;

	MEM_GROW(stack, nr, alloc);
	stack[nr++] = i;
	while (nr) {
		n = &c->n.list[stack[--nr]];
		if (n->flags & HIDDEN)
			continue;
		n->flags |= HIDDEN;
		if (n->flags & NODE_QUEUED)
			c->interesting--;
		if (!(n->flags & NODE_EXPANDED))
			continue;
		for (k = 0; k < n->nr_parents; k++) {
			MEM_GROW(stack, nr, alloc);
			stack[nr++] = c->n.parents[n->parents + k];
		}
	}
	free(stack);
}

/* Meet a commit. What cannot be read hides nothing, and has no parents. */
static void meet(struct history_commits *c, uint32_t i, int hidden)
{
	unsigned flags = c->n.list[i].flags;

	if (hidden)
		hide(c, i);
	if (flags & NODE_LOADED) {
		/* a boundary of the first look, from where hiding goes on */
		if (hidden && !(flags & (NODE_QUEUED | NODE_EXPANDED)))
			push(c, i);
		return;
	}
	history_nodes_load(&c->n, i);
	push(c, i);
}

void history_commits_tip(struct history_commits *c, const struct oid *id)
{
	meet(c, history_nodes_get(&c->n, id), 0);
}

void history_commits_hide(struct history_commits *c, const struct oid *id)
{
	c->hides = 1;
	meet(c, history_nodes_get(&c->n, id), 1);
}

void history_commits_hide_refs(struct history_commits *c)
{
	c->lazy = c->hides = 1;
}

static void expand(struct history_commits *c, uint32_t i)
{
	uint32_t k, first = c->n.list[i].parents, nr = c->n.list[i].nr_parents;
	int hidden = !!(c->n.list[i].flags & HIDDEN);

	c->n.list[i].flags |= NODE_EXPANDED;
	for (k = 0; k < nr; k++)
		meet(c, c->n.parents[first + k], hidden);
}

/*
 * A commit that came in the quarantine cannot be reached by what was there
 * before; one that the store has, left over from something else, can.
 */
static void found(struct history_commits *c, uint32_t i)
{
	struct history_node *n = &c->n.list[i];

	MEM_GROW(c->found, c->nr_found, c->found_alloc);
	c->found[c->nr_found++] = i;
	if (!c->hides || !history_has(c->n.h, &c->n.ids.list[i]))
		return;
	n->flags |= DOUBTFUL;
	if (!c->doubtful++ || n->time < c->oldest)
		c->oldest = n->time;
}

static void limit(struct history_commits *c)
{
	int slop = SLOP;
	uint32_t i;

	while (c->n.nr_heap && !history_late(c->n.h)) {
		/* only hidden ones are left, and none found can be old */
		if (!c->interesting && !c->doubtful)
			break;
		if (c->interesting ||
		    c->n.list[c->n.heap[0]].time >= c->oldest)
			slop = SLOP;
		else if (!slop--)
			break;
		i = pop(c);
		expand(c, i);
		if (!(c->n.list[i].flags & HIDDEN))
			found(c, i);
	}
}

/*
 * Most pushes start from where a reference is. Returns 1 when that was so of
 * all tips; else what is in the store and of no reference is in the queue.
 */
static int limit_at_refs(struct history_commits *c)
{
	struct history *h = c->n.h;
	const struct oid *id;
	uint32_t i;

	while (c->n.nr_heap && !history_late(h)) {
		i = pop(c);
		id = &c->n.ids.list[i];
		if (oids_find(&h->refs.ids, id) >= 0) {
			hide(c, i);
		} else if (history_has(h, id)) {
			push(c, i);
			return 0;
		} else {
			expand(c, i);
			found(c, i);
		}
	}
	return 1;
}

/* Is any that was found still doubtful? */
static int in_doubt(const struct history_commits *c)
{
	size_t i;

	for (i = 0; i < c->nr_found; i++)
		if ((c->n.list[c->found[i]].flags & (DOUBTFUL | HIDDEN)) ==
		    DOUBTFUL)
			return 1;
	return 0;
}

static void hide_peeled(struct history_commits *c, const struct oid *id)
{
	enum odb_type type;
	struct oid to;

	if (!history_peel(c->n.h, id, &to, &type) && type == ODB_COMMIT)
		history_commits_hide(c, &to);
}

/* HEAD's branch first: many references cost more than a push. */
static void limit_by_refs(struct history_commits *c)
{
	const struct history_refs *refs = &c->n.h->refs;
	struct oid head;
	size_t i;

	if (!history_head(c->n.h, &head)) {
		hide_peeled(c, &head);
		limit(c);
		if (!in_doubt(c))
			return;
	}
	for (i = 0; i < refs->nr && !history_late(c->n.h); i++)
		hide_peeled(c, &refs->list[i].id);
	limit(c);
}

struct frame {
	uint32_t node, next;
};

/* Add a node to the list after all of its parents; history is deep. */
static void list_from(struct history_commits *c, uint32_t start)
{
	struct frame *stack = NULL, *top;
	size_t nr = 0, alloc = 0;
	struct history_node *n;
	uint32_t parent;

	MEM_GROW(stack, nr, alloc);
	stack[nr++] = (struct frame){ .node = start };
	while (nr) {
		top = &stack[nr - 1];
		n = &c->n.list[top->node];
		if (!top->next && n->flags & (HIDDEN | LISTED)) {
			nr--;
			continue;
		}
		if (top->next < n->nr_parents) {
			parent = c->n.parents[n->parents + top->next++];
			MEM_GROW(stack, nr, alloc);
			stack[nr++] = (struct frame){ .node = parent };
			continue;
		}
		nr--;
		if (n->flags & (LISTED | NODE_BROKEN) ||
		    !(n->flags & NODE_EXPANDED))
			continue;
		n->flags |= LISTED;
		MEM_GROW(c->list, c->nr_list, c->list_alloc);
		c->list[c->nr_list++] = (uint32_t)(n - c->n.list);
	}
	free(stack);
}

int history_commits_list(struct history_commits *c, const uint32_t **list,
			 size_t *nr)
{
	size_t i;

	if (!c->lazy)
		limit(c);
	else if (!limit_at_refs(c))
		limit_by_refs(c);
	for (i = c->nr_found; i; i--)
		list_from(c, c->found[i - 1]);
	*list = c->list;
	*nr = c->nr_list;
	return history_commits_broken(c, NULL) || c->n.full || c->n.h->late ?
		       -1 : 0;
}

const struct oid *history_commits_broken(const struct history_commits *c,
					 const char **why)
{
	size_t i;

	for (i = 0; i < c->n.ids.nr; i++) {
		if ((c->n.list[i].flags & (NODE_BROKEN | HIDDEN)) !=
		    NODE_BROKEN)
			continue;
		if (why)
			*why = c->n.why;
		return &c->n.ids.list[i];
	}
	return NULL;
}

const struct oid *history_commits_id(const struct history_commits *c,
				     uint32_t number)
{
	return &c->n.ids.list[number];
}

const struct oid *history_commits_tree(const struct history_commits *c,
				       uint32_t number)
{
	return &c->n.list[number].tree;
}

size_t history_commits_older(const struct history_commits *c, uint32_t number,
			     struct oid *out, size_t max)
{
	const struct history_node *n = &c->n.list[number], *parent;
	size_t nr = 0;
	uint32_t k;

	for (k = 0; k < n->nr_parents && nr < max; k++) {
		parent = &c->n.list[c->n.parents[n->parents + k]];
		if ((parent->flags & (NODE_LOADED | NODE_BROKEN)) ==
		    NODE_LOADED)
			out[nr++] = parent->tree;
	}
	return nr;
}
