/*
 * All parked pushes, oldest first: takes the directory, gives what its notes
 * say, and which files belong to nothing whole. A push that is being written
 * or removed at this moment is not taken for a damaged one.
 */
#include "park-internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

/* For a hook that is writing; when it takes longer we go without. */
#define LOCK_MS 2000

static int compare(const void *a, const void *b)
{
	const struct park *p = a, *q = b;

	if (p->time != q->time)
		return p->time < q->time ? -1 : 1;
	return strcmp(p->id, q->id);
}

static int compare_damaged(const void *a, const void *b)
{
	const struct park_damaged *p = a, *q = b;

	return strcmp(p->id, q->id);
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void add_damaged(struct park_list *out, const char *id,
			enum park_damage what)
{
	struct park_damaged d = { .what = what };

	memcpy(d.id, id, sizeof(d.id));
	MEM_GROW(out->damaged, out->nr_damaged, out->alloc_damaged);
	out->damaged[out->nr_damaged++] = d;
}

static void list_one(const struct config *c, const char *id,
		     struct park_list *out)
{
	struct buf path = BUF_INIT;
	int has_bundle = !access(park_dir_file(c, id, ".bundle", &path), F_OK);
	int has_note = !access(park_dir_file(c, id, ".push", &path), F_OK);
	struct park p;

	if (!has_note && !has_bundle) {
		/* removed meanwhile */
	} else if (!has_note) {
		add_damaged(out, id, PARK_NO_NOTE);
	} else if (park_note_read(path.data, &p)) {
		add_damaged(out, id, PARK_BAD_NOTE);
	} else if (strcmp(p.id, id) != 0 || (p.bundle && !has_bundle)) {
		add_damaged(out, id, strcmp(p.id, id) != 0 ? PARK_BAD_NOTE
							   : PARK_NO_BUNDLE);
		park_note_clear(&p);
	} else {
		MEM_GROW(out->list, out->nr, out->alloc);
		out->list[out->nr++] = p;
	}
	buf_clear(&path);
}

/* As park_list, whoever is writing. */
static int list(const struct config *c, struct park_list *out)
{
	struct buf ids = BUF_INIT;
	int rc = park_dir_ids(c, &ids);

	/* lines of 17 bytes */
	if (ids.len)
		qsort(ids.data, ids.len / 17, 17, compare_ids);
	for (size_t i = 0; i < ids.len; i += 17) {
		char id[17];

		if (i && !memcmp(ids.data + i, ids.data + i - 17, 16))
			continue;
		memcpy(id, ids.data + i, 16);
		id[16] = '\0';
		list_one(c, id, out);
	}
	if (out->nr)
		qsort(out->list, out->nr, sizeof(*out->list), compare);
	if (out->nr_damaged)
		qsort(out->damaged, out->nr_damaged, sizeof(*out->damaged),
		      compare_damaged);
	buf_clear(&ids);
	return rc;
}

int park_list(const struct config *c, struct park_list *out)
{
	int busy, fd, rc = list(c, out);

	if (rc || !out->nr_damaged)
		return rc;
	/* it may have been half-way between two names */
	fd = park_dir_lock(c, PARK_LOCK, LOCK_MS, &busy);
	park_list_clear(out);
	rc = list(c, out);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int same_options(const struct park *p, const struct park *q)
{
	if (p->nr_options != q->nr_options)
		return 0;
	for (size_t i = 0; i < p->nr_options; i++)
		if (strcmp(p->options[i], q->options[i]) != 0)
			return 0;
	return 1;
}

/* git sends the references of a push in one order. */
static int same_updates(const struct updates *u, const struct updates *v)
{
	if (u->nr != v->nr)
		return 0;
	for (size_t i = 0; i < u->nr; i++)
		if (u->list[i].op != v->list[i].op ||
		    strcmp(u->list[i].ref, v->list[i].ref) != 0 ||
		    strcmp(u->list[i].old, v->list[i].old) != 0 ||
		    strcmp(u->list[i].new, v->list[i].new) != 0)
			return 0;
	return 1;
}

int park_list_same(const struct config *c, const struct park *p, char id[17])
{
	struct park_list l = PARK_LIST_INIT;
	int found = 0;

	list(c, &l);
	for (size_t i = 0; i < l.nr && !found; i++) {
		const struct park *q = &l.list[i];

		found = !strcmp(p->who, q->who) && !strcmp(p->name, q->name) &&
			!strcmp(p->upstream, q->upstream) &&
			same_options(p, q) &&
			same_updates(&p->updates, &q->updates);
		if (found)
			memcpy(id, q->id, sizeof(q->id));
	}
	park_list_clear(&l);
	return found;
}

void park_list_clear(struct park_list *l)
{
	for (size_t i = 0; i < l->nr; i++)
		park_note_clear(&l->list[i]);
	free(l->list);
	free(l->damaged);
	memset(l, 0, sizeof(*l));
}
