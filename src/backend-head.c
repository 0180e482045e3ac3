/*
 * The header of a CGI answer (RFC 3875, 6.2), into that of ours: lines of an
 * allow-list pass, a status that is not 200 is no answer. Takes bytes, gives
 * bytes.
 */
#include "backend-internal.h"

#include <string.h>
#include <strings.h>

#include "buf.h"
#include "log.h"

/* Only these of the backend's header lines pass. */
static int header_passes(const char *line, size_t n)
{
	static const char *const names[] = { "Content-Type:", "Cache-Control:",
					     "Expires:", "Pragma:" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (n > strlen(names[i]) &&
		    strncasecmp(line, names[i], strlen(names[i])) == 0)
			return 1;
	return 0;
}

size_t backend_head_end(const struct buf *head)
{
	size_t i;

	for (i = 1; i < head->len; i++) {
		if (head->data[i] != '\n')
			continue;
		if (head->data[i - 1] == '\n')
			return i + 1;
		if (i >= 3 && memcmp(head->data + i - 3, "\r\n\r", 3) == 0)
			return i + 1;
	}
	return 0;
}

int backend_head_make(const struct buf *head, size_t end, const char *more,
		      struct buf *out)
{
	const char *at = head->data;
	const char *stop = head->data + end;

	buf_adds(out, "Status: 200 OK\r\nX-Accel-Buffering: no\r\n");
	while (at < stop) {
		const char *nl = memchr(at, '\n', (size_t)(stop - at));
		size_t n = (size_t)(nl - at);

		if (n > 0 && at[n - 1] == '\r')
			n--;
		if (n >= 7 && strncasecmp(at, "Status:", 7) == 0) {
			log_warn("backend: %.*s", (int)n, at);
			return -1;
		}
		if (header_passes(at, n)) {
			buf_add(out, at, n);
			buf_adds(out, "\r\n");
		}
		at = nl + 1;
	}
	buf_adds(out, more);
	buf_adds(out, "\r\n");
	return 0;
}
