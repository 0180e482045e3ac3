/*
 * Does one commit reach another? Both sides are painted, the newest first,
 * until one is met from the other side, or all that is left is of both.
 */
#include "history-internal.h"

enum { FROM = NODE_OWN, TO = NODE_OWN << 1, BOTH = FROM | TO };

/* Returns 0, or -1: it cannot be read. */
static int paint(struct history_nodes *n, uint32_t i, unsigned colour,
		 size_t *single)
{
	unsigned *flags, was;

	if (history_nodes_load(n, i))
		return -1;
	flags = &n->list[i].flags;
	was = *flags & BOTH;
	if ((was | colour) == was)
		return 0;
	if (*flags & NODE_QUEUED) {
		/* it has another colour now: of one until now, of both */
		*single -= (was != BOTH);
		*flags |= colour;
		*single += ((was | colour) != BOTH);
		return 0;
	}
	*flags |= colour;
	*single += ((was | colour) != BOTH);
	history_nodes_push(n, i);
	return 0;
}

static int search(struct history_nodes *n, uint32_t from, uint32_t to)
{
	size_t single = 0;
	uint32_t i, k;

	if (paint(n, from, FROM, &single) || paint(n, to, TO, &single))
		return -1;
	while (n->nr_heap && single) {
		unsigned colour;

		if (history_late(n->h) || n->full)
			return -1;
		i = history_nodes_pop(n);
		colour = n->list[i].flags & BOTH;
		single -= (colour != BOTH);
		for (k = 0; k < n->list[i].nr_parents; k++)
			if (paint(n, n->parents[n->list[i].parents + k],
				  colour, &single))
				return -1;
		if (n->list[to].flags & FROM)
			return 1;
	}
	return !!(n->list[to].flags & FROM);
}

int history_reaches(struct history *h, const struct oid *from,
		    const struct oid *to)
{
	struct history_nodes n = { .h = h };
	uint32_t a = history_nodes_get(&n, from);
	uint32_t b = history_nodes_get(&n, to);
	int ret = a == b ? 1 : search(&n, a, b);

	history_nodes_clear(&n);
	return ret;
}
