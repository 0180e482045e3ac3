/*
 * What /proc knows of processes: takes numbers, gives state, group and whether
 * a variable of ours is in their environment. Looks only; never sends a
 * signal, and believes nothing of another user's process.
 */
#include "proc.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"

/* Larger than an environment that we make, and than a line of stat. */
#define ENVIRONMENT_MAX ((size_t)1 << 20)
#define STAT_MAX 4096

/* Returns 0, or -1: it is not there, or not for us to read. */
static int read_file(int dir, pid_t pid, const char *name, size_t max,
		     struct buf *out)
{
	char path[64];
	int fd, rc = -1;

	snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		rc = buf_read_fd(out, fd, max);
		close(fd);
	}
	return rc;
}

/* "PID (NAME) STATE PPID PGRP SESSION ...", any byte in the name. */
int proc_stat(int dir, struct proc *p)
{
	struct buf text = BUF_INIT;
	int rc = read_file(dir, p->pid, "stat", STAT_MAX, &text);
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

/* As far as /proc tells; what cannot be traced belongs to root. */
static int is_of_our_user(int dir, pid_t pid)
{
	char name[16];
	struct stat st;

	snprintf(name, sizeof(name), "%d", (int)pid);
	return fstatat(dir, name, &st, 0) == 0 && st.st_uid == geteuid();
}

static int has_variable(int dir, pid_t pid, const char *text, int whole)
{
	struct buf env = BUF_INIT;
	size_t n = strlen(text) + (whole ? 1 : 0); /* with its NUL */
	const char *at, *end;
	int found = 0;

	if (read_file(dir, pid, "environ", ENVIRONMENT_MAX, &env) == 0 &&
	    env.len > 0) {
		end = env.data + env.len;
		for (at = env.data; !found && at < end;
		     at += strnlen(at, (size_t)(end - at)) + 1)
			found = (size_t)(end - at) >= n &&
				memcmp(at, text, n) == 0;
	}
	buf_clear(&env);
	return found;
}

/*
 * The pidfd is opened first and still refers to a running process at the end,
 * so all that was read is of one process.
 */
int proc_marked(int dir, struct proc *p, const char *text, int whole)
{
	struct pollfd ended = { .events = POLLIN };
	int found;

	ended.fd = pidfd_open(p->pid, 0);
	if (ended.fd < 0)
		return 0;
	found = is_of_our_user(dir, p->pid) &&
		has_variable(dir, p->pid, text, whole) &&
		proc_stat(dir, p) == 0 && poll(&ended, 1, 0) == 0;
	close(ended.fd);
	return found;
}

int proc_each(int (*fn)(void *arg, int dir, pid_t pid), void *arg)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int rc = 0;

	if (dir == NULL)
		return -1;
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			rc = fn(arg, dirfd(dir),
				(pid_t)strtol(entry->d_name, NULL, 10));
	closedir(dir);
	return rc;
}
