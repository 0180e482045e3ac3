#ifndef SCAN_INTERNAL_H
#define SCAN_INTERNAL_H

#include "decode.h"
#include "rules-internal.h"
#include "scan.h"
#include "span.h"

/* The scanner's insides; for scan*.c only. */

/* A word of the rules' index (rules-internal.h), found in a text. */
struct scan_hit {
	size_t start;
	uint32_t word; /* rules_index_rules() tells whose it is */
};

struct scan_hits {
	struct scan_hit *list; /* to be freed by free(3) */
	size_t nr, alloc;
};

/* A call stops soon after so many hits: text made of keywords is bounded. */
#define SCAN_HITS_MAX 32768

/*
 * Find each occurrence, in either case, of each word that starts in lo..hi
 * (hi not included) of text; its bytes may lie past hi, up to len. hits is
 * emptied first, then holds them in order of start. Returns how far all were
 * found: hi, or less after SCAN_HITS_MAX; go on from there.
 */
size_t scan_words_find(const struct rules_index *x, const char *text,
		       size_t len, size_t lo, size_t hi,
		       struct scan_hits *hits);

/* Compiled code and what PCRE2 needs to run it (scan-regex.c). */
struct scan_regex;
struct scan_regex *scan_regex_new(size_t nr_patterns);
void scan_regex_free(struct scan_regex *x);
/* Compile, and match against a few bytes. 0, or -1 and why. */
int scan_regex_try(struct scan_regex *x, const struct rules_pattern *p);

#define SCAN_NOWHERE SIZE_MAX /* start of a group that took no part */

/*
 * The first match that starts in lo..hi (both included) of text. Returns 1
 * and *out, 0, or -1: a limit was met, or it does not compile.
 */
int scan_regex_find(struct scan_regex *x, const struct rules_pattern *p,
		    const char *text, size_t len, size_t lo, size_t hi,
		    struct span *out);
/* Groups of the last match; 0 is the match. Number of them in all: */
size_t scan_regex_groups(const struct scan_regex *x);
struct span scan_regex_group(const struct scan_regex *x, size_t n);
/* Why the last one was -1. */
const char *scan_regex_why(const struct scan_regex *x);

/* Line numbers of one text, counted once (scan-lines.c). */
struct scan_lines {
	const char *text;
	size_t len;
	struct scan_block *blocks;
	size_t nr;
};
void scan_lines_init(struct scan_lines *l, const char *text, size_t len);
void scan_lines_clear(struct scan_lines *l);
/* Line and column of a byte, from 1, and where its line starts. */
unsigned scan_lines_at(struct scan_lines *l, size_t at, size_t *line_start);

/* Where matches of one rule may start, both included, and what says so. */
struct scan_window {
	size_t lo, hi;
	uint32_t word; /* SCAN_NO_WORD: none */
};
#define SCAN_NO_WORD UINT32_MAX

struct scan_windows {
	struct scan_window *list; /* apart, in order */
	size_t nr, alloc;
	int touched;  /* not as scan_wake_begin leaves it */
	int anywhere; /* awake, and nothing says where */
	int keyword;  /* of a loose rule: 1 it is there, -1 it is not, 0 ? */
	struct span led; /* of the last word: from where, and where it is */
};

/*
 * The text at hand: what came in, or a piece of it with encodings taken off
 * (scan-piece.c), in which only what was encoded is looked for.
 */
struct scan_view {
	const char *text;
	size_t len;
	const struct decode_piece *piece;
	const struct scan_view *outer;
	const char *encodings; /* "", or outermost first */
	unsigned depth;        /* pieces that it is in */
};

/* A match on its way to being a finding. */
struct scan_candidate {
	size_t rule;
	uint32_t word;            /* that woke the rule */
	struct span match, secret; /* of the text in the view */
	struct span place;         /* of the text that came in */
	double entropy;            /* of the secret */
	unsigned line, column;     /* of the place, once it is kept */
	/* of an encoded one, which does not outlive its view: */
	char *copy, *encodings;    /* of the match, of the view's */
	int dropped;
};

/* Bits a byte, over characters; the length is in bytes (scan-entropy.c). */
double scan_entropy(const char *s, size_t len);

/*
 * Allow-lists (scan-allow.c): before the text is looked at, and for one
 * candidate. 1 when allowed, 0, or -1 as scan_regex_find. probing: only what
 * holds under any path, in any commit, on any line.
 */
int scan_allow_input(struct scanner *s, const struct rules_allow *a);
int scan_allow_found(struct scanner *s, const struct rules_allow *a,
		     const struct scan_view *v, const struct scan_candidate *c,
		     int probing);

/* The stopwords of one allow-list, found fast (scan-stop.c). */
struct scan_stop;
struct scan_stop *scan_stop_new(const struct rules_words *words);
void scan_stop_free(struct scan_stop *stop);
/* Does s hold one, case aside? */
int scan_stop_in(const struct scan_stop *stop, const char *s, size_t len);

/*
 * How far the verdict on a start reaches: a few bytes, further, or as far as
 * the text goes; and whether its place can be told at all (scan-wake.c).
 */
enum scan_scope { SCAN_NEAR = 0, SCAN_LONG, SCAN_ANYWHERE };
/* The most bytes of SCAN_NEAR: how far from a change words are tried anew. */
#define SCAN_NEAR_MAX 300

