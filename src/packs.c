/*
 * The directory of packs, as the responder has it: made and emptied at the
 * start, so that nothing half made is ever taken for whole; told of in the
 * environment of git; kept within its bounds while nobody asks for one.
 */
#include "packs.h"
#include "packs-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "config.h"
#include "env.h"
#include "log.h"
#include "proc.h"

/* From SIGKILL to the end of a process that writes. */
#define END_MS 2000
#define PAUSE_MS 5

/* Whether it could be emptied at the start: set once, before any thread. */
static int is_open;

static void path_of(struct buf *path, const struct config *c)
{
	buf_addf(path, "%s" PACKS_DIR, c->state);
}

static int open_dir(const struct config *c)
{
	struct buf path = BUF_INIT;
	int fd;

	path_of(&path, c);
	fd = open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	buf_clear(&path);
	return fd;
}

/* Returns 0 or -1 with errno set. */
static int empty(int fd)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (d == NULL) {
		close(fd);
		return -1;
	}
	while (rc == 0 && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = unlinkat(fd, e->d_name, 0);
	closedir(d);
	return rc;
}

void packs_open(const struct config *c)
{
	struct buf path = BUF_INIT;
	int fd = -1;

	path_of(&path, c);
	if (mkdir(path.data, 0700) == 0 || errno == EEXIST)
		fd = open_dir(c);
	is_open = fd >= 0 && fchmod(fd, 0700) == 0 && empty(fd) == 0;
	if (!is_open)
		log_error("%s: %s; no packs are kept, let the gate's user "
			  "write there", path.data, strerror(errno));
	buf_clear(&path);
}

void packs_env(struct env *e, const struct config *c)
{
	struct buf hook = BUF_INIT;

	buf_addf(&hook, "%s/git-gate-pack", c->libexec);
	if (is_open && c->packs > 0 && hook.data[0] == '/' &&
	    strpbrk(hook.data, CONFIG_SHELL_BYTES) == NULL &&
	    access(hook.data, X_OK) == 0) {
		env_config(e, "uploadpack.packObjectsHook", hook.data);
		env_set(e, PACKS_ENV_GIT, c->git);
		env_setf(e, PACKS_ENV_DIR, "%s" PACKS_DIR, c->state);
		env_setf(e, PACKS_ENV_SIZE, "%" PRIu64, c->packs);
		env_setf(e, PACKS_ENV_AGE, "%" PRId64, c->packs_ms);
		env_setf(e, PACKS_ENV_TOTAL, "%" PRId64, c->total_ms);
		env_setf(e, PACKS_ENV_PID, "%d", (int)getpid());
	}
	buf_clear(&hook);
}

int packs_dir(const struct config *c)
{
	return is_open && c->packs > 0 ? open_dir(c) : -1;
}

/* Returns 0 or -1. */
static int look(const struct config *c, struct packs_look *l)
{
	struct packs p = { .fd = is_open ? open_dir(c) : -1 };
	int removes = l->size != UINT64_MAX, rc = -1;

	if (p.fd < 0)
		return -1;
	if (!removes || packs_lock(&p) == 0)
		rc = packs_look(p.fd, l);
	close(p.fd); /* and with it the lock */
	return rc;
}

size_t packs_tidy(const struct config *c)
{
	struct packs_look l = { .size = c->packs, .age_ms = c->packs_ms };

	return !is_open ? 0 : look(c, &l) ? 1 : l.nr;
}

int packs_count(const struct config *c, size_t *nr, uint64_t *bytes)
{
	struct packs_look l = { .size = UINT64_MAX };
	int rc = look(c, &l);

	*nr = l.nr;
	*bytes = l.bytes;
	return rc;
}

struct hunt {
	const char *mark;
	unsigned nr; /* found in this look */
};

/* A maker, or its git, in the group of the one that is ours. */
static int end_one(void *arg, int dir, pid_t pid)
{
	struct hunt *h = arg;
	struct proc p = { .pid = pid };

	if (proc_stat(dir, &p) < 0 || p.parent != getpid() ||
	    p.state == 'Z' || p.group == getpgrp() ||
	    !proc_marked(dir, &p, h->mark, 1))
		return 0;
	kill(-p.group, SIGKILL);
	h->nr++;
	return 0;
}

void packs_end(const struct config *c)
{
	int64_t deadline = clock_ms() + END_MS;
	struct buf mark = BUF_INIT;
	struct hunt h;

	if (!is_open)
		return;
	buf_addf(&mark, PACKS_ENV_DIR "=%s" PACKS_DIR, c->state);
	h.mark = mark.data;
	do {
		h.nr = 0;
		if (proc_each(end_one, &h) < 0 || h.nr == 0)
			break;
		poll(NULL, 0, PAUSE_MS);
	} while (clock_left(deadline) > 0);
	buf_clear(&mark);
}
