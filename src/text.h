#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

struct buf;

/*
 * The one choke point for foreign bytes on their way to a human, be it a
 * terminal or a log: control characters (C0, DEL, C1) and bytes that are not
 * UTF-8 become '?', a tab a space; nothing else changes. The result is one
 * line: a newline becomes '?' too.
 */
void text_clean(struct buf *out, const char *s, size_t n);

/* The same into a fixed array, cut (with "...") where it does not fit. */
const char *text_clean_to(char *out, size_t size, const char *s);

/*
 * What is shown of a secret: at most its first four characters (fewer for
 * short ones, never more than a quarter of it), then "…" and its length.
 */
void text_redact(struct buf *out, const char *secret, size_t n);

#endif
