/*
 * What a text holds that must be unpacked first: an archive, or what is packed
 * within an encoding, one within the other. Takes bytes, has each entry
 * scanned under its name; limits hold for one text and all that is in it.
 */
#include <stdlib.h>

#include "buf.h"
#include "log.h"
#include "mem.h"
#include "text.h"
#include "walk-internal.h"

/* What stands unpacked in an archive is found twice: the entry is told. */
static void drop_doubles(struct walk_hits *h, size_t outside)
{
	size_t i, k, left = 0;

	for (i = 0; i < h->nr; i++) {
		for (k = outside; i < outside && k < h->nr; k++)
			if (walk_hit_equal(&h->list[i], &h->list[k]))
				break;
		if (i < outside && k < h->nr)
			walk_hit_clear(&h->list[i]);
		else
			h->list[left++] = h->list[i];
	}
	h->nr = left;
}

struct inside {
	struct walk_told *told;
	struct walk_hits *h;
	struct unpack *u;
	enum scan_result result;
	const char *why; /* with UNKNOWN */
};

/* The first reason is the one that counts, with where that is, if anywhere. */
static void unsure(struct inside *in, const char *name, const char *why)
{
	struct buf all = BUF_INIT;

	if (in->h->why)
		return;
	if (name)
		buf_addf(&all, "%s: ", name);
	buf_adds(&all, why);
	in->h->why = buf_take(&all);
}

/*
 * What was packed within an encoding in the text that was just scanned; the
 * names of it are below that of the entry at hand. Returns 0 or -1: no more.
 */
static int look_packed(struct inside *in)
{
	struct scan_packed_list packed;

	scan_take_packed(in->told->s, &packed);
	if (packed.more)
		unsure(in, NULL, "more in it is encoded and compressed than "
		       "is unpacked");
	for (size_t i = 0; i < packed.nr && in->result != SCAN_UNKNOWN; i++) {
		struct scan_packed *p = &packed.list[i];
		struct buf name = BUF_INIT;
		const char *why;

		buf_addf(&name, "(%s in line %u)", p->encodings, p->line);
		why = unpack_inner(in->u, name.data, p->data, p->len);
		if (why)
			unsure(in, name.data, why);
		buf_clear(&name);
	}
	scan_packed_clear(&packed);
	return in->result == SCAN_UNKNOWN || in->h->more ? -1 : 0;
}

/* One entry, and what is packed in it once more. */
static int look_entry(void *arg, const char *name, const char *data, size_t len)
{
	struct inside *in = arg;
	const struct walk_text *t = in->told->t;
	const char *outer = in->h->inside;
	struct scan_input input = { .text = data, .len = len,
				    .commit = t->commit };
	struct buf path = BUF_INIT;

	if (t->path)
		buf_addf(&path, "%s!", t->path);
	buf_adds(&path, name);
	input.path = path.data;
	in->h->inside = name;
	walk_tell_of(in->told, name);
	in->result = scan_text(in->told->s, &input, walk_hits_add, in->h,
			       &in->why);
	in->h->inside = outer;
	buf_clear(&path);
	if (in->result == SCAN_UNKNOWN || in->h->more)
		return 1;
	return look_packed(in) < 0;
}

/* Its name may hold a secret: it is cut like any token. */
static void log_unpacked(const struct walk_text *t, const char *why)
{
	struct buf name = BUF_INIT;

	text_mask(&name, t->label);
	log_warn("%s: not all that is packed in it was scanned: %s", name.data, why);
	buf_clear(&name);
}

/* Once all was unpacked that could be. */
static enum scan_result judge(struct inside *in, const char *cause,
			      const char **why)
{
	const struct walk_limits *l = in->told->l;

	if (in->result == SCAN_UNKNOWN) {
		*why = in->why;
		return SCAN_UNKNOWN;
	}
	if (in->h->why)
		cause = in->h->why;
	if (!cause)
		return in->result;
	if (l->note_archives) {
		log_unpacked(in->told->t, cause);
		return SCAN_CLEAN;
	}
	*why = cause;
	return SCAN_UNKNOWN;
}

enum scan_result walk_look_inside(struct walk_told *told, struct walk_hits *h,
				  const char **why)
{
	struct inside in = { .told = told, .h = h, .result = SCAN_CLEAN };
	const struct walk_text *t = told->t;
	int archive = t->is_file && told->l->unpack.depth &&
		      unpack_wants(t->data, t->len);
	const char *cause = NULL;

	if (!archive && !scan_has_packed(told->s))
		return SCAN_CLEAN;
	in.u = unpack_begin(&told->l->unpack, NULL, look_entry, &in);
	if (!look_packed(&in) && archive) {
		size_t outside = h->nr;

		unpack_object(in.u, t->data, t->len);
		drop_doubles(h, outside);
	}
	unpack_end(in.u, &cause);
	return judge(&in, cause, why);
}
