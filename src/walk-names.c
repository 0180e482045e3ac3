/*
 * Names: of paths, references, push options. Each is scanned once. Of a path
 * only what touches its last part counts: the directories that it is in have
 * been there before, or are told by themselves.
 */
#include <string.h>

#include "walk-internal.h"

static void look(struct walk *w, const struct walk_text *t,
		 struct walk_hits *h)
{
	const char *why;

	if (walk_count_look(w, t, h, &why) == SCAN_UNKNOWN)
		walk_note_unknown(w, t, why);
}

static void scan(struct walk *w, const struct walk_text *t)
{
	struct walk_hits h = WALK_HITS_INIT;

	look(w, t, &h);
	walk_note(w, t, &h);
	walk_hits_clear(&h);
}

/*
 * All of a name, and each part alone, as a rule may want nothing before what
 * it finds.
 */
static void scan_parts(struct walk *w, const struct walk_text *t)
{
	const char *at = t->data, *end = t->data + t->len;
	struct walk_text part = *t;

	scan(w, t);
	while (memchr(t->data, '/', t->len)) {
		part.data = at;
		part.len = strcspn(at, "/");
		/* many references have the same parts before the last */
		if (part.len && !walk_late(w) &&
		    walk_first_place(w, &w->places, 'n', at, part.len, "", 0))
			scan(w, &part);
		if (at + part.len >= end)
			break;
		at += part.len + 1;
	}
}

void walk_scan_name(struct walk *w, const char *text, const char *label)
{
	struct walk_text t = { .data = text, .len = strlen(text),
			       .kind = label, .label = text };

	if (walk_first_place(w, &w->places, 'r', text, t.len, label,
			     strlen(label)))
		scan_parts(w, &t);
}

void walk_scan_option(struct walk *w, const char *option)
{
	struct walk_text t = { .data = option, .len = strlen(option),
			       .path = "push option", .label = "push option" };

	scan_parts(w, &t);
}

/*
 * Those that count, to the front: what ends before the last part has been
 * judged with its directory, and what lies in it is old when anything that
 * the references reached before the push has that name. Returns their number.
 */
static size_t choose(struct walk *w, const struct walk_text *t,
		     struct walk_hits *h, size_t from)
{
	int old = -1;
	size_t i, n = 0;

	for (i = 0; i < h->nr; i++) {
		struct walk_hit hit = h->list[i];

		if (hit.f.end <= from)
			continue;
		if (old < 0)
			old = w->is_push &&
			      history_is_old_name(w->h, &w->old, t->data + from,
						  t->len - from);
		if (old && hit.f.start >= from)
			continue;
		h->list[i] = h->list[n];
		h->list[n++] = hit;
	}
	return n;
}

static void scan_part(struct walk *w, const struct walk_text *t, size_t from)
{
	struct walk_hits h = WALK_HITS_INIT, chosen = WALK_HITS_INIT;

	look(w, t, &h);
	chosen.list = h.list;
	chosen.nr = choose(w, t, &h, from);
	walk_note(w, t, &chosen);
	walk_hits_clear(&h);
}

void walk_scan_path(struct walk *w, const char *path, size_t len)
{
	const char *slash = memrchr(path, '/', len);
	size_t from = slash ? (size_t)(slash + 1 - path) : 0;
	struct walk_text t = { .data = path, .len = len, .kind = "path name ",
			       .label = path };

	if (!walk_first_place(w, &w->places, 'p', path, len, "", 0))
		return;
	scan_part(w, &t, from);
	t.data += from;
	t.len -= from;
	/* a rule may want nothing before what it finds */
	if (from && walk_first_place(w, &w->places, 'p', t.data, t.len, "", 0))
		scan_part(w, &t, 0);
}
