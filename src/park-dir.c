/*
 * The directory of parked pushes: who may write in it now, what is in it, and
 * what was left half-written. Takes the configuration; only names that are
 * ours are touched.
 */
#include "park-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "log.h"

/* From one look at a lock that another has to the next. */
#define LOOK_MS 20

const char *park_dir_file(const struct config *c, const char *name,
			  const char *after, struct buf *out)
{
	buf_reset(out);
	buf_addf(out, "%s/%s%s", c->park, name, after);
	return out->data;
}

/* 16 hexadecimal digits, session.h. */
int park_dir_id_ok(const char *id)
{
	return strlen(id) == 16 && strspn(id, "0123456789abcdef") == 16;
}

int park_dir_lock(const struct config *c, const char *name, int64_t wait_ms,
		  int *busy)
{
	int64_t deadline = clock_ms() + wait_ms;
	struct buf path = BUF_INIT;
	int fd = open(park_dir_file(c, name, "", &path),
		      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = fd < 0 ? -1 : flock(fd, LOCK_EX | LOCK_NB);

	*busy = 0;
	while (fd >= 0 && rc && (errno == EWOULDBLOCK || errno == EINTR) &&
	       clock_left(deadline)) {
		poll(NULL, 0, LOOK_MS);
		rc = flock(fd, LOCK_EX | LOCK_NB);
	}
	if (rc) {
		*busy = fd >= 0 && errno == EWOULDBLOCK;
		if (!*busy)
			log_error("%s: cannot be locked: %s; is [push] park a "
				  "directory of the gate's user?", path.data,
				  strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	buf_clear(&path);
	return fd;
}

static int ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

/* Is it ID and this? */
static int is_named(const char *name, const char *after)
{
	char id[17];

	if (strlen(name) != 16 + strlen(after) || !ends_in(name, after))
		return 0;
	memcpy(id, name, 16);
	id[16] = '\0';
	return park_dir_id_ok(id);
}

static DIR *open_dir(const struct config *c)
{
	DIR *d = opendir(c->park);

	if (!d)
		log_error("%s: cannot be read: %s", c->park, strerror(errno));
	return d;
}

/*
 * Is it the note of a push that needs a bundle and has none? Its writer was
 * ended between two renames, or who removed both between the two.
 */
static int lacks_bundle(const struct config *c, const char *name)
{
	struct buf note = BUF_INIT, bundle = BUF_INIT;
	struct park p;
	int lacks = 0;

	park_dir_file(c, name, "", &note);
	/* in the place of ".push" */
	buf_addf(&bundle, "%.*s.bundle", (int)note.len - 5, note.data);
	if (access(bundle.data, F_OK) && errno == ENOENT &&
	    !park_note_read(note.data, &p)) {
		lacks = p.bundle != 0;
		park_note_clear(&p);
	}
	buf_clear(&note);
	buf_clear(&bundle);
	return lacks;
}

void park_dir_tidy(const struct config *c)
{
	DIR *d = open_dir(c);
	const struct dirent *e;

	while (d && (e = readdir(d))) {
		if (!is_named(e->d_name, ".push.tmp") &&
		    !is_named(e->d_name, ".bundle.tmp") &&
		    !(is_named(e->d_name, ".push") &&
		      lacks_bundle(c, e->d_name)))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0))
			log_error("%s/%s: cannot be removed: %s", c->park,
				  e->d_name, strerror(errno));
		else
			log_warn("%s/%s: removed; its writer was ended before "
				 "it was whole", c->park, e->d_name);
	}
	if (d)
		closedir(d);
}

int park_count(const struct config *c, unsigned *pushes, uint64_t *bytes)
{
	DIR *d = opendir(c->park);
	const struct dirent *e;
	struct stat st;

	*pushes = 0;
	*bytes = 0;
	while (d && (e = readdir(d))) {
		int note = is_named(e->d_name, ".push");

		if (!note && !is_named(e->d_name, ".bundle"))
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue; /* delivered meanwhile */
		*pushes += (unsigned)note;
		*bytes += (uint64_t)st.st_size;
	}
	if (!d)
		return errno == ENOENT ? 0 : -1;
	closedir(d);
	return 0;
}

int park_dir_ids(const struct config *c, struct buf *out)
{
	DIR *d = opendir(c->park);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (is_named(e->d_name, ".push") ||
		    is_named(e->d_name, ".bundle"))
			buf_addf(out, "%.16s\n", e->d_name);
	if (!d)
		return errno == ENOENT ? 0 : -1;
	closedir(d);
	return 0;
}

int park_dir_sync(const struct config *c)
{
	int fd = open(c->park, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (rc)
		log_error("%s: cannot be synchronised: %s", c->park,
			  strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}
