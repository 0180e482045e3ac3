/*
 * A repository, opened: its object directories as one libgit2 database, and
 * its references. No repository is opened through libgit2 itself, so that no
 * configuration is read, be it the repository's, the user's or the system's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <git2/sys/repository.h>

#include "buf.h"
#include "log.h"
#include "mem.h"
#include "walk-internal.h"

#define COMMONDIR_MAX 8192

/* Of parsed objects; the rest of memory is one object at a time. */
#define CACHE_BYTES ((ssize_t)32 << 20)

/*
 * Of packs mapped at a time, and of one map: as git's (gitenv_pack). libgit2
 * by itself maps 8 GiB, in windows of 1 GiB.
 */
#define MAPPED_BYTES ((size_t)512 << 20)
#define WINDOW_BYTES ((size_t)32 << 20)

/* libgit2 follows info/alternates; what is missing there is met later. */
static int add(git_odb *odb, const char *dir)
{
	struct stat st;

	if (stat(dir, &st) || !S_ISDIR(st.st_mode)) {
		log_error("%s: not a directory of objects", dir);
		return -1;
	}
	if (git_odb_add_disk_alternate(odb, dir)) {
		log_error("%s: %s", dir, git_error_last()->message);
		return -1;
	}
	return 0;
}

/* first, when given, is asked before dir. NULL, logged. */
static git_odb *open_directories(const char *first, const char *dir)
{
	git_odb *odb = NULL;

	if (git_odb_new(&odb)) {
		log_error("libgit2: %s", git_error_last()->message);
		return NULL;
	}
	if ((first && add(odb, first)) || (dir && add(odb, dir))) {
		git_odb_free(odb);
		return NULL;
	}
	return odb;
}

/*
 * At its start libgit2 reads the system's certificates, several milliseconds
 * of each push, for connections that nothing here ever makes. The linker takes
 * a program's own function before a library's: these read none. Where libgit2
 * has another TLS library nobody calls them.
 */
int mbedtls_x509_crt_parse_file(void *chain, const char *path);
int mbedtls_x509_crt_parse_path(void *chain, const char *path);

int mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
	(void)chain;
	(void)path;
	return -1;
}

int mbedtls_x509_crt_parse_path(void *chain, const char *path)
{
	return mbedtls_x509_crt_parse_file(chain, path);
}

static int start_libgit2(void)
{
	static const git_config_level_t levels[] = {
		GIT_CONFIG_LEVEL_PROGRAMDATA,
		GIT_CONFIG_LEVEL_SYSTEM,
		GIT_CONFIG_LEVEL_XDG,
		GIT_CONFIG_LEVEL_GLOBAL,
	};
	size_t i;

	if (git_libgit2_init() < 0) {
		log_error("libgit2 cannot be started");
		return -1;
	}
	for (i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], ""))
			return -1;
	git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, CACHE_BYTES);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, MAPPED_BYTES);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, WINDOW_BYTES);
	return 0;
}

/* A work tree of several says where what they share is. */
static char *find_common(const char *git_dir)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	char *ret = NULL;

	buf_addf(&path, "%s/commondir", git_dir);
	if (buf_read_file(&text, path.data, COMMONDIR_MAX) || !text.len) {
		if (errno == ENOENT)
			ret = mem_strdup(git_dir);
		goto out;
	}
	text.data[strcspn(text.data, "\n")] = '\0';
	buf_reset(&path);
	if (*text.data != '/')
		buf_addf(&path, "%s/", git_dir);
	buf_adds(&path, text.data);
	ret = buf_take(&path);
out:
	buf_clear(&path);
	buf_clear(&text);
	return ret;
}

/* The three views of the objects. */
static int open_objects(struct walk *w, const char *quarantine)
{
	w->odb = open_directories(quarantine, w->objects);
	if (!w->odb)
		return -1;
	if (quarantine) {
		w->store = open_directories(NULL, w->objects);
		w->pushed = open_directories(quarantine, NULL);
		if (!w->store || !w->pushed)
			return -1;
	}
	if (git_repository_wrap_odb(&w->repo, w->odb)) {
		log_error("libgit2: %s", git_error_last()->message);
		return -1;
	}
	return 0;
}

struct walk *walk_open(const char *git_dir, const char *quarantine)
{
	struct walk *w = mem_zalloc(sizeof(*w));
	struct buf objects = BUF_INIT;

	if (start_libgit2()) {
		free(w);
		return NULL;
	}
	w->git_dir = mem_strdup(git_dir);
	w->common = find_common(git_dir);
	if (!w->common) {
		log_error("%s: commondir cannot be read", git_dir);
		goto fail;
	}
	buf_addf(&objects, "%s/objects", w->common);
	w->objects = buf_take(&objects);
	if (open_objects(w, quarantine) || walk_refs_read(w))
		goto fail;
	return w;
fail:
	walk_close(w);
	return NULL;
}

void walk_close(struct walk *w)
{
	if (!w)
		return;
	git_repository_free(w->repo);
	git_odb_free(w->pushed);
	git_odb_free(w->store);
	git_odb_free(w->odb);
	walk_refs_clear(&w->refs);
	oidset_clear(&w->shallow);
	free(w->git_dir);
	free(w->common);
	free(w->objects);
	free(w);
	git_libgit2_shutdown();
}

void walk_close_memory(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
	/* the leak check at the end would need what this forbids */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
