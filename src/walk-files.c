/*
 * Files that are in no repository's history: named ones, all below a
 * directory, or a stream. Takes paths, gives findings. Follows no link below
 * a directory, and reads nothing but regular files and where links lead.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "mem.h"
#include "walk-internal.h"

#define DEPTH_MAX 128

struct job {
	struct scanner *scanner;
	const struct walk_limits *limits;
	struct findings *out;
	struct buf path;
};

/* What is in a directory. */
struct names {
	char **list;
	size_t nr, alloc;
	int error; /* errno, or 0 */
};

static int late(struct job *j)
{
	if (!j->limits->deadline || clock_ms() < j->limits->deadline)
		return 0;
	findings_too_much(j->out, "the time for scanning ran out");
	return 1;
}

/* A name for people: the secrets in it are redacted. */
static void show(struct job *j, const char *inside, struct buf *out)
{
	struct buf name = BUF_INIT;

	buf_addf(&name, "%s%s%s", j->path.data, inside ? "!" : "",
		 inside ? inside : "");
	scan_redact_name(j->scanner, name.data, name.len, out);
	buf_clear(&name);
}

static void note(struct job *j, const struct walk_hits *h)
{
	struct buf shown = BUF_INIT;
	size_t i;

	for (i = 0; i < h->nr; i++) {
		struct finding_place at;

		buf_reset(&shown);
		show(j, h->list[i].inside, &shown);
		at = (struct finding_place){ .path = shown.data };
		findings_add(j->out, &h->list[i].f, &at);
	}
	buf_clear(&shown);
}

static void scan_bytes(struct job *j, const struct buf *bytes)
{
	struct walk_text t = { .data = bytes->data, .len = bytes->len,
			       .path = j->path.data, .label = j->path.data,
			       .is_file = 1 };
	struct walk_hits h = WALK_HITS_INIT;
	struct buf shown = BUF_INIT;
	const char *why;

	j->out->objects++;
	j->out->bytes += t.len;
	if (walk_look(j->scanner, j->limits, &t, &h, &why) == SCAN_UNKNOWN) {
		struct buf reason = BUF_INIT;

		/* why lives until the next scan only */
		buf_adds(&reason, why);
		show(j, NULL, &shown);
		findings_unknown(j->out, "%s: %s", shown.data, reason.data);
		buf_clear(&reason);
		buf_clear(&shown);
	}
	note(j, &h);
	walk_hits_clear(&h);
}

/* It could not be told of this file or directory. */
static void unknown(struct job *j, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void unknown(struct job *j, const char *fmt, ...)
{
	struct buf line = BUF_INIT;
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	show(j, NULL, &line);
	findings_unknown(j->out, "%s: %s", line.len ? line.data : ".", why);
	buf_clear(&line);
}

/* All that fd gives; j->path is its name. */
static void scan_fd(struct job *j, int fd)
{
	size_t max = j->limits->max_object ? j->limits->max_object : SIZE_MAX;
	struct buf text = BUF_INIT;

	buf_add(&text, "", 0);
	if (!buf_read_fd(&text, fd, max))
		scan_bytes(j, &text);
	else if (errno == EFBIG)
		unknown(j, "is larger than the %zu bytes that are scanned; a "
			"larger maxObject in [scan] of a configuration, named "
			"with -c, lets it be", max);
	else
		unknown(j, "%s", strerror(errno));
	buf_clear(&text);
}

/* What git would keep of a link: where it leads, as text. */
static void scan_link(struct job *j, int dir, const char *name)
{
	struct buf text = BUF_INIT;
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));

	if (n < 0) {
		unknown(j, "%s", strerror(errno));
		return;
	}
	buf_add(&text, target, (size_t)n);
	buf_add(&text, "", 0);
	scan_bytes(j, &text);
	buf_clear(&text);
}

static void scan_dir(struct job *j, int fd, int depth);

