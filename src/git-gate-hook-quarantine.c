/*
 * The quarantine of a push: takes what git says of it in the environment. Of
 * one that the upstream has not taken it removes all that is in it, so that
 * git has nothing to move to the repository; for one that it may take it makes
 * the directories that git will move objects to. Never removes anything from a
 * directory that is not the quarantine of this repository, and follows no
 * link.
 */
#include "git-gate-hook-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

/* The quarantine, pack or xx or info in it, and one to spare. */
#define DEPTH_MAX 3

/* git's names for it: since 2.35, and before (tmp-objdir.c). */
static int name_ok(const char *path)
{
	const char *name = strrchr(path, '/');

	return name && (!strncmp(name, "/tmp_objdir-incoming-", 21) ||
			!strncmp(name, "/incoming-", 10));
}

/* It is ours, and lies in ./objects, where git runs us. */
static int is_quarantine(int fd)
{
	struct stat self, parent, objects;
	int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int ok = up >= 0 && !fstat(fd, &self) && !fstat(up, &parent) &&
		 !stat("objects", &objects) && self.st_uid == geteuid() &&
		 parent.st_dev == objects.st_dev &&
		 parent.st_ino == objects.st_ino;

	if (up >= 0)
		close(up);
	return ok;
}

static int open_dir(int at, const char *name)
{
	return openat(at, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Takes fd. Returns 0, or -1 with errno set. */
static int empty(int fd, int depth)
{
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int rc = 0, saved;

	if (!dir) {
		saved = errno;
		if (fd >= 0)
			close(fd);
		errno = saved;
		return -1;
	}
	while (!rc && (errno = 0, entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") ||
		    !unlinkat(fd, name, 0))
			continue;
		/* a directory: EISDIR on Linux, EPERM by POSIX */
		rc = (errno != EISDIR && errno != EPERM) || depth == 0 ||
				     empty(open_dir(fd, name), depth - 1) ||
				     unlinkat(fd, name, AT_REMOVEDIR)
			     ? -1 : 0;
	}
	if (!rc && errno)
		rc = -1;
	saved = errno;
	closedir(dir);
	errno = saved;
	return rc;
}

/* Returns a descriptor, or -1. */
static int open_quarantine(void)
{
	const char *path = getenv("GIT_QUARANTINE_PATH");
	const char *objects = getenv("GIT_OBJECT_DIRECTORY");
	int fd = path && objects && !strcmp(path, objects) && name_ok(path)
			 ? open_dir(AT_FDCWD, path) : -1;

	if (fd < 0 || is_quarantine(fd))
		return fd;
	close(fd);
	return -1;
}

int hook_quarantine_empty(void)
{
	const char *path = getenv("GIT_QUARANTINE_PATH");
	int fd;

	/* a push of deletions alone brings nothing, and has none */
	if (!path && !getenv("GIT_OBJECT_DIRECTORY"))
		return 0;
	fd = open_quarantine();
	if (fd < 0) {
		log_error("%s: is not the quarantine of a push", path ? path :
			  "(no GIT_QUARANTINE_PATH)");
		return -1;
	}
	if (!empty(fd, DEPTH_MAX))
		return 0;
	log_error("%s: cannot be emptied: %s", path, strerror(errno));
	return -1;
}

void hook_quarantine_prepare(void)
{
	int fd = open_quarantine();
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	char name[] = "objects/xx";

	while (dir && (entry = readdir(dir))) {
		const char *s = entry->d_name;

		if (strlen(s) != 2 || strspn(s, "0123456789abcdef") != 2)
			continue;
		memcpy(name + 8, s, 2);
		/* it is there, or git will say why it cannot be */
		mkdir(name, 0777);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}
