#ifndef BACKEND_INTERNAL_H
#define BACKEND_INTERNAL_H

#include <stddef.h>
#include "buf.h"
#include "child.h"

struct config;

/* What the files of backend share; nobody else includes this. */

/* What [backend] bounds of a git that answers. */
struct child_limits backend_limits(const struct config *c);

/* Where the body begins in head, or 0 while the header is not whole. */
size_t backend_head_end(const struct buf *head);

/*
 * Turn the CGI header, the first end bytes of head, into ours, with more
 * (lines, each with CRLF) added. Returns 0; -1 when its status is not 200: such
 * an answer has no body that git would show, ours has.
 */
int backend_head_make(const struct buf *head, size_t end, const char *more,
		      struct buf *out);

/* backend-words.c: its standard error. */
struct backend_words {
	int fd; /* our end; -1: closed */
	struct buf line;
	int lines;
	const char *limit; /* which it ran into, in words; or NULL */
};

void backend_words_read(struct backend_words *w);
/* What is left; never waits. */
void backend_words_rest(struct backend_words *w);
void backend_words_clear(struct backend_words *w);

#endif
