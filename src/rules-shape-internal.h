#ifndef RULES_SHAPE_INTERNAL_H
#define RULES_SHAPE_INTERNAL_H

#include "rules-internal.h"

/*
 * What can be told of a part of a regex, and of its parts put together; for
 * rules-shape*.c only. Bytes, never characters; letters without case.
 */

/*
 * Some short strings; const once made, freed with the arena. A capital letter
 * stands for itself, a small one for both.
 */
#define SHAPE_WORDS 1024
#define SHAPE_LONGEST 24
struct shape_word {
	unsigned char len;
	char text[SHAPE_LONGEST];
};
struct shape_words {
	struct shape_words *older; /* of the arena */
	size_t nr;
	struct shape_word list[];
};
struct shape_arena {
	struct shape_words *newest;
};

/* Each match of the part has one of these words; NULL: none is known. */
struct shape_choice {
	const struct shape_words *words;
	size_t before, after;  /* bytes from the start to it; from it on */
	struct rules_set lead; /* what these bytes before it can be */
};

/* Each match of the part has so many bytes of set in a row. */
struct shape_run {
	size_t len, before;
	struct rules_set set;
};

struct shape {
	size_t min, max, lines; /* bytes; newlines at most */
	struct rules_set all;   /* bytes that can be in it */
	int edge;               /* begins with \b, before any byte */
	int exact;              /* words are all that it can be */
	const struct shape_words *words;
	struct shape_choice choice;
	struct shape_run run;
};

/* Arithmetic where RULES_UNBOUND stays what it is. */
size_t shape_add(size_t a, size_t b);
size_t shape_times(size_t a, size_t b);

void shape_set_add(struct rules_set *s, int c);
void shape_set_join(struct rules_set *s, const struct rules_set *other);
void shape_set_invert(struct rules_set *s);
/* Letters in one case are in the other too. */
void shape_set_fold(struct rules_set *s);
size_t shape_set_count(const struct rules_set *s);

/* rules-shape-words.c: the word of no bytes. */
extern const struct shape_words shape_empty;
void shape_arena_clear(struct shape_arena *arena);
/* Nothing, and one byte of a set. */
void shape_nothing(struct shape *s);
void shape_byte(struct shape_arena *arena, const struct rules_set *set,
		struct shape *out);
/* All of a followed by all of b; those of either; NULL: too many. */
const struct shape_words *shape_words_product(struct shape_arena *arena,
					      const struct shape_words *a,
					      const struct shape_words *b);
const struct shape_words *shape_words_union(struct shape_arena *arena,
					    const struct shape_words *a,
					    const struct shape_words *b);
/* Take other for best if it is the better one to look for. */
void shape_choose(struct shape_choice *best, const struct shape_choice *other);
/* The choice that an item has, be it exact or not. */
void shape_choice_of(const struct shape *item, struct shape_choice *out);

/* rules-shape-join.c: parts one after the other. */
struct shape_part {
	size_t min, max;
	struct rules_set all;
	struct shape_run run;
};

struct shape_row {
	struct shape_arena *arena;
	struct shape out;
	const struct shape_words *under_way; /* exact so far, and where from */
	size_t from, under_way_max;
	struct rules_set lead;
	struct shape_part *parts;
	size_t nr, alloc;
};

void shape_row_begin(struct shape_row *row, struct shape_arena *arena);
void shape_row_add(struct shape_row *row, const struct shape *item);
/* Into *out; frees what the row holds. */
void shape_row_end(struct shape_row *row, struct shape *out);
/* The item min to max times. */
void shape_repeat(struct shape_arena *arena, struct shape *item, size_t min,
		  size_t max);
/* Either of two, into a. */
void shape_either(struct shape_arena *arena, struct shape *a,
		  const struct shape *b);

/*
 * rules-shape-atom.c: after a backslash or "[". 0; 1: an assertion, of no
 * bytes; 2: that it is the edge of a word; or -1 and *why.
 */
int shape_escape(const char **p, int in_class, struct rules_set *out,
		 const char **why);
int shape_class(const char **p, struct rules_set *out, const char **why);

#endif
