/*
 * What is not a file of a tree: commits and tags, their headers and their
 * messages; and objects that came with a push though nothing reaches them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "walk-internal.h"

/*
 * Split findings in the headers from those in the message, whose lines are
 * counted from its own start.
 */
static void note_parts(struct walk *w, struct walk_text *t,
		       struct walk_hits *h, const char *header,
		       const char *message)
{
	const char *gap = memmem(t->data, t->len, "\n\n", 2), *p;
	size_t body = gap ? (size_t)(gap - t->data) + 2 : t->len, i;
	struct walk_hits part = WALK_HITS_INIT;
	unsigned lines = 0;

	for (p = t->data; p < t->data + body; p++)
		lines += *p == '\n';
	for (i = 0; i < h->nr; i++) {
		struct scan_finding *f = &h->list[i].f;
		int in_body = f->start >= body && f->line > lines;

		if (in_body) {
			f->line -= lines;
			f->end_line -= lines;
		}
		t->label = in_body ? message : header;
		/* one at a time, in place */
		part.list = &h->list[i];
		part.nr = 1;
		walk_note(w, t, &part);
	}
}

/* A tag may be one that a reference reached before, through another tag. */
static void judge(struct walk *w, struct walk_text *t, struct walk_hits *h,
		  enum odb_type type)
{
	int is_tag = type == ODB_TAG;

	if (h->nr && !(is_tag && walk_is_old(w, t->id)))
		note_parts(w, t, h, is_tag ? "tag header" : "commit header",
			   is_tag ? "tag message" : "commit message");
}

void walk_scan_raw(struct walk *w, const struct oid *id, enum odb_type type)
{
	char hex[OID_HEX_MAX + 1];
	struct walk_hits h = WALK_HITS_INIT;
	struct walk_text t = {
		.id = id,
		.label = type == ODB_TAG ? "tag message" : "commit message",
		.commit = oid_hex(id, w->h->raw_len, hex),
	};
	struct odb_object o;
	const char *why;

	/* tags are met by many references, a commit once */
	if (type == ODB_TAG)
		oids_put(&w->seen, id, NULL);
	if (!walk_is_hot(w, id) && walk_is_swept(w, id))
		return;
	oids_put(&w->seen, id, NULL);
	why = history_read(w->h, id, type, &o);
	if (why) {
		walk_note_unreadable(w, id, why);
		return;
	}
	t.data = o.data;
	t.len = o.len;
	if (walk_count_look(w, &t, &h, &why) == SCAN_UNKNOWN)
		walk_note_unknown(w, &t, why);
	judge(w, &t, &h, type);
	walk_hits_clear(&h);
	odb_release(w->h->reader, &o);
}

static void scan_tree_names(struct walk *w, const struct odb_object *o,
			    const struct oid *id)
{
	const char *at = o->data;
	struct history_entry e;
	int got;

	while ((got = history_parse_entry(&at, o->data + o->len,
					  w->h->raw_len, &e)) > 0)
		walk_scan_path(w, e.name, e.name_len);
	if (got < 0)
		walk_note_unreadable(w, id, "is malformed");
}

static void scan_object(struct walk *w, const struct odb_object *o,
			const struct oid *id)
{
	char label[64 + OID_HEX_MAX], hex[OID_HEX_MAX + 1];
	struct walk_hits h = WALK_HITS_INIT;
	struct walk_text t = { .data = o->data, .len = o->len, .id = id,
			       .label = label,
			       .is_file = o->type == ODB_BLOB };
	const char *why;

	snprintf(label, sizeof(label), "unreachable object %s",
		 oid_hex(id, w->h->raw_len, hex));
	if (walk_count_look(w, &t, &h, &why) == SCAN_UNKNOWN)
		walk_note_unknown(w, &t, why);
	walk_note(w, &t, &h);
	walk_hits_clear(&h);
}

void walk_scan_unreachable(struct walk *w, const struct oid *id)
{
	struct odb_object o;
	const char *why;

	oids_put(&w->seen, id, NULL);
	why = history_read(w->h, id, ODB_NONE, &o);
	if (why) {
		walk_note_unreadable(w, id, why);
		return;
	}
	if (o.type == ODB_TREE)
		scan_tree_names(w, &o, id);
	else
		scan_object(w, &o, id);
	odb_release(w->h->reader, &o);
}
