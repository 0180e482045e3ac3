/*
 * Takes a text and which bytes of it matter, gives stretches of it with what
 * was encoded in its place decoded. Segments (decode-find.c) that are near
 * each other make a cluster, and a cluster with some text around it a piece.
 * Which clusters there are is the text's alone; which are come to is decided
 * here. Keeps no text between calls; never looks at what a piece means.
 */
#include <stdlib.h>
#include <string.h>

#include "decode-internal.h"
#include "decode.h"
#include "mem.h"

/* Text on each side: a rule's name, sign and value fit into it. */
#define AROUND 256
/* A token that begins or ends there is not cut, up to this much more. */
#define TOKEN_MAX 2048
/* Segments so near have text around them in common: one cluster... */
#define GAP ((size_t)2 * AROUND)
/* ... unless it becomes longer than this. */
#define CLUSTER_MAX ((size_t)64 << 10)
/* How far from a segment a byte can be and still decide over its cluster. */
#define REACH (GAP + 64)
/* Decoded bytes of segments that were given that are dropped, however few
 * these are; what is kept between texts. */
#define KEEP_BYTES ((size_t)1 << 20)

struct decoder {
	struct decode_find find, probe;
	struct buf bytes, probed;    /* decoded: of segs, of the probe's */
	struct buf data;	     /* the piece's */
	struct decode_segment *segs; /* a window, in order */
	size_t nr, alloc, head;	     /* those before head were given */
	struct span *spans;	     /* decoded, then from */
	size_t alloc_spans;
	const char *too_long;
};

struct decoder *decode_new(void)
{
	return mem_zalloc(sizeof(struct decoder));
}

void decode_free(struct decoder *d)
{
	if (!d)
		return;
	buf_clear(&d->bytes);
	buf_clear(&d->probed);
	buf_clear(&d->data);
	free(d->segs);
	free(d->spans);
	free(d);
}

void decode_set_long(struct decoder *d, const char *encoding)
{
	d->too_long = encoding;
}

const char *decode_too_long(const struct decoder *d)
{
	return d->too_long;
}

/* Memory is kept for the next text, but not that of a large one. */
static void trim(struct buf *b)
{
	if (b->alloc > KEEP_BYTES)
		buf_clear(b);
}

static void restart(struct decoder *d, const char *text, size_t len,
		    size_t from)
{
	d->nr = d->head = 0;
	buf_reset(&d->bytes);
	decode_find_init(&d->find, text, len, from, &d->bytes);
}

/* One more segment that starts before limit: 1; 0: there is none. */
static int pull(struct decoder *d, size_t limit)
{
	MEM_GROW(d->segs, d->nr, d->alloc);
	if (!decode_find_next(&d->find, limit, &d->segs[d->nr]))
		return 0;
	d->nr++;
	return 1;
}

/* Is there such a place between two segments, or are they too far apart? */
static int are_apart(const char *text, size_t end, size_t start)
{
	const char *p = text + end;

	if (start - end > GAP)
		return 1;
	while ((p = memchr(p, '\n', start - (size_t)(p - text)))) {
		if (decode_is_break(text, (size_t)(p - text)))
			return 1;
		p++;
	}
	return 0;
}

static int is_word(const char *text, size_t at)
{
	return decode_is(text[at], DECODE_WORD);
}

/* Where a piece whose first segment is d->segs[*first] begins; *first goes
 * back to those before it that are in it whole. */
static size_t piece_start(const struct decoder *d, size_t *first)
{
	const char *text = d->find.text;
	size_t at = d->segs[*first].start, n = 0;

	at = at > AROUND ? at - AROUND : 0;
	while (at && n++ < TOKEN_MAX && is_word(text, at) &&
	       is_word(text, at - 1))
		at--;
	while (*first && d->segs[*first - 1].end > at) {
		if (d->segs[*first - 1].start < at)
			return d->segs[*first - 1].end;
		--*first;
	}
	return at;
}

