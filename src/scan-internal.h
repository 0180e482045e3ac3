#ifndef SCAN_INTERNAL_H
#define SCAN_INTERNAL_H

#include "rules-internal.h"
#include "scan.h"

/* The scanner's insides; for scan*.c only. */

/* All keywords of a set, found in one pass (scan-words.c). */
struct scan_words;
struct scan_words *scan_words_new(const struct rules *r);
void scan_words_free(struct scan_words *w);

/* Where a match of one rule may start: from lo to hi, both included. */
struct scan_window {
	size_t lo, hi;
};

struct scan_windows {
	struct scan_window *list;
	size_t nr, alloc;
	int anywhere; /* a keyword is there, but says nothing of where */
};

/* Fill windows, one for each rule and empty before, for text. */
void scan_words_run(const struct scan_words *w, const char *text, size_t len,
		    struct scan_windows *windows);

/* Compiled code and what PCRE2 needs to run it (scan-regex.c). */
struct scan_regex;
struct scan_regex *scan_regex_new(size_t nr_patterns);
void scan_regex_free(struct scan_regex *x);
/* Compile, and match against a few bytes. 0, or -1 and why. */
int scan_regex_try(struct scan_regex *x, const struct rules_pattern *p,
		   int anchored);

struct scan_span {
	size_t start, end;
};
#define SCAN_NOWHERE SIZE_MAX /* start of a group that took no part */

/*
 * The first match that starts in lo..hi of text; with anchored, hi is lo.
 * Returns 1 and *out, 0, or -1: a limit was met, or it does not compile.
 */
int scan_regex_find(struct scan_regex *x, const struct rules_pattern *p,
		    const char *text, size_t len, size_t lo, size_t hi,
		    int anchored, struct scan_span *out);
/* Groups of the last match; 0 is the match. Number of them in all: */
size_t scan_regex_groups(const struct scan_regex *x);
struct scan_span scan_regex_group(const struct scan_regex *x, size_t n);
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
/* Where the line that holds at ends, its newline not included. */
size_t scan_lines_end(const struct scan_lines *l, size_t at);

/* A match on its way to being a finding. */
struct scan_candidate {
	struct scan_span match, secret;
	size_t line_start;
	unsigned line, column;
	size_t rule;
	int dropped;
};

/* Bits a byte, over characters; the length is in bytes (scan-entropy.c). */
double scan_entropy(const char *s, size_t len);

/*
 * Allow-lists (scan-allow.c). Before the text is looked at, and for one
 * candidate: 1 when allowed, 0, or -1 as scan_regex_find.
 */
int scan_allow_path(struct scan_regex *x, const struct rules_allow *a,
		    const char *path);
int scan_allow_found(struct scan_regex *x, const struct rules_allow *a,
		     const char *path, const char *text,
		     const struct scan_candidate *c, struct scan_span line);

struct scanner {
	const struct rules *rules;
	struct scan_words *words;
	struct scan_regex *regex;
	struct scan_windows *windows; /* of each rule */
	struct scan_candidate *found;
	size_t nr, alloc;
	/* the text under way */
	const char *text, *path;
	size_t len;
	struct scan_lines lines;
	char why[300];
};

#endif
