/*
 * What the next commit would bring: the entries of an index that HEAD, or in
 * a merge any of its parents, has not the same way. Takes the index, hands
 * paths and files on as walk-commit.c does for a commit that is there.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "index.h"
#include "mem.h"
#include "walk-internal.h"

/* Directories in each other that are compared; deeper, all is new. */
#define LEVELS_MAX 256
#define MERGE_HEAD_MAX 65536

/* A directory of a parent that the last path was in. */
struct level {
	struct odb_object tree;
	const char *at; /* where the search goes on: both are in order */
	size_t prefix;  /* bytes of the path up to here, with its '/' */
};

struct parent {
	struct oid tree;
	struct level levels[LEVELS_MAX];
	size_t nr;
};

struct walk_staged {
	struct walk *w;
	const char *index;
	struct parent *parents; /* none before the first commit */
	struct oid older[HISTORY_PARENTS_MAX]; /* their trees */
	size_t nr;
	struct buf last;        /* path */
	char **paths;           /* of the index, in order, when asked for */
	size_t nr_paths, alloc_paths;
	walk_progress *progress;
	void *arg;
	size_t done, total;
};

static void leave(struct walk_staged *s, struct parent *p, size_t prefix)
{
	while (p->nr && p->levels[p->nr - 1].prefix > prefix)
		odb_release(s->w->h->reader, &p->levels[--p->nr].tree);
}

/* Returns 0, or -1: it cannot be read, noted. */
static int descend(struct walk_staged *s, struct parent *p,
		   const struct oid *tree, size_t prefix)
{
	struct level *l = &p->levels[p->nr];
	const char *why;

	if (p->nr == LEVELS_MAX)
		return -1;
	why = history_read(s->w->h, tree, ODB_TREE, &l->tree);
	if (why) {
		walk_note_unreadable(s->w, tree, why);
		return -1;
	}
	l->at = l->tree.data;
	l->prefix = prefix;
	p->nr++;
	return 0;
}

/* The entry of that name, from where the last one was on, and round. */
static int search(struct walk_staged *s, struct level *l, const char *name,
		  size_t len, struct history_entry *out)
{
	const char *end = l->tree.data + l->tree.len, *at = l->at;
	int wrapped = at == l->tree.data;

	for (;;) {
		if (history_parse_entry(&at, end, s->w->h->raw_len, out) < 1) {
			if (wrapped)
				return 0;
			wrapped = 1;
			at = l->tree.data;
			end = l->at;
			continue;
		}
		if (out->name_len == len && !memcmp(out->name, name, len)) {
			l->at = at;
			return 1;
		}
	}
}

/* The parent's entry at a path. Returns 1, or 0: there is none. */
static int look_up(struct walk_staged *s, struct parent *p, const char *path,
		   struct history_entry *out, struct oid *id)
{
	size_t common = 0;

	while (common < s->last.len && s->last.data[common] == path[common])
		common++;
	leave(s, p, common);
	if (!p->nr && descend(s, p, &p->tree, 0))
		return 0;
	for (;;) {
		struct level *l = &p->levels[p->nr - 1];
		const char *rest = path + l->prefix;
		size_t n = strcspn(rest, "/");

		if (!search(s, l, rest, n, out))
			return 0;
		history_entry_id(out, s->w->h->raw_len, id);
		/* a sparse directory's path ends in the slash */
		if (!rest[n] || !rest[n + 1])
			return 1;
		if (out->type != ODB_TREE ||
		    descend(s, p, id, l->prefix + n + 1))
			return 0;
	}
}

static enum odb_type type_of(unsigned mode)
{
	if (S_ISREG(mode) || S_ISLNK(mode))
		return ODB_BLOB;
	return S_ISDIR(mode) ? ODB_TREE : ODB_COMMIT;
}

static int is_in_parents(struct walk_staged *s, const char *path)
{
	struct history_entry theirs;
	struct oid id;
	size_t i;

	for (i = 0; i < s->nr; i++)
		if (look_up(s, &s->parents[i], path, &theirs, &id))
			return 1;
	return 0;
}

/* An index names no directories: those of a new path that are new with it. */
static void scan_directories(struct walk_staged *s, const char *path)
{
	const char *slash = path;
	struct buf dir = BUF_INIT;

	while ((slash = strchr(slash, '/')) && slash[1] && !walk_late(s->w)) {
		buf_reset(&dir);
		buf_add(&dir, path, (size_t)(slash++ - path));
		if (!is_in_parents(s, dir.data))
			walk_scan_path(s->w, dir.data, dir.len);
	}
	buf_clear(&dir);
}

/* What differs from all the parents. */
static void compare(struct walk_staged *s, const struct index_entry *e)
{
	struct history_entry theirs, ours = { .type = type_of(e->mode) };
	struct oid older[HISTORY_PARENTS_MAX], id;
	struct history_change c = { .entry = &ours, .id = e->id,
				    .path = e->path, .path_len = e->path_len,
				    .is_new = 1, .older = older };
	int same = 0;
	size_t i;

	for (i = 0; i < s->nr; i++) {
		if (!look_up(s, &s->parents[i], e->path, &theirs, &id))
			continue;
		c.is_new = 0;
		same |= theirs.type == ours.type && oid_equal(&id, &e->id);
		if (theirs.type == ODB_BLOB)
			older[c.nr_older++] = id;
	}
	if (same)
		return;
	if (c.is_new) {
		scan_directories(s, e->path);
		walk_scan_path(s->w, c.path, c.path_len);
	}
	if (ours.type == ODB_BLOB)
		walk_scan_blob(s->w, &c);
	else if (ours.type == ODB_TREE)
		findings_unknown(s->w->out, "the index is sparse, and a "
				 "directory in it is not as in HEAD; run git "
				 "sparse-checkout reapply --no-sparse-index");
}

