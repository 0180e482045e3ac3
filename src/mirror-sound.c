/*
 * Is a mirror what git left there? A machine that lost power may have files
 * that are empty, cut off, or full of zeros, since git writes most of them
 * without waiting for the disk. Takes a mirror's path, says what is wrong, and
 * removes, when told to, what a fetch brings back. Packs are judged by their
 * ends and lengths; what is in no pack git reads.
 */
#include "mirror-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define PACKED_MAX ((size_t)256 << 20)
/* A pack's index, version 2 (gitformat-pack(5)): its head and fan-out. */
#define IDX_HEAD (8 + 4 * 256)

struct sound {
	const char *dir;
	int mends;
	struct buf *why;
	int worst; /* as mirror_sound returns */
};

/* One file is not what it was; degree 1: without it the rest can be mended. */
static void wrong(struct sound *s, const char *file, const char *what,
		  int degree)
{
	buf_addf(s->why, "%s%s: %s", s->why->len ? "; " : "", file, what);
	if (s->worst < degree)
		s->worst = degree;
}

static int path_of(const struct sound *s, const char *file, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/%s", s->dir, file) < PATH_MAX
		       ? 0 : -1;
}

static void mend(struct sound *s, const char *file, const char *what)
{
	char path[PATH_MAX];

	if (s->mends && (path_of(s, file, path) ||
			 (unlink(path) && errno != ENOENT)))
		wrong(s, file, "cannot be removed", 2);
	else
		wrong(s, file, what, 1);
}

static int is_oid(const char *s, size_t n)
{
	return (n == 40 || n == 64) && strspn(s, "0123456789abcdef") >= n;
}

/* "OID REF" and "^OID" below a line of '#', each of them whole. */
static int is_packed(const struct buf *text)
{
	size_t n;

	if (!text->len || *text->data != '#' ||
	    text->data[text->len - 1] != '\n' ||
	    strlen(text->data) != text->len)
		return 0;
	for (const char *p = text->data; *p; p += n + 1) {
		const char *oid = p + (*p == '^');

		n = strcspn(p, "\n");
		if (*p != '#' && !is_oid(oid, strcspn(oid, " \n")))
			return 0;
	}
	return 1;
}

static int is_ref(const struct buf *text)
{
	return text->len && is_oid(text->data, text->len - 1) &&
	       text->data[text->len - 1] == '\n';
}

/* A clone of what has no default branch names an object. */
static int is_head(const struct buf *text)
{
	return is_ref(text) ||
	       (text->len > 11 && strlen(text->data) == text->len &&
		!strncmp(text->data, "ref: refs/", 10) &&
		text->data[text->len - 1] == '\n');
}

static int is_some(const struct buf *text)
{
	return text->len != 0;
}

/* With what mirror_git_init wrote last; all of it, as far as one can tell. */
static int is_config(const struct buf *text)
{
	return text->len && strlen(text->data) == text->len &&
	       text->data[text->len - 1] == '\n' &&
	       strstr(text->data, "repositoryformatversion") &&
	       strstr(text->data, "autogc = false");
}

/* An error that says nothing of the file: too many are open, say. */
static int is_elsewhere(void)
{
	return errno != ENOENT && errno != EIO;
}

/* Returns 1 when it is there and not whole. */
static int is_bad(const struct sound *s, const char *file,
		  int (*is_whole)(const struct buf *text))
{
	struct buf text = BUF_INIT;
	char path[PATH_MAX];
	int bad = 0;

	if (!path_of(s, file, path))
		bad = buf_read_file(&text, path, PACKED_MAX)
			      ? errno == EIO : !is_whole(&text);
	buf_clear(&text);
	return bad;
}

