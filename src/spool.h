#ifndef SPOOL_H
#define SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * A request's body, kept whole whoever reads it: in memory (memfd) while
 * small, in an unlinked file of the spool directory past that.
 */
struct spool {
	int fd; /* -1 until something was written */
	int in_file;
	uint64_t len;
};

#define SPOOL_INIT { .fd = -1 }

/* A larger body goes to a file. */
#define SPOOL_MEMORY (1 << 20)

/* Append; dir is where a file would be made. Returns 0, or -1, logged. */
int spool_add(struct spool *s, const char *dir, const void *data, size_t n);
/* Append all of it to out; for small ones. Returns 0, or -1, logged. */
int spool_read(const struct spool *s, struct buf *out);
/* Back to the start, for a child's stdin. Returns the descriptor or -1. */
int spool_rewind(struct spool *s);
void spool_clear(struct spool *s);

#endif
