/*
 * Files that decide: takes a path and what fstat(2) said of it, tells who
 * could write it or put another in its place. Reads no file; changes nothing.
 */
#include "trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
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
