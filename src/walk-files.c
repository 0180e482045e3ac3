/*
 * Files that are in no repository's history: named ones, all below a
 * directory, or a stream. Takes paths, gives findings. Follows no link below
 * a directory, and reads nothing but regular files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <git2.h>

#include "buf.h"
#include "clock.h"
#include "findings.h"
#include "mem.h"
#include "walk.h"

#define DEPTH_MAX 128
/* A file's findings beyond these are not told apart: could not tell. */
#define HITS_MAX 1000

struct job {
	struct scanner *scanner;
	const struct walk_limits *limits;
	struct findings *out;
	struct buf path;
	/* of the file at hand */
	const char *text;
	struct buf shown; /* its path, for people */
	size_t hits;
};

static void hit(void *arg, const struct scan_finding *f)
{
	struct job *j = arg;
	struct finding_place at = { .path = j->shown.data };

	if (j->hits++ < HITS_MAX)
		findings_add(j->out, f, j->text, &at);
}

static int late(struct job *j)
{
	if (!j->limits->deadline || clock_ms() < j->limits->deadline)
		return 0;
	findings_unknown(j->out, "the time for scanning ran out");
	return 1;
}

/* All that fd gives; j->path is its name. */
static void scan_fd(struct job *j, int fd)
{
	size_t max = j->limits->max_object ? j->limits->max_object : SIZE_MAX;
	struct buf text = BUF_INIT;
	const char *why = "the scanner did not say why";

	buf_add(&text, "", 0);
	buf_reset(&j->shown);
	walk_redact(j->scanner, j->path.data, &j->shown);
	j->hits = 0;
	if (buf_read_fd(&text, fd, max)) {
		findings_unknown(j->out, "%s: %s", j->path.data,
				 errno == EFBIG
					 ? "is larger than what is scanned"
					 : strerror(errno));
	} else {
		j->text = text.data;
		j->out->objects++;
		j->out->bytes += text.len;
		if (scan_text(j->scanner, text.data, text.len, j->path.data,
			      hit, j, &why) == SCAN_UNKNOWN)
			findings_unknown(j->out, "%s: %s", j->path.data, why);
		if (j->hits > HITS_MAX)
			findings_unknown(j->out, "%s: too many findings",
					 j->path.data);
	}
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
		/* a link, or a socket: nothing to read */
		if (!depth || (errno != ELOOP && errno != ENXIO))
			findings_unknown(j->out, "%s: %s", j->path.data,
					 strerror(errno));
		return;
	}
	if (fstat(fd, &st)) {
		findings_unknown(j->out, "%s: %s", j->path.data,
				 strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		scan_dir(j, fd, depth + 1);
		return;
	} else if (S_ISREG(st.st_mode)) {
		scan_fd(j, fd);
	} else if (!depth) {
		findings_unknown(j->out, "%s: not a file or directory",
				 j->path.data);
	}
	close(fd);
}

/* All below the open directory fd, which is closed. */
static void scan_dir(struct job *j, int fd, int depth)
{
	DIR *dir = depth > DEPTH_MAX ? NULL : fdopendir(fd);
	size_t len = j->path.len;
	struct dirent *e;

	if (!dir) {
		findings_unknown(j->out, "%s: cannot be read, or too deep",
				 j->path.data);
		close(fd);
		return;
	}
	while (!late(j) && (errno = 0, e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    !strcmp(e->d_name, ".git"))
			continue;
		if (len && j->path.data[len - 1] != '/')
			buf_addc(&j->path, '/');
		buf_adds(&j->path, e->d_name);
		scan_entry(j, dirfd(dir), e->d_name, depth);
		j->path.len = len;
		j->path.data[len] = '\0';
	}
	if (errno)
		findings_unknown(j->out, "%s: %s", j->path.data,
				 strerror(errno));
	closedir(dir);
}

static int begin(struct job *j, const struct rules *r,
		 const struct walk_limits *limits, struct findings *out)
{
	memset(j, 0, sizeof(*j));
	j->limits = limits;
	j->out = out;
	/* fingerprints are git's hashes */
	if (git_libgit2_init() < 0)
		return -1;
	j->scanner = scan_new(r);
	return j->scanner ? 0 : -1;
}

static enum scan_result end(struct job *j)
{
	scan_free(j->scanner);
	buf_clear(&j->path);
	buf_clear(&j->shown);
	git_libgit2_shutdown();
	if (j->out->nr)
		return SCAN_FOUND;
	return j->out->unknown ? SCAN_UNKNOWN : SCAN_CLEAN;
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
		buf_adds(&j.path, paths[i]);
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