/* The same of its end. */
static size_t piece_end(struct decoder *d, size_t *last)
{
	const char *text = d->find.text;
	size_t at = d->segs[*last].end, len = d->find.len, n = 0;

	at = len - at > AROUND ? at + AROUND : len;
	while (at < len && n++ < TOKEN_MAX && is_word(text, at - 1) &&
	       is_word(text, at))
		at++;
	for (;;) {
		if (*last + 1 == d->nr && !pull(d, at))
			return at;
		if (d->segs[*last + 1].start >= at)
			return at;
		if (d->segs[*last + 1].end > at)
			return d->segs[*last + 1].start;
		++*last;
	}
}

/* Room for the spans of n segments, twice. */
static void room_for(struct decoder *d, size_t n)
{
	if (n * 2 <= d->alloc_spans)
		return;
	d->alloc_spans = n * 3;
	d->spans = mem_resize(d->spans, d->alloc_spans, sizeof(*d->spans));
}

/*
 * The piece of what is text of the segments first..last, given to fn. What is
 * packed stands in it as it is encoded.
 */
static int give_text(struct decoder *d, size_t first, size_t last,
		     const char *encoding, decode_fn *fn, void *arg)
{
	const char *text = d->find.text;
	size_t start = piece_start(d, &first), end = piece_end(d, &last);
	size_t nr = last - first + 1, at = start;
	struct decode_piece p = { .stretch = { start, end },
				  .encoding = encoding };

	room_for(d, nr);
	buf_reset(&d->data);
	for (size_t i = first; i <= last; i++) {
		const struct decode_segment *s = &d->segs[i];

		if (s->packed)
			continue;
		buf_add(&d->data, text + at, s->start - at);
		d->spans[p.nr].start = d->data.len;
		buf_add(&d->data, d->bytes.data + s->bytes, s->nr_bytes);
		d->spans[p.nr].end = d->data.len;
		d->spans[nr + p.nr] = (struct span){ s->start, s->end };
		p.nr++;
		at = s->end;
	}
	buf_add(&d->data, text + at, end - at);
	p.data = d->data.data;
	p.len = d->data.len;
	p.decoded = d->spans;
	p.from = d->spans + nr;
	return fn(arg, &p);
}

static int give_packed(const struct decoder *d, const struct decode_segment *s,
		       decode_fn *fn, void *arg)
{
	const struct span decoded = { 0, s->nr_bytes };
	const struct span from = { s->start, s->end };
	const struct decode_piece p = {
		.data = d->bytes.data + s->bytes, .len = s->nr_bytes,
		.decoded = &decoded, .from = &from, .nr = 1, .stretch = from,
		.encoding = s->encoding, .packed = 1,
	};

	return fn(arg, &p);
}

/* The segments first..last, given to fn. */
static int give(struct decoder *d, size_t first, size_t last, decode_fn *fn,
		void *arg)
{
	size_t i = first;
	int ret = 0;

	while (i <= last && d->segs[i].packed)
		i++;
	if (i <= last)
		ret = give_text(d, first, last, d->segs[i].encoding, fn, arg);
	for (i = first; !ret && i <= last; i++)
		if (d->segs[i].packed)
			ret = give_packed(d, &d->segs[i], fn, arg);
	return ret;
}

/* Segments too far back to be in the next piece are dropped, some at once. */
static void drop_old(struct decoder *d)
{
	size_t last = d->segs[d->head - 1].end, n = 0, bytes;

	while (n < d->head && d->segs[n].end + AROUND + TOKEN_MAX < last)
		n++;
	if (n < d->nr)
		bytes = d->segs[n].bytes;
	else
		bytes = d->find.waits ? d->find.waiting.bytes : d->bytes.len;
	if ((n < 64 || n < d->nr / 2) && bytes < KEEP_BYTES)
		return;
	buf_drop(&d->bytes, bytes);
	d->find.waiting.bytes -= bytes;
	memmove(d->segs, d->segs + n, (d->nr - n) * sizeof(*d->segs));
	d->nr -= n;
	d->head -= n;
	for (size_t i = 0; i < d->nr; i++)
		d->segs[i].bytes -= bytes;
}

/* The last segment of the cluster that begins with d->segs[d->head]. */
static size_t cluster_end(struct decoder *d)
{
	const char *text = d->find.text;
	size_t start = d->segs[d->head].start, last = d->head;

	for (;; last++) {
		if (last + 1 == d->nr && !pull(d, d->segs[last].end + GAP + 1))
			return last;
		if (are_apart(text, d->segs[last].end,
			      d->segs[last + 1].start) ||
		    d->segs[last + 1].end - start > CLUSTER_MAX)
			return last;
	}
}