/* An entry of dir, or with AT_FDCWD a path; links only where named. */
static void scan_entry(struct job *j, int dir, const char *name, int depth)
{
	int fd = openat(dir, name,
			O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
				(depth ? O_NOFOLLOW : 0));
	struct stat st;

	if (fd < 0) {
		/* a socket has nothing to read */
		if (depth && errno == ELOOP)
			scan_link(j, dir, name);
		else if (!depth || errno != ENXIO)
			unknown(j, "%s", strerror(errno));
		return;
	}
	if (fstat(fd, &st)) {
		unknown(j, "%s", strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		scan_dir(j, fd, depth + 1);
		return;
	} else if (S_ISREG(st.st_mode)) {
		scan_fd(j, fd);
	} else if (!depth) {
		unknown(j, "not a file or directory");
	}
	close(fd);
}

static int holds_dir(int fd, const char *name)
{
	struct stat st;

	return !fstatat(fd, name, &st, 0) && S_ISDIR(st.st_mode);
}

/* Not that of a work tree, which has its own name (gitrepository-layout(5)). */
static int is_repository(int fd)
{
	return !faccessat(fd, "HEAD", F_OK, 0) && holds_dir(fd, "objects") &&
	       holds_dir(fd, "refs");
}

static void refuse_repository(struct job *j)
{
	struct buf path = BUF_INIT;

	show(j, NULL, &path);
	unknown(j, "is a repository, which is not scanned as files; its "
		"history is, with `git -C %s gate scan --all'",
		path.len ? path.data : ".");
	buf_clear(&path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that two scans of the same say the same. */
static void read_names(DIR *dir, struct names *n)
{
	struct dirent *e;

	while ((errno = 0, e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    !strcmp(e->d_name, ".git"))
			continue;
		MEM_GROW(n->list, n->nr, n->alloc);
		n->list[n->nr++] = mem_strdup(e->d_name);
	}
	n->error = errno;
	if (n->nr)
		qsort(n->list, n->nr, sizeof(*n->list), by_name);
}

static void scan_names(struct job *j, DIR *dir, int depth)
{
	/* what is in "." is named without it */
	size_t len = strcmp(j->path.data, ".") ? j->path.len : 0;
	struct names n = { 0 };

	read_names(dir, &n);
	if (n.error)
		unknown(j, "%s", strerror(n.error));
	for (size_t i = 0; i < n.nr; i++) {
		j->path.len = len;
		if (len && j->path.data[len - 1] != '/')
			buf_addc(&j->path, '/');
		buf_adds(&j->path, n.list[i]);
		if (!late(j))
			scan_entry(j, dirfd(dir), n.list[i], depth);
		free(n.list[i]);
	}
	j->path.len = len;
	j->path.data[len] = '\0';
	free(n.list);
}

/* All below the open directory fd, which is closed. */
static void scan_dir(struct job *j, int fd, int depth)
{
	DIR *dir = NULL;

	/* its objects are compressed: as files, they would all be clean */
	if (is_repository(fd))
		refuse_repository(j);
	else if (depth > DEPTH_MAX)
		unknown(j, "more than %d directories deep", DEPTH_MAX);
	else if (!(dir = fdopendir(fd)))
		unknown(j, "%s", strerror(errno));
	if (!dir) {
		close(fd);
		return;
	}
	scan_names(j, dir, depth);
	closedir(dir);
}

static int begin(struct job *j, const struct rules *r,
		 const struct walk_limits *limits, struct findings *out)
{
	*j = (struct job){ .limits = limits, .out = out, .path = BUF_INIT };
	j->scanner = scan_new(r, limits->depth);
	if (!j->scanner)
		return -1;
	scan_set_deadline(j->scanner, limits->deadline);
	return 0;
}

static enum scan_result end(struct job *j)
{
	scan_free(j->scanner);
	buf_clear(&j->path);
	if (j->out->nr)
		return SCAN_FOUND;
	return j->out->unknown ? SCAN_UNKNOWN : SCAN_CLEAN;
}

/*
 * "./a", "a//b" and "$PWD/a" as git calls them, a and a/b: rules, allow-lists
 * and fingerprints look at names.
 */
static void add_plain(struct buf *out, const char *path)
{
	char *here = getcwd(NULL, 0);
	size_t n = here ? strlen(here) : 0, start = out->len;

	if (n > 1 && !strncmp(path, here, n) &&
	    (path[n] == '/' || !path[n]))
		path += n + strspn(path + n, "/");
	free(here);
	while (*path) {
		if (path[0] == '.' && path[1] == '/')
			path += 1 + strspn(path + 1, "/");
		else if (path[0] == '/' && path[1] == '/')
			path++;
		else
			do
				buf_addc(out, *path);
			while (*path++ != '/' && *path);
	}
	if (out->len == start)
		buf_addc(out, '.');
	buf_add(out, "", 0);
}

enum scan_result walk_files(const struct rules *r, char *const *paths,
			    size_t nr, const struct walk_limits *limits,
			    struct findings *out)
{
	struct job j;
	size_t i;

	if (begin(&j, r, limits, out)) {
		findings_unknown(out, "the scanner cannot be started");
		return end(&j);
	}
	for (i = 0; i < nr && !late(&j); i++) {
		buf_reset(&j.path);
		add_plain(&j.path, paths[i]);
		scan_entry(&j, AT_FDCWD, paths[i], 0);
	}
	return end(&j);
}

enum scan_result walk_stream(const struct rules *r, int fd, const char *name,
			     const struct walk_limits *limits,
			     struct findings *out)
{
	struct job j;

	if (begin(&j, r, limits, out)) {
		findings_unknown(out, "the scanner cannot be started");
		return end(&j);
	}
	buf_adds(&j.path, name);
	scan_fd(&j, fd);
	return end(&j);
}
