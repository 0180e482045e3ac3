/*
 * What git looks at when it tells of a repository's references: takes a
 * repository's path, gives what is seen of each such file and directory, and
 * whether all is as it was. Reads no reference's value but to see whether it
 * leads to a file that would have to be looked at too.
 */
#include "advert-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"

/* Files and directories of references; with more git is nearly as quick. */
#define SEEN_MAX 1000
/* Directories in directories; a name of git's has 255 bytes or fewer. */
#define DEPTH_MAX 128
/* A configuration or a loose reference that is read; larger is strange. */
#define CONFIG_MAX (1 << 20)
#define REF_MAX 4096
#define ZFS_MAGIC 0x2fc12fc1

/*
 * File systems of this machine, whose times are set by its own clock and whose
 * stat(2) is never answered from what was true a second ago.
 */
static const unsigned long local_magic[] = {
	EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC,
	OVERLAYFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, ZFS_MAGIC,
};

/* A look under way. */
struct look {
	struct advert_state *s;
	int dir; /* the repository */
	uint64_t dev;
};

static const char *path_of(const struct advert_state *s,
			   const struct state_seen *seen)
{
	return s->paths.data + seen->path;
}

/* Returns 0, mode 0 where nothing is; -1: nobody can tell. */
static int look_at(int dir, const char *path, struct state_seen *seen)
{
	struct stat st;
	/* what an absolute path names may be behind links, ours may not */
	int flags = *path == '/' ? 0 : AT_SYMLINK_NOFOLLOW;

	if (fstatat(dir, path, &st, flags) == 0) {
		advert_judge_fill(seen, &st);
		return 0;
	}
	seen->mode = 0;
	return errno == ENOENT ? 0 : -1;
}

/* Look at path and keep what is seen, at *seen until the next one. */
static enum state_is add(struct look *l, const char *path, enum state_how how,
			 struct state_seen **seen)
{
	struct advert_state *s = l->s;
	struct state_seen new = { .how = how, .path = s->paths.len };

	if (s->nr >= SEEN_MAX || look_at(l->dir, path, &new) < 0)
		return STATE_STRANGE;
	buf_add(&s->paths, path, strlen(path) + 1);
	MEM_GROW(s->seen, s->nr, s->alloc);
	s->seen[s->nr] = new;
	*seen = &s->seen[s->nr++];
	return advert_judge_settled(*seen, s->at) ? STATE_GOOD : STATE_YOUNG;
}

/* The worse of two. */
static enum state_is worse(enum state_is a, enum state_is b)
{
	return a > b ? a : b;
}

/* Not larger than max, and nothing in it that leads elsewhere. */
static enum state_is read_one(const struct look *l, const char *path,
			      size_t max,
			      int (*strange)(const char *text, size_t n))
{
	struct buf text = BUF_INIT;
	int fd = openat(l->dir, path,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc = fd < 0 ? -1 : buf_read_fd(&text, fd, max);

	if (fd >= 0)
		close(fd);
	if (rc == 0 && text.len > 0)
		rc = strange(text.data, text.len);
	buf_clear(&text);
	return rc == 0 ? STATE_GOOD : STATE_STRANGE;
}

/* A regular file that is read, or nothing at all. */
static enum state_is add_file(struct look *l, const char *path, size_t max,
			      int (*strange)(const char *text, size_t n))
{
	struct state_seen *seen = NULL;
	enum state_is is = add(l, path, HOW_CONTENT, &seen);

	if (is == STATE_STRANGE || seen->mode == 0)
		return is;
	if (!S_ISREG(seen->mode))
		return STATE_STRANGE;
	return strange ? worse(is, read_one(l, path, max, strange)) : is;
}

static enum state_is add_refs(struct look *l, const char *path, int depth);

static enum state_is add_entry(struct look *l, const char *path, int depth)
{
	struct state_seen seen;

	if (look_at(l->dir, path, &seen) < 0)
		return STATE_STRANGE;
	if (S_ISDIR(seen.mode))
		return add_refs(l, path, depth + 1);
	return add_file(l, path, REF_MAX, advert_judge_ref);
}

static enum state_is read_dir(struct look *l, DIR *d, const char *path,
			      int depth)
{
	enum state_is is = STATE_GOOD;
	struct buf sub = BUF_INIT;
	struct dirent *e;

	while (is != STATE_STRANGE && (e = readdir(d)) != NULL) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		buf_reset(&sub);
		buf_addf(&sub, "%s/%s", path, e->d_name);
		is = worse(is, add_entry(l, sub.data, depth));
	}
	buf_clear(&sub);
	return is;
}

