/*
 * Names of revisions, the part of gitrevisions(7) that ranges are made of: an
 * id or its beginning, a reference's name, full or short, HEAD; followed by
 * any number of ^, ^N, ~ and ~N. Takes text, gives an id.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "history.h"

/* The least digits of an id that git takes for one. */
#define DIGITS_MIN 4
/* Steps back that a name may ask for. */
#define STEPS_MAX 1000000

/* The order of gitrevisions(7) for REFNAME. */
static const char *const prefixes[] = {
	"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/",
};

static int by_reference(const struct history *h, const char *name,
			struct oid *out)
{
	const struct history_ref *r = NULL;
	struct buf full = BUF_INIT;
	size_t i;

	if (!strcmp(name, "HEAD") || !strcmp(name, "@"))
		return history_head(h, out) ? -1 : 0;
	for (i = 0; !r && i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		buf_reset(&full);
		buf_addf(&full, "%s%s", prefixes[i], name);
		r = history_refs_find(&h->refs, full.data);
	}
	buf_clear(&full);
	if (!r)
		return -1;
	*out = r->id;
	return 0;
}

static int by_id(const struct history *h, const char *name, struct oid *out)
{
	size_t n = strlen(name);

	if (n < DIGITS_MIN || n > 2 * h->raw_len ||
	    strspn(name, "0123456789abcdefABCDEF") != n)
		return -1;
	if (n == 2 * h->raw_len)
		return oid_parse(out, name, h->raw_len);
	return odb_abbreviated(h->store, name, n, out) == 1 ? 0 : -1;
}

/* Go to a parent: the nth of id; 0 is the commit itself. */
static int step(struct history *h, struct oid *id, unsigned long nth)
{
	struct history_commit c;
	struct odb_object o;
	enum odb_type type;
	struct oid to;
	int ret = -1;

	if (history_peel(h, id, &to, &type) || type != ODB_COMMIT ||
	    history_read(h, &to, ODB_COMMIT, &o))
		return -1;
	if (!nth) {
		*id = to;
		ret = 0;
	} else if (!history_parse_commit(o.data, o.len, h->raw_len, &c) &&
		   nth <= c.nr_parents) {
		ret = history_parse_parent(&c, nth - 1, h->raw_len, id);
	}
	odb_release(h->reader, &o);
	return ret;
}

/* "~3^2" after the name. */
static int follow(struct history *h, const char *s, const char *end,
		  struct oid *id)
{
	unsigned long n;
	char *next, kind;

	while (s < end) {
		kind = *s++;
		n = 1;
		if (*s >= '0' && *s <= '9') {
			n = strtoul(s, &next, 10);
			s = next;
		}
		if (n > STEPS_MAX || (kind != '^' && kind != '~'))
			return -1;
		if (kind == '^' && step(h, id, n))
			return -1;
		while (kind == '~' && n--)
			if (step(h, id, 1))
				return -1;
	}
	return 0;
}

int history_name(struct history *h, const char *name, size_t n,
		 struct oid *out)
{
	struct buf text = BUF_INIT;
	size_t base;
	int ret;

	buf_add(&text, name, n);
	base = strcspn(text.data, "^~");
	buf_reset(&text);
	buf_add(&text, name, base);
	ret = by_reference(h, text.data, out);
	if (ret)
		ret = by_id(h, text.data, out);
	buf_reset(&text);
	buf_add(&text, name, n);
	if (!ret)
		ret = follow(h, text.data + base, text.data + n, out);
	buf_clear(&text);
	return ret;
}
