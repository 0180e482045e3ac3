/*
 * One text to the scanner, and, when it is an archive, all that is in it.
 * Takes bytes, gives what was found, in copies: secrets that are wiped when
 * they have been judged.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "mem.h"
#include "text.h"
#include "walk-internal.h"

/* More in one object are not told apart: could not tell. */
#define HITS_MAX 1000

static void add(void *arg, const struct scan_finding *f)
{
	struct walk_hits *h = arg;
	struct walk_hit *to;
	char *secret;

	if (h->nr >= HITS_MAX) {
		h->more = 1;
		return;
	}
	secret = mem_array(f->secret_len + 1, 1);
	if (f->secret_len)
		memcpy(secret, f->secret, f->secret_len);
	MEM_GROW(h->list, h->nr, h->alloc);
	to = &h->list[h->nr++];
	to->f = *f;
	to->f.secret = secret;
	to->f.match = NULL;
	to->f.match_len = 0;
	to->f.encodings = mem_strdup(f->encodings ? f->encodings : "");
	to->inside = h->inside ? mem_strdup(h->inside) : NULL;
}

static void clear(struct walk_hit *hit)
{
	char *secret = (char *)(uintptr_t)hit->f.secret;

	mem_wipe(secret, hit->f.secret_len);
	free(secret);
	free((char *)(uintptr_t)hit->f.encodings);
	free(hit->inside);
}

void walk_hits_clear(struct walk_hits *h)
{
	while (h->nr)
		clear(&h->list[--h->nr]);
	free(h->list);
	memset(h, 0, sizeof(*h));
}

int walk_hit_equal(const struct walk_hit *a, const struct walk_hit *b)
{
	return a->f.secret_len == b->f.secret_len &&
	       !strcmp(a->f.rule, b->f.rule) &&
	       !memcmp(a->f.secret, b->f.secret, a->f.secret_len);
}

void walk_hits_drop(struct walk_hits *h, const struct walk_hits *other)
{
	size_t i, k, left = 0;

	for (i = 0; i < h->nr; i++) {
		for (k = 0; k < other->nr; k++)
			if (walk_hit_equal(&h->list[i], &other->list[k]))
				break;
		if (k < other->nr)
			clear(&h->list[i]);
		else
			h->list[left++] = h->list[i];
	}
	h->nr = left;
}

/* Who is told of matches, and how the text that they are in is called. */
struct told {
	struct scanner *s;
	const struct walk_limits *l;
	const struct walk_text *t;
	struct buf path;
};

static void tell(void *arg, const struct scan_event *e)
{
	const struct told *to = arg;

	to->l->explain(to->l->explain_arg, to->path.data, e);
}

void walk_label(struct scanner *s, const struct walk_text *t,
		const char *inside, struct buf *out)
{
	struct buf name = BUF_INIT;

	buf_addf(&name, "%s%s%s", t->label ? t->label : "", inside ? "!" : "",
		 inside ? inside : "");
	buf_adds(out, t->kind ? t->kind : "");
	scan_redact_name(s, name.data, name.len, out);
	buf_clear(&name);
}

/* The name that walk-note.c gives. The scanner makes it, and is not told of. */
static void tell_of(struct told *to, const char *inside)
{
	if (!to->l->explain || to->t->is_old)
		return;
	scan_explain(to->s, NULL, NULL);
	buf_reset(&to->path);
	walk_label(to->s, to->t, inside, &to->path);
	scan_explain(to->s, tell, to);
}

static void tell_end(struct told *to)
{
	scan_explain(to->s, NULL, NULL);
	buf_clear(&to->path);
}

/* What stands unpacked in an archive is found twice: the entry is told. */
static void drop_doubles(struct walk_hits *h, size_t outside)
{
	size_t i, k, left = 0;

	for (i = 0; i < h->nr; i++) {
		for (k = outside; i < outside && k < h->nr; k++)
			if (walk_hit_equal(&h->list[i], &h->list[k]))
				break;
		if (i < outside && k < h->nr)
			clear(&h->list[i]);
		else
			h->list[left++] = h->list[i];
	}
	h->nr = left;
}

struct archive {
	struct scanner *s;
	struct told *told;
	const struct walk_text *t;
	struct walk_hits *h;
	enum scan_result result;
	const char *why;
};

static int look_inside(void *arg, const char *name, const char *data,
		       size_t len)
{
	struct archive *a = arg;
	struct scan_input in = { .text = data, .len = len,
				 .commit = a->t->commit };
	struct buf path = BUF_INIT;

	if (a->t->path)
		buf_addf(&path, "%s!", a->t->path);
	buf_adds(&path, name);
	in.path = path.data;
	a->h->inside = name;
	tell_of(a->told, name);
	a->result = scan_text(a->s, &in, add, a->h, &a->why);
	a->h->inside = NULL;
	buf_clear(&path);
	return a->result == SCAN_UNKNOWN || a->h->more;
}

/* Its name may hold a secret: it is cut like any token. */
static void log_unpacked(const struct walk_text *t, const char *why)
{
	struct buf name = BUF_INIT;

	text_mask(&name, t->label);
	log_warn("%s: not all of this archive was scanned: %s", name.data, why);
	buf_clear(&name);
}

static enum scan_result look_into(struct scanner *s,
				  const struct walk_limits *l,
				  const struct walk_text *t,
				  struct walk_hits *h, struct told *told,
				  const char **why)
{
	struct archive a = { .s = s, .told = told, .t = t, .h = h,
			     .result = SCAN_CLEAN };
	const char *cause = "it cannot be unpacked";
	size_t outside = h->nr;

	if (unpack_each(t->data, t->len, &l->unpack, look_inside, &a, &cause) ==
	    UNPACK_UNKNOWN) {
		if (l->note_archives) {
			log_unpacked(t, cause);
			return SCAN_CLEAN;
		}
		*why = cause;
		return SCAN_UNKNOWN;
	}
	drop_doubles(h, outside);
	if (a.result == SCAN_UNKNOWN)
		*why = a.why;
	return a.result;
}

enum scan_result walk_look(struct scanner *s, const struct walk_limits *l,
			   const struct walk_text *t, struct walk_hits *h,
			   const char **why)
{
	struct scan_input in = { .text = t->data, .len = t->len,
				 .path = t->path, .commit = t->commit };
	enum scan_result result;
	struct told told = { .s = s, .l = l, .t = t };

	*why = "the scanner did not say why";
	tell_of(&told, NULL);
	result = scan_text(s, &in, add, h, why);
	if (result != SCAN_UNKNOWN && t->is_file && l->unpack.depth &&
	    unpack_wants(t->data, t->len))
		result = look_into(s, l, t, h, &told, why);
	tell_end(&told);
	if (h->more) {
		*why = "too many findings in one object";
		return SCAN_UNKNOWN;
	}
	if (result != SCAN_UNKNOWN && h->nr)
		result = SCAN_FOUND;
	return result;
}
