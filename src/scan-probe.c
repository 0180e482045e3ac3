/*
 * Could a scan find anything in a version of an object, of which most was
 * copied from one that is known? Takes the text, what is new in it and what
 * is known of the rest, gives a certain no, or perhaps.
 *
 * Why the no is certain. A start is a byte where a regex, tried there alone,
 * matches what passes entropy and those allow-lists that look at nothing but
 * the match. Whatever scan_text finds begins at a start. If a byte is a start
 * depends on the bytes from the one before it up to the rule's reach (or, for
 * a regex without such a bound, the end of the last line that it can come to,
 * or the text's): the footprint. By induction over the versions in the order
 * of their probes, each start of a version lies in one of its hot spans (its
 * bases are all that it was copied from, one of git's or more):
 * - its footprint has fresh bytes in it, or a seam, or an end of the text that
 *   is not the base's. The rule's regex has a word in every match, at most
 *   `before` bytes behind the start, with bytes of `lead` only between. All
 *   words of the version are marked: each was copied whole, and marked in the
 *   base, or it has fresh bytes or a seam in it, and is found here. Those of a
 *   rule of long reach are all tried; those of one of short reach as far as
 *   that from the fresh bytes. A rule without such a word is tried on all of
 *   the version once one of its keywords is in it: they too were copied whole,
 *   or are found. So the start is in a window here, and each byte of a window
 *   is tried, save those within a match that counts and so is hot itself.
 * - or it lies within one copy, with that base's bytes all around it. Then it
 *   was a start in the base, and in a hot span of it; what of that span was
 *   copied has the start in it, and is hot here.
 * Of what is encoded the same holds with a piece in the place of a start, and
 * its stretch as the footprint. Commits, paths, lines, rules that must match
 * nearby and generic ones that give way can only take findings away.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "scan-internal.h"

/* Starts within rejected matches that are tried, one after the other. */
#define TRIES 64
/* Newlines are counted in so many bytes. */
#define COUNT_MAX 65536
/* A piece ends where its neighbours say so: that much beside its stretch. */
#define PIECE_MARGIN 64

struct probe {
	struct scanner *s;
	const struct scan_view *v;
	const struct span *fresh;
	size_t nr, at; /* at: see fresh_from */
	struct scan_trace *trace;
	struct span all;
};

/* Nothing is known of any base. */
static void take_whole(struct probe *p)
{
	scan_trace_clear(p->trace);
	p->fresh = &p->all;
	p->nr = 1;
	p->at = 0;
}

static void heat(struct probe *p, const struct scan_view *v, size_t rule,
		 struct span match)
{
	/* of a piece in a piece, the outermost stretch */
	for (; v->piece; v = v->outer)
		match = v->piece->stretch;
	if (match.start == match.end) {
		match = (struct span){ 0, v->len };
		p->trace->whole = 1;
	}
	scan_trace_heat(p->trace, match.start, match.end);
	scan_trace_blame(p->trace, rule);
}

/* Each start in the window, but for those in matches that count. */
static int try_window(struct probe *p, const struct scan_view *v, size_t rule,
		      const struct scan_window *w)
{
	struct scanner *s = p->s;
	const struct rules_rule *r = &s->rules->list[rule];
	size_t end = scan_wake_end(r, v->len, w->hi), pos = w->lo;
	size_t rejected = 0, tries = 0;

	while (pos <= w->hi) {
		struct scan_candidate c;
		struct span m;
		int n;

		if (scan_judge_late(s, rule))
			return -1;
		n = scan_regex_find(s->regex, r->regex, v->text, end, pos,
				    w->hi, &m);
		if (n < 1)
			return n < 0 ? scan_cannot(s, scan_regex_why(s->regex))
				     : 0;
		n = scan_judge(s, v, rule, w->word, m, 1, &c);
		if (n < 0)
			return -1;
		tries = m.start < rejected ? tries + 1 : 0;
		pos = m.start + 1;
		/* past so many tries it is not worth the time: it counts */
		if (n || tries >= TRIES) {
			heat(p, v, rule, m);
			pos = m.end > pos ? m.end : pos;
			rejected = 0;
		} else if (m.end > rejected) {
			rejected = m.end;
		}
	}
	return 0;
}

