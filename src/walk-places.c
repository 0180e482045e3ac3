/*
 * What was met before, and how much of it: objects, names, blobs at paths.
 * Bounds the work that a push can ask for, and the memory that is kept of it.
 */
#include <sha256.h>
#include <string.h>

#include "walk-internal.h"

/*
 * A tree of equal trees, ten of ten of ten, is pushed in a moment and has more
 * places than can be visited. So what is met again is counted: as much passes
 * as there is new, this many times, and this much in any case. The unit is an
 * entry of a tree, or a KiB of a blob.
 */
#define AGAIN_TIMES 8
#define AGAIN_MIN 100000
/* Of one id in a set, its table included. */
#define ID_BYTES 56

int walk_late(struct walk *w)
{
	if (w->stop)
		return 1;
	if (!history_late(w->h))
		return 0;
	w->stop = 1;
	findings_too_much(w->out, "the time for scanning ran out");
	return 1;
}

void walk_give_up(struct walk *w, const char *why)
{
	if (!w->stop)
		findings_too_much(w->out, why);
	w->stop = 1;
	/* what visits trees goes no further either */
	w->h->late = 1;
}

static int is_in_proportion(const struct walk *w)
{
	return w->nr_again <= AGAIN_MIN ||
	       w->nr_again / AGAIN_TIMES <= w->nr_first;
}

int walk_may(struct walk *w, int first, size_t work)
{
	*(first ? &w->nr_first : &w->nr_again) += work;
	if (first || is_in_proportion(w))
		return 1;
	/* what waits to be judged counts too */
	walk_settle(w);
	if (is_in_proportion(w))
		return 1;
	walk_give_up(w, "what is in many places of a tree unfolds to more than "
		     "is scanned");
	return 0;
}

size_t walk_places_size(const struct walk *w)
{
	return (w->places.nr + w->again.nr + w->seen.nr) * ID_BYTES +
	       w->h->kept;
}

int walk_first_place(struct walk *w, struct oids *set, char kind,
		     const void *a, size_t a_len, const void *b, size_t b_len)
{
	struct oid key;
	SHA2_CTX ctx;
	int added;

	/* one that collides would hide what is there */
	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)&kind, 1);
	SHA256Update(&ctx, a, a_len);
	SHA256Update(&ctx, b, b_len);
	SHA256Final(key.raw, &ctx);
	oids_put(set, &key, &added);
	if (w->limits->memory &&
	    walk_places_size(w) > HISTORY_KEPT_MAX(w->limits->memory))
		walk_give_up(w, "it has more paths than memory is allowed for");
	return added;
}

int walk_is_swept(const struct walk *w, const struct oid *id)
{
	return w->swept && odb_has(w->swept, id);
}

int walk_is_hot(const struct walk *w, const struct oid *id)
{
	return oids_find(&w->sweep.hot, id) >= 0 ||
	       oids_find(&w->sweep.unsure, id) >= 0 ||
	       oids_find(&w->suspect, id) >= 0;
}

int walk_minds(struct walk *w, const struct oid *id, const char *path)
{
	const struct sweep *s = &w->sweep;
	ptrdiff_t i = oids_find(&s->hot, id);
	char hex[OID_HEX_MAX + 1];

	if (i < 0 || oids_find(&s->unsure, id) >= 0 ||
	    oids_find(&w->suspect, id) >= 0)
		return 1;
	return scan_minds(w->scanner, &s->who[i], path, w->commit ?
			  oid_hex(w->commit, w->h->raw_len, hex) : NULL);
}

int walk_is_old(struct walk *w, const struct oid *id)
{
	return w->is_push && history_is_old(w->h, &w->old, id);
}
