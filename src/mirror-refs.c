/*
 * A mirror's references, read without a process: loose files first, then
 * packed-refs (gitrepository-layout(5)), in which git writes a reference
 * before it removes the file. Takes a mirror's path, gives "OID TAB REF" lines
 * in no order; gives up where it sees anything unusual, and git is asked.
 */
#include "mirror-internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mem.h"

/* As deep as a name of 4096 bytes can be nested in practice. */
#define DEPTH_MAX 100
#define PACKED_MAX ((size_t)256 << 20)

/* References that were found as files; names are compared as bytes. */
struct found {
	char **names;
	size_t nr, alloc;
	struct buf *out;
};

static int is_oid(const char *s, size_t n)
{
	return (n == 40 || n == 64) && strspn(s, "0123456789abcdef") >= n;
}

/* One file below refs/. Returns 0, or -1: not an object's name alone. */
static int take_file(struct found *f, const char *path, const char *ref)
{
	struct buf text = BUF_INIT;
	int rc = -1;

	if (buf_read_file(&text, path, 4096)) {
		/* it was packed, or removed, meanwhile */
		rc = errno == ENOENT ? 0 : -1;
	} else if (text.len && text.data[text.len - 1] == '\n' &&
		   is_oid(text.data, text.len - 1)) {
		MEM_GROW(f->names, f->nr, f->alloc);
		f->names[f->nr++] = mem_strdup(ref);
		buf_addf(f->out, "%.*s\t%s\n", (int)text.len - 1, text.data,
			 ref);
		rc = 0;
	}
	buf_clear(&text);
	return rc;
}

static int ends_in_lock(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && !strcmp(name + n - 5, ".lock");
}

/* git-check-ref-format(1): git says what it makes of such a file. */
static int is_strange(const char *name)
{
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || strchr("\x7f~^:?*[\\", *p))
			return 1;
	return strstr(name, "..") || strstr(name, "@{") != NULL;
}

static int walk(struct found *f, const char *root, const char *ref, int depth);

static int take_entry(struct found *f, const char *root, const char *ref,
		      int depth)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", root, ref) >=
	    (int)sizeof(path))
		return -1;
	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -1;
	if (S_ISDIR(st.st_mode))
		return walk(f, root, ref, depth + 1);
	return S_ISREG(st.st_mode) ? take_file(f, path, ref) : -1;
}

/* All below the directory root/ref. Returns 0 or -1. */
static int walk(struct found *f, const char *root, const char *ref, int depth)
{
	struct buf name = BUF_INIT;
	struct dirent *entry;
	DIR *dir = NULL;
	int rc = -1;

	buf_addf(&name, "%s/%s", root, ref);
	if (depth < DEPTH_MAX)
		dir = opendir(name.data);
	if (dir || (depth < DEPTH_MAX && errno == ENOENT))
		rc = 0;
	while (dir && !rc && (entry = readdir(dir))) {
		if (*entry->d_name == '.' || ends_in_lock(entry->d_name))
			continue;
		buf_reset(&name);
		buf_addf(&name, "%s/%s", ref, entry->d_name);
		rc = is_strange(entry->d_name)
			     ? -1 : take_entry(f, root, name.data, depth);
	}
	if (dir)
		closedir(dir);
	buf_clear(&name);
	return rc;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "OID REF"; "^OID" and '#' lines say nothing of their own. */
static int take_packed(struct found *f, char *line)
{
	char *ref = strchr(line, ' ');

	if (*line == '#' || *line == '^')
		return 0;
	if (!ref || !is_oid(line, (size_t)(ref - line)))
		return -1;
	*ref++ = '\0';
	if (strncmp(ref, "refs/heads/", 11) != 0 &&
	    strncmp(ref, "refs/tags/", 10) != 0)
		return 0;
	if (!f->nr || !bsearch(&ref, f->names, f->nr, sizeof(*f->names),
			       compare_names))
		buf_addf(f->out, "%s\t%s\n", line, ref);
	return 0;
}

static int read_packed(struct found *f, const char *root)
{
	struct buf text = BUF_INIT;
	char path[PATH_MAX], *save = NULL, *line = NULL;
	int rc = -1;

	if (snprintf(path, sizeof(path), "%s/packed-refs", root) <
	    (int)sizeof(path))
		rc = buf_read_file(&text, path, PACKED_MAX);
	if (rc)
		rc = errno == ENOENT ? 0 : -1;
	else if (text.len)
		line = strtok_r(text.data, "\n", &save);
	for (; line && !rc; line = strtok_r(NULL, "\n", &save))
		rc = take_packed(f, line);
	buf_clear(&text);
	return rc;
}

int mirror_refs_read(const char *dir, struct buf *out)
{
	struct found f = { .out = out };
	int rc = 0;

	buf_reset(out);
	if (walk(&f, dir, "refs/heads", 0) || walk(&f, dir, "refs/tags", 0))
		rc = -1;
	if (!rc && f.nr)
		qsort(f.names, f.nr, sizeof(*f.names), compare_names);
	if (!rc)
		rc = read_packed(&f, dir);
	for (size_t i = 0; i < f.nr; i++)
		free(f.names[i]);
	free(f.names);
	return rc;
}
