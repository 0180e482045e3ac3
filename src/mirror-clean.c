/*
 * Removes what ended processes left behind in mirrors: half-made mirrors,
 * lock files, quarantines, temporary packs. Takes paths below MIRRORS; never
 * follows a symbolic link, never removes a mirror.
 */
#include "mirror.h"
#include "mirror-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "log.h"

static FTS *open_tree(const char *dir)
{
	char *const list[] = { (char *)dir, NULL };
	FTS *fts = fts_open(list, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);

	if (!fts)
		log_error("%s: %s", dir, strerror(errno));
	return fts;
}

void mirror_clean_tree(const char *dir)
{
	FTS *fts = open_tree(dir);
	FTSENT *f;

	while (fts && (f = fts_read(fts))) {
		/* Directories when they have been emptied. */
		if (f->fts_info == FTS_D || f->fts_info == FTS_NS)
			continue;
		if (remove(f->fts_accpath) && errno != ENOENT)
			log_error("%s: cannot be removed: %s", f->fts_path,
				  strerror(errno));
	}
	if (fts)
		fts_close(fts);
}

static int ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static int older_than(const struct stat *st, int64_t age_ms)
{
	return (int64_t)(time(NULL) - st->st_mtime) * 1000 >= age_ms;
}

static void remove_file(const FTSENT *f)
{
	/* in a hosted repository there may be others' */
	if (f->fts_statp->st_uid != geteuid())
		return;
	if (!unlink(f->fts_accpath))
		log_info("%s: left behind by an ended process, removed",
			 f->fts_path);
	else if (errno != ENOENT)
		log_error("%s: cannot be removed: %s", f->fts_path,
			  strerror(errno));
}

/* Lock files anywhere but among the objects, and a half-written answer. */
void mirror_clean_locks(const char *path, int64_t age_ms)
{
	FTS *fts = open_tree(path);
	FTSENT *f;

	while (fts && (f = fts_read(fts))) {
		if (f->fts_info == FTS_D && f->fts_level == 1 &&
		    !strcmp(f->fts_name, "objects"))
			fts_set(fts, f, FTS_SKIP);
		else if (f->fts_info == FTS_F &&
			 ends_in(f->fts_name, ".lock") &&
			 older_than(f->fts_statp, age_ms))
			remove_file(f);
	}
	if (fts)
		fts_close(fts);
}

/* A file among the objects, of git index-pack, pack-objects, repack ... */
static int is_unfinished(const char *name)
{
	return !strncmp(name, "tmp_", 4) || !strncmp(name, ".tmp-", 5) ||
	       ends_in(name, ".lock");
}

/*
 * Quarantines are objects/incoming-* or tmp_objdir-*, unfinished packs and
 * objects tmp_* (tmp-objdir.c and object-file.c of git).
 */
static void clean_objects(const char *path)
{
	FTS *fts = open_tree(path);
	FTSENT *f;

	while (fts && (f = fts_read(fts))) {
		if (f->fts_info == FTS_D && f->fts_level == 1 &&
		    strcmp(f->fts_name, "objects") != 0) {
			fts_set(fts, f, FTS_SKIP);
		} else if (f->fts_info == FTS_D && f->fts_level == 2 &&
			   (!strncmp(f->fts_name, "incoming-", 9) ||
			    !strncmp(f->fts_name, "tmp_objdir-", 11))) {
			log_info("%s: left behind by an ended process, removed",
				 f->fts_path);
			mirror_clean_tree(f->fts_path);
			fts_set(fts, f, FTS_SKIP);
		} else if (f->fts_info == FTS_F && f->fts_level > 1 &&
			   is_unfinished(f->fts_name)) {
			remove_file(f);
		}
	}
	if (fts)
		fts_close(fts);
}

/*
 * git leaves a push's quarantine behind when a signal ends it, and looks at it
 * again only in `git prune`. Another user's is not ours to judge.
 */
void mirror_clean_quarantines(const char *path)
{
	struct buf dir = BUF_INIT;
	struct dirent *entry;
	struct stat st;
	DIR *objects;

	buf_addf(&dir, "%s/objects", path);
	objects = opendir(dir.data);
	while (objects && (entry = readdir(objects))) {
		struct buf name = BUF_INIT;

		buf_addf(&name, "%s/%s", dir.data, entry->d_name);
		if (!strncmp(entry->d_name, "tmp_objdir-", 11) &&
		    !lstat(name.data, &st) && S_ISDIR(st.st_mode) &&
		    st.st_uid == geteuid()) {
			log_info("%s: of an ended push, removed", name.data);
			mirror_clean_tree(name.data);
		}
		buf_clear(&name);
	}
	if (objects)
		closedir(objects);
	buf_clear(&dir);
}