static int try_rules(struct probe *p, const struct scan_view *v)
{
	struct scanner *s = p->s;

	for (size_t i = 0; i < s->nr_touched; i++) {
		size_t rule = s->touched[i];
		const struct scan_windows *ws = &s->windows[rule];

		if (!s->rules->list[rule].regex)
			continue;
		if (ws->anywhere)
			scan_wake_anywhere(s, v, rule);
		for (size_t k = 0; k < ws->nr; k++)
			if (try_window(p, v, rule, &ws->list[k]))
				return -1;
	}
	return 0;
}

/*
 * The first fresh span that ends at `at` or later. What is asked for comes
 * nearly in order: it is not far from the one before.
 */
static const struct span *fresh_from(struct probe *p, size_t at)
{
	size_t i = p->at;

	while (i > 0 && p->fresh[i - 1].end >= at)
		i--;
	while (i < p->nr && p->fresh[i].end < at)
		i++;
	p->at = i;
	return i < p->nr ? &p->fresh[i] : NULL;
}

/* Are more than max newlines in from..to? Not when that takes long. */
static int has_more_lines(const char *text, size_t from, size_t to, size_t max)
{
	const char *p = text + from, *end = text + to;

	if (to - from > COUNT_MAX)
		end = p + COUNT_MAX;
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		if (!max--)
			return 1;
		p++;
	}
	return 0;
}

/* Is anything fresh in the footprint of the window's starts? */
static int touches(struct probe *p, const struct rules_shape *shape,
		   const struct scan_window *w)
{
	const struct span *f = fresh_from(p, w->lo ? w->lo - 1 : 0);

	if (!f)
		return 0;
	if (f->start <= w->hi + 1)
		return 1;
	/* reach is of bytes from the start on; one more stands before it */
	if (shape->reach != RULES_UNBOUND &&
	    f->start - w->hi > shape->reach)
		return 0;
	return shape->lines == RULES_UNBOUND ||
	       !has_more_lines(p->v->text, w->hi, f->start, shape->lines);
}

static void try_word(struct probe *p, size_t rule, size_t at, uint32_t word)
{
	struct scanner *s = p->s;
	const struct rules_rule *r = &s->rules->list[rule];
	struct scan_window w = scan_wake_window(r, p->v->text, at,
						&s->windows[rule].led);

	w.word = word;
	if (touches(p, &r->shape, &w))
		scan_wake_in(s, p->v, rule, w);
}

/*
 * Words whose rules reach something fresh, in one pass over both: all rules
 * of long reach, and those of short reach whose words are not far from it.
 */
static void try_marks(struct probe *p)
{
	const struct scan_trace *t = p->trace;
	struct scanner *s = p->s;
	size_t k = 0, nr;

	for (size_t i = 0; i < t->nr_marks; i++) {
		const struct scan_mark m = t->marks[i];
		uint32_t word = m.word & ~SCAN_MARK_LONG;
		const uint32_t *rules;
		int near;

		/* a start is at most `before` ahead of its word, and one
		 * byte before it matters too */
		while (k < p->nr && p->fresh[k].end + s->before + 1 < m.at)
			k++;
		near = k < p->nr && p->fresh[k].start <= m.at + s->reach + 1;
		if (!near && word == m.word)
			continue;
		rules = rules_index_rules(s->rules->index, word, &nr);
		for (size_t r = 0; r < nr; r++)
			if (s->scope[rules[r]] == SCAN_LONG ||
			    (near && s->scope[rules[r]] == SCAN_NEAR))
				try_word(p, rules[r], m.at, word);
	}
}

