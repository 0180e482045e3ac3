/*
 * What the references reached before a push. Asked only about an object that
 * the store has and that was found to hold a secret, or could not be scanned:
 * finding out means to visit the whole history, once.
 */
#include <sha256.h>

#include "history.h"

/* Of one id in the set, its table included. */
#define ID_BYTES 56
/* What is remembered at most, where no bound is given. */
#define IDS_MAX 8000000

static void add_tree(struct history *h, struct history_old *old,
		     const struct oid *id, struct oids *todo)
{
	struct history_entry e;
	struct odb_object o;
	struct oid to;
	const char *at;

	if (history_read(h, id, ODB_TREE, &o))
		return;
	at = o.data;
	while (history_parse_entry(&at, o.data + o.len, h->raw_len, &e) > 0) {
		history_entry_id(&e, h->raw_len, &to);
		if (e.type == ODB_BLOB)
			oids_put(&old->reached, &to, NULL);
		else if (e.type == ODB_TREE)
			oids_put(todo, &to, NULL);
	}
	odb_release(h->reader, &o);
}

static void add_commit(struct history *h, const struct oid *id,
		       struct oids *todo)
{
	struct history_commit c;
	struct odb_object o;
	struct oid to;
	size_t i;

	if (history_read(h, id, ODB_COMMIT, &o))
		return;
	if (!history_parse_commit(o.data, o.len, h->raw_len, &c)) {
		oids_put(todo, &c.tree, NULL);
		for (i = 0; i < c.nr_parents; i++)
			if (!history_parse_parent(&c, i, h->raw_len, &to))
				oids_put(todo, &to, NULL);
	}
	odb_release(h->reader, &o);
}

static void add_tag(struct history *h, const struct oid *id,
		    struct oids *todo)
{
	struct odb_object o;
	struct oid to;

	if (history_read(h, id, ODB_TAG, &o))
		return;
	if (!history_parse_tag(o.data, o.len, h->raw_len, &to))
		oids_put(todo, &to, NULL);
	odb_release(h->reader, &o);
}

static void add_object(struct history *h, struct history_old *old,
		       const struct oid *id, struct oids *todo)
{
	enum odb_type type;
	size_t len;

	if (odb_header(h->reader, id, &type, &len) != ODB_OK)
		return;
	switch (type) {
	case ODB_COMMIT:
		add_commit(h, id, todo);
		break;
	case ODB_TREE:
		add_tree(h, old, id, todo);
		break;
	case ODB_BLOB:
		oids_put(&old->reached, id, NULL);
		break;
	case ODB_TAG:
		add_tag(h, id, todo);
		break;
	case ODB_NONE:
		break;
	}
}

/* All that the references reach. Returns 0, or -1: not all. */
static int collect(struct history *h, struct history_old *old)
{
	size_t i, max = h->memory ? HISTORY_KEPT_MAX(h->memory) / ID_BYTES :
				    IDS_MAX;
	struct oids *todo = &old->visited;
	struct oid id;
	int ret = 0;

	for (i = 0; i < h->refs.nr; i++)
		oids_put(todo, &h->refs.list[i].id, NULL);
	for (i = 0; i < todo->nr && !ret; i++) {
		/* a copy: the list moves when it grows */
		id = todo->list[i];
		add_object(h, old, &id, todo);
		if (todo->nr + old->reached.nr > max || history_late(h))
			ret = -1;
	}
	return ret;
}

static int look(struct history *h, struct history_old *old)
{
	if (!old->state)
		old->state = collect(h, old) ? -1 : 1;
	return old->state;
}

int history_is_old(struct history *h, struct history_old *old,
		   const struct oid *id)
{
	if (!history_has(h, id))
		return 0;
	look(h, old);
	return oids_find(&old->reached, id) >= 0 ||
	       oids_find(&old->visited, id) >= 0;
}

/* One that collides would pass for another. */
static struct oid hash_of(const char *name, size_t len)
{
	struct oid id;
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)name, len);
	SHA256Final(id.raw, &ctx);
	return id;
}

static void add_names(struct history *h, struct history_old *old,
		      const struct oid *id)
{
	struct history_entry e;
	struct odb_object o;
	struct oid hash;
	const char *at;

	if (history_read(h, id, ODB_TREE, &o))
		return;
	at = o.data;
	while (history_parse_entry(&at, o.data + o.len, h->raw_len, &e) > 0) {
		hash = hash_of(e.name, e.name_len);
		oids_put(&old->names, &hash, NULL);
	}
	odb_release(h->reader, &o);
}

int history_is_old_name(struct history *h, struct history_old *old,
			const char *name, size_t len)
{
	struct oid hash = hash_of(name, len);
	size_t i;

	if (look(h, old) > 0 && !old->names.nr)
		for (i = 0; i < old->visited.nr && !history_late(h); i++)
			add_names(h, old, &old->visited.list[i]);
	return oids_find(&old->names, &hash) >= 0;
}

void history_old_clear(struct history_old *old)
{
	oids_clear(&old->reached);
	oids_clear(&old->visited);
	oids_clear(&old->names);
	old->state = 0;
}
