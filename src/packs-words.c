/*
 * What git says on standard error while it makes a pack: how far it is, and in
 * the end of how many objects it made one. Takes it as it comes, keeps it in
 * the head of the file, gives it to those who want to see it: lines that are
 * finished once, and the one that still changes as it is now. It is for
 * people: a line that is torn or missing is no error.
 */
#include "packs.h"
#include "packs-internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A line that still changes; the rest of a longer one is left out. */
#define NOW_MAX 200

static void take_byte(struct packs_words *w, char c)
{
	if (c == '\n') {
		/* with its NUL, and room for one that changes */
		if (w->done + w->now + 1 + NOW_MAX < PACKS_HEAD) {
			w->done += w->now;
			w->text[w->done++] = c;
		}
		w->now = 0;
	} else if (c == '\r') {
		w->ended = 1;
		return;
	} else {
		if (w->ended)
			w->now = 0;
		if (w->now < NOW_MAX && c != '\0')
			w->text[w->done + w->now++] = c;
	}
	w->ended = 0;
}

int packs_words_take(struct packs_words *w, int from, int file)
{
	char data[4096];
	ssize_t n = read(from, data, sizeof(data)), i;

	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -1;
	for (i = 0; i < n; i++)
		take_byte(w, data[i]);
	w->text[w->done + w->now] = '\0';
	return pwrite(file, w->text, w->done + w->now + 1, 0) < 0 ? -1 : 1;
}

void packs_words_give(struct packs_words *w, int file)
{
	char text[PACKS_HEAD];
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);
	size_t len, done;
	char *end;

	if (n <= 0)
		return;
	text[n] = '\0';
	len = strlen(text);
	end = memrchr(text, '\n', len);
	done = end != NULL ? (size_t)(end + 1 - text) : 0;
	if (done > w->done &&
	    write(STDERR_FILENO, text + w->done, done - w->done) < 0)
		return;
	w->done = done;
	/* the same again says nothing */
	if (len == done || !strcmp(w->text, text + done))
		return;
	memcpy(w->text, text + done, len - done + 1);
	text[len] = '\r';
	if (write(STDERR_FILENO, text + done, len + 1 - done) < 0)
		return;
}