/* Give every cluster that begins before limit. */
static int give_until(struct decoder *d, size_t limit, decode_fn *fn, void *arg)
{
	for (;;) {
		size_t last;
		int ret;

		if (d->head == d->nr && !pull(d, limit))
			return 0;
		if (d->segs[d->head].start >= limit)
			return 0;
		last = cluster_end(d);
		ret = give(d, d->head, last, fn, arg);
		if (ret)
			return ret;
		d->head = last + 1;
		drop_old(d);
	}
}

/* The first segment of at..limit, where at is one that decode_left gave. */
static int first_from(struct decoder *d, size_t at, size_t limit,
		      struct decode_segment *s)
{
	buf_reset(&d->probed);
	decode_find_init(&d->probe, d->find.text, d->find.len, at, &d->probed);
	return decode_find_next(&d->probe, limit, s);
}

/*
 * Where does the cluster begin that has the first segment s of what is from
 * `from` on? Looks back, not further than least. Returns 0 when it may begin
 * before that.
 */
static int cluster_start(struct decoder *d, struct decode_segment *s,
			 size_t from, size_t least, size_t *start)
{
	const char *text = d->find.text;

	/* ever further, so that the last look is as long as all others */
	for (size_t step = (size_t)4 * AROUND;; step *= 2) {
		struct decode_segment other;

		*start = s->start;
		if (are_apart(text, from, s->start))
			return 1;
		if (from <= least + step)
			return 0;
		from = decode_left(text, from - step, least);
		if (from <= least)
			return 0;
		if (first_from(d, from, s->start, &other))
			*s = other;
	}
}

/*
 * Begin anew with what is near from..limit, where nothing before `settled` is
 * asked for any more. Returns 0 when going on from there is what is to be
 * done.
 */
static int jump(struct decoder *d, size_t from, size_t limit, size_t settled)
{
	const char *text = d->find.text;
	size_t len = d->find.len, start;
	struct decode_segment s;

	from = decode_left(text, from, settled);
	if (from <= settled)
		return 0;
	if (!first_from(d, from, limit, &s)) {
		restart(d, text, len, from);
		d->find = d->probe; /* it has looked up to limit */
		d->find.bytes = &d->bytes;
		buf_add(&d->bytes, d->probed.data, d->probed.len);
		return 1;
	}
	if (!cluster_start(d, &s, from, settled, &start))
		return 0;
	/* those before it that its piece may have a part of */
	from = start > REACH ? decode_left(text, start - REACH, 0) : 0;
	restart(d, text, len, from);
	while (pull(d, start))
		d->head = d->nr;
	return 1;
}

static int each(struct decoder *d, const char *text, size_t len,
		const struct span *where, size_t nr_where, decode_fn *fn,
		void *arg)
{
	size_t settled = 0; /* clusters that begin before it were given */

	restart(d, text, len, 0);
	for (size_t i = 0; i < nr_where; i++) {
		size_t from = where[i].start, to;
		int ret;

		to = decode_past_seam(text, len, where[i].end);
		if (to + REACH < settled)
			continue;
		to = decode_right(text, len, to) + REACH;
		if (from > settled)
			from = decode_left(text, from, settled);
		if (from > settled + 2 * REACH)
			jump(d, from - REACH, to, settled);
		ret = give_until(d, to, fn, arg);
		if (!ret && d->find.too_long) {
			d->too_long = d->find.too_long;
			return -1;
		}
		if (ret)
			return ret;
		settled = to;
	}
	return decode_wide(text, len, where, nr_where, &d->data, fn, arg);
}

int decode_each(struct decoder *d, const char *text, size_t len,
		const struct span *where, size_t nr_where, decode_fn *fn,
		void *arg)
{
	int ret;

	d->too_long = NULL;
	ret = each(d, text, len, where, nr_where, fn, arg);
	trim(&d->bytes);
	trim(&d->probed);
	trim(&d->data);
	return ret;
}
