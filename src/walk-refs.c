/*
 * A repository's references, as gitrepository-layout(5) and
 * git-pack-refs(1) describe them on disk. Reads refs/, packed-refs, HEAD and
 * shallow, no configuration, and follows no link. Symbolic references below
 * refs/ are left out: they name another reference that is listed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "mem.h"
#include "walk-internal.h"

#define DEPTH_MAX 64
/* Digits of an id. */
#define HEX ((size_t)GIT_OID_HEXSZ)
#define REFS_MAX 2000000
#define REF_FILE_MAX 4096
#define PACKED_MAX ((size_t)512 << 20)

/* An id in text up to a byte of "\n " or the end. Returns 0 or -1. */
static int read_id(const char *text, git_oid *out)
{
	size_t n = strspn(text, "0123456789abcdef");

	if (n == 64)
		log_error("repositories with SHA-256 cannot be read");
	if (n != HEX || (text[n] && !strchr("\n ", text[n])))
		return -1;
	return git_oid_fromstrn(out, text, n) ? -1 : 0;
}

static int add_ref(struct walk_refs *refs, const char *name, const git_oid *id)
{
	struct walk_ref *r;

	if (refs->nr >= REFS_MAX) {
		log_error("too many references");
		return -1;
	}
	MEM_GROW(refs->list, refs->nr, refs->alloc);
	r = &refs->list[refs->nr++];
	r->name = mem_strdup(name);
	git_oid_cpy(&r->id, id);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct walk_ref *x = a, *y = b;

	return strcmp(x->name, y->name);
}

const struct walk_ref *walk_refs_find(const struct walk_refs *refs,
				      const char *name)
{
	struct walk_ref key = { .name = (char *)(uintptr_t)name };

	if (!refs->nr)
		return NULL;
	return bsearch(&key, refs->list, refs->nr, sizeof(key), compare);
}

/* All of a small file in dir; 0, or -1 with errno. */
static int read_at(int dir, const char *name, struct buf *out)
{
	int fd = openat(dir, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int ret;

	if (fd < 0)
		return -1;
	buf_reset(out);
	ret = buf_read_fd(out, fd, REF_FILE_MAX);
	close(fd);
	return ret;
}

static int read_loose(int dir, const char *name, const char *full,
		      struct walk_refs *refs)
{
	struct buf text = BUF_INIT;
	git_oid id;
	int ret = -1;

	if (read_at(dir, name, &text))
		/* one that is deleted meanwhile is no longer there */
		ret = errno == ENOENT ? 0 : -1;
	else if (text.len > 5 && !memcmp(text.data, "ref: ", 5))
		ret = 0;
	else if (text.len && !read_id(text.data, &id))
		ret = add_ref(refs, full, &id);
	if (ret)
		log_error("the reference %s cannot be read", full);
	buf_clear(&text);
	return ret;
}

static int is_lock(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && !strcmp(name + n - 5, ".lock");
}

/* All below the open directory fd, which is closed. */
static int read_dir(int fd, struct buf *name, struct walk_refs *refs, int depth)
{
	DIR *dir = depth > DEPTH_MAX ? NULL : fdopendir(fd);
	size_t len = name->len;
	struct dirent *e;
	int ret = 0, sub;

	if (!dir) {
		log_error("%s: cannot be read", name->data);
		close(fd);
		return -1;
	}
	while (!ret && (errno = 0, e = readdir(dir))) {
		if (e->d_name[0] == '.' || is_lock(e->d_name))
			continue;
		buf_addf(name, "/%s", e->d_name);
		sub = openat(dirfd(dir), e->d_name,
			     O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY);
		if (sub >= 0)
			ret = read_dir(sub, name, refs, depth + 1);
		else
			ret = read_loose(dirfd(dir), e->d_name, name->data,
					 refs);
		name->len = len;
		name->data[len] = '\0';
	}
	if (!ret && errno) {
		log_error("%s: %s", name->data, strerror(errno));
		ret = -1;
	}
	closedir(dir);
	return ret;
}

/*
 * A packed reference that is also loose is out of date: what it alone reaches
 * must not be taken for old. loose is how many of the list are sorted.
 */
static int read_packed_line(char *line, size_t loose, struct walk_refs *refs)
{
	struct walk_refs known = { .list = refs->list, .nr = loose };
	git_oid id;

	if (*line == '#' || *line == '^')
		return 0;
	if (read_id(line, &id) || line[HEX] != ' ')
		return -1;
	if (walk_refs_find(&known, line + HEX + 1))
		return 0;
	return add_ref(refs, line + HEX + 1, &id);
}

static int read_packed(const struct walk *w, struct walk_refs *refs)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	size_t loose = refs->nr;
	char *line, *next;
	int ret = 0;

	buf_addf(&path, "%s/packed-refs", w->common);
	if (buf_read_file(&text, path.data, PACKED_MAX) && errno != ENOENT)
		ret = -1;
	for (line = text.data; line && *line && !ret; line = next) {
		next = strchr(line, '\n');
		if (!next) {
			ret = -1;
			break;
		}
		*next++ = '\0';
		ret = read_packed_line(line, loose, refs);
	}
	if (ret)
		log_error("%s: cannot be read, or is malformed", path.data);
	buf_clear(&path);
	buf_clear(&text);
	return ret;
}

