/*
 * Objects read within the limits: a bound on the size and a point in time.
 * Says why one cannot be read; whether that matters is the caller's business.
 */
#include "clock.h"
#include "history.h"

/* Tags of tags; more is nobody's. */
#define PEEL_MAX 64

int history_late(struct history *h)
{
	if (!h->late && h->deadline && clock_ms() >= h->deadline)
		h->late = 1;
	return h->late;
}

const char *history_read(struct history *h, const struct oid *id,
			 enum odb_type want, struct odb_object *out)
{
	switch (odb_read(h->reader, id, h->max_object, out)) {
	case ODB_OK:
		break;
	case ODB_TOO_LARGE:
		return "is larger than what is scanned";
	case ODB_BROKEN:
	case ODB_MISSING:
		return "cannot be read";
	}
	if (want == ODB_NONE || out->type == want)
		return NULL;
	odb_release(h->reader, out);
	return "is not of the type that names it";
}

int history_has(const struct history *h, const struct oid *id)
{
	return odb_has(h->store, id);
}

int history_peel(struct history *h, const struct oid *id, struct oid *out,
		 enum odb_type *type)
{
	struct odb_object o;
	size_t len;
	int i, bad;

	/* out may be id */
	*out = *id;
	for (i = 0; i < PEEL_MAX; i++) {
		if (odb_header(h->reader, out, type, &len) != ODB_OK)
			return -1;
		if (*type != ODB_TAG)
			return 0;
		if (history_read(h, out, ODB_TAG, &o))
			return -1;
		bad = history_parse_tag(o.data, o.len, h->raw_len, out);
		odb_release(h->reader, &o);
		if (bad)
			return -1;
	}
	return -1;
}
