/*
 * Room for packs: looks at all files of the directory and what they take on
 * the disk, what is reserved for those being made included; removes what is
 * too old, what nobody makes any more, and whole ones, the least recently used
 * first, until there is room. Never touches one that is being made or read.
 */
#include "packs.h"
#include "packs-internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "mem.h"

/* So many packs at most: each look at all takes about a millisecond. */
#define MOST 1000
/* Of which nothing is known: at most, and of all that there may be. */
#define GUESS ((uint64_t)1 << 20)
#define GUESS_SHARE 8
/* What stat(2) counts in. */
#define BLOCK 512

struct entry {
	char key[PACKS_KEY_LEN + 1];
	int making;
	uint64_t bytes;
	struct timespec used;
};

struct list {
	struct entry *all;
	size_t nr, alloc;
};

int packs_is_key(const char *name)
{
	return strlen(name) == PACKS_KEY_LEN &&
	       strspn(name, "0123456789abcdef") >= PACKS_KEY_LEN;
}

/* May its name go? Not while somebody makes or reads it. */
static int is_free(int dir, const char *key)
{
	int fd = openat(dir, key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int is_free = fd >= 0 && !packs_file_alive(fd) && !packs_file_used(fd);

	if (fd >= 0)
		close(fd);
	return is_free;
}

static void add(struct list *l, int dir, const char *name,
		const struct packs_look *look)
{
	struct stat st;
	struct entry *e;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	MEM_GROW(l->all, l->nr, l->alloc);
	e = &l->all[l->nr];
	memcpy(e->key, name, PACKS_KEY_LEN + 1);
	e->making = (st.st_mode & 07777) != PACKS_WHOLE;
	e->bytes = (uint64_t)st.st_blocks * BLOCK;
	e->used = st.st_mtim;
	if (look->size != UINT64_MAX &&
	    (e->making ||
	     time(NULL) - st.st_mtim.tv_sec > look->age_ms / 1000) &&
	    is_free(dir, name))
		unlinkat(dir, name, 0);
	else
		l->nr++;
}

static int read_all(int dir, struct list *l, const struct packs_look *look)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((e = readdir(d)) != NULL)
		if (packs_is_key(e->d_name))
			add(l, dir, e->d_name, look);
	closedir(d);
	return 0;
}

static int older(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->used;
	const struct timespec *y = &((const struct entry *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	if (x->tv_nsec != y->tv_nsec)
		return x->tv_nsec < y->tv_nsec ? -1 : 1;
	return 0;
}

static int is_too_much(const struct packs_look *look)
{
	return look->size != UINT64_MAX &&
	       (look->bytes > look->size ||
		look->size - look->bytes < look->need || look->nr >= MOST);
}

int packs_look(int dir, struct packs_look *look)
{
	struct list l = { .nr = 0 };
	size_t i;

	if (read_all(dir, &l, look) < 0) {
		free(l.all);
		return -1;
	}
	look->nr = l.nr;
	look->bytes = 0;
	for (i = 0; i < l.nr; i++)
		look->bytes += l.all[i].bytes;
	if (is_too_much(look))
		qsort(l.all, l.nr, sizeof(*l.all), older);
	for (i = 0; i < l.nr && is_too_much(look); i++) {
		if (l.all[i].making || !is_free(dir, l.all[i].key))
			continue;
		unlinkat(dir, l.all[i].key, 0);
		look->bytes -= l.all[i].bytes;
		look->nr--;
	}
	free(l.all);
	return 0;
}

int packs_room(const struct packs *p, uint64_t need)
{
	struct packs_look look = { .size = p->size, .need = need,
				   .age_ms = p->age_ms };

	/* nothing has to go for what does not fit at all */
	if (need > p->size || packs_look(p->fd, &look) < 0)
		return -1;
	return is_too_much(&look) ? -1 : 0;
}

/* The wants, "--not", what the client has, and an empty line. */
static int wants_all(const struct packs *p)
{
	static const char end[] = "\n--not\n\n";
	const struct buf *in = p->input;
	size_t n = strlen(end), i;

	for (i = 1; p->argv[i] != NULL; i++)
		if (!strncmp(p->argv[i], "--filter", 8) ||
		    !strncmp(p->argv[i], "--shallow", 9))
			return 0;
	return in->len >= n && !memcmp(in->data + in->len - n, end, n);
}

uint64_t packs_guess(const struct packs *p)
{
	DIR *d = wants_all(p) ? opendir("objects/pack") : NULL;
	struct dirent *e;
	struct stat st;
	uint64_t all = p->size / GUESS_SHARE;

	if (all > GUESS)
		all = GUESS;
	while (d != NULL && (e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		if (n > 5 && !strcmp(e->d_name + n - 5, ".pack") &&
		    fstatat(dirfd(d), e->d_name, &st, 0) == 0)
			all += (uint64_t)st.st_size;
	}
	if (d != NULL)
		closedir(d);
	return all;
}
