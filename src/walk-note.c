/*
 * What was found, and what could not be told, into the findings. Names for
 * people pass through scan_redact_name, since a name can be the secret; a
 * commit is read for its author, date and subject only now.
 */
#include <string.h>
#include <time.h>

#include "buf.h"
#include "text.h"
#include "walk-internal.h"

enum scan_result walk_count_look(struct walk *w, const struct walk_text *t,
				 struct walk_hits *h, const char **why)
{
	w->out->objects++;
	w->out->bytes += t->len;
	return walk_look(w->scanner, w->limits, t, h, why);
}

/*
 * Of a line in a commit: it can be as long as the commit, and findings.c keeps
 * its beginning. Much more than that is looked at, so that a secret which is
 * in part beyond is seen as one.
 */
#define LINE_LOOKED_AT 16384

static void redact(struct walk *w, const char *line, size_t len,
		   struct buf *out)
{
	if (len > LINE_LOOKED_AT)
		len = LINE_LOOKED_AT;
	scan_redact_name(w->scanner, line, len, out);
}

struct origin {
	char commit[OID_HEX_MAX + 1];
	char date[32];
	struct buf author, message;
};

/* "NAME <MAIL> SECONDS ZONE" */
static void describe_author(struct walk *w, const char *line, size_t n,
			    struct origin *o)
{
	const char *end = memrchr(line, '>', n), *p;
	int64_t t = 0;
	struct tm tm;
	time_t when;

	if (!end)
		return;
	redact(w, line, (size_t)(end + 1 - line), &o->author);
	for (p = end + 1; p < line + n && *p == ' ';)
		p++;
	for (; p < line + n && *p >= '0' && *p <= '9' && t < INT32_MAX * 64LL;
	     p++)
		t = t * 10 + (*p - '0');
	when = (time_t)t;
	if (gmtime_r(&when, &tm))
		strftime(o->date, sizeof(o->date), "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Of a commit's bytes, which are ended by a NUL. */
static void describe(struct walk *w, const char *data, size_t len,
		     struct origin *o)
{
	const char *gap = memmem(data, len, "\n\n", 2), *author;
	size_t head = gap ? (size_t)(gap - data) : len;

	author = memmem(data, head, "\nauthor ", 8);
	if (author)
		describe_author(w, author + 8, strcspn(author + 8, "\n"), o);
	while (gap && *gap == '\n')
		gap++;
	redact(w, gap ? gap : "", gap ? strcspn(gap, "\n") : 0, &o->message);
}

static void find_origin(struct walk *w, const struct oid *id, struct origin *o)
{
	const struct oid *commit = w->commit ? w->commit : id;
	struct odb_object object;

	if (!commit)
		return;
	oid_hex(commit, w->h->raw_len, o->commit);
	if (!w->commit || history_read(w->h, commit, ODB_COMMIT, &object))
		return;
	describe(w, object.data, object.len, o);
	odb_release(w->h->reader, &object);
}

void walk_note(struct walk *w, const struct walk_text *t,
	       const struct walk_hits *h)
{
	struct origin o = { .author = BUF_INIT, .message = BUF_INIT };
	const char *inside = NULL, *now;
	struct buf path = BUF_INIT;
	struct finding_place at;
	size_t i;

	if (h->nr)
		find_origin(w, t->id, &o);
	for (i = 0; i < h->nr; i++) {
		now = h->list[i].inside;
		/* many in one place want its name once */
		if (!i || strcmp(now ? now : "", inside ? inside : "") != 0) {
			buf_reset(&path);
			walk_label(w->scanner, t, now, &path);
		}
		inside = now;
		at = (struct finding_place){ .commit = o.commit,
					     .author = o.author.data,
					     .date = o.date,
					     .message = o.message.data,
					     .path = path.data };
		findings_add(w->out, &h->list[i].f, &at);
	}
	buf_clear(&o.author);
	buf_clear(&o.message);
	buf_clear(&path);
}

void walk_note_unknown(struct walk *w, const struct walk_text *t,
		       const char *why)
{
	struct buf label = BUF_INIT, reason = BUF_INIT, clean = BUF_INIT;

	/* why lives until the next scan only */
	buf_adds(&reason, why);
	walk_label(w->scanner, t, NULL, &label);
	text_clean(&clean, label.data ? label.data : "", label.len);
	findings_unknown(w->out, "%s: %s", clean.len ? clean.data : "",
			 reason.data);
	buf_clear(&label);
	buf_clear(&reason);
	buf_clear(&clean);
}

/* What is wrong with an object, with what can be done about that. */
static void add_why(struct walk *w, const struct oid *id, const char *why,
		    struct buf *out)
{
	size_t max = w->limits->max_object, len = 0;
	enum odb_type type;

	if (odb_header(w->h->reader, id, &type, &len) == ODB_MISSING)
		buf_addf(out, "cannot be read: it is not in the repository; "
			 "%s", w->is_push ? "push it as well" :
			 "of a partial clone, fetch the rest first");
	else if (max && len > max)
		buf_addf(out, "is larger than what is scanned: %zu bytes, "
			 "and maxObject of [scan] is %zu", len, max);
	else
		buf_addf(out, "%s", why);
}

void walk_note_unreadable_at(struct walk *w, const struct oid *id,
			     const char *path, size_t len, const char *why)
{
	struct buf line = BUF_INIT, shown = BUF_INIT;
	char hex[OID_HEX_MAX + 1];

	if (len) {
		scan_redact_name(w->scanner, path, len, &shown);
		text_clean(&line, shown.data, shown.len);
		buf_adds(&line, ": ");
	}
	buf_addf(&line, "object %s ", oid_hex(id, w->h->raw_len, hex));
	add_why(w, id, why, &line);
	findings_unknown(w->out, "%s", line.data);
	buf_clear(&line);
	buf_clear(&shown);
}

void walk_note_unreadable(struct walk *w, const struct oid *id,
			  const char *why)
{
	walk_note_unreadable_at(w, id, NULL, 0, why);
}
