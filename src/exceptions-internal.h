#ifndef EXCEPTIONS_INTERNAL_H
#define EXCEPTIONS_INTERNAL_H

struct buf;
struct exception;
struct exceptions;

/* What the files exceptions*.c share; nobody else includes this. */

/* Bytes; ten thousand long ones fit. */
#define EXCEPTIONS_MAX (8 << 20)

/*
 * The bytes of the file to text, judged and parsed to x, whose name is set.
 * Returns 0, or -1, logged.
 */
int exceptions_read(struct exceptions *x, struct buf *text);
/* The same of bytes that were read. */
int exceptions_parse(struct exceptions *x, const struct buf *text);
/* One more behind the bytes of a file that was parsed. */
void exceptions_append(struct buf *out, const struct exception *e);
/* Free what is in x. */
void exceptions_clear(struct exceptions *x);

#endif
