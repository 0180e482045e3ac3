/*
 * Object directories: takes their paths, opens what they hold and their
 * alternates, says what is there. Gives no object's text (odb-read.c). Never
 * writes, never runs git, reads no configuration.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "mem.h"
#include "odb-internal.h"
#include "text.h"

/* As git: ALTERNATES in gitrepository-layout(5); deeper ones are ignored. */
#define ALTERNATES_DEEP 5
#define ALTERNATES_MAX ((size_t)1 << 20)

static int add_dir(struct odb *o, const char *path, int alternates, int depth);

/* Opened, or -1 with errno. */
static int open_dir(struct odb_dir *d, const char *path)
{
	struct stat st;

	memset(d, 0, sizeof(*d));
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0 || fstat(d->fd, &st)) {
		if (d->fd >= 0)
			close(d->fd);
		return -1;
	}
	d->path = mem_strdup(path);
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	return 0;
}

/* One line of info/alternates; a relative one is so to the directory. */
static int add_alternate(struct odb *o, const char *path, const char *line,
			 int depth)
{
	struct buf b = BUF_INIT;
	int rc;

	if (*line != '/')
		buf_addf(&b, "%s/", path);
	buf_adds(&b, line);
	rc = add_dir(o, b.data, 1, depth + 1);
	buf_clear(&b);
	return rc;
}

/* What an alternate has that cannot be opened is met as missing. */
static int add_alternates(struct odb *o, const char *path, int depth)
{
	struct buf name = BUF_INIT, text = BUF_INIT;
	char *line, *next;
	int rc = 0;

	buf_addf(&name, "%s/info/alternates", path);
	if (buf_read_file(&text, name.data, ALTERNATES_MAX)) {
		rc = errno == ENOENT ? 0 : -1;
		if (rc)
			log_error("%s: %s", name.data, strerror(errno));
		goto out;
	}
	for (line = text.data; line && *line && !rc; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (*line && *line != '#')
			rc = add_alternate(o, path, line, depth);
	}
out:
	buf_clear(&name);
	buf_clear(&text);
	return rc;
}

/* A directory and what it borrows from, each once. 0 or -1, logged. */
static int add_dir(struct odb *o, const char *path, int alternates, int depth)
{
	struct odb_dir d;
	size_t i;

	if (depth > ALTERNATES_DEEP) {
		log_warn("%s: alternates nested too deep, not looked at", path);
		return 0;
	}
	if (open_dir(&d, path)) {
		log_error("%s: not a directory of objects: %s", path,
			  strerror(errno));
		return depth ? 0 : -1;
	}
	for (i = 0; i < o->nr_dirs; i++)
		if (o->dirs[i].dev == d.dev && o->dirs[i].ino == d.ino) {
			close(d.fd);
			free(d.path);
			return 0;
		}
	MEM_GROW(o->dirs, o->nr_dirs, o->alloc_dirs);
	o->dirs[o->nr_dirs++] = d;
	return alternates ? add_alternates(o, path, depth) : 0;
}

struct odb *odb_open(const char *objects, size_t raw_len, int alternates)
{
	struct odb *o = mem_zalloc(sizeof(*o));

	o->raw_len = raw_len;
	pthread_mutex_init(&o->lock, NULL);
	if (add_dir(o, objects, alternates, 0)) {
		odb_close(o);
		return NULL;
	}
	odb_refresh(o);
	return o;
}

