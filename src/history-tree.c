/*
 * What a tree has that none of some older trees has at the same path. Trees
 * are read in place, all in git's order, side by side. A tree that is not in
 * order, or has a name twice, costs a second look; whatever is not found in an
 * older tree counts as new, never the other way.
 */
#include <string.h>

#include "buf.h"
#include "history.h"

/* Deeper directories, or longer paths, than any system could check out. */
#define DEPTH_MAX 512
#define PATH_MAX_BYTES 8192
/* Entries of one tree, out of order, that are searched for. */
#define SEARCHES_MAX 64
/* A tree's note: it is well-formed, and each name is after the last. */
#define SOUND 1U

struct run {
	struct history *h;
	const struct history_diff *d;
	struct buf path;
};

/* An older tree, and how far it has been read. */
struct older {
	struct odb_object o;
	const char *at;
	struct history_entry e;
	int more; /* there is an e */
};

struct level {
	struct oid id;
	struct odb_object tree;
	struct oid ids[HISTORY_PARENTS_MAX]; /* of the older ones */
	struct older older[HISTORY_PARENTS_MAX];
	size_t nr;
	unsigned depth, searches;
};

static void compare(struct run *run, const struct oid *tree,
		    const struct oid *older, size_t nr, unsigned depth);

static void advance(const struct run *run, struct older *o)
{
	/* a malformed one ends here: more counts as new then, not less */
	o->more = history_parse_entry(&o->at, o->o.data + o->o.len,
				      run->h->raw_len, &o->e) == 1;
}

static void rewind_to_start(const struct run *run, struct older *o)
{
	o->at = o->o.data;
	advance(run, o);
}

/* The entry of the same name in o, which is moved on to it. */
static const struct history_entry *find_in_order(const struct run *run,
						 struct older *o,
						 const struct history_entry *e)
{
	int order = -1;

	while (o->more && (order = history_entry_order(&o->e, e)) < 0)
		advance(run, o);
	return o->more && !order ? &o->e : NULL;
}

static const struct history_entry *find_anywhere(const struct run *run,
						 struct older *o,
						 const struct history_entry *e)
{
	rewind_to_start(run, o);
	while (o->more && history_entry_order(&o->e, e))
		advance(run, o);
	return o->more ? &o->e : NULL;
}

static int is_equal(const struct history_entry *a,
		    const struct history_entry *b, size_t raw_len)
{
	return a->type == b->type &&
	       !memcmp(a->raw + a->raw_size - raw_len,
		       b->raw + b->raw_size - raw_len, raw_len);
}

/*
 * The entries of the same name in the older trees: their ids, if they are of
 * type, and in *nr_all how many there are of any. Returns 1 when one of them
 * is the same in all, else 0.
 */
static int find_older(const struct run *run, struct level *l,
		      const struct history_entry *e, int in_order,
		      struct oid *ids, size_t *nr, size_t *nr_all)
{
	const struct history_entry *found;
	size_t i, raw_len = run->h->raw_len;

	*nr = *nr_all = 0;
	for (i = 0; i < l->nr; i++) {
		struct older *o = &l->older[i];

		/* most of a tree is as it was */
		if (o->more && o->e.raw_size == e->raw_size &&
		    !memcmp(o->e.raw, e->raw, e->raw_size)) {
			advance(run, o);
			return 1;
		}
		found = in_order ? find_in_order(run, o, e) :
				   find_anywhere(run, o, e);
		if (!found)
			continue;
		if (is_equal(found, e, raw_len))
			return 1;
		++*nr_all;
		if (found->type == e->type)
			history_entry_id(found, raw_len, &ids[(*nr)++]);
	}
	return 0;
}

static void add_name(struct buf *path, const struct history_entry *e)
{
	if (path->len)
		buf_addc(path, '/');
	buf_add(path, e->name, e->name_len);
}

static void entry(struct run *run, struct level *l,
		  const struct history_entry *e, int in_order)
{
	struct oid older[HISTORY_PARENTS_MAX];
	struct history_change c = { .entry = e, .older = older };
	size_t len = run->path.len, nr_all;

	if (!in_order && l->searches++ >= SEARCHES_MAX)
		in_order = 1;
	if (find_older(run, l, e, in_order, older, &c.nr_older, &nr_all))
		return;
	add_name(&run->path, e);
	history_entry_id(e, run->h->raw_len, &c.id);
	c.path = run->path.data;
	c.path_len = run->path.len;
	c.is_new = !nr_all;
	run->d->change(run->d->arg, &c);
	if (e->type == ODB_TREE)
		compare(run, &c.id, older, c.nr_older, l->depth + 1);
	run->path.len = len;
	run->path.data[len] = '\0';
}

static int is_after(const struct history_entry *e,
		    const struct history_entry *last)
{
	return !last->raw || history_entry_order(last, e) < 0;
}

/* How many bytes two texts of at least n have in common at their start. */
static size_t count_same(const char *a, const char *b, size_t n)
{
	size_t i = 0, step;

	for (step = 512; step; step /= 8)
		while (n - i >= step && !memcmp(a + i, b + i, step))
			i += step;
	return i;
}

/* Bytes of the entries, of a sound tree, that are whole within n; the last of
 * them begins at *last. */
