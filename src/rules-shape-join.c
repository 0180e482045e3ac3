/*
 * Parts of a regex put together: one after the other, repeated, either or.
 * Takes what is known of the parts, gives what is known of the whole.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rules-shape-internal.h"

/* A run of fewer bytes tells nothing; of more, no more than this. */
#define RUN_LEAST 6
#define RUN_MOST 64

void shape_row_begin(struct shape_row *row, struct shape_arena *arena)
{
	memset(row, 0, sizeof(*row));
	shape_nothing(&row->out);
	row->arena = arena;
	row->under_way = &shape_empty;
}

/* The words under way, as they are, may be those to choose. */
static void offer_words(struct shape_row *row)
{
	struct shape_choice c = { .words = row->under_way,
				  .before = row->from,
				  .after = row->under_way_max,
				  .lead = row->lead };

	if (row->under_way != &shape_empty)
		shape_choose(&row->out.choice, &c);
}

/* The words under way are as long as they get. */
static void close_words(struct shape_row *row)
{
	offer_words(row);
	row->from = row->out.max;
	row->under_way_max = 0;
	row->lead = row->out.all;
	row->under_way = &shape_empty;
}

/* An item that is not exact may have words of its own. */
static void offer(struct shape_row *row, const struct shape *item)
{
	struct shape_choice c;

	shape_choice_of(item, &c);
	if (!c.words)
		return;
	c.before = shape_add(row->out.max, c.before);
	shape_set_join(&c.lead, &row->out.all);
	shape_choose(&row->out.choice, &c);
}

static void add_words(struct shape_row *row, const struct shape *item)
{
	const struct shape_words *joined = item->exact ?
		shape_words_product(row->arena, row->under_way, item->words) :
		NULL;

	/* more words may be worse than shorter ones */
	if (joined && item->words->nr > 1)
		offer_words(row);
	if (joined)
		row->under_way = joined;
	else
		close_words(row);
	/* what was chosen before has this item behind it */
	if (row->out.choice.words)
		row->out.choice.after = shape_add(row->out.choice.after,
						  item->max);
	if (!joined && item->exact)
		row->under_way = item->words;
	else if (!joined)
		offer(row, item);
	if (item->exact)
		row->under_way_max = shape_add(row->under_way_max, item->max);
}

void shape_row_add(struct shape_row *row, const struct shape *item)
{
	struct shape *out = &row->out;
	struct shape_part part = { item->min, item->max, item->all, item->run };

	if (!out->max && !out->edge)
		out->edge = item->edge;
	if (out->exact && item->exact)
		out->words = shape_words_product(row->arena, out->words,
						 item->words);
	out->exact = out->exact && item->exact && out->words;
	add_words(row, item);
	out->min = shape_add(out->min, item->min);
	out->max = shape_add(out->max, item->max);
	out->lines = shape_add(out->lines, item->lines);
	shape_set_join(&out->all, &item->all);
	if (!item->exact) {
		row->from = out->max;
		row->lead = out->all;
	}
	MEM_GROW(row->parts, row->nr, row->alloc);
	row->parts[row->nr++] = part;
}

/* Eighths of bits that n says, nearly: of its logarithm to base 2. */
static size_t logarithm(size_t n)
{
	size_t whole = 0, rest = n * 8;

	for (; n > 1; n /= 2) {
		whole += 8;
		rest /= 2;
	}
	return whole + rest - 8;
}

/* Of 1024 bytes of text, about so many are of the set. */
static size_t share(const struct rules_set *set)
{
	size_t sum = 0;

	for (int c = 0; c < 256; c++) {
		if (!rules_set_has(set, c))
			continue;
		sum += c == ' ' ? 150 : c == '\n' ? 30 : c == '_' ? 15 :
		       c >= 'a' && c <= 'z' ? 23 : c >= '0' && c <= '9' ? 6 :
		       c < 0x80 ? 3 : 0;
	}
	return sum < 1024 ? sum + 1 : 1024;
}

