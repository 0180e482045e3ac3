/*
 * A pack that is kept, as the responder gives it: found by what a client was
 * sent of it, its size and its end, which has a checksum of all before it; so
 * nobody need tell us which it was, and it is no other. Read as it is on the
 * disk: what a client is sent of it has the same checksum at its end.
 */
#include "packs.h"
#include "packs-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

static atomic_uint_fast64_t opened;

uint64_t packs_kept_opened(void)
{
	return opened;
}

int packs_kept_read(int fd, uint64_t at, char *data, size_t n)
{
	while (n > 0) {
		ssize_t got = pread(fd, data, n, (off_t)(PACKS_HEAD + at));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		data += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static int is_it(int fd, const struct packs_kept *k)
{
	char last[PACKS_LAST];
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       packs_file_is_whole(&st) && k->size > sizeof(last) &&
	       (uint64_t)st.st_size == PACKS_HEAD + k->size &&
	       packs_kept_read(fd, k->size - sizeof(last), last,
			       sizeof(last)) == 0 &&
	       memcmp(last, k->last, sizeof(last)) == 0;
}

/* Not opened unless its size says that it may be. */
static int may_be(int dir, const char *name, const struct packs_kept *k)
{
	struct stat st;
	int fd, it_is;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !packs_file_is_whole(&st) ||
	    (uint64_t)st.st_size != PACKS_HEAD + k->size)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	it_is = fd >= 0 && is_it(fd, k);
	if (fd >= 0)
		close(fd);
	return it_is;
}

int packs_kept_find(const struct config *c, struct packs_kept *k)
{
	int fd = packs_dir(c), rc = -1;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (rc < 0 && (e = readdir(d)) != NULL)
		if (packs_is_key(e->d_name) && may_be(fd, e->d_name, k)) {
			memcpy(k->key, e->d_name, sizeof(k->key));
			rc = 0;
		}
	closedir(d);
	return rc;
}

int packs_kept_open(const struct config *c, const struct packs_kept *k)
{
	struct packs p = { .fd = packs_dir(c), .age_ms = c->packs_ms };
	int fd;

	if (p.fd < 0)
		return -1;
	memcpy(p.key, k->key, sizeof(p.key));
	fd = packs_file_find(&p);
	close(p.fd);
	if (fd >= 0 && !is_it(fd, k)) {
		close(fd);
		return -1;
	}
	if (fd >= 0)
		opened++;
	return fd;
}
