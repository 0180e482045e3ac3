/*
 * Byte strings that grow. Takes bytes, gives them back NUL-terminated; reads
 * whole files up to a bound. Never logs.
 */
#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

char *buf_room(struct buf *b, size_t n)
{
	size_t need = b->len + n + 1;

	if (need > b->alloc) {
		size_t alloc = b->alloc + b->alloc / 2 + 64;

		b->alloc = alloc > need ? alloc : need;
		b->data = mem_resize(b->data, b->alloc, 1);
		b->data[b->len] = '\0';
	}
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t n)
{
	char *to = buf_room(b, n);

	if (n > 0)
		memcpy(to, data, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	buf_room(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

char *buf_take(struct buf *b)
{
	char *s;

	buf_room(b, 0); /* at least the NUL */
	s = b->data;
	*b = (struct buf)BUF_INIT;
	return s;
}

void buf_clear(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

int buf_read_fd(struct buf *b, int fd, size_t max)
{
	size_t got = 0;

	for (;;) {
		ssize_t n = read(fd, buf_room(b, 16384), 16384);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : 0;
		got += (size_t)n;
		if (got > max) {
			errno = EFBIG;
			return -1;
		}
		b->len += (size_t)n;
		b->data[b->len] = '\0';
	}
}

int buf_read_file(struct buf *b, const char *path, size_t max)
{
	/* O_NONBLOCK: a FIFO in a file's place must not hold us */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int rc, saved;

	if (fd < 0)
		return -1;
	rc = buf_read_fd(b, fd, max);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

int buf_write_new(const struct buf *b, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t at = 0;
	int saved;

	if (fd < 0)
		return -1;
	while (at < b->len) {
		ssize_t n = write(fd, b->data + at, b->len - at);

		if (n < 0 && errno != EINTR)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	saved = errno;
	if (close(fd) == 0 && at == b->len)
		return 0;
	unlink(path);
	errno = at == b->len ? errno : saved;
	return -1;
}
