/*
 * What a backend says on its standard error: to the log, line by line and
 * bounded, and which limit it ran into, if it says so.
 */
#include "backend-internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "hint.h"
#include "log.h"

/* Lines that are logged for one request. */
#define LINES_MAX 200
#define LINE_BYTES 4096

/* Log what is whole; all of it when flush is set. */
static void log_lines(struct backend_words *w, int flush)
{
	while (w->line.len > 0) {
		char *end = memchr(w->line.data, '\n', w->line.len);
		size_t n = end != NULL ? (size_t)(end - w->line.data)
				       : w->line.len;

		if (end == NULL && !flush && n < LINE_BYTES)
			return;
		if (w->lines++ < LINES_MAX)
			log_warn("backend: %.*s", (int)n, w->line.data);
		if (w->limit == NULL)
			w->limit = hint_of_line(w->line.data, n);
		buf_drop(&w->line, end != NULL ? n + 1 : n);
	}
}

void backend_words_read(struct backend_words *w)
{
	ssize_t n = read(w->fd, buf_room(&w->line, LINE_BYTES), LINE_BYTES);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(w->fd);
		w->fd = -1;
		return;
	}
	w->line.len += (size_t)n;
	log_lines(w, 0);
}

void backend_words_rest(struct backend_words *w)
{
	int rounds;

	for (rounds = 0; w->fd >= 0 && rounds < 16; rounds++) {
		struct pollfd p = { .fd = w->fd, .events = POLLIN };

		if (poll(&p, 1, 0) <= 0)
			break;
		backend_words_read(w);
	}
	log_lines(w, 1);
}

void backend_words_clear(struct backend_words *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	buf_clear(&w->line);
}
