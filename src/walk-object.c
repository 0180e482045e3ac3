/*
 * One object: scanned, its findings judged against older versions and noted.
 * Whatever cannot be scanned is noted as unknown. Names for people pass
 * through walk_redact, since a name can be the secret.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "mem.h"
#include "text.h"
#include "walk-internal.h"

/* More in one object are not told apart: could not tell. */
#define HITS_MAX 1000

struct hits {
	struct scan_finding *list;
	size_t nr, alloc;
	int more;
};

/* What is scanned, and how it is called. */
struct text {
	const char *data;
	size_t len;
	const char *path;  /* for rules that look at it, or NULL */
	const char *label; /* for people; secrets in it are redacted */
	const git_oid *id;
};

static void hit(void *arg, const struct scan_finding *f)
{
	struct hits *h = arg;

	if (h->nr >= HITS_MAX) {
		h->more = 1;
		return;
	}
	MEM_GROW(h->list, h->nr, h->alloc);
	h->list[h->nr++] = *f;
}

static int by_start(const void *a, const void *b)
{
	const struct scan_finding *x = a, *y = b;

	return (x->secret_start > y->secret_start) -
	       (x->secret_start < y->secret_start);
}

void walk_redact(struct scanner *scanner, const char *s, struct buf *out)
{
	size_t at = 0, i, len = strlen(s);
	const struct scan_finding *f;
	struct hits h = { 0 };

	if (scan_text(scanner, s, len, NULL, hit, &h, NULL) == SCAN_UNKNOWN ||
	    h.more) {
		buf_adds(out, "(not shown)");
		free(h.list);
		return;
	}
	if (h.nr)
		qsort(h.list, h.nr, sizeof(*h.list), by_start);
	for (f = h.list, i = 0; i < h.nr; i++, f++) {
		if (f->secret_start >= at) {
			buf_add(out, s + at, f->secret_start - at);
			text_redact(out, s + f->secret_start,
				    f->secret_end - f->secret_start);
		}
		if (f->secret_end > at)
			at = f->secret_end;
	}
	buf_add(out, s + at, len - at);
	free(h.list);
}

static void describe_commit(struct walk *w, struct buf *author,
			    struct buf *message, char date[32])
{
	const git_signature *who = git_commit_author(w->commit);
	const char *summary = git_commit_summary(w->commit);
	struct buf name = BUF_INIT;
	struct tm tm;
	time_t when;

	if (who) {
		when = (time_t)who->when.time;
		if (gmtime_r(&when, &tm))
			strftime(date, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
		buf_addf(&name, "%s <%s>", who->name, who->email);
		walk_redact(w->scanner, name.data, author);
	}
	walk_redact(w->scanner, summary ? summary : "", message);
	buf_clear(&name);
}

/* Note what is left of h. */
static void note(struct walk *w, const struct text *t, const struct hits *h)
{
	struct buf author = BUF_INIT, message = BUF_INIT, path = BUF_INIT;
	char commit[GIT_OID_HEXSZ + 1] = "", date[32] = "";
	struct finding_place at = { .commit = commit, .date = date };
	size_t i;

	if (!h->nr)
		return;
	if (w->commit) {
		git_oid_tostr(commit, sizeof(commit), git_commit_id(w->commit));
		describe_commit(w, &author, &message, date);
	} else if (t->id) {
		git_oid_tostr(commit, sizeof(commit), t->id);
	}
	walk_redact(w->scanner, t->label, &path);
	at.author = author.data;
	at.message = message.data;
	at.path = path.data;
	for (i = 0; i < h->nr; i++)
		findings_add(w->out, &h->list[i], t->data, &at);
	buf_clear(&author);
	buf_clear(&message);
	buf_clear(&path);
}

/* Scan; what was found goes to h. Unknown is not noted, *why says it. */
static enum scan_result look(struct walk *w, const struct text *t,
			     struct hits *h, const char **why)
{
	enum scan_result r;

