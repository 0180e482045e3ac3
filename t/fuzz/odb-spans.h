#ifndef ODB_SPANS_H
#define ODB_SPANS_H

/* What struct odb_version promises of its spans, asserted. */
#include <assert.h>
#include <string.h>

#include "odb.h"

static int is_seam(const struct odb_version *v, size_t at)
{
	size_t i;

	for (i = 0; i < v->nr_fresh; i++)
		if (v->fresh[i].start == at && v->fresh[i].end == at)
			return 1;
	return 0;
}

static void check_copy(const struct odb_version *v, size_t i, size_t base_len)
{
	const struct odb_copy *c = &v->copies[i], *p = c - 1;

	assert(c->len);
	if (!i && !c->to)
		assert(!c->from == !is_seam(v, 0));
	if (i && p->to + p->len == c->to)
		assert(p->from + p->len != c->from && is_seam(v, c->to));
	if (c->to + c->len == v->len)
		assert((c->from + c->len == base_len) != is_seam(v, v->len));
}

/* All of it once, and copies as in the base. */
static void check_spans(const struct odb_version *v, const char *base,
			size_t base_len)
{
	size_t at = 0, c = 0, f = 0;

	while (c < v->nr_copies || f < v->nr_fresh) {
		if (f < v->nr_fresh && v->fresh[f].start == at) {
			assert(v->fresh[f].end >= at);
			at = v->fresh[f++].end;
			continue;
		}
		assert(c < v->nr_copies && v->copies[c].to == at);
		assert(base && v->copies[c].from <= base_len &&
		       v->copies[c].len <= base_len - v->copies[c].from);
		assert(!memcmp(v->data + at, base + v->copies[c].from,
			       v->copies[c].len));
		check_copy(v, c, base_len);
		at += v->copies[c++].len;
	}
	assert(at == v->len);
}

#endif
