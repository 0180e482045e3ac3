/*
 * How far a scan is, for whoever waits at a terminal: takes counts, draws one
 * line on standard error, and wipes it. Writes nothing anywhere else.
 */
#include "cmd-scan-internal.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"

/* No more than ten times a second, and not for what is done at once. */
#define EVERY_MS 100
#define FIRST_MS 300
#define BAR_MAX 40

/* Columns of the terminal; 80 where it does not say. */
static unsigned columns(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) || !w.ws_col)
		return 80;
	return w.ws_col;
}

static void draw(size_t done, size_t total)
{
	char bar[BAR_MAX + 1], text[80];
	unsigned wide = columns(), room, full;
	double part = total ? (double)done / (double)total : 0;
	int n = snprintf(text, sizeof(text), " %3u%%  %zu of %zu",
			 (unsigned)(part * 100), done, total);

	/* "[" and "]", and the last column, in which a terminal may wrap */
	room = wide > (unsigned)n + 3 ? wide - (unsigned)n - 3 : 0;
	if (room > BAR_MAX)
		room = BAR_MAX;
	full = (unsigned)(part * room);
	for (unsigned i = 0; i < room; i++)
		bar[i] = i < full ? '#' : '.';
	bar[room] = '\0';
	if (room < 5)
		fprintf(stderr, "\r%.*s\033[K", (int)wide - 1, text + 1);
	else
		fprintf(stderr, "\r[%s]%s\033[K", bar, text);
}

void cmd_scan_progress(void *arg, size_t done, size_t total)
{
	struct scan_progress *p = arg;
	int64_t now = clock_ms();

	/* who comes while another draws has nothing newer to say */
	if (pthread_mutex_trylock(&p->mutex))
		return;
	if (!p->next_ms)
		p->next_ms = now + FIRST_MS;
	if (now >= p->next_ms) {
		p->next_ms = now + EVERY_MS;
		p->shown = 1;
		draw(done < total ? done : total, total);
	}
	pthread_mutex_unlock(&p->mutex);
}

void cmd_scan_progress_end(struct scan_progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = 0;
}
