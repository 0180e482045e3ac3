#ifndef BACKEND_INTERNAL_H
#define BACKEND_INTERNAL_H

#include <stddef.h>

struct buf;

/* What the files of backend share; nobody else includes this. */

/* Where the body begins in head, or 0 while the header is not whole. */
size_t backend_head_end(const struct buf *head);

/*
 * Turn the CGI header, the first end bytes of head, into ours, with more (lines,
 * each with CRLF) added. Returns 0; -1 when its status is not 200: such an
 * answer has no body that git would show, ours has.
 */
int backend_head_make(const struct buf *head, size_t end, const char *more,
		      struct buf *out);

#endif