/* What a run tells: how unlikely is it in a text? */
static size_t worth(const struct shape_run *run)
{
	size_t n = run->len < RUN_MOST ? run->len : RUN_MOST;

	if (n < RUN_LEAST)
		return 0;
	return n * (80 - logarithm(share(&run->set)));
}

static void prefer(struct shape_run *best, const struct shape_run *other)
{
	if (worth(other) > worth(best))
		*best = *other;
}

/* The best run of parts i to k of the row, for each k. */
static void runs_from(struct shape_row *row, size_t i, size_t before)
{
	struct shape_run run = { 0, before, { { 0 } } };

	for (size_t k = i; k < row->nr; k++) {
		run.len = shape_add(run.len, row->parts[k].min);
		shape_set_join(&run.set, &row->parts[k].all);
		/* a run does not span lines */
		if (rules_set_has(&run.set, '\n'))
			break;
		prefer(&row->out.run, &run);
	}
}

void shape_row_end(struct shape_row *row, struct shape *out)
{
	size_t before = 0;

	close_words(row);
	for (size_t i = 0; i < row->nr; i++) {
		struct shape_run inner = row->parts[i].run;

		inner.before = shape_add(inner.before, before);
		prefer(&row->out.run, &inner);
		runs_from(row, i, before);
		before = shape_add(before, row->parts[i].max);
	}
	free(row->parts);
	*out = row->out;
}

/* An exact item a few times over, or NULL. */
static const struct shape_words *power(struct shape_arena *arena,
				       const struct shape_words *once, size_t n)
{
	const struct shape_words *all = &shape_empty;

	while (all && n-- > 0)
		all = shape_words_product(arena, all, once);
	return all;
}

void shape_repeat(struct shape_arena *arena, struct shape *item, size_t min,
		  size_t max)
{
	const struct shape_words *words = NULL;
	struct shape_choice once;

	shape_choice_of(item, &once);
	if (min == max && min <= SHAPE_LONGEST && item->exact)
		words = power(arena, item->words, min);
	else if (min == 0 && max == 1 && item->exact)
		words = shape_words_union(arena, item->words, &shape_empty);
	item->exact = words != NULL;
	item->words = words;
	if (min == 0) {
		once = (struct shape_choice){ 0 };
		item->run = (struct shape_run){ 0 };
	} else {
		once.after = shape_add(once.after,
				       shape_times(item->max, max - 1));
	}
	item->choice = once;
	item->edge = item->edge && min > 0;
	item->min = shape_times(item->min, min);
	item->max = shape_times(item->max, max);
	item->lines = shape_times(item->lines, max);
}

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void either_choice(struct shape_arena *arena, struct shape *a,
			  const struct shape *b)
{
	struct shape_choice x, y;

	shape_choice_of(a, &x);
	shape_choice_of(b, &y);
	/* each alternative must have a word of its own */
	if (x.words && y.words)
		x.words = shape_words_union(arena, x.words, y.words);
	else
		x.words = NULL;
	x.before = most(x.before, y.before);
	x.after = most(x.after, y.after);
	shape_set_join(&x.lead, &y.lead);
	a->choice = x;
}

static void either_run(struct shape_run *a, const struct shape_run *b)
{
	a->len = a->len < b->len ? a->len : b->len;
	a->before = most(a->before, b->before);
	shape_set_join(&a->set, &b->set);
}

void shape_either(struct shape_arena *arena, struct shape *a,
		  const struct shape *b)
{
	either_choice(arena, a, b);
	a->words = a->exact && b->exact ?
		   shape_words_union(arena, a->words, b->words) : NULL;
	a->exact = a->words != NULL;
	a->edge = a->edge && b->edge;
	either_run(&a->run, &b->run);
	a->min = a->min < b->min ? a->min : b->min;
	a->max = most(a->max, b->max);
	a->lines = most(a->lines, b->lines);
	shape_set_join(&a->all, &b->all);
}
