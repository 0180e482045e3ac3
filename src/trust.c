/*
 * Files that decide: takes a path and what fstat(2) said of it, tells who
 * could write it or put another in its place; or reads one of which nobody
 * could. Changes nothing.
 */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "mem.h"

struct trust {
	trust_fn *fn;
	void *arg;
	int faults;
};

static void tell(struct trust *t, const char *what)
{
	t->faults++;
	t->fn(t->arg, what);
}

static void check_file(struct trust *t, const struct stat *st)
{
	char what[160];

	if (st->st_mode & (S_IWGRP | S_IWOTH))
		tell(t, "the file can be written by its group or by others; "
			"chmod go-w it");
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return;
	snprintf(what, sizeof(what),
		 "the file belongs to user %u; only root's and those of the "
		 "user who runs this are trusted: chown it",
		 (unsigned)st->st_uid);
	tell(t, what);
}

/*
 * Who can write the directory can put another file there. Not so in a sticky
 * one, where others cannot touch what is not theirs.
 */
static void check_holder(struct trust *t, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct buf what = BUF_INIT;
	struct stat st;
	char *dir;

	dir = slash ? mem_strndup(path, (size_t)(slash - path) + 1) :
		      mem_strdup(".");
	if (!stat(dir, &st) && st.st_mode & (S_IWGRP | S_IWOTH) &&
	    !(st.st_mode & S_ISVTX)) {
		buf_addf(&what, "the directory %s that holds the file can be "
			 "written by its group or by others; chmod go-w it",
			 dir);
		tell(t, what.data);
	}
	buf_clear(&what);
	free(dir);
}

int trust_check(const char *path, const struct stat *st, trust_fn *fn,
		void *arg)
{
	struct trust t = { .fn = fn, .arg = arg };
	struct stat link;
	char *real;

	check_file(&t, st);
	check_holder(&t, path);
	if (!lstat(path, &link) && S_ISLNK(link.st_mode)) {
		real = realpath(path, NULL);
		if (real)
			check_holder(&t, real);
		free(real);
	}
	return t.faults;
}

static void distrust(void *arg, const char *what)
{
	log_error("%s:1: %s", (const char *)arg, what);
}

static int read_open(const char *path, int fd, const char *what, size_t max,
		     struct buf *out)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		log_error("%s: not a regular file; name the file of %s itself",
			  path, what);
		return -1;
	}
	if (trust_check(path, &st, distrust, (void *)(uintptr_t)path))
		return -1;
	if (!buf_read_fd(out, fd, max))
		return 0;
	log_error("%s: %s cannot be read: %s", path, what, strerror(errno));
	return -1;
}

int trust_read(const char *path, const char *what, size_t max, struct buf *out)
{
	/* O_NONBLOCK: opening a FIFO would wait for its other end */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int ret;

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0) {
		log_error("%s: %s cannot be read: %s; let the gate's user read "
			  "the file", path, what, strerror(errno));
		return -1;
	}
	ret = read_open(path, fd, what, max, out);
	close(fd);
	return ret;
}