static void look_at_refs(struct sound *s)
{
	char refs[PATH_MAX], *const list[] = { refs, NULL };
	FTS *fts = NULL;
	FTSENT *f;

	if (!path_of(s, "refs", refs))
		fts = fts_open(list, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	while (fts && (f = fts_read(fts))) {
		const char *file = f->fts_path + strlen(s->dir) + 1;

		if (f->fts_info == FTS_F &&
		    !(f->fts_namelen > 5 &&
		      !strcmp(f->fts_name + f->fts_namelen - 5, ".lock")) &&
		    is_bad(s, file, is_ref))
			mend(s, file, "no reference");
	}
	if (fts)
		fts_close(fts);
}

/* A HEAD that leads nowhere yet: without one, git sees no repository. */
static void look_at_head(struct sound *s)
{
	struct buf text = BUF_INIT;
	char path[PATH_MAX];

	if (!is_bad(s, "HEAD", is_head))
		return;
	mend(s, "HEAD", "names no branch");
	buf_adds(&text, "ref: refs/heads/main\n");
	if (s->mends && (path_of(s, "HEAD", path) ||
			 buf_write_new(&text, path)))
		wrong(s, "HEAD", "cannot be written", 2);
	buf_clear(&text);
}

/*
 * n bytes of a file, from so far before its end. Returns 0; 1: it cannot be
 * told; -1: they are not there.
 */
static int read_end(const char *path, off_t back, size_t n, off_t *size,
		    unsigned char *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc = -1;

	if (fd < 0)
		return is_elsewhere() ? 1 : -1;
	if (!fstat(fd, &st)) {
		*size = st.st_size;
		if (st.st_size >= back &&
		    pread(fd, out, n, st.st_size - back) == (ssize_t)n)
			rc = 0;
	}
	close(fd);
	return rc;
}

/* Do index and pack end in the same name, at the length that is told? */
static int is_pair(const char *pack, const char *idx, size_t hash)
{
	unsigned char a[32], b[32], number[4];
	off_t end = 2 * (off_t)hash, size, least;
	int rc = read_end(pack, (off_t)hash, hash, &size, a);

	if (!rc)
		rc = read_end(idx, end, hash, &size, b);
	if (!rc && size < IDX_HEAD + end)
		rc = -1;
	/* the last of the fan-out: how many objects there are */
	if (!rc)
		rc = read_end(idx, size - IDX_HEAD + 4, 4, &size, number);
	if (rc)
		return rc > 0;
	least = (off_t)((uint32_t)number[0] << 24 | (uint32_t)number[1] << 16 |
			(uint32_t)number[2] << 8 | number[3]) *
		(off_t)(hash + 8);
	least += IDX_HEAD + end;
	return !memcmp(a, b, hash) && size >= least && (size - least) % 8 == 0;
}

static int ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

/* Of git's two hashes, that of this pack's name: pack-HASH.idx. */
static void look_at_pack(struct sound *s, const char *name)
{
	char idx[PATH_MAX], pack[PATH_MAX];
	size_t n = strlen(name) - strlen(".idx");
	struct stat st;

	if (snprintf(idx, sizeof(idx), "%s/objects/pack/%s", s->dir, name) >=
		    (int)sizeof(idx) ||
	    snprintf(pack, sizeof(pack), "%s/objects/pack/%.*s.pack", s->dir,
		     (int)n, name) >= (int)sizeof(pack))
		return;
	if (ends_in(name, ".idx")) {
		if (!is_pair(pack, idx, n == 5 + 64 ? 32 : 20))
			wrong(s, name, "it or its pack is not whole", 2);
	} else if (!ends_in(name, ".keep") && !ends_in(name, ".promisor") &&
		   !strncmp(name, "pack-", 5) && !stat(idx, &st) &&
		   !st.st_size) {
		wrong(s, name, "empty", 2);
	}
}

static void look_at_packs(struct sound *s)
{
	char dir[PATH_MAX];
	struct dirent *entry;
	DIR *packs;

	if (path_of(s, "objects/pack", dir))
		return;
	packs = opendir(dir);
	while (packs && (entry = readdir(packs)))
		if (strlen(entry->d_name) > strlen(".idx"))
			look_at_pack(s, entry->d_name);
	if (packs)
		closedir(packs);
}

int mirror_sound(const char *dir, int mends, struct buf *why)
{
	struct sound s = { .dir = dir, .mends = mends, .why = why };

	if (is_bad(&s, "config", is_config))
		wrong(&s, "config", "not whole", 2);
	look_at_packs(&s);
	/* then nothing of it is of use */
	if (s.worst == 2)
		return 2;
	look_at_refs(&s);
	if (is_bad(&s, "packed-refs", is_packed))
		mend(&s, "packed-refs", "not whole");
	if (is_bad(&s, "shallow", is_some))
		mend(&s, "shallow", "empty");
	if (is_bad(&s, "objects/info/commit-graph", is_some))
		mend(&s, "objects/info/commit-graph", "empty");
	look_at_head(&s);
	return s.worst;
}

/*
 * What `git fsck` says of a file, and not of what the upstream wrote in an
 * object ("error in commit OID: missingEmail: ...").
 */
int mirror_sound_words(const struct buf *said, struct buf *why)
{
	static const char *const signs[] = {
		"error: refs/", "invalid sha1 pointer", "missing ",
		"broken link ", "corrupt", "unable to unpack",
		"hash mismatch", "bad object", "hash-path mismatch",
	};
	size_t n;

	for (const char *p = said->len ? said->data : ""; *p;
	     p += n + (p[n] != '\0')) {
		n = strcspn(p, "\n");
		if (!strncmp(p, "error in ", 9) ||
		    !strncmp(p, "warning in ", 11) ||
		    !strncmp(p, "notice: ", 8))
			continue;
		for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
			if (memmem(p, n, signs[i], strlen(signs[i]))) {
				buf_addf(why, "%s%.*s", why->len ? "; " : "",
					 (int)(n < 200 ? n : 200), p);
				return 1;
			}
	}
	return 0;
}
