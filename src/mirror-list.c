/*
 * All mirrors on disk, and what is to be told of each: takes the directory
 * MIRRORS, gives paths, names, ages and sizes. Looks at no object, so that a
 * thousand mirrors are told of at once.
 */
#include "mirror-keep.h"
#include "mirror-internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "text.h"

/* Bytes of each object in a pack's index (gitformat-pack(5), version 2). */
#define INDEX_BYTES 28

static int ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

void mirror_each(const struct config *c,
		 int (*fn)(void *arg, const char *path), void *arg)
{
	char *const list[] = { c->mirrors, NULL };
	FTS *fts = fts_open(list, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV,
			    by_name);
	int rc = 0;
	FTSENT *f;

	while (fts && !rc && (f = fts_read(fts))) {
		if (f->fts_info != FTS_D || !f->fts_level)
			continue;
		if (strstr(f->fts_name, ".git"))
			fts_set(fts, f, FTS_SKIP);
		/* else a directory of mirrors, or a half-made one */
		if (ends_in(f->fts_name, ".git"))
			rc = fn(arg, f->fts_path);
	}
	if (fts)
		fts_close(fts);
}

/* What add_component of mirror-path.c has made of a name. */
static int decode(const char *s, size_t n, char name[ROUTE_NAME_MAX + 1])
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++, len++) {
		int high, low;

		if (len == ROUTE_NAME_MAX)
			return -1;
		name[len] = s[i];
		if (s[i] != '%')
			continue;
		if (n - i < 3 || (high = text_hex(s[i + 1])) < 0 ||
		    (low = text_hex(s[i + 2])) < 0)
			return -1;
		name[len] = (char)(high * 16 + low);
		i += 2;
	}
	name[len] = '\0';
	return 0;
}

const struct config_repo *mirror_name(const struct config *c, const char *path,
				      char name[ROUTE_NAME_MAX + 1])
{
	const struct config_repo *found = NULL;
	struct buf base = BUF_INIT;

	for (size_t i = 0; i < c->nr_upstreams && !found; i++) {
		const struct config_upstream *u = &c->upstreams[i];
		const struct config_repo *r;

		buf_reset(&base);
		if (mirror_path_base(c, u, &base))
			continue;
		buf_addc(&base, '/');
		if (strncmp(path, base.data, base.len) != 0 ||
		    !ends_in(path, ".git") ||
		    decode(path + base.len, strlen(path) - base.len - 4, name))
			continue;
		r = config_find(c, name);
		if (r && r->upstream == u)
			found = r;
	}
	buf_clear(&base);
	return found;
}

static void look_at_packs(const char *path, struct mirror_look *look)
{
	struct buf dir = BUF_INIT;
	struct dirent *entry;
	struct stat st;
	unsigned cruft = 0;
	DIR *packs;

	buf_addf(&dir, "%s/objects/pack", path);
	packs = opendir(dir.data);
	while (packs && (entry = readdir(packs))) {
		if (fstatat(dirfd(packs), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		look->bytes += (uint64_t)st.st_size;
		look->packs += (unsigned)ends_in(entry->d_name, ".pack");
		cruft += (unsigned)ends_in(entry->d_name, ".mtimes");
		look->bitmap |= ends_in(entry->d_name, ".bitmap");
		if (ends_in(entry->d_name, ".idx"))
			look->objects += (uint64_t)st.st_size / INDEX_BYTES;
	}
	if (packs)
		closedir(packs);
	look->packs -= cruft < look->packs ? cruft : look->packs;
	buf_clear(&dir);
}

void mirror_look(const char *path, struct mirror_look *look, struct buf *code)
{
	memset(look, 0, sizeof(*look));
	look->asked_ms = mirror_saved_asked_age(path);
	look->used_ms = mirror_saved_used_age(path);
	mirror_error_get(path, code, &look->error_ms);
	look_at_packs(path, look);
}
