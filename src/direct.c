/*
 * Whether a fetch needs git http-backend: takes a repository's path, looks at
 * what that program would look at before it starts git upload-pack. Where it
 * could find anything of its own there, or we cannot tell, the answer is that
 * it is to be asked. cgienv.c gives it no setting of http.*, has every
 * repository exported and every directory safe.
 */
#include "direct.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "buf.h"

/* Its http.maxRequestBuffer, where nothing else is said. */
#define BODY_MAX ((uint64_t)10 << 20)
/* A larger configuration is strange. */
#define CONFIG_MAX (1 << 20)

/* A section's name follows on its bracket; a blank there is an error to git. */
static int has_word(const struct buf *text, const char *word)
{
	size_t len = strlen(word), i;

	for (i = 0; i + len <= text->len; i++)
		if (strncasecmp(text->data + i, word, len) == 0)
			return 1;
	return 0;
}

/* No http.uploadpack and the like in it, nor the name of another file. */
static int is_plain(int dir, const char *name)
{
	struct buf text = BUF_INIT;
	int fd = openat(dir, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int plain;

	if (fd < 0)
		return errno == ENOENT;
	plain = buf_read_fd(&text, fd, CONFIG_MAX) == 0 &&
		!has_word(&text, "[http") && !has_word(&text, "include");
	close(fd);
	buf_clear(&text);
	return plain;
}

/* Without these it is the repository itself, not a way to another. */
static int is_absent(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

int direct_may(const char *git_dir, uint64_t body)
{
	int dir, may;

	if (body > BODY_MAX)
		return 0;
	dir = open(git_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return 0;
	may = is_absent(dir, ".git") && is_absent(dir, "commondir") &&
	      is_plain(dir, "config") && is_plain(dir, "config.worktree");
	close(dir);
	return may;
}