static void try_anywhere(struct probe *p)
{
	struct scanner *s = p->s;
	const struct scan_hit none = { 0, SCAN_NO_WORD };

	for (size_t i = 0; p->trace->far && i < s->rules->nr; i++)
		if (scan_trace_is_awake(p->trace, i))
			scan_wake_rule(s, p->v, i, &none);
}

struct piece {
	struct probe *p;
	const struct scan_view *outer;
};

static int try_pieces(struct probe *p, const struct scan_view *v,
		      const struct span *where, size_t nr);

/* In a piece, all is fresh. */
static int try_piece(void *arg, const struct decode_piece *piece)
{
	const struct piece *a = arg;
	struct scanner *s = a->p->s;
	const struct scan_view v = { .text = piece->data, .len = piece->len,
				     .piece = piece, .outer = a->outer,
				     .encodings = "",
				     .depth = a->outer->depth + 1 };

	if (piece->packed) {
		scan_packed_add(s, a->outer, piece, 0);
		return 0;
	}
	scan_wake_begin(s);
	if (scan_wake(s, &v) || try_rules(a->p, &v))
		return -1;
	return try_pieces(a->p, &v, piece->decoded, piece->nr);
}

static int try_pieces(struct probe *p, const struct scan_view *v,
		      const struct span *where, size_t nr)
{
	struct piece arg = { p, v };
	int wide = 0, ret;

	ret = scan_each_piece(p->s, v, where, nr, try_piece, &arg, &wide);
	/* UTF-16 is told by all of the text: no version of it says of others */
	if (wide && !v->piece)
		p->trace->whole = 1;
	return ret;
}

/* The fresh spans, wider by what a piece could look at. */
static int try_fresh_pieces(struct probe *p)
{
	struct span *where = mem_array(p->nr + 1, sizeof(*where));
	size_t nr = 0, len = p->v->len;
	int result;

	for (size_t i = 0; i < p->nr; i++) {
		struct span f = p->fresh[i];

		f.start = f.start > PIECE_MARGIN ? f.start - PIECE_MARGIN : 0;
		f.end = len - f.end > PIECE_MARGIN ? f.end + PIECE_MARGIN : len;
		if (nr && f.start <= where[nr - 1].end)
			where[nr - 1].end = f.end;
		else
			where[nr++] = f;
	}
	result = try_pieces(p, p->v, where, nr);
	free(where);
	return result;
}

/* With too many words to be kept, all rules have work everywhere. */
static int wake_all(struct probe *p)
{
	int ret = scan_marks(p->s, p->v, p->fresh, p->nr, p->trace);

	if (ret < 0)
		return -1;
	if (!ret) {
		try_marks(p);
		try_anywhere(p);
		return 0;
	}
	take_whole(p);
	p->trace->whole = 1;
	return scan_wake(p->s, p->v);
}

static int probe_all(struct probe *p)
{
	scan_wake_begin(p->s);
	if (wake_all(p) || try_rules(p, p->v))
		return -1;
	return p->nr ? try_fresh_pieces(p) : 0;
}

enum scan_result scan_probe(struct scanner *s, const char *text, size_t len,
			    const struct span *fresh, size_t nr_fresh,
			    struct scan_trace *trace, const char **why)
{
	const struct scan_view v = { .text = text ? text : "", .len = len,
				     .encodings = "" };
	const struct scan_input in = { .text = v.text, .len = len };
	struct probe p = { s, &v, fresh, nr_fresh, 0, trace, { 0, len } };
	int result;

	if (trace->whole)
		take_whole(&p);
	if (len > UINT32_MAX) {
		/* past what marks can say: looked at elsewhere, each time */
		trace->whole = 1;
		scan_trace_heat(trace, 0, len);
		trace->who.any = 1;
		return SCAN_FOUND;
	}
	s->in = &in;
	scan_packed_clear(&s->packed);
	result = probe_all(&p);
	s->in = NULL;
	if (result) {
		if (why)
			*why = s->why;
		trace->whole = 1;
		return SCAN_UNKNOWN;
	}
	return trace->nr ? SCAN_FOUND : SCAN_CLEAN;
}