static int take(void *arg, const struct index_entry *e)
{
	struct walk_staged *s = arg;

	compare(s, e);
	buf_reset(&s->last);
	buf_add(&s->last, e->path, e->path_len);
	s->done++;
	if (s->progress)
		s->progress(s->arg, s->done, s->total);
	return walk_late(s->w);
}

static int count(void *arg, const struct index_entry *e)
{
	struct walk_staged *s = arg;

	(void)e;
	s->total++;
	return 0;
}

static int collect(void *arg, const struct index_entry *e)
{
	struct walk_staged *s = arg;

	MEM_GROW(s->paths, s->nr_paths, s->alloc_paths);
	s->paths[s->nr_paths++] = mem_strndup(e->path, e->path_len);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int walk_staged_has(struct walk_staged *s, const char *path)
{
	const char *why;

	if (!s->nr_paths) {
		index_each(s->index, s->w->h->raw_len, collect, s, &why);
		/* as git sorts them; who made the file may not have */
		if (s->nr_paths)
			qsort(s->paths, s->nr_paths, sizeof(*s->paths),
			      by_text);
	}
	return s->nr_paths && bsearch(&path, s->paths, s->nr_paths,
				      sizeof(*s->paths), by_text) != NULL;
}

/* One more commit that the next one will be on top of. */
static void add_parent(struct walk_staged *s, const struct oid *id)
{
	struct history_commit c;
	struct odb_object o;
	const char *why;

	if (s->nr == HISTORY_PARENTS_MAX)
		return;
	why = history_read(s->w->h, id, ODB_COMMIT, &o);
	if (!why) {
		if (history_parse_commit(o.data, o.len, s->w->h->raw_len, &c))
			why = "is malformed";
		odb_release(s->w->h->reader, &o);
	}
	if (why) {
		walk_note_unreadable(s->w, id, why);
		return;
	}
	s->parents[s->nr].tree = s->older[s->nr] = c.tree;
	s->nr++;
}

/* The others of a merge that is under way: a line of hexadecimal for each. */
static void add_merged(struct walk_staged *s)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	size_t digits = 2 * s->w->h->raw_len;
	struct oid id;
	char *line;

	buf_addf(&path, "%s/MERGE_HEAD", s->w->h->git_dir);
	if (!buf_read_file(&text, path.data, MERGE_HEAD_MAX) && text.len)
		for (line = text.data; strlen(line) >= digits;
		     line += digits + 1) {
			if (line[digits] != '\n' && line[digits])
				break;
			line[digits] = '\0';
			if (oid_parse(&id, line, s->w->h->raw_len))
				break;
			add_parent(s, &id);
			if (line + digits == text.data + text.len)
				break;
		}
	buf_clear(&path);
	buf_clear(&text);
}

static void find_parents(struct walk_staged *s)
{
	struct oid head;
	int r = history_head(s->w->h, &head);

	s->parents = mem_array(HISTORY_PARENTS_MAX, sizeof(*s->parents));
	if (r < 0)
		findings_unknown(s->w->out, "HEAD cannot be read");
	else if (!r)
		add_parent(s, &head);
	if (!r)
		add_merged(s);
}

static void clear(struct walk_staged *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		while (s->parents[i].nr)
			odb_release(s->w->h->reader,
				    &s->parents[i].levels[--s->parents[i].nr]
					     .tree);
	free(s->parents);
	for (i = 0; i < s->nr_paths; i++)
		free(s->paths[i]);
	free(s->paths);
	buf_clear(&s->last);
}

static void run(struct walk_staged *s)
{
	const size_t raw = s->w->h->raw_len;
	const char *why = NULL;

	if (!index_each(s->index, raw, count, s, &why)) {
		find_parents(s);
		s->w->older = s->older;
		s->w->nr_older = s->nr;
		index_each(s->index, raw, take, s, &why);
	}
	if (why)
		findings_unknown(s->w->out, "the index %s", why);
}

enum scan_result walk_staged(struct walk *w, const struct rules *r,
			     const char *index,
			     const struct walk_limits *limits,
			     walk_progress *progress, void *arg,
			     struct findings *out)
{
	struct walk_staged s = { .w = w, .progress = progress, .arg = arg };
	struct buf own = BUF_INIT;

	buf_addf(&own, "%s/index", w->h->git_dir);
	s.index = index ? index : own.data;
	if (!walk_begin(w, r, limits, out)) {
		w->staged = &s;
		run(&s);
		walk_gone_clear(w);
		w->staged = NULL;
		w->older = NULL;
		w->nr_older = 0;
	}
	clear(&s);
	buf_clear(&own);
	return walk_end(w);
}
