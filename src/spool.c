/*
 * A request's body as it comes: a small one in memory, a larger one in a file.
 * Takes bytes, gives a descriptor to read them from, for whom, and whether all
 * are there, is the caller's; leaves no name in the file system, so nothing is
 * left over whatever ends us.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"

static int write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, data, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		data += done;
		n -= (size_t)done;
	}
	return 0;
}

/* A file that has no name, in dir. */
static int open_unnamed(const char *dir)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	/* the file system cannot: make a name and take it away */
	if (snprintf(path, sizeof(path), "%s/body-XXXXXX", dir) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* Go on in a file; what is in memory goes first. */
static int move_to_file(struct spool *s, const char *dir)
{
	int fd = open_unnamed(dir);
	off_t from = 0;

	if (fd < 0)
		return -1;
	while (s->fd >= 0 && (uint64_t)from < s->len) {
		ssize_t n = sendfile(fd, s->fd, &from, s->len - (size_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			return -1;
		}
	}
	if (s->fd >= 0)
		close(s->fd);
	s->fd = fd;
	s->in_file = 1;
	return 0;
}

int spool_add(struct spool *s, const char *dir, const void *data, size_t n)
{
	int rc = 0;

	if (!s->in_file && s->len + n > SPOOL_MEMORY)
		rc = move_to_file(s, dir);
	else if (s->fd < 0)
		rc = s->fd = memfd_create("git-gate-body", MFD_CLOEXEC);
	if (rc >= 0)
		rc = write_all(s->fd, data, n);
	if (rc < 0) {
		log_error("%s: cannot keep a request's body: %s; free space "
			  "there or set gate.spool", dir, strerror(errno));
		return -1;
	}
	s->len += n;
	return 0;
}

int spool_read(const struct spool *s, struct buf *out)
{
	char *to = buf_room(out, (size_t)s->len);

	if (s->fd >= 0 &&
	    pread(s->fd, to, (size_t)s->len, 0) != (ssize_t)s->len) {
		log_error("spool: a body cannot be read again");
		return -1;
	}
	out->len += (size_t)s->len;
	to[s->len] = '\0';
	return 0;
}

int spool_rewind(struct spool *s)
{
	if (s->fd < 0) /* an empty body */
		s->fd = memfd_create("git-gate-body", MFD_CLOEXEC);
	if (s->fd < 0 || lseek(s->fd, 0, SEEK_SET) < 0) {
		log_error("spool: %s", strerror(errno));
		return -1;
	}
	return s->fd;
}

void spool_clear(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct spool)SPOOL_INIT;
}
