/*
 * A file:// upstream, asked without a process: its references and default
 * branch are files that git has just written (gitrepository-layout(5)). Takes
 * a job, fills its answer; gives up, so that git is asked, at anything that
 * could make git's answer another one, and at whatever is to be said of it.
 */
#include "mirror-internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "gitenv.h"

#define CONFIG_BYTES 65536

/* Settings by which references are hidden, or lie elsewhere. */
static int is_plain(const char *dir)
{
	static const char *const words[] = { "hiderefs", "include",
					     "extensions", "worktree" };
	struct buf text = BUF_INIT;
	char path[PATH_MAX];
	int plain = 0;

	if (snprintf(path, sizeof(path), "%s/config", dir) <
		    (int)sizeof(path) &&
	    !buf_read_file(&text, path, CONFIG_BYTES)) {
		buf_adds(&text, "");
		plain = strlen(text.data) == text.len;
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			plain = plain && !strcasestr(text.data, words[i]);
	}
	buf_clear(&text);
	return plain;
}

/* git trusts no repository of another's; it says so. */
static int is_ours(const char *dir)
{
	struct stat st;

	return !stat(dir, &st) && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid() && mirror_path_is_bare(dir);
}

/* "ref: refs/heads/NAME": the default branch, if it is there. */
static int read_head(struct mirror_job *j, const char *dir)
{
	static const char mark[] = "ref: refs/heads/";
	struct buf text = BUF_INIT, line = BUF_INIT;
	char path[PATH_MAX];
	int rc = -1;

	if (snprintf(path, sizeof(path), "%s/HEAD", dir) < (int)sizeof(path) &&
	    !buf_read_file(&text, path, 4096) && text.len > sizeof(mark) &&
	    !memcmp(text.data, mark, sizeof(mark) - 1) &&
	    text.data[text.len - 1] == '\n') {
		text.data[text.len - 1] = '\0';
		buf_addf(&line, "\t%s\n", text.data + 5);
		if (j->refs.len && strstr(j->refs.data, line.data))
			buf_adds(&j->head, text.data + 5);
		rc = 0;
	}
	buf_clear(&text);
	buf_clear(&line);
	return rc;
}

int mirror_near_ask(struct mirror_job *j)
{
	struct gitenv_url url;
	char dir[PATH_MAX];
	int n;

	if (gitenv_url(j->u->url, &url) || strcmp(url.scheme, "file") != 0 ||
	    strchr(j->url, '%'))
		return -1;
	n = snprintf(dir, sizeof(dir), "%s%s%s", url.path, j->name,
		     j->u->suffix);
	if (n >= (int)sizeof(dir) - 16 || !is_ours(dir) || !is_plain(dir) ||
	    mirror_refs_read(dir, &j->refs))
		return -1;
	mirror_git_sort(&j->refs);
	return read_head(j, dir);
}
