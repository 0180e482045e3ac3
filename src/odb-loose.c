/*
 * Loose objects: takes a directory and an id, gives the object of that file.
 * A file is "TYPE SIZE NUL TEXT", in one zlib stream; the size is believed as
 * far as the file can bear it out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libdeflate.h>

#include "log.h"
#include "mem.h"
#include "odb-internal.h"

/*
 * What is inflated at first: all of most objects. Not less than a stored block
 * of deflate can be (65,535 bytes), for the decompressor writes such a block
 * as a whole or not at all.
 */
#define HEAD_BYTES ((size_t)65536)
#define TITLE_MAX 32 /* of type and size: git allows as much */

static char *loose_name(const struct oid *id, size_t raw_len,
			char out[ODB_LOOSE_NAME])
{
	char hex[OID_HEX_MAX + 1];

	oid_hex(id, raw_len, hex);
	memcpy(out, hex, 2);
	out[2] = '/';
	memcpy(out + 3, hex + 2, 2 * raw_len - 1);
	return out;
}

int odb_loose_has(const struct odb_dir *d, const struct oid *id,
		  size_t raw_len)
{
	char name[ODB_LOOSE_NAME];

	return !faccessat(d->fd, loose_name(id, raw_len, name), F_OK, 0);
}

/* "blob 123" and a NUL. Where the text begins, or NULL. */
static const char *parse_title(const char *s, enum odb_type *type,
			       size_t *len)
{
	static const struct {
		const char *word;
		enum odb_type type;
	} types[] = { { "commit ", ODB_COMMIT },
		      { "tree ", ODB_TREE },
		      { "blob ", ODB_BLOB },
		      { "tag ", ODB_TAG } };
	const char *end = s + TITLE_MAX, *at = NULL;
	size_t i, n = 0;

	for (i = 0; i < sizeof(types) / sizeof(*types) && !at; i++)
		if (!strncmp(s, types[i].word, strlen(types[i].word))) {
			*type = types[i].type;
			at = s + strlen(types[i].word);
		}
	if (!at || (*at == '0' && at[1]))
		return NULL;
	for (s = at; at < end && *at >= '0' && *at <= '9'; at++) {
		if (n >= SIZE_MAX / 100)
			return NULL;
		n = n * 10 + (size_t)(*at - '0');
	}
	*len = n;
	return at < end && at > s && !*at ? at + 1 : NULL;
}

static enum odb_status bad(struct odb_loose *l, enum odb_status status,
			   const char *why)
{
	l->why = why;
	return status;
}

/* All of the object: what was inflated at first, or once more from the start
 * into as much room as it claims. */
static enum odb_status whole(struct odb_loose *l, const struct odb_map *m,
			     size_t title, size_t len, int is_all,
			     struct odb_held **out)
{
	struct odb_held *h = odb_held_new(len, title);

	if (!h)
		return bad(l, ODB_TOO_LARGE, "there is not enough memory");
	if (is_all) {
		memcpy(h->data, l->head + title, len);
	} else if (odb_inflate(l->inflater, m->data, m->len, h->room,
			       title + len)) {
		odb_held_release(h);
		return bad(l, ODB_BROKEN, "it cannot be inflated");
	}
	*out = h;
	return ODB_OK;
}

static enum odb_status inflate_loose(struct odb_loose *l,
				     const struct odb_map *m, size_t max,
				     enum odb_type *type, size_t *len,
				     struct odb_held **out)
{
	enum libdeflate_result rc;
	const char *text;
	size_t got = 0, used, title;

	memset(l->head, 0, TITLE_MAX + 1);
	rc = libdeflate_zlib_decompress_ex(l->inflater, m->data, m->len,
					   l->head, HEAD_BYTES, &used, &got);
	if (rc == LIBDEFLATE_SUCCESS && got < TITLE_MAX)
		l->head[got] = '\xff'; /* a title is not cut by its end */
	/*
	 * Of a longer one the head has been written nevertheless; if it were
	 * not, it would be no title.
	 */
	if (rc != LIBDEFLATE_SUCCESS && rc != LIBDEFLATE_INSUFFICIENT_SPACE)
		return bad(l, ODB_BROKEN, "it cannot be inflated");
	text = parse_title((char *)l->head, type, len);
	if (!text || !odb_inflates_to(m->len, *len))
		return bad(l, ODB_BROKEN, "it has no valid header");
	title = (size_t)(text - (char *)l->head);
	if (rc == LIBDEFLATE_SUCCESS ? *len != got - title :
				       *len <= HEAD_BYTES - title)
		return bad(l, ODB_BROKEN, "its size is not what it says");
	if (*len > max)
		return bad(l, ODB_TOO_LARGE, "it is too large");
	return out ? whole(l, m, title, *len, rc == LIBDEFLATE_SUCCESS, out) :
		     ODB_OK;
}

enum odb_status odb_loose_read(struct odb_loose *l, const struct odb_dir *d,
			       const struct oid *id, size_t raw_len, size_t max,
			       enum odb_type *type, size_t *len,
			       struct odb_held **out)
{
	char name[ODB_LOOSE_NAME];
	enum odb_status status;
	struct odb_map m;

	if (odb_map_open(&m, d->fd, loose_name(id, raw_len, name))) {
		if (errno == ENOENT || errno == ENOTDIR)
			return bad(l, ODB_MISSING, "it is not there");
		return bad(l, ODB_BROKEN, "its file cannot be read");
	}
	if (!l->head)
		l->head = mem_zalloc(HEAD_BYTES);
	status = inflate_loose(l, &m, max, type, len, out);
	odb_map_close(&m);
	if (status == ODB_OK && out)
		(*out)->type = *type;
	return status;
}

/* --- which there are ------------------------------------------------------ */

/* One of the 256 directories. */
static int each_of(const struct odb_dir *d, size_t raw_len, const char *two,
		   odb_id_fn *fn, void *arg)
{
	int fd = openat(d->fd, two, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char hex[OID_HEX_MAX + 1];
	struct dirent *entry;
	struct oid id;
	int rc = 0;

	if (!dir) {
		if (fd < 0 && errno == ENOENT)
			return 0;
		log_error("%s/%s: %s", d->path, two, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	memcpy(hex, two, 2);
	while (!rc && (entry = readdir(dir))) {
		/* what is being written has another name */
		if (strlen(entry->d_name) != 2 * raw_len - 2)
			continue;
		memcpy(hex + 2, entry->d_name, 2 * raw_len - 1);
		if (!oid_parse(&id, hex, raw_len))
			rc = fn(arg, &id);
	}
	closedir(dir);
	return rc;
}

/* A quarantine has few of the 256, so the parent is read and not each tried. */
static int each_dir(const struct odb_dir *d, size_t raw_len, odb_id_fn *fn,
		    void *arg)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!dir) {
		log_error("%s: %s", d->path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (!rc && (entry = readdir(dir)))
		if (strlen(entry->d_name) == 2 &&
		    strspn(entry->d_name, "0123456789abcdef") == 2)
			rc = each_of(d, raw_len, entry->d_name, fn, arg);
	closedir(dir);
	return rc;
}

int odb_loose_each(const struct odb_dir *d, size_t raw_len, int first,
		   odb_id_fn *fn, void *arg)
{
	static const char digits[] = "0123456789abcdef";
	char two[3];

	if (first < 0)
		return each_dir(d, raw_len, fn, arg);
	two[0] = digits[first >> 4 & 15];
	two[1] = digits[first & 15];
	two[2] = '\0';
	return each_of(d, raw_len, two, fn, arg);
}