void odb_close(struct odb *o)
{
	struct odb_packs *packs, *old;
	size_t i;

	if (!o)
		return;
	packs = atomic_load(&o->packs);
	for (i = 0; packs && i < packs->nr; i++)
		odb_pack_free(packs->list[i]);
	for (; packs; packs = old) {
		old = packs->old;
		free(packs);
	}
	for (i = 0; i < o->nr_dirs; i++) {
		close(o->dirs[i].fd);
		free(o->dirs[i].path);
	}
	free(o->dirs);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

size_t odb_raw_len(const struct odb *o)
{
	return o->raw_len;
}

const char *odb_path(const struct odb *o, size_t nr)
{
	return nr < o->nr_dirs ? o->dirs[nr].path : NULL;
}

int odb_find_packed(const struct odb *o, const struct oid *id,
		    struct odb_place *out)
{
	const struct odb_packs *packs = atomic_load(&o->packs);
	ptrdiff_t at;
	size_t i;

	for (i = 0; i < packs->nr; i++) {
		at = odb_idx_find(&packs->list[i]->idx, id->raw);
		if (at < 0)
			continue;
		out->pack = packs->list[i];
		out->dir = NULL;
		out->offset = odb_idx_offset(&out->pack->idx, (uint32_t)at);
		return 0;
	}
	return -1;
}

int odb_find(const struct odb *o, const struct oid *id, struct odb_place *out)
{
	size_t i;

	memset(out, 0, sizeof(*out));
	if (!odb_find_packed(o, id, out))
		return 0;
	for (i = 0; i < o->nr_dirs; i++)
		if (odb_loose_has(&o->dirs[i], id, o->raw_len)) {
			out->dir = &o->dirs[i];
			return 0;
		}
	return -1;
}

int odb_has(const struct odb *o, const struct oid *id)
{
	struct odb_place at;

	return !odb_find(o, id, &at);
}

static int count_one(void *arg, const struct oid *id)
{
	(void)id;
	++*(size_t *)arg;
	return 0;
}

size_t odb_count(const struct odb *o)
{
	const struct odb_packs *packs = atomic_load(&o->packs);
	size_t i, nr = 0;

	for (i = 0; i < packs->nr_own; i++)
		nr += packs->list[i]->idx.nr;
	odb_loose_each(&o->dirs[0], o->raw_len, -1, count_one, &nr);
	return nr;
}

int odb_each(const struct odb *o, odb_id_fn *fn, void *arg)
{
	const struct odb_packs *packs = atomic_load(&o->packs);
	struct oid id = { 0 };
	uint32_t at;
	size_t i;
	int rc;

	for (i = 0; i < packs->nr_own; i++) {
		const struct odb_idx *x = &packs->list[i]->idx;

		for (at = 0; at < x->nr; at++) {
			memcpy(id.raw, odb_idx_id(x, at), o->raw_len);
			rc = fn(arg, &id);
			if (rc)
				return rc;
		}
	}
	rc = odb_loose_each(&o->dirs[0], o->raw_len, -1, fn, arg);
	return rc ? rc : o->dirs[0].incomplete ? -1 : 0;
}

/* --- ids by their first digits -------------------------------------------- */

struct prefix {
	struct oid id; /* what is known of it; the rest is zero */
	size_t digits;
	struct oid found;
	int nr;        /* different ones, up to 2 */
};

static int has_prefix(const struct prefix *p, const unsigned char *raw)
{
	size_t whole = p->digits / 2;

	return !memcmp(p->id.raw, raw, whole) &&
	       (p->digits % 2 == 0 || p->id.raw[whole] >> 4 == raw[whole] >> 4);
}

/* Returns 1 when it is clear that there is more than one. */
static int add_match(void *arg, const struct oid *id)
{
	struct prefix *p = arg;

	if (!has_prefix(p, id->raw) || (p->nr && oid_equal(&p->found, id)))
		return 0;
	p->found = *id;
	return ++p->nr > 1;
}

static void match_pack(struct prefix *p, const struct odb_idx *x)
{
	struct oid id = { 0 };
	uint32_t at = odb_idx_lower(x, p->id.raw);

	for (; at < x->nr && has_prefix(p, odb_idx_id(x, at)); at++) {
		memcpy(id.raw, odb_idx_id(x, at), x->raw_len);
		if (add_match(p, &id))
			return;
	}
}

int odb_abbreviated(const struct odb *o, const char *hex, size_t n,
		    struct oid *out)
{
	const struct odb_packs *packs = atomic_load(&o->packs);
	struct prefix p = { .digits = n };
	size_t i;

	if (n < 4 || n > 2 * o->raw_len)
		return 0;
	for (i = 0; i < n; i++) {
		int digit = text_hex((unsigned char)hex[i]);

		if (digit < 0)
			return 0;
		p.id.raw[i / 2] |= (unsigned char)(i % 2 ? digit : digit << 4);
	}
	for (i = 0; i < packs->nr && p.nr < 2; i++)
		match_pack(&p, &packs->list[i]->idx);
	for (i = 0; i < o->nr_dirs && p.nr < 2; i++)
		odb_loose_each(&o->dirs[i], o->raw_len, p.id.raw[0], add_match,
			       &p);
	if (p.nr == 1)
		*out = p.found;
	return p.nr > 1 ? -1 : p.nr;
}