/*
 * git repack and what it runs remove these at a signal, but for the pack that
 * was being written; at SIGKILL nothing.
 */
void mirror_clean_packs(const char *path, int64_t since)
{
	FTS *fts = open_tree(path);
	FTSENT *f;

	while (fts && (f = fts_read(fts))) {
		/* objects/pack and objects/info */
		if (f->fts_info == FTS_D &&
		    ((f->fts_level == 1 && strcmp(f->fts_name, "objects")) ||
		     (f->fts_level == 2 && strcmp(f->fts_name, "pack") &&
		      strcmp(f->fts_name, "info"))))
			fts_set(fts, f, FTS_SKIP);
		else if (f->fts_info == FTS_F && f->fts_level > 2 &&
			 f->fts_statp->st_mtime >= since &&
			 is_unfinished(f->fts_name))
			remove_file(f);
	}
	if (fts)
		fts_close(fts);
}

/* Which bitmap is the newest; then all others are removed. */
static void old_bitmaps(const char *dir, struct stat *newest, int unlinks)
{
	struct buf name = BUF_INIT;
	struct dirent *entry;
	struct stat st;
	DIR *packs = opendir(dir);

	while (packs && (entry = readdir(packs))) {
		if (!ends_in(entry->d_name, ".bitmap"))
			continue;
		buf_reset(&name);
		buf_addf(&name, "%s/%s", dir, entry->d_name);
		if (lstat(name.data, &st))
			continue;
		if (!unlinks && (st.st_mtim.tv_sec > newest->st_mtim.tv_sec ||
				 (st.st_mtim.tv_sec == newest->st_mtim.tv_sec &&
				  st.st_mtim.tv_nsec >
					  newest->st_mtim.tv_nsec)))
			*newest = st;
		else if (unlinks && st.st_ino != newest->st_ino &&
			 unlink(name.data))
			log_warn("%s: %s", name.data, strerror(errno));
	}
	if (packs)
		closedir(packs);
	buf_clear(&name);
}

void mirror_clean_bitmaps(const char *path)
{
	struct stat newest = { 0 };
	struct buf dir = BUF_INIT;

	buf_addf(&dir, "%s/objects/pack", path);
	old_bitmaps(dir.data, &newest, 0);
	old_bitmaps(dir.data, &newest, 1);
	buf_clear(&dir);
}

char *mirror_clean_name(const char *path)
{
	static atomic_uint number;
	struct buf name = BUF_INIT;

	buf_addf(&name, "%s.tmp-%d-%u", path, (int)getpid(),
		 atomic_fetch_add(&number, 1));
	return buf_take(&name);
}

/* Such a name, of a process that is no more. */
static int is_half_made(const char *name)
{
	const char *tmp = strstr(name, ".git.tmp-");
	char *end;
	long pid;

	if (!tmp)
		return 0;
	pid = strtol(tmp + 9, &end, 10);
	if (*end != '-' || pid <= 0)
		return 0;
	/* At start, what has our own number is not ours. */
	return pid == getpid() || (kill((pid_t)pid, 0) && errno == ESRCH);
}

/* Repositories below dir; of those that are not mirrors less is ours. */
static void clean_below(const char *dir, int mirrors)
{
	FTS *fts = open_tree(dir);
	FTSENT *f;

	while (fts && (f = fts_read(fts))) {
		if (f->fts_info != FTS_D)
			continue;
		if (mirrors && is_half_made(f->fts_name)) {
			log_info("%s: half-made mirror removed", f->fts_path);
			mirror_clean_tree(f->fts_path);
			fts_set(fts, f, FTS_SKIP);
		} else if (f->fts_level > 0 && ends_in(f->fts_name, ".git")) {
			/* Nothing of ours runs yet, so every lock is stale. */
			mirror_clean_locks(f->fts_path, 0);
			if (mirrors)
				clean_objects(f->fts_path);
			else
				mirror_clean_quarantines(f->fts_path);
			fts_set(fts, f, FTS_SKIP);
		}
	}
	if (fts)
		fts_close(fts);
}

void mirror_clean(const struct config *c)
{
	clean_below(c->mirrors, 1);
	for (size_t i = 0; i < c->nr_repos; i++)
		if (c->repos[i].hosted)
			clean_below(c->repos[i].hosted, 0);
}
