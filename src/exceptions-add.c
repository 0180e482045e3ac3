/*
 * The file of accepted findings, one more in it. Takes an exception, replaces
 * the file by one that has it at the end: what was there keeps its bytes, the
 * comments too, so that a diff shows the new lines alone.
 */
#include "exceptions.h"
#include "exceptions-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "mem.h"

/* For others who add: a moment each; and how often to look, milliseconds. */
#define TURN_MS 10000
#define TURN_AGAIN_MS 10

static const char begin_of_file[] =
	"# Findings that pass the gate, see git-gate(1). `git-gate allow' adds to\n"
	"# this file; its lines may be changed and removed.\n";

static int fault(const char *file, const char *what)
{
	log_error("%s: %s: %s; the exception was not added", file, what,
		  strerror(errno));
	return -1;
}

/* A value of git-config(1): quoted, so that # and ; and blanks stay in it. */
static void add_value(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "\t%s = \"", key);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *value);
	}
	buf_adds(out, "\"\n");
}

static void add_time(struct buf *out, const char *key, int64_t when)
{
	buf_addf(out, "\t%s = ", key);
	exceptions_show_time(when, out);
	buf_addc(out, '\n');
}

/* Does the last line's value go on in the next one? Both ends of line count. */
static int goes_on(const struct buf *text)
{
	size_t n = text->len;

	if (n && text->data[n - 1] == '\n')
		n--;
	if (n && text->data[n - 1] == '\r')
		n--;
	return n && text->data[n - 1] == '\\';
}

void exceptions_append(struct buf *out, const struct exception *e)
{
	int blank = goes_on(out);

	if (!out->len)
		buf_adds(out, begin_of_file);
	else if (out->data[out->len - 1] != '\n')
		buf_addc(out, '\n');
	if (blank)
		buf_addc(out, '\n');
	buf_addf(out, "[exception \"%s\"]\n", e->fingerprint);
	add_value(out, "reason", e->reason);
	if (e->repo)
		add_value(out, "repo", e->repo);
	if (e->expires)
		add_time(out, "expires", e->expires);
	if (e->by)
		add_value(out, "by", e->by);
	if (e->date)
		add_time(out, "date", e->date);
}

static int write_all(int fd, const struct buf *b)
{
	size_t done = 0;
	ssize_t n;

	while (done < b->len) {
		n = write(fd, b->data + done, b->len - done);
		if (n < 0 && errno != EINTR)
			return -1;
		done += n > 0 ? (size_t)n : 0;
	}
	return fsync(fd);
}

/* As the old file, where there is one: root may add for the gate's user. */
static int set_owner(int fd, const char *file)
{
	struct stat old, new;

	if (stat(file, &old))
		return errno == ENOENT ? fchmod(fd, 0644) : -1;
	if (fstat(fd, &new))
		return -1;
	if ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) &&
	    fchown(fd, old.st_uid, old.st_gid) && geteuid() == 0)
		return -1;
	return fchmod(fd, old.st_mode & 0777);
}

/* The new file beside the old one, then in its place. */
static int replace(const char *file, const struct buf *text)
{
	struct buf temp = BUF_INIT;
	int fd, ret = 0;

	buf_addf(&temp, "%s.XXXXXX", file);
	fd = mkostemp(temp.data, O_CLOEXEC);
	if (fd < 0) {
		ret = fault(file, "its directory cannot be written");
	} else if (set_owner(fd, file) || write_all(fd, text) ||
	    rename(temp.data, file)) {
		ret = fault(file, "cannot be replaced");
		unlink(temp.data);
	}
	if (fd >= 0)
		close(fd);
	buf_clear(&temp);
	return ret;
}

/* What others could put there would decide: as trust.h, of what is to be. */
static int is_open(int dir)
{
	struct stat st;

	return fstat(dir, &st) || (st.st_mode & (S_IWGRP | S_IWOTH) &&
				   !(st.st_mode & S_ISVTX));
}

/* Another one writes for a moment only. 0, or -1 with errno. */
static int take_turn(int dir)
{
	int64_t deadline = clock_ms() + TURN_MS;

	while (flock(dir, LOCK_EX | LOCK_NB)) {
		if ((errno != EWOULDBLOCK && errno != EINTR) ||
		    !clock_left(deadline))
			return -1;
		poll(NULL, 0, TURN_AGAIN_MS);
	}
	return 0;
}

/* The directory that holds file, open and locked; or -1, logged. */
static int lock(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash ? mem_strndup(file, (size_t)(slash - file) + 1) :
			    mem_strdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		fault(file, errno == ENOENT ?
				    "the directory it is to be in" :
				    "its directory cannot be opened");
	else if (take_turn(fd))
		fault(file, errno == EWOULDBLOCK ?
				    "somebody else has locked its directory" :
				    "cannot be locked");
	else if (is_open(fd))
		log_error("%s: the directory %s can be written by its group "
			  "or by others; chmod go-w it, and allow again",
			  file, dir);
	else
		goto out;
	if (fd >= 0)
		close(fd);
	fd = -1;
out:
	free(dir);
	return fd;
}

/* With the directory locked. */
static int add(const char *file, const struct exception *e)
{
	struct exceptions old = { .file = mem_strdup(file) };
	struct exceptions new = { .file = mem_strdup(file) };
	struct buf text = BUF_INIT;
	int ret = -1;

	if (!exceptions_read(&old, &text)) {
		exceptions_append(&text, e);
		/* what does not load would refuse every push */
		if (!exceptions_parse(&new, &text))
			ret = replace(file, &text);
	}
	exceptions_clear(&old);
	exceptions_clear(&new);
	buf_clear(&text);
	return ret;
}

int exceptions_add(const char *file, const struct exception *e)
{
	/* a link, into a clone of the operator's, stays one */
	char *real = realpath(file, NULL);
	const char *at = real ? real : file;
	int fd = lock(at), ret = -1;

	if (fd >= 0) {
		ret = add(at, e);
		if (!ret && fsync(fd))
			ret = fault(file, "its directory cannot be synced");
		close(fd);
	}
	free(real);
	return ret;
}