	*why = "the scanner did not say why";
	r = scan_text(w->scanner, t->data, t->len, t->path, hit, h, why);
	w->out->objects++;
	w->out->bytes += t->len;
	if (h->more) {
		*why = "too many findings in one object";
		return SCAN_UNKNOWN;
	}
	return r;
}

static void note_unknown(struct walk *w, const struct text *t, const char *why)
{
	struct buf label = BUF_INIT, reason = BUF_INIT, clean = BUF_INIT;

	/* why lives until the next scan only */
	buf_adds(&reason, why);
	walk_redact(w->scanner, t->label, &label);
	text_clean(&clean, label.data, label.len);
	findings_unknown(w->out, "%s: %s", clean.data, reason.data);
	buf_clear(&label);
	buf_clear(&reason);
	buf_clear(&clean);
}

void walk_scan_name(struct walk *w, const char *text, size_t len,
		    const char *label)
{
	struct buf name = BUF_INIT;
	struct text t = { .data = text, .len = len };
	struct hits h = { 0 };
	const char *why;
	git_oid key;
	int added = 1;

	/* the type keeps these keys apart from those of blobs */
	if (!git_odb_hash(&key, text, len, GIT_OBJECT_TREE))
		oidset_put(&w->places, &key, &added);
	if (!added)
		return;
	buf_addf(&name, "%s %s", label, text);
	t.label = name.data;
	if (look(w, &t, &h, &why) == SCAN_UNKNOWN)
		note_unknown(w, &t, why);
	note(w, &t, &h);
	free(h.list);
	buf_clear(&name);
}

void walk_name_option(struct scanner *scanner, const char *before,
		      const char *option, struct buf *out)
{
	struct buf shown = BUF_INIT;

	walk_redact(scanner, option, &shown);
	if (shown.len && !strcmp(shown.data, option))
		buf_addf(out, "%sthe push option %s", before, option);
	else
		buf_addf(out, "%sa push option", before);
	buf_clear(&shown);
}

void walk_scan_option(struct walk *w, const char *option)
{
	struct text t = { .data = option, .len = strlen(option) };
	struct hits h = { 0 };
	const char *why;

	t.path = t.label = "push option";
	if (look(w, &t, &h, &why) == SCAN_UNKNOWN)
		note_unknown(w, &t, why);
	note(w, &t, &h);
	free(h.list);
}

static int same_secret(const struct text *a, const struct scan_finding *x,
		       const struct text *b, const struct scan_finding *y)
{
	size_t n = x->secret_end - x->secret_start;

	return !strcmp(x->rule, y->rule) &&
	       n == y->secret_end - y->secret_start &&
	       !memcmp(a->data + x->secret_start, b->data + y->secret_start, n);
}

/*
 * Drop the findings that an older version has too: same rule, same secret.
 * What cannot be read or scanned there drops nothing.
 */
static void drop_old(struct walk *w, const struct text *t, struct hits *h,
		     const git_oid *older)
{
	git_odb_object *o = walk_read(w, older, GIT_OBJECT_BLOB, 1);
	struct text old = { .path = t->path };
	struct hits was = { 0 };
	size_t i, k, left = 0;

	if (!o)
		return;
	old.data = git_odb_object_data(o);
	old.len = git_odb_object_size(o);
	scan_text(w->scanner, old.data, old.len, old.path, hit, &was, NULL);
	for (i = 0; i < h->nr; i++) {
		for (k = 0; k < was.nr; k++)
			if (same_secret(t, &h->list[i], &old, &was.list[k]))
				break;
		if (k == was.nr)
			h->list[left++] = h->list[i];
	}
	h->nr = left;
	free(was.list);
	git_odb_object_free(o);
}

/* Has this blob been looked at under this path? */
static int first_look(struct walk *w, const git_oid *id, const char *path)
{
	struct buf b = BUF_INIT;
	git_oid key;
	int added = 1;

	buf_add(&b, id->id, sizeof(id->id));
	buf_adds(&b, path);
	if (!git_odb_hash(&key, b.data, b.len, GIT_OBJECT_BLOB))
		oidset_put(&w->places, &key, &added);
	buf_clear(&b);
	return added;
}

void walk_scan_blob(struct walk *w, const git_oid *id, const char *path,
		    const git_oid *older, size_t nr_older)
{
	struct text t = { .path = path, .label = path };
	git_odb_object *o;
	struct hits h = { 0 };
	enum scan_result result;
	const char *why;
	size_t i;
	int first;

	oidset_put(&w->seen, id, &first);
	if (!first && !w->minds_path && oidset_find(&w->suspect, id) < 0)
		return;
	if (!first_look(w, id, path))
		return;
	o = walk_read(w, id, GIT_OBJECT_BLOB, 1);
	if (!o) {
		oidset_put(&w->suspect, id, NULL);
		if (!walk_is_old(w, id))
			git_odb_object_free(
				walk_read(w, id, GIT_OBJECT_BLOB, 0));
		return;
	}
	t.data = git_odb_object_data(o);
	t.len = git_odb_object_size(o);
	if (!walk_may(w, first, t.len >> 10)) {
		git_odb_object_free(o);
		return;
	}
	result = look(w, &t, &h, &why);
	if (result != SCAN_CLEAN)
		oidset_put(&w->suspect, id, NULL);
	/* unknown is rare and so is a finding: now the costly question */
	if (result == SCAN_UNKNOWN && !walk_is_old(w, id))
		note_unknown(w, &t, why);
	for (i = 0; i < nr_older && h.nr; i++)
		drop_old(w, &t, &h, &older[i]);
	if (h.nr && !walk_is_old(w, id))
		note(w, &t, &h);
	free(h.list);
	git_odb_object_free(o);
}

/*
 * Split findings in the headers from those in the message, whose lines are
 * counted from its own start.
 */
static void note_parts(struct walk *w, struct text *t, const struct hits *all,
		       const char *header, const char *message)
{
	const char *gap = memmem(t->data, t->len, "\n\n", 2), *p;
	size_t body = gap ? (size_t)(gap - t->data) + 2 : t->len, i;
	struct hits part[2] = { { 0 }, { 0 } };
	struct scan_finding f;
	unsigned lines = 0;

	for (p = t->data; p < t->data + body; p++)
		lines += *p == '\n';
	for (i = 0; i < all->nr; i++) {
		f = all->list[i];
		if (f.start >= body && f.line > lines)
			f.line -= lines;
		hit(&part[f.start >= body], &f);
	}
	t->label = header;
	note(w, t, &part[0]);
	t->label = message;
	note(w, t, &part[1]);
	free(part[0].list);
	free(part[1].list);
}

void walk_scan_raw(struct walk *w, const git_oid *id, git_object_t type)
{
	const char *header = "commit header", *message = "commit message";
	struct text t = { .id = id };
	struct hits h = { 0 };
	git_odb_object *o;
	const char *why;

	if (type == GIT_OBJECT_TAG) {
		header = "tag header";
		message = "tag message";
	}
	oidset_put(&w->seen, id, NULL);
	o = walk_read(w, id, type, 0);
	if (!o)
		return;
	t.label = message;
	t.data = git_odb_object_data(o);
	t.len = git_odb_object_size(o);
	if (look(w, &t, &h, &why) == SCAN_UNKNOWN)
		note_unknown(w, &t, why);
	note_parts(w, &t, &h, header, message);
	free(h.list);
	git_odb_object_free(o);
}

static void scan_tree_names(struct walk *w, const git_oid *id)
{
	git_tree *t = walk_read_tree(w, id, 0);
	const char *name;
	size_t i;

	for (i = 0; t && i < git_tree_entrycount(t); i++) {
		name = git_tree_entry_name(git_tree_entry_byindex(t, i));
		walk_scan_name(w, name, strlen(name), "path name");
	}
	git_tree_free(t);
}

void walk_scan_unreachable(struct walk *w, const git_oid *id)
{
	char label[64 + GIT_OID_HEXSZ] = "unreachable object ";
	struct text t = { .id = id, .label = label };
	git_odb_object *o = walk_read(w, id, GIT_OBJECT_ANY, 0);
	struct hits h = { 0 };
	const char *why;

	oidset_put(&w->seen, id, NULL);
	if (!o)
		return;
	git_oid_tostr(label + strlen(label), GIT_OID_HEXSZ + 1, id);
	if (git_odb_object_type(o) == GIT_OBJECT_TREE) {
		git_odb_object_free(o);
		scan_tree_names(w, id);
		return;
	}
	t.data = git_odb_object_data(o);
	t.len = git_odb_object_size(o);
	if (look(w, &t, &h, &why) == SCAN_UNKNOWN)
		note_unknown(w, &t, why);
	note(w, &t, &h);
	free(h.list);
	git_odb_object_free(o);
}
