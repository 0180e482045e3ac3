/*
 * Text for people without the secrets in it. Takes any bytes, gives them with
 * each secret cut short; what cannot be told is not shown at all.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "scan-internal.h"
#include "text.h"

/* Parts of a name that are looked at alone; with more it is not shown. */
#define PARTS_MAX 1000

struct secrets {
	const char *text; /* that is scanned: all of it, or a part */
	size_t from;      /* where that is */
	struct span *list;
	size_t nr, alloc;
};

static void note(void *arg, const struct scan_finding *f)
{
	struct secrets *all = arg;
	size_t start = (size_t)(f->secret - all->text);

	MEM_GROW(all->list, all->nr, all->alloc);
	/* of one that was encoded, all bytes that it is in */
	all->list[all->nr] = *f->encodings ?
		(struct span){ f->start, f->end } :
		(struct span){ start, start + f->secret_len };
	all->list[all->nr].start += all->from;
	all->list[all->nr++].end += all->from;
}

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Note the secrets of a part. Returns 0, or -1 when it cannot be told. */
static int look(struct scanner *s, struct secrets *all, const char *text,
		size_t from, size_t len)
{
	const struct scan_input in = { .text = text + from, .len = len };

	all->text = in.text;
	all->from = from;
	return scan_text(s, &in, note, all, NULL) == SCAN_UNKNOWN ? -1 : 0;
}

/* The same of each part between these characters. */
static int look_between(struct scanner *s, struct secrets *all,
			const char *text, size_t len, const char *marks)
{
	size_t from = 0, at, nr = 0;

	for (at = 0; at <= len; at++) {
		/* there may be a NUL in it, which is no mark */
		if (at < len && (!text[at] || !strchr(marks, text[at])))
			continue;
		/* all of it has been looked at as that */
		if (at > from && at - from < len &&
		    (++nr > PARTS_MAX || look(s, all, text, from, at - from)))
			return -1;
		from = at + 1;
	}
	return 0;
}

/* The text, with what was noted in it cut short. Ends the notes. */
static void show(struct secrets *all, const char *text, size_t len, int told,
		 struct buf *out)
{
	size_t at = 0;

	if (!told) {
		buf_adds(out, "(not shown)");
		free(all->list);
		return;
	}
	if (all->nr)
		qsort(all->list, all->nr, sizeof(*all->list), by_start);
	for (size_t i = 0; i < all->nr; i++) {
		const struct span *x = &all->list[i];

		if (x->start >= at && x->end > x->start) {
			buf_add(out, text + at, x->start - at);
			text_redact(out, text + x->start, x->end - x->start);
		}
		if (x->end > at)
			at = x->end;
	}
	buf_add(out, text + at, len - at);
	free(all->list);
}

void scan_redact(struct scanner *s, const char *text, size_t len,
		 struct buf *out)
{
	struct secrets all = { 0 };

	show(&all, text, len, !look(s, &all, text, 0, len), out);
}

void scan_redact_name(struct scanner *s, const char *name, size_t len,
		      struct buf *out)
{
	struct secrets all = { 0 };
	int told = !look(s, &all, name, 0, len) &&
		   !look_between(s, &all, name, len, "!") &&
		   !look_between(s, &all, name, len, "!/");

	show(&all, name, len, told, out);
}
