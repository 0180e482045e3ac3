/*
 * One pack's file: found, or begun. Locks of its open descriptions (fcntl(2),
 * F_OFD_SETLK) tell who is there, and end with them however they end: byte 0
 * is its maker's, all behind it its readers'. Begun and removed are they under
 * the lock of the directory, so that a file without either mark is nobody's.
 */
#include "packs.h"
#include "packs-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Who holds the directory's lock does little, and does not wait. */
#define LOCK_MS 200
/* A pack has a header and a trailer: gitformat-pack(5). */
#define PACK_LEAST (12 + 20)
/* Times of use are not told apart more finely. */
#define USE_S 1

int packs_lock(const struct packs *p)
{
	int waited = 0;

	while (flock(p->fd, LOCK_EX | LOCK_NB) < 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) ||
		    waited++ == LOCK_MS)
			return -1;
		poll(NULL, 0, 1);
	}
	return 0;
}

void packs_unlock(const struct packs *p)
{
	flock(p->fd, LOCK_UN);
}

static int lock(int fd, short type, off_t from, off_t n)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
			   .l_start = from, .l_len = n };

	return fcntl(fd, F_OFD_SETLK, &l);
}

int packs_file_alive(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			   .l_start = 0, .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

int packs_file_used(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			   .l_start = 1, .l_len = 0 };

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

int packs_file_alone(int maker)
{
	return lock(maker, F_WRLCK, 1, 0) == 0;
}

int packs_file_is_whole(const struct stat *st)
{
	return (st->st_mode & 07777) == PACKS_WHOLE;
}

int packs_file_whole(int maker)
{
	char head[4];
	struct stat st;

	if (fstat(maker, &st) < 0 || st.st_size < PACKS_HEAD + PACK_LEAST ||
	    pread(maker, head, sizeof(head), PACKS_HEAD) !=
		    (ssize_t)sizeof(head) ||
	    memcmp(head, "PACK", sizeof(head)) != 0)
		return -1;
	/* what was reserved and is not needed is given back */
	if (ftruncate(maker, st.st_size) < 0)
		return -1;
	return fchmod(maker, PACKS_WHOLE);
}

void packs_file_remove(const struct packs *p, int maker)
{
	struct stat named, ours;

	if (packs_lock(p) < 0)
		return; /* nobody's: the next one to look removes it */
	if (fstatat(p->fd, p->key, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstat(maker, &ours) == 0 && named.st_dev == ours.st_dev &&
	    named.st_ino == ours.st_ino)
		unlinkat(p->fd, p->key, 0);
	packs_unlock(p);
}

void packs_file_close(struct packs_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->maker >= 0)
		close(f->maker);
	*f = (struct packs_file)PACKS_FILE_INIT;
}

/* Returns 1: too old. Notes that it is used. */
static int use(const struct packs *p, int fd, const struct stat *st)
{
	static const struct timespec now[2] = { { .tv_nsec = UTIME_OMIT },
						{ .tv_nsec = UTIME_NOW } };
	int64_t s = time(NULL) - st->st_mtim.tv_sec;

	if (s > p->age_ms / 1000)
		return 1;
	if (s >= USE_S && futimens(fd, now) < 0)
		return 0; /* it goes a little sooner */
	return 0;
}

/*
 * Returns 1 when it can be read; 0: it is not there, or, with the lock of the
 * directory, was nobody's and is removed; -1: do without it.
 */
static int find(const struct packs *p, struct packs_file *f, int locked)
{
	struct stat st;

	f->fd = openat(p->fd, p->key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(f->fd, &st) < 0)
		return -1;
	if (lock(f->fd, F_RDLCK, 1, 0) == 0) {
		/* it is whole before its maker goes */
		if (!packs_file_is_whole(&st) && packs_file_alive(f->fd))
			return 1;
		if (fstat(f->fd, &st) == 0 && packs_file_is_whole(&st) &&
		    !use(p, f->fd, &st))
			return 1;
	}
	if (locked)
		unlinkat(p->fd, p->key, 0);
	packs_file_close(f);
	return 0;
}

/* With the lock of the directory. */
static int begin(const struct packs *p, struct packs_file *f)
{
	uint64_t need = PACKS_HEAD + packs_guess(p);

	if (packs_room(p, need) < 0)
		return -1;
	f->maker = openat(p->fd, p->key,
			  O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, PACKS_MAKING);
	if (f->maker < 0)
		return -1;
	f->fd = openat(p->fd, p->key, O_RDONLY | O_CLOEXEC);
	/* where nothing can be reserved the disk may still get full later */
	if (f->fd < 0 || lock(f->maker, F_WRLCK, 0, 1) < 0 ||
	    lock(f->fd, F_RDLCK, 1, 0) < 0 ||
	    (fallocate(f->maker, FALLOC_FL_KEEP_SIZE, 0, (off_t)need) < 0 &&
	     errno != EOPNOTSUPP && errno != ENOSYS)) {
		unlinkat(p->fd, p->key, 0);
		packs_file_close(f);
		return -1;
	}
	return 0;
}

int packs_file_open(const struct packs *p, struct packs_file *f)
{
	int rc = find(p, f, 0);

	if (rc == 0) {
		if (packs_lock(p) < 0)
			return -1;
		/* another may have been quicker */
		rc = find(p, f, 1);
		if (rc == 0)
			rc = begin(p, f) < 0 ? -1 : 1;
		packs_unlock(p);
	}
	if (rc < 0)
		packs_file_close(f);
	return rc < 0 ? -1 : 0;
}

int packs_file_find(const struct packs *p)
{
	int fd = openat(p->fd, p->key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return -1;
	if (lock(fd, F_RDLCK, 1, 0) == 0 && fstat(fd, &st) == 0 &&
	    packs_file_is_whole(&st) && !use(p, fd, &st))
		return fd;
	close(fd);
	return -1;
}
