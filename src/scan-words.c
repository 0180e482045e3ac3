/*
 * Every keyword of every rule in one pass over a text: an automaton after
 * Aho and Corasick ("Efficient string matching", 1975), with all failure
 * moves made beforehand and bytes folded into classes, upper case with lower.
 * Takes a text, gives for each rule where its matches may start.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "scan-internal.h"

/* A state's bit in the table: some keyword ends there. */
#define ENDS 0x80000000u
#define NONE UINT32_MAX

/* One rule that wants the keyword that ends at a state. */
struct ending {
	size_t rule, len, before;
	uint32_t next; /* of the same state, or NONE */
};

struct scan_words {
	unsigned char class[256];
	uint32_t classes;
	uint32_t *moves; /* state * classes + class: state times classes */
	uint32_t states, alloc;
	uint32_t *endings; /* first of each state */
	uint32_t *shorter; /* nearest suffix state that has endings */
	struct ending *list;
	size_t nr_list, alloc_list;
};

static void add_classes(struct scan_words *w, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (w->class[c])
			continue;
		w->class[c] = (unsigned char)w->classes++;
		if (c >= 'a' && c <= 'z')
			w->class[c - 'a' + 'A'] = w->class[c];
	}
}

static uint32_t new_state(struct scan_words *w)
{
	uint32_t state = w->states++;

	if (w->states > w->alloc) {
		w->alloc = w->alloc * 2 + 64;
		w->moves = mem_resize(w->moves,
				      (size_t)w->alloc * w->classes,
				      sizeof(*w->moves));
		w->endings = mem_resize(w->endings, w->alloc,
					sizeof(*w->endings));
		w->shorter = mem_resize(w->shorter, w->alloc,
					sizeof(*w->shorter));
	}
	for (uint32_t c = 0; c < w->classes; c++)
		w->moves[(size_t)state * w->classes + c] = NONE;
	w->endings[state] = w->shorter[state] = NONE;
	return state;
}

static void add_word(struct scan_words *w, const char *word, size_t rule,
		     size_t before)
{
	uint32_t state = 0;

	for (const char *s = word; *s; s++) {
		size_t at = (size_t)state * w->classes +
			    w->class[(unsigned char)*s];
		uint32_t next = w->moves[at];

		if (next == NONE) {
			next = new_state(w);
			w->moves[at] = next;
		}
		state = next;
	}
	MEM_GROW(w->list, w->nr_list, w->alloc_list);
	w->list[w->nr_list] = (struct ending){ rule, strlen(word), before,
					       w->endings[state] };
	w->endings[state] = (uint32_t)w->nr_list++;
}

/* Fill the moves that the words leave open, shortest states first. */
static void complete(struct scan_words *w)
{
	uint32_t *queue = mem_array(w->states, sizeof(*queue));
	uint32_t *fail = mem_array(w->states, sizeof(*fail));
	size_t head = 0, tail = 1; /* the root is first */

	while (head < tail) {
		uint32_t state = queue[head++], back = fail[state];

		if (state)
			w->shorter[state] = w->endings[back] != NONE ?
					    back : w->shorter[back];
		for (uint32_t c = 0; c < w->classes; c++) {
			uint32_t *to = &w->moves[(size_t)state * w->classes +
						 c];
			uint32_t other = state ?
				w->moves[(size_t)back * w->classes + c] : 0;

			if (*to == NONE) {
				*to = other;
				continue;
			}
			fail[*to] = other;
			queue[tail++] = *to;
		}
	}
	free(queue);
	free(fail);
}

/* Store states as offsets of their moves, marked where keywords end. */
static void encode(struct scan_words *w)
{
	for (size_t i = 0; i < (size_t)w->states * w->classes; i++) {
		uint32_t to = w->moves[i];

		w->moves[i] = to * w->classes;
		if (w->endings[to] != NONE || w->shorter[to] != NONE)
			w->moves[i] |= ENDS;
	}
}

struct scan_words *scan_words_new(const struct rules *r)
{
	struct scan_words *w = mem_zalloc(sizeof(*w));

	w->classes = 1; /* 0: bytes of no keyword */
	for (size_t i = 0; i < r->nr; i++)
		for (size_t k = 0; k < r->list[i].keywords.nr; k++)
			add_classes(w, r->list[i].keywords.list[k]);
	new_state(w);
	for (size_t i = 0; i < r->nr; i++)
		for (size_t k = 0; k < r->list[i].keywords.nr; k++)
			add_word(w, r->list[i].keywords.list[k], i,
				 r->list[i].before);
	complete(w);
	encode(w);
	return w;
}

void scan_words_free(struct scan_words *w)
{
	if (!w)
		return;
	free(w->moves);
	free(w->endings);
	free(w->shorter);
	free(w->list);
	free(w);
}

/* Windows come nearly in order: join the new one with those it touches. */
static void add_window(struct scan_windows *ws, size_t lo, size_t hi)
{
	while (ws->nr && lo <= ws->list[ws->nr - 1].hi + 1) {
		const struct scan_window *last = &ws->list[--ws->nr];

		lo = lo < last->lo ? lo : last->lo;
		hi = hi > last->hi ? hi : last->hi;
	}
	MEM_GROW(ws->list, ws->nr, ws->alloc);
	ws->list[ws->nr++] = (struct scan_window){ lo, hi };
}

static void note(const struct scan_words *w, uint32_t state, size_t end,
		 struct scan_windows *windows)
{
	for (; state != NONE; state = w->shorter[state]) {
		for (uint32_t i = w->endings[state]; i != NONE;
		     i = w->list[i].next) {
			const struct ending *e = &w->list[i];
			size_t start = end - e->len;

			if (e->before == RULES_ANYWHERE)
				windows[e->rule].anywhere = 1;
			else
				add_window(&windows[e->rule],
					   start > e->before ?
					   start - e->before : 0, start);
		}
	}
}

void scan_words_run(const struct scan_words *w, const char *text, size_t len,
		    struct scan_windows *windows)
{
	uint32_t at = 0;

	for (size_t i = 0; i < len; i++) {
		at = w->moves[at + w->class[(unsigned char)text[i]]];
		if (at & ENDS) {
			at &= ~ENDS;
			note(w, at / w->classes, i + 1, windows);
		}
	}
}
