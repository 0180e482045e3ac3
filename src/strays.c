/*
 * Ends what an earlier responder left running when it was killed. Takes the
 * state directory, by which every git of ours is marked in its environment
 * (gitenv.h), and looks through /proc for processes of our user that bear it;
 * ends their process groups, bounded. Never ends a process group of its own,
 * nor one that made itself a session: a daemon, which some upstream's hook
 * may have started.
 */
#include "strays.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "config.h"
#include "gitenv.h"
#include "log.h"
#include "mem.h"

/* SIGTERM to SIGKILL, and from there to giving up. */
#define GRACE_MS 2000
#define KILL_MS 3000
/* From one look to the next. */
#define PAUSE_MS 20
/* Larger than an environment that we make, and than a line of stat. */
#define ENVIRONMENT_MAX ((size_t)1 << 20)
#define STAT_MAX 4096

struct pids {
	pid_t *list;
	size_t nr, alloc;
};

struct strays {
	int proc;           /* /proc */
	struct buf mark;    /* NAME=STATE and its NUL */
	struct pids groups; /* that have been found, and told to end */
	struct pids seen;   /* processes */
};

/* One process, as /proc/PID/stat has it (proc(5)). */
struct process {
	pid_t pid, parent, group, session;
	char state;
};

static int has(const struct pids *p, pid_t pid)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		if (p->list[i] == pid)
			return 1;
	return 0;
}

static void add(struct pids *p, pid_t pid)
{
	if (has(p, pid))
		return;
	MEM_GROW(p->list, p->nr, p->alloc);
	p->list[p->nr++] = pid;
}

/* Returns 0, or -1: it is not there, or not for us to read. */
static int read_file(const struct strays *s, pid_t pid, const char *name,
		     size_t max, struct buf *out)
{
	struct buf path = BUF_INIT;
	int fd, rc = -1;

	buf_addf(&path, "%d/%s", (int)pid, name);
	fd = openat(s->proc, path.data, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		rc = buf_read_fd(out, fd, max);
		close(fd);
	}
	buf_clear(&path);
	return rc;
}

/* "PID (NAME) STATE PPID PGRP SESSION ...", any byte in the name. */
static int read_stat(const struct strays *s, struct process *p)
{
	struct buf text = BUF_INIT;
	int rc = read_file(s, p->pid, "stat", STAT_MAX, &text);
	char *at = rc == 0 && text.len > 0 ? strrchr(text.data, ')') : NULL;

	rc = -1;
	if (at != NULL && at[1] == ' ' && at[2] != '\0') {
		p->state = at[2];
		at += 3;
		p->parent = (pid_t)strtol(at, &at, 10);
		p->group = (pid_t)strtol(at, &at, 10);
		p->session = (pid_t)strtol(at, &at, 10);
		rc = 0;
	}
	buf_clear(&text);
	return rc;
}

/* Of our user, as far as /proc tells? What cannot be traced belongs to root. */
static int is_of_our_user(const struct strays *s, pid_t pid)
{
	char name[16];
	struct stat st;

	snprintf(name, sizeof(name), "%d", (int)pid);
	return fstatat(s->proc, name, &st, 0) == 0 && st.st_uid == geteuid();
}

static int has_mark(const struct strays *s, pid_t pid)
{
	struct buf text = BUF_INIT;
	const char *at;
	int found = 0;

	if (read_file(s, pid, "environ", ENVIRONMENT_MAX, &text) == 0 &&
	    text.len > 0) {
		at = memmem(text.data, text.len, s->mark.data, s->mark.len);
		/* the whole of a variable */
		found = at != NULL && (at == text.data || at[-1] == '\0');
	}
	buf_clear(&text);
	return found;
}

/*
 * Does it bear the mark? The pidfd is opened first and still refers to a
 * running process at the end, so all that was read is of one process, and its
 * group is there when this returns.
 */
static int is_marked(const struct strays *s, struct process *p)
{
	struct pollfd ended = { .events = POLLIN };
	int found;

	ended.fd = pidfd_open(p->pid, 0);
	if (ended.fd < 0)
		return 0;
	found = is_of_our_user(s, p->pid) && has_mark(s, p->pid) &&
		read_stat(s, p) == 0 && poll(&ended, 1, 0) == 0;
	close(ended.fd);
	return found;
}

/* Marked or not, is it one that we must leave alone? */
static int is_ours(const struct process *p)
{
	return p->pid == getpid() || p->parent == getpid() ||
	       p->group == getpgrp() || p->group <= 1 ||
	       p->group == p->session;
}

/* Returns 1 when it is a stray, which has then been told to end. */
static int look_at(struct strays *s, pid_t pid, int sig)
{
	struct process p = { .pid = pid };
	int known;

	/* a zombie is its parent's to reap */
	if (read_stat(s, &p) < 0 || p.state == 'Z' || is_ours(&p))
		return 0;
	/* with its leader goes what shows no environment, as our hook */
	known = has(&s->groups, p.group);
	if (!known && (!is_marked(s, &p) || is_ours(&p)))
		return 0;
	add(&s->groups, p.group);
	add(&s->seen, pid);
	/* once SIGTERM: a second would stop git from tidying up */
	if (!known || sig == SIGKILL)
		kill(-p.group, sig);
	return 1;
}

/* Returns how many there are. */
static unsigned look(struct strays *s, DIR *dir, int sig)
{
	struct dirent *entry;
	unsigned nr = 0;

	rewinddir(dir);
	while ((entry = readdir(dir)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			nr += (unsigned)look_at(
				s, (pid_t)strtol(entry->d_name, NULL, 10),
				sig);
	return nr;
}

static void end_all(struct strays *s, DIR *dir)
{
	int64_t grace = clock_ms() + GRACE_MS, end = grace + KILL_MS;
	unsigned nr;

	for (;;) {
		nr = look(s, dir, clock_left(grace) > 0 ? SIGTERM : SIGKILL);
		if (nr == 0 || clock_left(end) == 0)
			break;
		poll(NULL, 0, PAUSE_MS);
	}
	if (s->seen.nr > 0)
		log_warn("an earlier git-gated was killed; %zu processes that "
			 "it had left running were ended", s->seen.nr - nr);
	if (nr > 0)
		log_error("%u processes of an earlier git-gated cannot be "
			  "ended; look for " GITENV_MARK " in their "
			  "environment", nr);
}

void strays_end(const struct config *c)
{
	struct strays s = { .mark = BUF_INIT };
	DIR *dir = opendir("/proc");

	if (dir == NULL) {
		log_warn("/proc: %s: what an earlier git-gated may have left "
			 "running is not looked for", strerror(errno));
		return;
	}
	s.proc = dirfd(dir);
	buf_addf(&s.mark, GITENV_MARK "=%s", c->state);
	buf_addc(&s.mark, '\0');
	end_all(&s, dir);
	closedir(dir);
	buf_clear(&s.mark);
	free(s.groups.list);
	free(s.seen.list);
}