struct scanner {
	const struct rules *rules;
	struct scan_regex *regex;
	struct decoder **decoders; /* one for each depth */
	unsigned depth;
	int64_t deadline_ms;       /* 0: none */
	unsigned ticks;            /* until the clock is looked at */
	scan_event_fn *explain;
	void *explain_arg;
	/* of each rule */
	unsigned char *scope;      /* enum scan_scope */
	unsigned char *kinds;      /* of each word: 1 << scope of its rules */
	struct scan_windows *windows;
	uint32_t *touched, *always; /* rules that have work; at all times */
	size_t nr_touched, nr_always;
	/* of each allow-list of the set, or NULL */
	struct scan_stop **stops;
	size_t longest, reach, before; /* of words; of SCAN_NEAR rules */
	struct scan_hits hits;
	struct scan_mark *news;    /* of scan-marks.c */
	size_t alloc_news;
	/* the text under way */
	const struct scan_input *in;
	struct scan_lines lines;
	struct scan_candidate *found;
	size_t nr, alloc;
	struct scan_packed_list packed; /* of the last one */
	char why[300];
};

/* scan-wake.c */
void scan_wake_init(struct scanner *s);
/* Empty all windows, and wake what is always awake. */
void scan_wake_begin(struct scanner *s);
/* Wake what the words in all of the view call for. 0, or -1: why. */
int scan_wake(struct scanner *s, const struct scan_view *v);
/* Wake one rule for one hit; the window, if there is one, is added. */
void scan_wake_rule(struct scanner *s, const struct scan_view *v, size_t rule,
		    const struct scan_hit *hit);
/* The same where the window is known; the rule is a located one. */
void scan_wake_in(struct scanner *s, const struct scan_view *v, size_t rule,
		  struct scan_window w);
/* Put the rules that have work in order. */
void scan_wake_sort(struct scanner *s);
/*
 * The starts that a word at `at` may have a match of the rule from. *led is
 * the word's before it, if any.
 */
struct scan_window scan_wake_window(const struct rules_rule *rule,
				    const char *text, size_t at,
				    struct span *led);
/* The windows of a rule that is awake anywhere, by what else is known. */
void scan_wake_anywhere(struct scanner *s, const struct scan_view *v,
			size_t rule);
/* One byte past all that the verdict on starts up to hi may look at. */
size_t scan_wake_end(const struct rules_rule *rule, size_t len, size_t hi);

/* scan-judge.c: -1 and why, 0: rejected, 1: it counts, *c is filled. */
int scan_judge(struct scanner *s, const struct scan_view *v, size_t rule,
	       uint32_t word, struct span match, int probing,
	       struct scan_candidate *c);
/* Tell of a candidate, if anyone listens. */
void scan_judge_tell(struct scanner *s, const struct scan_view *v,
		     const struct scan_candidate *c, enum scan_verdict verdict,
		     const struct rules_allow *allow);
/* As finding_of a candidate: what is known of it. */
void scan_judge_fill(struct scanner *s, const char *text,
		     const struct scan_candidate *c, struct scan_finding *f);
/* Is the time over? -1 and why, or 0. Cheap. */
int scan_judge_late(struct scanner *s, size_t rule);
int scan_cannot(struct scanner *s, const char *why);
/* scan-rule.c: every rule that is awake, over the view. 0, or -1 and why. */
int scan_rule_all(struct scanner *s, const struct scan_view *v);
/* Could the rule find anything, by the path and the commit alone? */
int scan_rule_minds(struct scanner *s, size_t rule);

/* scan-company.c: what findings of other rules decide. */
void scan_company_required(struct scanner *s, const struct scan_view *v,
			  const struct rules_required *q, size_t first,
			  size_t others);
void scan_company_generic(struct scanner *s);

/*
 * scan-piece.c: the pieces of a view that touch where to fn, which returns 0,
 * or -1 and why, as this does. *wide: it is UTF-16 or UTF-32 as a whole.
 */
int scan_each_piece(struct scanner *s, const struct scan_view *v,
		    const struct span *where, size_t nr, decode_fn *fn,
		    void *arg, int *wide);
/* The same, for them to be scanned. */
int scan_pieces(struct scanner *s, const struct scan_view *v,
		const struct span *where, size_t nr);
/* Is a match in the view one of what was encoded? Then *place is its. */
int scan_piece_touches(const struct scan_view *v, struct span match,
		       struct span *place);

/*
 * scan-packed.c: keep a piece that is packed; `encodings` are those of the view
 * that it is a piece of. lines: its line is wanted.
 */
void scan_packed_add(struct scanner *s, const struct scan_view *outer,
		     const struct decode_piece *p, int lines);

/*
 * scan-marks.c: into the trace, which has what was copied from the base, the
 * words of all of the view. Returns 0; -1 and why; or 1: there are more than
 * SCAN_MARKS_MAX, and the marks say nothing.
 */
#define SCAN_MARKS_MAX ((size_t)1 << 18)
int scan_marks(struct scanner *s, const struct scan_view *v,
	       const struct span *fresh, size_t nr, struct scan_trace *trace);

/* scan-trace.c: a span that is hot; a rule that is awake anywhere. */
void scan_trace_heat(struct scan_trace *t, size_t start, size_t end);
/* It is this rule that could find something there. */
void scan_trace_blame(struct scan_trace *t, size_t rule);
/* Room for so many marks. */
void scan_trace_reserve(struct scan_trace *t, size_t nr);
void scan_trace_awake(const struct scanner *s, struct scan_trace *t,
		      size_t rule);
int scan_trace_is_awake(const struct scan_trace *t, size_t rule);

#endif
