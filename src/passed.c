/*
 * Notes of pushes that were judged and passed: one small file a push, in a
 * private directory, written whole or not at all. Takes a session's id and
 * updates, gives them back once. Never takes an id that is not one of ours.
 */
#include "passed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "config.h"
#include "log.h"
#include "updates.h"

/* 16 hexadecimal digits, session.h: no other name gets into a path. */
static int id_ok(const char *id)
{
	return strlen(id) == 16 && strspn(id, "0123456789abcdef") == 16;
}

static void add_dir(struct buf *b, const struct config *c)
{
	buf_addf(b, "%s/passed", c->state);
}

/* The note's path. Returns 0, or -1, logged. */
static int path_of(struct buf *b, const struct config *c, const char *id)
{
	if (!id_ok(id)) {
		log_error("a push has no session's id: is this hook run by "
			  "git-gated?");
		return -1;
	}
	add_dir(b, c);
	if (mkdir(b->data, 0700) < 0 && errno != EEXIST) {
		log_error("%s: %s", b->data, strerror(errno));
		return -1;
	}
	buf_addf(b, "/%s", id);
	return 0;
}

int passed_write(const struct config *c, const char *id,
		 const struct updates *u)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc = path_of(&path, c, id);
	size_t i;

	for (i = 0; i < u->nr; i++) {
		buf_addf(&text, "%s %s %s", u->list[i].old, u->list[i].new,
			 u->list[i].ref);
		if (u->list[i].reason)
			buf_addf(&text, " refused %s", u->list[i].reason);
		buf_addc(&text, '\n');
	}
	if (rc == 0) {
		/* of a push that was judged under this id and then failed */
		unlink(path.data);
		rc = buf_write_new(&text, path.data);
		if (rc < 0)
			log_error("%s: cannot be written: %s", path.data,
				  strerror(errno));
	}
	buf_clear(&path);
	buf_clear(&text);
	return rc;
}

int passed_take(const struct config *c, const char *id, struct updates *u)
{
	struct buf path = BUF_INIT;
	int fd = -1, rc = -1;

	if (path_of(&path, c, id) == 0) {
		fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			log_error("%s: %s: pre-receive has not let this push "
				  "pass", path.data, strerror(errno));
		unlink(path.data);
	}
	if (fd >= 0) {
		rc = updates_read_note(fd, u);
		close(fd);
	}
	buf_clear(&path);
	return rc;
}

void passed_remove(const struct config *c, const char *id)
{
	struct buf path = BUF_INIT;

	add_dir(&path, c);
	buf_addf(&path, "/%s", id);
	if (id_ok(id))
		unlink(path.data);
	buf_clear(&path);
}

void passed_clean(const struct config *c)
{
	struct buf path = BUF_INIT;
	struct dirent *entry;
	DIR *dir;

	add_dir(&path, c);
	dir = opendir(path.data);
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		passed_remove(c, entry->d_name);
	if (dir != NULL)
		closedir(dir);
	buf_clear(&path);
}