/*
 * A directory of references, looked at before it is read: an entry that comes
 * or goes later changes its times, so it need not be read again.
 */
static enum state_is add_refs(struct look *l, const char *path, int depth)
{
	struct state_seen *seen = NULL;
	enum state_is is = add(l, path, HOW_CONTENT, &seen);
	int fd;
	DIR *d;

	if (is == STATE_STRANGE || !S_ISDIR(seen->mode) || depth > DEPTH_MAX ||
	    seen->dev != l->dev)
		return STATE_STRANGE;
	fd = openat(l->dir, path,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return STATE_STRANGE;
	}
	is = worse(is, read_dir(l, d, path, depth));
	closedir(d);
	return is;
}

/* It must be a directory, on a file system that we know. */
static enum state_is add_directory(struct look *l, const char *path,
				   enum state_how how)
{
	struct state_seen *seen = NULL;
	enum state_is is = add(l, path, how, &seen);

	return is == STATE_STRANGE || S_ISDIR(seen->mode) ? is : STATE_STRANGE;
}

/* It must not be there: with it git looks in places that we do not know. */
static enum state_is add_nothing(struct look *l, const char *path)
{
	struct state_seen *seen = NULL;

	return add(l, path, HOW_CONTENT, &seen) == STATE_GOOD &&
	       seen->mode == 0 ? STATE_GOOD : STATE_STRANGE;
}

/*
 * What each git looks at to find out that this is a repository, and how it is
 * set up. While it does so no name may come and go in the repository itself:
 * that would show in its times.
 */
static enum state_is add_setup(struct look *l)
{
	enum state_is is = add_directory(l, ".", HOW_WHILE);

	if (is == STATE_STRANGE)
		return is;
	l->dev = l->s->seen[l->s->nr - 1].dev;
	is = worse(is, add_nothing(l, ".git"));
	is = worse(is, add_nothing(l, "commondir"));
	is = worse(is, add_nothing(l, "reftable"));
	is = worse(is, add_file(l, "HEAD", REF_MAX, advert_judge_ref));
	is = worse(is, add_file(l, "config", CONFIG_MAX,
				advert_judge_config));
	return worse(is, add_file(l, "config.worktree", CONFIG_MAX,
				  advert_judge_config));
}

/* A directory, if it is there, of the file system that we know. */
static enum state_is add_store(struct look *l, const char *path)
{
	struct state_seen seen;

	if (look_at(l->dir, path, &seen) < 0 ||
	    (seen.mode != 0 && seen.dev != l->dev))
		return STATE_STRANGE;
	return seen.mode != 0 ? add_directory(l, path, HOW_CONTENT)
			      : STATE_GOOD;
}

/*
 * The directories of loose objects, of which one may come or go without a
 * reference, and with it what may be given. New ones show in "objects".
 */
static enum state_is add_loose(struct look *l)
{
	enum state_is is = add_store(l, "objects");
	char path[16];
	unsigned i;

	is = worse(is, add_store(l, "objects/pack"));
	for (i = 0; i < 256 && is != STATE_STRANGE; i++) {
		snprintf(path, sizeof(path), "objects/%02x", i);
		is = worse(is, add_store(l, path));
	}
	return is;
}

/*
 * References, and what decides which of them are told. A reference without its
 * object is not: packs and new directories of objects count, which changes
 * little, for they come with new references. What an alternate has is told to
 * who pushes, and given to who fetches.
 */
