/*
 * A bundle of what a push brings: takes its updates, in the repository that
 * the environment and the working directory name, gives a file as
 * gitformat-bundle(5) has it. What it needs of the repository is told from
 * its references, never from the push. No reference is written.
 */
#include "park-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "commands.h"
#include "config.h"
#include "env.h"
#include "fault.h"
#include "gitenv.h"
#include "log.h"
#include "mem.h"

/* Bytes of a list of commits: more than a million. */
#define COMMITS_MAX ((size_t)64 << 20)

/* The commits that one git named, sorted, and where they are. */
struct commits {
	struct buf text;
	char **list;
	size_t nr, alloc;
};

/* As forward.c: where receive-pack has put the objects of the push. */
static void set_env(struct env *e, const struct config *c)
{
	static const char *const names[] = {
		"GIT_DIR",
		"GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES",
	};

	gitenv_base(e, c);
	gitenv_pack(e, c, 1);
	/* what is replaced here is not replaced where the bundle goes */
	env_set(e, "GIT_NO_REPLACE_OBJECTS", "1");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (getenv(names[i]))
			env_set(e, names[i], getenv(names[i]));
}

static void add_words(const struct buf *words, struct buf *out)
{
	fault_words(words->len ? words->data : "", words->len, out);
}

static void log_git(const char *what, int status, const struct buf *words)
{
	struct buf line = BUF_INIT;

	add_words(words, &line);
	log_error("git %s: exit status %d: %s", what, status, line.data);
	buf_clear(&line);
}

/* The new values, a line each. */
static void add_tips(const struct updates *u, struct buf *out)
{
	for (size_t i = 0; i < u->nr; i++)
		if (u->list[i].op != OP_DELETE)
			buf_addf(out, "%s\n", u->list[i].new);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Run git rev-list with these arguments and the new values. Returns 0 or -1. */
static int rev_list(const struct config *c, const struct updates *u,
		    const char *const *argv, int64_t deadline,
		    struct commits *out)
{
	const struct child_limits limits = { .memory = c->memory };
	struct buf in = BUF_INIT, words = BUF_INIT;
	struct child child = CHILD_INIT;
	struct env e = ENV_INIT;
	char *save = NULL, *line;
	int status;

	set_env(&e, c);
	add_tips(u, &in);
	child.argv = argv;
	child.envp = env_list(&e);
	child.limits = &limits;
	status = child_run(&child, &in, COMMITS_MAX, clock_left(deadline),
			   &out->text, &words);
	if (status)
		log_git("rev-list", status, &words);
	line = out->text.len ? strtok_r(out->text.data, "\n", &save) : NULL;
	for (; line && !status; line = strtok_r(NULL, "\n", &save)) {
		MEM_GROW(out->list, out->nr, out->alloc);
		out->list[out->nr++] = line;
	}
	if (out->nr)
		qsort(out->list, out->nr, sizeof(*out->list), compare);
	env_clear(&e);
	buf_clear(&in);
	buf_clear(&words);
	return status ? -1 : 0;
}

static void commits_clear(struct commits *l)
{
	free(l->list);
	buf_clear(&l->text);
}

static int is_one_of(const struct commits *l, const char *mark,
		     const char *oid)
{
	char key[COMMANDS_OID_MAX + 1];
	const char *at = key;

	snprintf(key, sizeof(key), "%s%s", mark, oid);
	return l->nr && bsearch(&at, l->list, l->nr, sizeof(*l->list),
				compare);
}

/*
 * What the receiver must have, "-OID" lines: where new history begins, and
 * new values that the repository had already.
 */
static int find_needed(const struct config *c, const struct updates *u,
		       int64_t deadline, struct buf *out)
{
	/* "--not" after "--stdin" is not about what is read there */
	const char *news[] = { c->git, "rev-list", "--boundary", "--stdin",
			       "--not", "--all", NULL };
	const char *tips[] = { c->git, "rev-list", "--no-walk=unsorted",
			       "--stdin", NULL };
	struct commits new = { 0 }, tip = { 0 };
	int rc = rev_list(c, u, news, deadline, &new) ||
		 rev_list(c, u, tips, deadline, &tip) ? -1 : 0;

	for (size_t i = 0; !rc && i < new.nr; i++)
		if (*new.list[i] == '-')
			buf_addf(out, "%s\n", new.list[i]);
	for (size_t i = 0; !rc && i < tip.nr; i++)
		if (!is_one_of(&new, "", tip.list[i]) &&
		    !is_one_of(&new, "-", tip.list[i]) &&
		    (!i || strcmp(tip.list[i], tip.list[i - 1]) != 0))
			buf_addf(out, "-%s\n", tip.list[i]);
	commits_clear(&new);
	commits_clear(&tip);
	return rc;
}

static void add_header(const struct updates *u, const struct buf *needed,
		       struct buf *out)
{
	int sha256 = strlen(u->list[0].new) == 64;

	buf_adds(out, sha256 ? "# v3 git bundle\n@object-format=sha256\n" :
			       "# v2 git bundle\n");
	if (needed->len)
		buf_add(out, needed->data, needed->len);
	for (size_t i = 0; i < u->nr; i++)
		if (u->list[i].op != OP_DELETE)
			buf_addf(out, "%s %s\n", u->list[i].new,
				 u->list[i].ref);
	buf_addc(out, '\n');
}

/* For git pack-objects --revs: the new values, without what is needed. */
static void add_revs(const struct updates *u, const struct buf *needed,
		     struct buf *out)
{
	add_tips(u, out);
	for (size_t i = 0; i < needed->len; i++)
		buf_addc(out, needed->data[i] == '-' ? '^' : needed->data[i]);
}

static int write_all(int fd, const struct buf *b)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->data + at, b->len - at);

		if (n < 0 && errno != EINTR)
			return -1;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* A file in memory that holds this, to be read from its beginning. */
