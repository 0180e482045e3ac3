/*
 * Which repository the working directory is in: takes nothing, gives the path
 * of its git directory, and whether all of its history is there. Reads no
 * configuration, and trusts no environment.
 */
#include "cmd-scan-internal.h"

#include <string.h>
#include <sys/stat.h>

#include "buf.h"

/* Directories to go up in search of a repository. */
#define LEVELS_MAX 128
#define GITFILE_MAX 8192

static int is_dir(const char *base, const char *name)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int ret;

	buf_addf(&path, "%s%s", base, name);
	ret = !stat(path.data, &st) && S_ISDIR(st.st_mode);
	buf_clear(&path);
	return ret;
}

/* gitrepository-layout(5): the file of a work tree or submodule. */
static int read_gitfile(const char *file, const char *base, struct buf *out)
{
	struct buf text = BUF_INIT;
	int ret = -1;

	if (!buf_read_file(&text, file, GITFILE_MAX) && text.len > 8 &&
	    !memcmp(text.data, "gitdir: ", 8)) {
		text.data[strcspn(text.data, "\n")] = '\0';
		if (text.data[8] != '/')
			buf_adds(out, base);
		buf_adds(out, text.data + 8);
		ret = 0;
	}
	buf_clear(&text);
	return ret;
}

/* Is there a repository in base ("" or ends in '/')? */
static int try_dir(const char *base, struct buf *out)
{
	struct buf git = BUF_INIT;
	int ret = 0;

	buf_addf(&git, "%s.git", base);
	if (is_dir(git.data, "/objects") && is_dir(git.data, "/refs"))
		buf_adds(out, git.data);
	else if (is_dir(base, "objects") && is_dir(base, "refs"))
		buf_adds(out, *base ? base : ".");
	else
		ret = read_gitfile(git.data, base, out);
	buf_clear(&git);
	return ret;
}

int cmd_scan_repository(struct buf *out)
{
	struct buf base = BUF_INIT;
	struct stat here, up;
	int i, ret = -1;

	buf_adds(&base, "");
	for (i = 0; i < LEVELS_MAX; i++) {
		ret = try_dir(base.data, out);
		if (!ret || stat(*base.data ? base.data : ".", &here))
			break;
		buf_adds(&base, "../");
		/* the root is its own parent */
		if (stat(base.data, &up) ||
		    (here.st_dev == up.st_dev && here.st_ino == up.st_ino))
			break;
	}
	buf_clear(&base);
	return ret;
}

int cmd_scan_is_shallow(const char *git_dir)
{
	struct buf path = BUF_INIT, common = BUF_INIT;
	struct stat st;
	int ret;

	/* gitrepository-layout(5): a second work tree has it elsewhere */
	buf_addf(&path, "%s/commondir", git_dir);
	if (!buf_read_file(&common, path.data, GITFILE_MAX) && common.len)
		common.data[strcspn(common.data, "\n")] = '\0';
	else
		buf_adds(&common, ".");
	buf_reset(&path);
	if (*common.data != '/')
		buf_addf(&path, "%s/", git_dir);
	buf_addf(&path, "%s/shallow", common.data);
	ret = !stat(path.data, &st) && st.st_size;
	buf_clear(&path);
	buf_clear(&common);
	return ret;
}
