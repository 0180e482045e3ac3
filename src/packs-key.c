/*
 * What a pack depends on, as one hash: takes arguments, input and environment
 * of git pack-objects and looks at the repository it would run in, gives a
 * name for the pack. Objects never change, so that a pack for the same wants
 * and haves stays right; what else decides is here, or there is no name.
 */
#include "packs.h"
#include "packs-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"

/* Of what a key is made; changes with the format of what is kept. */
#define FORMAT "git-gate packs 1"
/* Tags that are files, and their directories; with more git runs as well. */
#define TAGS_MAX 1000
#define DEPTH_MAX 32

struct key {
	SHA256_CTX ctx;
	unsigned tags;
};

/* With its NUL, so that no two lists of strings look the same. */
static void add_string(struct key *k, const char *s)
{
	SHA256Update(&k->ctx, (const uint8_t *)s, strlen(s) + 1);
}

static void add_stat(struct key *k, const struct stat *st, int content)
{
	char text[200];

	if (content)
		snprintf(text, sizeof(text), "%ju %ju %jd %jd.%09ld %jd.%09ld",
			 (uintmax_t)st->st_dev, (uintmax_t)st->st_ino,
			 (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec,
			 st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec,
			 st->st_ctim.tv_nsec);
	else
		snprintf(text, sizeof(text), "%ju %ju", (uintmax_t)st->st_dev,
			 (uintmax_t)st->st_ino);
	add_string(k, text);
}

/* Which file it is, and its content; it may also not be there. */
static int add_file(struct key *k, int dir, const char *path)
{
	struct stat st;

	add_string(k, path);
	if (fstatat(dir, path, &st, 0) == 0)
		add_stat(k, &st, 1);
	else if (errno != ENOENT && errno != ENOTDIR)
		return -1;
	return 0;
}

static int add_tags(struct key *k, int parent, const char *name, int depth);

static int add_tag(struct key *k, int dir, const char *name, int depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return add_tags(k, dir, name, depth + 1);
	return add_file(k, dir, name);
}

/* --include-tag: which tags there are decides. */
static int add_tags(struct key *k, int parent, const char *name, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
			O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return fd < 0 && errno == ENOENT ? 0 : -1;
	}
	add_string(k, name);
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		rc = depth > DEPTH_MAX || k->tags++ > TAGS_MAX
			     ? -1 : add_tag(k, fd, e->d_name, depth);
	}
	closedir(d);
	add_string(k, "");
	return rc;
}

/* Arguments of git upload-pack; what else it may say is not known here. */
static int add_argument(struct key *k, const char *arg)
{
	static const char *const known[] = {
		"--shallow-file", "", "pack-objects", "--revs", "--thin",
		"--stdout", "--shallow", "--delta-base-offset",
		"--include-tag",
	};
	size_t i;

	add_string(k, arg);
	/*
	 * Not one that names a blob by way of a reference; what combine: has
	 * may be spelt with %XX.
	 */
	if (!strncmp(arg, "--filter=", 9))
		return strstr(arg, "sparse") == NULL &&
			       strchr(arg, '%') == NULL ? 0 : -1;
	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(arg, known[i]))
			break;
	if (i == sizeof(known) / sizeof(*known))
		return -1;
	if (strcmp(arg, "--include-tag") != 0)
		return 0;
	return add_file(k, AT_FDCWD, "packed-refs") < 0
		       ? -1 : add_tags(k, AT_FDCWD, "refs/tags", 0);
}

/* Git's own variables, but for those that tell of a session alone. */
static void add_environment(struct key *k, char **envp)
{
	static const char *const other[] = {
		"GIT_COMMITTER_", "GIT_GATE_", "GIT_HTTP_EXPORT_ALL=",
		"GIT_PROJECT_ROOT=", "GIT_PROTOCOL=",
	};
	size_t i;

	for (; *envp != NULL; envp++) {
		if (strncmp(*envp, "GIT_", 4) != 0)
			continue;
		for (i = 0; i < sizeof(other) / sizeof(*other); i++)
			if (!strncmp(*envp, other[i], strlen(other[i])))
				break;
		if (i == sizeof(other) / sizeof(*other))
			add_string(k, *envp);
	}
	add_string(k, "");
}

/* The repository is where we are, as upload-pack leaves it. */
static int add_repository(struct key *k)
{
	const char *dir = getenv("GIT_DIR");
	char path[4096];
	struct stat st;

	if (dir == NULL || strcmp(dir, ".") != 0 ||
	    getenv("GIT_OBJECT_DIRECTORY") != NULL ||
	    getcwd(path, sizeof(path)) == NULL ||
	    access("commondir", F_OK) == 0 || stat("objects", &st) < 0)
		return -1;
	add_string(k, path);
	add_stat(k, &st, 0);
	if (add_file(k, AT_FDCWD, "config") < 0 ||
	    add_file(k, AT_FDCWD, "config.worktree") < 0 ||
	    add_file(k, AT_FDCWD, "shallow") < 0 ||
	    add_file(k, AT_FDCWD, "info/grafts") < 0)
		return -1;
	return add_file(k, AT_FDCWD, "objects/info/alternates");
}

int packs_key(struct packs *p)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct key k = { .tags = 0 };
	size_t i;

	SHA256Init(&k.ctx);
	add_string(&k, FORMAT);
	for (i = 1; p->argv[i] != NULL; i++)
		if (add_argument(&k, p->argv[i]) < 0)
			return -1;
	add_environment(&k, p->envp);
	if (add_file(&k, AT_FDCWD, p->git) < 0 || add_repository(&k) < 0)
		return -1;
	SHA256Update(&k.ctx, (const uint8_t *)p->input->data, p->input->len);
	SHA256Final(hash, &k.ctx);
	for (i = 0; i < sizeof(hash); i++) {
		p->key[2 * i] = digits[hash[i] >> 4];
		p->key[2 * i + 1] = digits[hash[i] & 15];
	}
	p->key[2 * i] = '\0';
	return 0;
}