/* Commits at which a shallow clone was cut, one id a line. */
static int read_shallow(struct walk *w)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	const char *line;
	git_oid id;
	int ret = 0;

	buf_addf(&path, "%s/shallow", w->common);
	if (buf_read_file(&text, path.data, PACKED_MAX) && errno != ENOENT)
		ret = -1;
	for (line = text.data; line && *line && !ret; line++) {
		ret = read_id(line, &id);
		if (!ret)
			oidset_put(&w->shallow, &id, NULL);
		line = strchr(line, '\n');
		if (!line)
			break;
	}
	if (ret)
		log_error("%s: cannot be read, or is malformed", path.data);
	buf_clear(&path);
	buf_clear(&text);
	return ret;
}

int walk_refs_read(struct walk *w)
{
	struct buf name = BUF_INIT;
	int ret = -1, fd;

	walk_refs_clear(&w->refs);
	/* loose ones first, as git does: packing moves them the other way */
	buf_addf(&name, "%s/refs", w->common);
	fd = open(name.data, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (fd < 0) {
		log_error("%s: %s", name.data, strerror(errno));
		goto out;
	}
	buf_reset(&name);
	buf_adds(&name, "refs");
	if (read_dir(fd, &name, &w->refs, 0))
		goto out;
	if (w->refs.nr)
		qsort(w->refs.list, w->refs.nr, sizeof(*w->refs.list), compare);
	if (read_packed(w, &w->refs) || read_shallow(w))
		goto out;
	if (w->refs.nr)
		qsort(w->refs.list, w->refs.nr, sizeof(*w->refs.list), compare);
	ret = 0;
out:
	buf_clear(&name);
	return ret;
}

int walk_refs_head(const struct walk *w, git_oid *out)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	const struct walk_ref *r;
	int ret = -1;

	buf_addf(&path, "%s/HEAD", w->git_dir);
	if (buf_read_file(&text, path.data, REF_FILE_MAX) || !text.len)
		goto out;
	if (!memcmp(text.data, "ref: ", text.len < 5 ? text.len : 5)) {
		text.data[strcspn(text.data, "\n")] = '\0';
		r = walk_refs_find(&w->refs, text.data + 5);
		if (r)
			git_oid_cpy(out, &r->id);
		ret = !r;
	} else {
		ret = read_id(text.data, out);
	}
out:
	if (ret < 0)
		log_error("%s: cannot be read, or is malformed", path.data);
	buf_clear(&path);
	buf_clear(&text);
	return ret;
}

int walk_is_symbolic(const struct walk *w, const char *ref)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int ret = -1;

	buf_addf(&path, "%s/%s", w->common, ref);
	if (!read_at(AT_FDCWD, path.data, &text))
		ret = text.len >= 4 && !memcmp(text.data, "ref:", 4);
	else if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR)
		ret = 0;
	else if (errno == ELOOP)
		/* the form that git made before there was "ref:" */
		ret = 1;
	else
		log_error("%s: %s", path.data, strerror(errno));
	buf_clear(&path);
	buf_clear(&text);
	return ret;
}

void walk_refs_clear(struct walk_refs *refs)
{
	size_t i;

	for (i = 0; i < refs->nr; i++)
		free(refs->list[i].name);
	free(refs->list);
	memset(refs, 0, sizeof(*refs));
}
