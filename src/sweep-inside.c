/*
 * What a version holds that must be unpacked first: an archive, or what is
 * packed within an encoding. Takes bytes, says whether all in them is clean;
 * limits hold for one version. Where in them something is, is known only when
 * the object is looked at whole.
 */
#include <pthread.h>

#include "odb.h"
#include "scan.h"
#include "sweep.h"
#include "sweep-internal.h"
#include "unpack.h"

struct entries {
	struct scanner *scanner;
	int found;
};

/* Any that is not clean ends the search. A probe minds no names. */
static int probe_entry(void *arg, const char *name, const char *data,
		       size_t len)
{
	const struct span all = { 0, len };
	struct scan_trace trace = SCAN_TRACE_INIT;
	struct entries *e = arg;

	(void)name;
	e->found = scan_probe(e->scanner, data, len, &all, 1, &trace, NULL) !=
		   SCAN_CLEAN;
	scan_trace_clear(&trace);
	/* rare: it is not gone into here */
	e->found |= scan_has_packed(e->scanner);
	return e->found;
}

/* What is looked at: data, or NULL, and what is packed in it. */
struct contents {
	const char *data;
	size_t len;
	struct scan_packed_list packed;
	size_t nr; /* of these, clean; what comes behind was not looked at */
};

/* Is all clean, with so many bytes unpacked at most? Then *e tells. */
static int is_clean_up_to(const struct sweep_inside *in, uint64_t bytes,
			  struct contents *c, struct entries *e)
{
	struct unpack_limits limits = *in->limits;
	const char *why = NULL;
	struct unpack *u;

	limits.bytes = bytes;
	u = unpack_begin(&limits, in->clean, probe_entry, e);
	if (c->data)
		why = unpack_object(u, c->data, c->len);
	c->nr = 0;
	while (!e->found && !why && c->nr < c->packed.nr) {
		const struct scan_packed *p = &c->packed.list[c->nr];

		why = unpack_inner(u, "", p->data, p->len);
		c->nr += !e->found && !why;
	}
	return unpack_end(u, &why) != UNPACK_UNKNOWN && !e->found;
}

/*
 * An entry is held whole: what may be more than a thread's share is unpacked
 * by one thread at a time.
 */
static int look(const struct sweep_inside *in, struct contents *c,
		struct scan_trace *trace)
{
	struct entries e = { .scanner = in->scanner };
	int clean = is_clean_up_to(in, in->share, c, &e);

	if (!clean && !e.found && in->share < in->limits->bytes) {
		pthread_mutex_lock(in->big);
		clean = is_clean_up_to(in, in->limits->bytes, c, &e);
		pthread_mutex_unlock(in->big);
	}
	while (!clean && c->nr < c->packed.nr)
		scan_trace_packed(trace, &c->packed.list[c->nr++]);
	return clean;
}

int sweep_is_clean_inside(const struct sweep_inside *in,
			  const struct odb_version *v, int hot,
			  struct scan_trace *trace)
{
	struct contents c = { .len = v->len };
	struct scan_packed_list *packed = &c.packed;

	if (v->type == ODB_BLOB && !hot && unpack_wants(v->data, v->len))
		c.data = v->data;
	scan_take_packed(in->scanner, packed);
	if (in->limits && packed->more)
		hot = trace->whole = 1;
	for (size_t i = 0; in->limits && hot && i < packed->nr; i++)
		scan_trace_packed(trace, &packed->list[i]);
	if (in->limits && !hot && (c.data || packed->nr))
		hot = !look(in, &c, trace);
	scan_packed_clear(packed);
	/* what is in the file itself is nobody's, or was not looked at */
	if (hot && v->type == ODB_BLOB && in->limits &&
	    unpack_wants(v->data, v->len))
		trace->who.any = 1;
	return !hot;
}
