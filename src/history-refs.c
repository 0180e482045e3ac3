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
#include "history-internal.h"
#include "log.h"
#include "mem.h"

#define DEPTH_MAX 64
#define REFS_MAX 2000000
#define REF_FILE_MAX 4096
#define PACKED_MAX ((size_t)512 << 20)

/* An id in text up to a byte of "\n " or the end. Returns 0 or -1. */
static int read_id(struct history *h, const char *text, struct oid *out)
{
	size_t n = strspn(text, "0123456789abcdef");

	if (!h->raw_len && (n == 2 * OID_SHA1 || n == 2 * OID_SHA256))
		h->raw_len = n / 2;
	if (n != 2 * h->raw_len || (text[n] && !strchr("\n ", text[n])))
		return -1;
	return oid_parse(out, text, h->raw_len);
}

static int add_ref(struct history_refs *refs, const char *name,
		   const struct oid *id)
{
	if (refs->nr >= REFS_MAX) {
		log_error("too many references");
		return -1;
	}
	MEM_GROW(refs->list, refs->nr, refs->alloc);
	refs->list[refs->nr++] = (struct history_ref){ name, *id };
	oids_put(&refs->ids, id, NULL);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct history_ref *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* git writes them sorted: then there is nothing to do. */
static void sort(struct history_refs *refs)
{
	size_t i;

	for (i = 1; i < refs->nr; i++)
		if (strcmp(refs->list[i - 1].name, refs->list[i].name) > 0)
			break;
	if (i < refs->nr)
		qsort(refs->list, refs->nr, sizeof(*refs->list), compare);
}

const struct history_ref *history_refs_find(const struct history_refs *refs,
					    const char *name)
{
	struct history_ref key = { .name = name };

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

static int add_loose(struct history_refs *refs, const char *name,
		     const struct oid *id)
{
	MEM_GROW(refs->loose, refs->nr_loose, refs->loose_alloc);
	refs->loose[refs->nr_loose] = mem_strdup(name);
	return add_ref(refs, refs->loose[refs->nr_loose++], id);
}

static int read_loose(struct history *h, int dir, const char *name,
		      const char *full)
{
	struct buf text = BUF_INIT;
	struct oid id;
	int ret = -1;

	if (read_at(dir, name, &text))
		/* one that is deleted meanwhile is no longer there */
		ret = errno == ENOENT ? 0 : -1;
	else if (text.len > 5 && !memcmp(text.data, "ref: ", 5))
		ret = 0;
	else if (text.len && !read_id(h, text.data, &id))
		ret = add_loose(&h->refs, full, &id);
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
static int read_dir(struct history *h, int fd, struct buf *name, int depth)
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
		sub = e->d_type == DT_REG ? -1 :
			openat(dirfd(dir), e->d_name, O_RDONLY | O_CLOEXEC |
			       O_NOFOLLOW | O_DIRECTORY);
		ret = sub >= 0 ? read_dir(h, sub, name, depth + 1) :
				 read_loose(h, dirfd(dir), e->d_name,
					    name->data);
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
 * must not be taken for old. known are the loose ones, sorted. *tag says
 * whether a line of what it ends at ("^ID") counts.
 */
static int read_packed_line(struct history *h, char *line,
			    const struct history_refs *known, int *counts)
{
	struct oid id;
	char *name;

	if (*line == '#')
		return 0;
	if (*line == '^') {
		if (read_id(h, line + 1, &id))
			return -1;
		if (*counts)
			oids_put(&h->refs.ids, &id, NULL);
		return 0;
	}
	if (read_id(h, line, &id) || line[2 * h->raw_len] != ' ')
		return -1;
	name = line + 2 * h->raw_len + 1;
	*counts = !history_refs_find(known, name);
	return *counts ? add_ref(&h->refs, name, &id) : 0;
}

/* The text of a file of the repository, NULL when there is none; 0 or -1. */
static int read_file(const struct history *h, const char *name, char **out)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int ret = 0;

	*out = NULL;
	buf_addf(&path, "%s/%s", h->common, name);
	if (!buf_read_file(&text, path.data, PACKED_MAX))
		*out = buf_take(&text);
	else if (errno != ENOENT)
		ret = -1;
	buf_clear(&path);
	buf_clear(&text);
	return ret;
}

static int read_packed(struct history *h)
{
	struct history_refs known = { .nr = h->refs.nr };
	char *line, *next;
	int counts = 0, ret = read_file(h, "packed-refs", &h->refs.packed);

	/* the list moves when it grows */
	known.list = mem_array(known.nr + 1, sizeof(*known.list));
	if (known.nr)
		memcpy(known.list, h->refs.list, known.nr *
		       sizeof(*known.list));
	for (line = h->refs.packed; line && *line && !ret; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		ret = next ? read_packed_line(h, line, &known, &counts) : -1;
	}
	free(known.list);
	if (ret)
		log_error("%s/packed-refs: cannot be read, or is malformed",
			  h->common);
	return ret;
}

/* Commits at which a shallow clone was cut, one id a line. */
static int read_shallow(struct history *h)
{
	char *text, *line;
	struct oid id;
	int ret = read_file(h, "shallow", &text);

	for (line = text; line && *line && !ret; line++) {
		ret = read_id(h, line, &id);
		if (!ret)
			oids_put(&h->shallow, &id, NULL);
		line = strchr(line, '\n');
		if (!line)
			break;
	}
	if (ret)
		log_error("%s/shallow: cannot be read, or is malformed",
			  h->common);
	free(text);
	return ret;
}

int history_refs_read(struct history *h)
{
	struct buf name = BUF_INIT;
	int ret = -1, fd;

	/* loose ones first, as git does: packing moves them the other way */
	buf_addf(&name, "%s/refs", h->common);
	fd = open(name.data, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (fd < 0) {
		log_error("%s: %s", name.data, strerror(errno));
		goto out;
	}
	buf_reset(&name);
	buf_adds(&name, "refs");
	if (read_dir(h, fd, &name, 0))
		goto out;
	sort(&h->refs);
	if (read_packed(h) || read_shallow(h))
		goto out;
	sort(&h->refs);
	ret = 0;
out:
	buf_clear(&name);
	return ret;
}

int history_head(const struct history *h, struct oid *out)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	const struct history_ref *r;
	size_t n;
	int ret = -1;

	buf_addf(&path, "%s/HEAD", h->git_dir);
	if (buf_read_file(&text, path.data, REF_FILE_MAX) || !text.len)
		goto out;
	n = strcspn(text.data, "\n");
	if (!strncmp(text.data, "ref: ", 5)) {
		text.data[n] = '\0';
		r = history_refs_find(&h->refs, text.data + 5);
		if (r)
			*out = r->id;
		ret = !r;
	} else if (n == 2 * h->raw_len) {
		ret = oid_parse(out, text.data, h->raw_len);
	}
out:
	if (ret < 0)
		log_error("%s: cannot be read, or is malformed", path.data);
	buf_clear(&path);
	buf_clear(&text);
	return ret;
}

int history_is_symbolic(const struct history *h, const char *ref)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int ret = -1;

	buf_addf(&path, "%s/%s", h->common, ref);
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

void history_refs_clear(struct history_refs *refs)
{
	size_t i;

	for (i = 0; i < refs->nr_loose; i++)
		free(refs->loose[i]);
	free(refs->loose);
	free(refs->packed);
	free(refs->list);
	oids_clear(&refs->ids);
	memset(refs, 0, sizeof(*refs));
}
