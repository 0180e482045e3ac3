/*
 * The packs of object directories: takes a store, lists objects/pack, opens
 * what is new there. git repacks while others read: packs that we have stay
 * mapped when they are unlinked, and those that took their place, or that of
 * loose objects, are found when something is missing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "mem.h"
#include "odb-internal.h"

/* Packs as they are found, for one directory after the other. */
struct listing {
	const struct odb_packs *have;
	struct odb_pack **list;
	size_t nr, alloc;
	size_t nr_own;
	int is_new;
};

static int is_idx(const char *name)
{
	size_t len = strlen(name);

	return len > strlen("pack-.idx") && !strncmp(name, "pack-", 5) &&
	       !strcmp(name + len - 4, ".idx");
}

static struct odb_pack *find_open(const struct listing *l,
				  const struct odb_dir *d, const char *name)
{
	size_t i;

	for (i = 0; l->have && i < l->have->nr; i++)
		if (l->have->list[i]->dir == d &&
		    !strcmp(l->have->list[i]->name, name))
			return l->have->list[i];
	return NULL;
}

static void take(struct listing *l, struct odb_pack *p)
{
	MEM_GROW(l->list, l->nr, l->alloc);
	l->list[l->nr++] = p;
}

/* One that is there is opened, unless it is already. */
static void add_pack(struct listing *l, struct odb_dir *d, int fd,
		     const char *name, size_t raw_len)
{
	struct odb_pack *p;
	int gone = 0;

	if (find_open(l, d, name))
		return;
	p = odb_pack_open(fd, d->path, name, raw_len, &gone);
	if (p) {
		p->dir = d;
		l->is_new = 1;
		take(l, p);
	} else if (!gone) {
		d->incomplete = 1;
	}
}

/* Is the directory as it was when it was read last? */
static int is_unchanged(struct odb_dir *d, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return 0;
	if (d->scanned[0] == st.st_mtim.tv_sec &&
	    d->scanned[1] == st.st_mtim.tv_nsec)
		return 1;
	d->scanned[0] = st.st_mtim.tv_sec;
	d->scanned[1] = st.st_mtim.tv_nsec;
	return 0;
}

static void list_dir(struct listing *l, struct odb_dir *d, size_t raw_len)
{
	int fd = openat(d->fd, "pack", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd >= 0 && is_unchanged(d, fd)) {
		close(fd);
		return;
	}
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		log_error("%s/pack: %s", d->path, strerror(errno));
		d->incomplete = 1;
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (is_idx(entry->d_name))
			add_pack(l, d, fd, entry->d_name, raw_len);
	closedir(dir);
}

/* What was open is kept: somebody may be reading it. */
static void keep_open(struct listing *l, const struct odb_dir *d)
{
	size_t i;

	for (i = 0; l->have && i < l->have->nr; i++)
		if (l->have->list[i]->dir == d)
			take(l, l->have->list[i]);
}

static void publish(struct odb *o, struct listing *l)
{
	struct odb_packs *packs;
	size_t bytes = l->nr * sizeof(*l->list);

	packs = mem_zalloc(sizeof(*packs) + bytes);
	packs->old = atomic_load(&o->packs);
	packs->nr = l->nr;
	packs->nr_own = l->nr_own;
	if (bytes)
		memcpy(packs->list, l->list, bytes);
	atomic_store(&o->packs, packs);
}

int odb_refresh(const struct odb *store)
{
	/* const for who reads it; this is guarded by its lock */
	struct odb *o = (struct odb *)(uintptr_t)store;
	struct listing l = { 0 };
	size_t i;

	pthread_mutex_lock(&o->lock);
	l.have = atomic_load(&o->packs);
	for (i = 0; i < o->nr_dirs; i++) {
		keep_open(&l, &o->dirs[i]);
		list_dir(&l, &o->dirs[i], o->raw_len);
		if (!i)
			l.nr_own = l.nr;
	}
	if (l.is_new || !l.have)
		publish(o, &l);
	free(l.list);
	pthread_mutex_unlock(&o->lock);
	return l.is_new;
}
