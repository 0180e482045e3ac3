/*
 * A repository, opened: where its parts are, how long its ids are, its object
 * stores and references. Takes a git directory, and of a push in progress the
 * quarantine; reads no configuration, since that may be anybody's.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "history-internal.h"
#include "log.h"
#include "mem.h"

#define COMMONDIR_MAX 8192
/* Of objects that others are made from; it is filled as they are met. */
#define CACHE_BYTES ((size_t)48 << 20)

/* A work tree of several says where what they share is. */
static char *find_common(const char *git_dir)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	char *ret = NULL;

	buf_addf(&path, "%s/commondir", git_dir);
	errno = 0;
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
	if (!ret)
		log_error("%s/commondir: cannot be read", git_dir);
	buf_clear(&path);
	buf_clear(&text);
	return ret;
}

/* Digits of an id by the file names of a store: "pack-ID.pack", "ab/REST". */
static size_t digits_of(const char *dir, const char *prefix, size_t given)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n, len = strlen(prefix), ret = 0;

	while (d && !ret && (e = readdir(d))) {
		if (strncmp(e->d_name, prefix, len))
			continue;
		n = strspn(e->d_name + len, "0123456789abcdef") + given;
		if (n == 2 * OID_SHA1 || n == 2 * OID_SHA256)
			ret = n;
	}
	if (d)
		closedir(d);
	return ret;
}

/*
 * Without references, the objects tell: of which kind they are, is written in
 * the configuration alone, and that is not read.
 */
static size_t guess_raw_len(const char *objects)
{
	struct buf path = BUF_INIT;
	size_t digits, i;

	buf_addf(&path, "%s/pack", objects);
	digits = digits_of(path.data, "pack-", 0);
	for (i = 0; i < 256 && !digits; i++) {
		buf_reset(&path);
		buf_addf(&path, "%s/%02zx", objects, i);
		digits = digits_of(path.data, "", 2);
	}
	buf_clear(&path);
	return digits ? digits / 2 : OID_SHA1;
}

/* Both stores, and who reads them. Returns 0, or -1, logged. */
static int open_stores(struct history *h, const char *objects,
		       const char *quarantine)
{
	if (!h->raw_len)
		h->raw_len = guess_raw_len(quarantine ? quarantine : objects);
	h->is_push = !!quarantine;
	h->store = odb_open(objects, h->raw_len, 1);
	h->fresh = odb_open(quarantine ? quarantine : objects, h->raw_len, 0);
	if (!h->store || !h->fresh)
		return -1;
	h->reader = odb_reader_new(h->fresh, h->store, CACHE_BYTES);
	if (!h->reader)
		log_error("%s: cannot be read", objects);
	return h->reader ? 0 : -1;
}

struct history *history_open(const char *git_dir, const char *quarantine,
			     size_t digits)
{
	struct history *h = mem_zalloc(sizeof(*h));
	struct buf objects = BUF_INIT;
	int bad = 1;

	h->git_dir = mem_strdup(git_dir);
	h->common = find_common(git_dir);
	h->raw_len = digits / 2;
	if (h->common && !history_refs_read(h)) {
		buf_addf(&objects, "%s/objects", h->common);
		bad = open_stores(h, objects.data, quarantine);
	}
	buf_clear(&objects);
	if (!bad)
		return h;
	history_close(h);
	return NULL;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	if (h->reader)
		odb_reader_free(h->reader);
	if (h->fresh)
		odb_close(h->fresh);
	if (h->store)
		odb_close(h->store);
	history_refs_clear(&h->refs);
	oids_clear(&h->shallow);
	free(h->git_dir);
	free(h->common);
	free(h);
}