static size_t count_whole(const char *at, size_t n, size_t raw_len,
			  size_t *last)
{
	size_t whole = 0, next;

	while ((next = whole + strlen(at + whole) + 1 + raw_len) <= n) {
		*last = whole;
		whole = next;
	}
	return whole;
}

/*
 * Over the entries from e on that the first older tree, which is sound, has in
 * the same bytes and order: to what entry() would come to one by one. behind:
 * o stays at the last of them, not after it. Returns 1 when that is all.
 */
static int pass(const struct run *run, struct level *l, const char **at,
		struct history_entry *last, int behind)
{
	struct older *o = &l->older[0];
	const char *from = o->e.raw;
	size_t ours = (size_t)(l->tree.data + l->tree.len - *at);
	size_t theirs = (size_t)(o->o.data + o->o.len - from);
	size_t same = count_same(*at, from, ours < theirs ? ours : theirs);
	size_t final, whole;

	if (same == ours && same == theirs)
		return 1;
	whole = count_whole(from, same, run->h->raw_len, &final);
	if (!whole)
		return 0;
	*at += final;
	history_parse_entry(at, l->tree.data + l->tree.len, run->h->raw_len,
			    last);
	o->at = from + (behind ? final : whole);
	advance(run, o);
	return 0;
}

/* Most of a tree is as it was: pass over that, if it can be known. */
static int pass_equal(const struct run *run, struct level *l, const char **at,
		      struct history_entry *last)
{
	const char *next = *at, *end = l->tree.data + l->tree.len;
	struct older *o = &l->older[0];
	struct history_entry e;
	int behind = 0;

	if (!l->nr || !(*o->o.note & SOUND) || !o->more ||
	    history_parse_entry(&next, end, run->h->raw_len, &e) < 1 ||
	    !is_after(&e, last))
		return 0;
	/* as find_in_order, which comes to the same place after it */
	for (; o->more && history_entry_order(&o->e, &e) < 0; behind = 1)
		advance(run, o);
	return o->more && pass(run, l, at, last, behind);
}

static void entries(struct run *run, struct level *l)
{
	const char *at = l->tree.data, *end = at + l->tree.len;
	struct history_entry e, last = { 0 };
	int got = 0, in_order, sound = 1;

	while (!pass_equal(run, l, &at, &last) &&
	       (got = history_parse_entry(&at, end, run->h->raw_len, &e)) > 0) {
		in_order = is_after(&e, &last);
		sound &= in_order;
		entry(run, l, &e, in_order);
		if (run->h->late)
			return;
		last = e;
	}
	if (got < 0)
		run->d->bad(run->d->arg, &l->id, "is malformed");
	else if (sound)
		*l->tree.note |= SOUND;
}

/* Count what is held at once: trees in trees may each be large. */
static const char *hold(struct run *run, const struct oid *id,
			struct odb_object *o)
{
	struct history *h = run->h;
	const char *why = history_read(h, id, ODB_TREE, o);

	if (why)
		return why;
	if (h->memory && o->len + h->held > h->memory / 4) {
		odb_release(h->reader, o);
		return "needs too much memory";
	}
	h->held += o->len;
	return NULL;
}

static void let_go(struct run *run, struct odb_object *o)
{
	run->h->held -= o->len;
	odb_release(run->h->reader, o);
}

/* Those that cannot be read are left out: more counts as new then. */
static void hold_older(struct run *run, struct level *l,
		       const struct oid *older, size_t nr)
{
	size_t i;

	l->nr = 0;
	for (i = 0; i < nr && l->nr < HISTORY_PARENTS_MAX; i++) {
		struct older *o = &l->older[l->nr];

		if (hold(run, &older[i], &o->o))
			continue;
		rewind_to_start(run, o);
		l->ids[l->nr++] = older[i];
	}
}

static int is_too_deep(const struct run *run, unsigned depth)
{
	return depth > DEPTH_MAX || run->path.len > PATH_MAX_BYTES;
}

static void compare(struct run *run, const struct oid *tree,
		    const struct oid *older, size_t nr, unsigned depth)
{
	const struct history_diff *d = run->d;
	struct level l;
	const char *why;

	if (history_late(run->h))
		return;
	why = is_too_deep(run, depth) ? "is too deep, or its path too long" :
					hold(run, tree, &l.tree);
	if (why) {
		d->bad(d->arg, tree, why);
		return;
	}
	l.id = *tree;
	l.depth = depth;
	l.searches = 0;
	hold_older(run, &l, older, nr);
	if (d->enter(d->arg, tree, l.tree.len, l.ids, l.nr, run->path.data))
		entries(run, &l);
	while (l.nr)
		let_go(run, &l.older[--l.nr].o);
	let_go(run, &l.tree);
}

void history_tree(struct history *h, const struct oid *tree,
		  const struct oid *older, size_t nr_older,
		  const struct history_diff *d)
{
	struct run run = { .h = h, .d = d, .path = BUF_INIT };
	size_t i;

	for (i = 0; i < nr_older; i++)
		if (oid_equal(tree, &older[i]))
			return;
	buf_add(&run.path, "", 0);
	compare(&run, tree, older, nr_older, 0);
	buf_clear(&run.path);
}
