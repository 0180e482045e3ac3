/*
 * The upstream's last answer, kept in a file inside the mirror: while the
 * upstream answers the same, nothing has to be fetched, and the file's time
 * says how fresh the mirror is. It is there only while the mirror's
 * references are exactly those of the answer.
 */
#include "mirror-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define SAVED "git-gate-upstream"
/* empty; its time of change is what counts */
#define ASKED "git-gate-asked"
/* likewise: when a session was last served from it */
#define USED "git-gate-used"
#define USED_MS 60000
/* likewise: when its maintenance was last given up */
#define SLOW "git-gate-slow"
/* likewise: when it was last seen to be whole */
#define KNOWN "git-gate-whole"
/* empty: it is there until what was taken away has come back */
#define MENDING "git-gate-mending"
#define SAVED_MAX ((size_t)256 << 20)

static void render(const struct mirror_job *j, struct buf *out)
{
	buf_addf(out, "ref: %s\tHEAD\n", j->head.len ? j->head.data : "");
	buf_add(out, j->refs.data, j->refs.len);
}

static int file_in(const char *dir, const char *name, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	if (n < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

int mirror_saved_equal(const struct mirror_job *j)
{
	struct buf old = BUF_INIT, new = BUF_INIT;
	char file[PATH_MAX];
	int same = 0;

	if (!file_in(j->path, SAVED, file) &&
	    !buf_read_file(&old, file, SAVED_MAX)) {
		render(j, &new);
		same = old.len == new.len && !memcmp(old.data, new.data,
						     old.len);
	}
	buf_clear(&old);
	buf_clear(&new);
	return same;
}

static int write_all(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t put = write(fd, s, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		s += put;
		n -= (size_t)put;
	}
	return 0;
}

int mirror_saved_write(const struct mirror_job *j, const char *dir)
{
	char file[PATH_MAX], new[PATH_MAX];
	struct buf text = BUF_INIT;
	int fd = -1, rc = -1;

	render(j, &text);
	if (!file_in(dir, SAVED, file) && !file_in(dir, SAVED ".new", new))
		fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0) {
		rc = write_all(fd, text.data, text.len);
		if (close(fd))
			rc = -1;
		if (!rc)
			rc = rename(new, file);
	}
	if (rc)
		log_error("%s/%s: cannot be written: %s", dir, SAVED,
			  strerror(errno));
	buf_clear(&text);
	return rc;
}

int mirror_saved_remove(const char *path)
{
	char file[PATH_MAX];

	if (!file_in(path, SAVED, file) &&
	    (!unlink(file) || errno == ENOENT))
		return 0;
	log_error("%s/%s: cannot be removed: %s", path, SAVED,
		  strerror(errno));
	return -1;
}

void mirror_saved_touch(const char *path)
{
	char file[PATH_MAX];

	/* At worst the mirror seems older than it is. */
	if (file_in(path, SAVED, file) || utimensat(AT_FDCWD, file, NULL, 0))
		log_warn("%s/%s: %s", path, SAVED, strerror(errno));
}

/* Milliseconds since a file was changed; -1: not there, or in the future. */
static int64_t age_of(const char *file)
{
	struct timespec now;
	struct stat st;
	int64_t ms;

	if (stat(file, &st))
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	ms = (int64_t)(now.tv_sec - st.st_mtim.tv_sec) * 1000 +
	     (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
	return ms < 0 ? -1 : ms;
}

int64_t mirror_saved_age(const char *path)
{
	char file[PATH_MAX];

	return file_in(path, SAVED, file) ? -1 : age_of(file);
}

/* An empty file whose time of change is now. */
static void mark(const char *path, const char *name)
{
	char file[PATH_MAX];
	int fd = -1;

	if (!file_in(path, name, file))
		fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			  0600);
	if (fd < 0 || futimens(fd, NULL))
		log_warn("%s/%s: %s", path, name, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void mirror_saved_asked(const char *path)
{
	mark(path, ASKED);
}

int64_t mirror_saved_asked_age(const char *path)
{
	char file[PATH_MAX];

	return file_in(path, ASKED, file) ? -1 : age_of(file);
}

void mirror_saved_slow(const char *path)
{
	mark(path, SLOW);
}

int64_t mirror_saved_slow_age(const char *path)
{
	char file[PATH_MAX];

	return file_in(path, SLOW, file) ? -1 : age_of(file);
}

static int64_t began_ms = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void begin(void)
{
	began_ms = clock_ms();
}

int mirror_saved_is_known(const char *path)
{
	char file[PATH_MAX];
	int64_t ms;

	pthread_once(&once, begin);
	ms = file_in(path, KNOWN, file) ? -1 : age_of(file);
	/* at worst it is looked at once more */
	return ms >= 0 && ms < clock_ms() - began_ms;
}

void mirror_saved_known(const char *path)
{
	char file[PATH_MAX];

	if (!mirror_saved_is_known(path))
		mark(path, KNOWN);
	if (!file_in(path, MENDING, file) && unlink(file) && errno != ENOENT)
		log_warn("%s: %s", file, strerror(errno));
}

int mirror_saved_mending(const char *path)
{
	mark(path, MENDING);
	return mirror_saved_is_mending(path) ? 0 : -1;
}

int mirror_saved_is_mending(const char *path)
{
	char file[PATH_MAX];

	return file_in(path, MENDING, file) || !access(file, F_OK);
}

int mirror_saved_agrees(const char *path)
{
	struct buf old = BUF_INIT, now = BUF_INIT;
	char file[PATH_MAX];
	int same = 1;

	if (!file_in(path, SAVED, file) &&
	    !buf_read_file(&old, file, SAVED_MAX) &&
	    !mirror_refs_read(path, &now)) {
		size_t head = old.len ? strcspn(old.data, "\n") : 0;

		if (now.len)
			mirror_git_sort(&now);
		same = head < old.len && old.len - head - 1 == now.len &&
		       (!now.len ||
			!memcmp(old.data + head + 1, now.data, now.len));
	}
	buf_clear(&old);
	buf_clear(&now);
	return same;
}

int64_t mirror_saved_any_age(const char *path)
{
	int64_t ms = mirror_saved_asked_age(path);

	return ms < 0 ? 0 : ms;
}

void mirror_saved_used(const char *path)
{
	char file[PATH_MAX];
	int64_t ms = file_in(path, USED, file) ? -1 : age_of(file);

	if ((ms < 0 || ms >= USED_MS) && mirror_path_is_bare(path))
		mark(path, USED);
}

int64_t mirror_saved_used_age(const char *path)
{
	char file[PATH_MAX];
	int64_t ms = file_in(path, USED, file) ? -1 : age_of(file);

	/* not since it was made, or made before this was written down */
	if (ms < 0)
		ms = mirror_saved_asked_age(path);
	if (ms < 0)
		ms = age_of(path);
	return ms < 0 ? 0 : ms;
}