static enum state_is add_all_refs(struct look *l, enum asked asked)
{
	enum state_is is = add_file(l, "packed-refs", 0, NULL);

	is = worse(is, add_file(l, "shallow", 0, NULL));
	is = worse(is, add_file(l, "info/grafts", 0, NULL));
	if (asked == ASKED_PACK) {
		is = worse(is, add_loose(l));
	} else {
		is = worse(is, add_directory(l, "objects", HOW_CONTENT));
		is = worse(is, add_directory(l, "objects/pack", HOW_CONTENT));
	}
	is = worse(is, asked == ASKED_PUSH_REFS || asked == ASKED_PACK
			? add_nothing(l, "objects/info/alternates")
			: add_file(l, "objects/info/alternates", 0, NULL));
	return is == STATE_STRANGE ? is : worse(is, add_refs(l, "refs", 0));
}

static enum state_is add_everything(struct look *l, const char *const *programs,
				    enum asked asked)
{
	struct state_seen *seen = NULL;
	enum state_is is = add_setup(l);

	for (; is != STATE_STRANGE && *programs != NULL; programs++)
		is = worse(is, add(l, *programs, HOW_CONTENT, &seen));
	if (is == STATE_STRANGE)
		return is;
	if (asked != ASKED_CAPABILITIES)
		return worse(is, add_all_refs(l, asked));
	is = worse(is, add_directory(l, "objects", HOW_WHICH));
	return worse(is, add_directory(l, "refs", HOW_WHICH));
}

static int is_local(int dir)
{
	struct statfs fs;
	size_t i;

	if (fstatfs(dir, &fs) < 0)
		return 0;
	for (i = 0; i < sizeof(local_magic) / sizeof(*local_magic); i++)
		if ((unsigned long)fs.f_type == local_magic[i])
			return 1;
	return 0;
}

/*
 * By the clock that files are stamped with: on a virtual machine its tick may
 * be late by far more than its length, while the finer clock goes on.
 */
static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int open_repository(const char *git_dir)
{
	return open(git_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

enum state_is advert_state_take(struct advert_state *s, const char *git_dir,
				const char *const *programs, enum asked asked)
{
	struct look l = { .s = s };
	enum state_is is = STATE_STRANGE;
	int fd;

	*s = (struct advert_state)ADVERT_STATE_INIT;
	s->at = now_ns();
	buf_add(&s->paths, git_dir, strlen(git_dir) + 1);
	l.dir = open_repository(git_dir);
	if (l.dir < 0)
		return STATE_STRANGE;
	fd = openat(l.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && is_local(fd))
		is = add_everything(&l, programs, asked);
	if (fd >= 0)
		close(fd);
	close(l.dir);
	return is;
}

int advert_state_same(const struct advert_state *s, int now)
{
	int dir = open_repository(s->paths.data), same = dir >= 0;
	size_t i;

	for (i = 0; same && i < s->nr; i++) {
		struct state_seen seen = s->seen[i];

		same = look_at(dir, path_of(s, &s->seen[i]), &seen) == 0 &&
		       advert_judge_same(&s->seen[i], &seen, now);
	}
	if (dir >= 0)
		close(dir);
	return same;
}

int advert_state_equal(const struct advert_state *a,
		       const struct advert_state *b)
{
	size_t i;

	if (a->nr != b->nr || a->paths.len != b->paths.len ||
	    memcmp(a->paths.data, b->paths.data, a->paths.len) != 0)
		return 0;
	for (i = 0; i < a->nr; i++)
		if (!advert_judge_same(&a->seen[i], &b->seen[i], 0))
			return 0;
	return 1;
}

size_t advert_state_size(const struct advert_state *s)
{
	return s->alloc * sizeof(*s->seen) + s->paths.alloc;
}

void advert_state_clear(struct advert_state *s)
{
	free(s->seen);
	buf_clear(&s->paths);
	*s = (struct advert_state)ADVERT_STATE_INIT;
}
