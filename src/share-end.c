/*
 * Ends masters of shared connections: those that are stopped, and all of a
 * state directory. Takes the mark in their environment (SHARE_MARK), since a
 * process that hangs tells nobody its number. Never signals another process.
 */
#include "share.h"
#include "share-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "config.h"
#include "log.h"
#include "proc.h"

/* SIGTERM to SIGKILL, and from there to giving up. */
#define GRACE_MS 1000
#define KILL_MS 2000
#define PAUSE_MS 20
/* All sockets together, at an end. */
#define ORDERS_MS 2000

struct hunt {
	const char *text; /* "NAME=VALUE", or how it begins */
	int whole;        /* all of it */
	int stopped_only;
	int sig;          /* for those that are found */
	int nr;           /* of them */
};

static int is_stopped(char state)
{
	return state == 'T' || state == 't';
}

int share_is_stopped(pid_t pid)
{
	int dir = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct proc p = { .pid = pid };
	int stopped;

	if (dir < 0)
		return 0;
	stopped = proc_stat(dir, &p) == 0 && is_stopped(p.state);
	close(dir);
	return stopped;
}

/* By pidfd, opened before it is looked at: its number may be given anew. */
static int look_at(void *arg, int dir, pid_t pid)
{
	struct hunt *h = arg;
	struct proc p = { .pid = pid };
	int fd = pidfd_open(pid, 0);

	if (fd < 0)
		return 0;
	if (pid != getpid() && proc_marked(dir, &p, h->text, h->whole) &&
	    p.state != 'Z' && (!h->stopped_only || is_stopped(p.state))) {
		h->nr++;
		pidfd_send_signal(fd, h->sig, NULL, 0);
	}
	close(fd);
	return 0;
}

int share_kill_stopped(const char *path)
{
	int64_t end = clock_ms() + KILL_MS;
	struct buf text = BUF_INIT;
	struct hunt h = { .whole = 1, .stopped_only = 1, .sig = SIGKILL };
	int found = 0;

	buf_addf(&text, SHARE_MARK "=%s", path);
	h.text = text.data;
	/* until it has gone, and with it what it had open */
	do {
		h.nr = 0;
		if (proc_each(look_at, &h) < 0)
			log_warn("/proc: %s", strerror(errno));
		found |= h.nr > 0;
		if (h.nr > 0)
			poll(NULL, 0, PAUSE_MS);
	} while (h.nr > 0 && clock_left(end) > 0);
	buf_clear(&text);
	return found && h.nr == 0;
}

void share_end_marked(const char *text)
{
	int64_t grace = clock_ms() + GRACE_MS, end = grace + KILL_MS;
	struct hunt h = { .text = text };

	for (;;) {
		h.nr = 0;
		h.sig = clock_left(grace) > 0 ? SIGTERM : SIGKILL;
		if (proc_each(look_at, &h) < 0 || h.nr == 0)
			return;
		if (clock_left(end) == 0)
			break;
		poll(NULL, 0, PAUSE_MS);
	}
	log_error("%d connections to upstreams cannot be ended; look for "
		  SHARE_MARK " in the environment of processes", h.nr);
}

/* A socket or what belongs to one; a master that listens there is told. */
static void end_one(const char *path, int64_t deadline)
{
	int fd = share_mux_open(path, deadline);

	if (fd >= 0) {
		share_mux_order(fd, MUX_C_TERMINATE, deadline);
		close(fd);
	}
}

/* The entries of the directory, for as long as there is time. */
static void each_entry(const char *dir, int64_t deadline, int last)
{
	struct buf path = BUF_INIT;
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d)) != NULL) {
		if (*entry->d_name == '.')
			continue;
		buf_reset(&path);
		buf_addf(&path, "%s/%s", dir, entry->d_name);
		if (last)
			unlink(path.data);
		else if (!strchr(entry->d_name, '.') &&
			 clock_left(deadline) > 0)
			end_one(path.data, clock_ms() + SHARE_ANSWER_MS);
	}
	if (d)
		closedir(d);
	buf_clear(&path);
}

/* Told first, since /proc may not show them; then those that did not listen,
   or that have no socket any more. */
void share_end_all(const struct config *c)
{
	struct buf dir = BUF_INIT, text = BUF_INIT;

	buf_addf(&dir, "%s" CONFIG_SHARE_DIR, c->state);
	if (access(dir.data, F_OK) == 0) {
		buf_addf(&text, SHARE_MARK "=%s/", dir.data);
		each_entry(dir.data, clock_ms() + ORDERS_MS, 0);
		share_end_marked(text.data);
		each_entry(dir.data, 0, 1);
	}
	buf_clear(&dir);
	buf_clear(&text);
}