static int memory_file(const struct buf *b)
{
	int fd = memfd_create("git-gate", MFD_CLOEXEC);

	if (fd >= 0 && b && (write_all(fd, b) || lseek(fd, 0, SEEK_SET))) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		log_error("memfd_create: %s", strerror(errno));
	return fd;
}

/* git's words, and those of strerror(3) in them. */
static int is_no_room(const struct buf *words)
{
	static const char *const phrases[] = { "File too large",
					       "No space left on device",
					       "Disk quota exceeded",
					       "Out of diskspace" };

	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
		if (words->len && strstr(words->data, phrases[i]))
			return 1;
	return 0;
}

/* Returns as park_bundle_write; words is what git said. */
static int judge(int status, const struct buf *words)
{
	struct buf line = BUF_INIT;

	if (status && is_no_room(words)) {
		add_words(words, &line);
		log_warn("no room for its bundle: %s", line.data);
		buf_clear(&line);
		return 1;
	}
	if (status)
		log_git("pack-objects", status, words);
	return status ? -1 : 0;
}

/* The pack, appended to fd; the file gets no larger than most. */
static int add_pack(const struct config *c, const struct buf *revs, int fd,
		    uint64_t most, int64_t deadline)
{
	const char *argv[] = { c->git, "pack-objects", "--revs", "--thin",
			       "--stdout", "--delta-base-offset", "--quiet",
			       NULL };
	const struct child_limits limits = { .memory = c->memory,
					     .file_size = most };
	struct child child = CHILD_INIT;
	struct buf words = BUF_INIT;
	struct env e = ENV_INIT;
	int status = -1;

	set_env(&e, c);
	child.argv = argv;
	child.envp = env_list(&e);
	child.limits = &limits;
	child.in = memory_file(revs);
	child.out = fd;
	child.err = memory_file(NULL);
	if (child.in >= 0 && child.err >= 0 && !child_start(&child)) {
		status = child_wait(&child, clock_left(deadline));
		if (status < 0) {
			child_stop(&child, 2000);
			status = CHILD_TIMEOUT;
		}
		if (!lseek(child.err, 0, SEEK_SET))
			buf_read_fd(&words, child.err, PARK_WORDS_MAX);
	}
	if (child.in >= 0)
		close(child.in);
	if (child.err >= 0)
		close(child.err);
	env_clear(&e);
	status = judge(status, &words);
	buf_clear(&words);
	return status;
}

static int no_room(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/* Returns as park_bundle_write. */
static int write_file(const struct config *c, const char *path,
		      const struct buf *header, const struct buf *revs,
		      uint64_t room, int64_t deadline, uint64_t *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
		      O_NOFOLLOW, 0600);
	int rc = fd < 0 ? -1 : write_all(fd, header);
	struct stat st;

	if (!rc) {
		rc = add_pack(c, revs, fd, room, deadline);
		if (!rc && (fsync(fd) || fstat(fd, &st)))
			rc = -1;
		else if (rc)
			errno = 0; /* logged */
	}
	if (!rc)
		*bytes = (uint64_t)st.st_size;
	else if (errno)
		log_error("%s: cannot be written: %s", path, strerror(errno));
	if (rc < 0 && no_room(errno))
		rc = 1;
	if (fd >= 0)
		close(fd);
	return rc;
}

int park_bundle_write(const struct config *c, const struct updates *u,
		      const char *path, uint64_t room, int64_t deadline,
		      uint64_t *bytes)
{
	struct buf needed = BUF_INIT, header = BUF_INIT, revs = BUF_INIT;
	int rc = find_needed(c, u, deadline, &needed);

	if (!rc) {
		add_header(u, &needed, &header);
		add_revs(u, &needed, &revs);
		rc = 1;
		if (header.len >= room)
			log_warn("no room for its bundle: the header alone has "
				 "%zu bytes", header.len);
		else
			rc = write_file(c, path, &header, &revs, room,
					deadline, bytes);
	}
	buf_clear(&needed);
	buf_clear(&header);
	buf_clear(&revs);
	return rc;
}
