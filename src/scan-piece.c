/*
 * Texts with encodings taken off, one within the other. Takes a view of a
 * text, has each of its pieces scanned like a text of its own, and tells
 * where in the text that came in a match of theirs lies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "scan-internal.h"

struct pieces {
	struct scanner *s;
	const struct scan_view *v;
};

/* The bytes of the outer text that those of a piece stand for. */
static struct span in_outer(const struct decode_piece *p, struct span match,
			    int *touches)
{
	struct span out = p->stretch;

	*touches = 0;
	for (size_t i = 0; i < p->nr; i++) {
		if (p->decoded[i].start >= match.end ||
		    p->decoded[i].end <= match.start)
			continue;
		if (!*touches || p->from[i].start < out.start)
			out.start = p->from[i].start;
		if (!*touches || p->from[i].end > out.end)
			out.end = p->from[i].end;
		*touches = 1;
	}
	return out;
}

int scan_piece_touches(const struct scan_view *v, struct span match,
		       struct span *place)
{
	int touches = 1;

	for (int innermost = 1; v && v->piece; v = v->outer, innermost = 0) {
		int one;

		match = in_outer(v->piece, match, &one);
		if (innermost)
			touches = one;
	}
	*place = match;
	return touches;
}

static int piece(void *arg, const struct decode_piece *p)
{
	const struct pieces *all = arg;
	struct buf encodings = BUF_INIT;
	struct scan_view v = { .text = p->data, .len = p->len, .piece = p,
			       .outer = all->v,
			       .depth = all->v->depth + 1 };
	int result;

	if (p->packed) {
		scan_packed_add(all->s, all->v, p, 1);
		return 0;
	}
	if (*all->v->encodings)
		buf_addf(&encodings, "%s,", all->v->encodings);
	buf_adds(&encodings, p->encoding);
	v.encodings = encodings.data;
	scan_wake_begin(all->s);
	result = scan_wake(all->s, &v);
	if (!result)
		result = scan_rule_all(all->s, &v);
	if (!result)
		result = scan_pieces(all->s, &v, p->decoded, p->nr);
	buf_clear(&encodings);
	return result;
}

/* What a decoder returned, and why where that is its own -1. */
static int decoded(struct scanner *s, const struct decoder *d, int result)
{
	const char *encoding = decode_too_long(d);
	char why[sizeof(s->why)];

	if (!result || !encoding)
		return result;
	snprintf(why, sizeof(why),
		 "it has more than " DECODE_MAX " in a row encoded as %s",
		 encoding);
	return scan_cannot(s, why);
}

int scan_each_piece(struct scanner *s, const struct scan_view *v,
		    const struct span *where, size_t nr, decode_fn *fn,
		    void *arg, int *wide)
{
	struct decoder **d = &s->decoders[v->depth];
	int result = 0;

	if (v->depth >= s->depth)
		return 0;
	if (!*d)
		*d = decode_new();
	/* one that claims to be of these is looked at as bytes all the same */
	*wide = decode_utf16(*d, v->text, v->len, fn, arg, &result);
	if (!result)
		*wide |= decode_utf32(*d, v->text, v->len, fn, arg, &result);
	if (!result)
		result = decode_mail(v->text, v->len, fn, arg);
	if (!result)
		result = decode_each(*d, v->text, v->len, where, nr, fn, arg);
	return decoded(s, *d, result);
}

int scan_pieces(struct scanner *s, const struct scan_view *v,
		const struct span *where, size_t nr)
{
	struct pieces all = { s, v };
	int wide = 0;

	return scan_each_piece(s, v, where, nr, piece, &all, &wide);
}
