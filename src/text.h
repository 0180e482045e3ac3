#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

struct buf;

/*
 * The one choke point for foreign bytes on their way to a human, be it a
 * terminal or a log: control characters (C0, DEL, C1), characters that hide
 * text or turn its direction, and bytes that are not UTF-8 become '?', a tab a
 * space; nothing else changes. The result is one line: a newline becomes '?'
 * too.
 */
void text_clean(struct buf *out, const char *s, size_t n);

/* The same into a fixed array, cut (with "...") where it does not fit. */
const char *text_clean_to(char *out, size_t size, const char *s);

/*
 * The same of a string in which a token may stand, such as a reference's name
 * or a path: a run of 16 or more of A-Z a-z 0-9 _ + = - that has a digit and
 * a letter is cut to its first four and "…". Object ids, 40 or 64 digits of
 * lower-case hexadecimal, are kept.
 */
void text_mask(struct buf *out, const char *s);

/* The value of a hexadecimal digit of either case, or -1. */
int text_hex(int c);

/*
 * What is shown of a secret: at most its first four characters (fewer for
 * short ones, never more than a quarter of it), then "…" and its length.
 */
void text_redact(struct buf *out, const char *secret, size_t n);

#endif
