#ifndef BUF_H
#define BUF_H

#include <stddef.h>

/*
 * A byte string that grows. data is always NUL-terminated once anything was
 * added (the NUL is not counted in len), and may hold NULs of its own.
 */
struct buf {
	char *data;
	size_t len;
	size_t alloc;
};

#define BUF_INIT { 0 }

/* Append n bytes; a string; one byte; formatted text. */
void buf_add(struct buf *b, const void *data, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Make room for n more bytes and return where they go; len is not changed. */
char *buf_room(struct buf *b, size_t n);
/* The first n bytes go; n is at most len. */
void buf_drop(struct buf *b, size_t n);
/* Length 0, memory kept. */
void buf_reset(struct buf *b);
/* The string (never NULL), which the caller frees; b is empty afterwards. */
char *buf_take(struct buf *b);
/* Free; harmless when done twice. */
void buf_clear(struct buf *b);

/*
 * Append all of the file at path, at most max bytes. Returns 0, or -1 with
 * errno set (EFBIG when it is larger). Nothing is logged.
 */
int buf_read_file(struct buf *b, const char *path, size_t max);
/* The same from an open descriptor, up to its end. */
int buf_read_fd(struct buf *b, int fd, size_t max);

/*
 * Write all of it to a file that must not be there yet, mode 0600. Returns 0,
 * or -1 with errno set and no file left. Nothing is logged.
 */
int buf_write_new(const struct buf *b, const char *path);

#endif
