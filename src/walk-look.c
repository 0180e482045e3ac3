/*
 * One text to the scanner. Takes bytes, gives what was found, in copies:
 * secrets that are wiped when they have been judged. What must be unpacked is
 * walk-inside.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "text.h"
#include "walk-internal.h"

/* More in one object are not told apart: could not tell. */
#define HITS_MAX 1000

void walk_hits_add(void *arg, const struct scan_finding *f)
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

void walk_hit_clear(struct walk_hit *hit)
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
		walk_hit_clear(&h->list[--h->nr]);
	free(h->list);
	free(h->why);
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
			walk_hit_clear(&h->list[i]);
		else
			h->list[left++] = h->list[i];
	}
	h->nr = left;
}

static void tell(void *arg, const struct scan_event *e)
{
	const struct walk_told *to = arg;

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
void walk_tell_of(struct walk_told *to, const char *inside)
{
	if (!to->l->explain || to->t->is_old)
		return;
	scan_explain(to->s, NULL, NULL);
	buf_reset(&to->path);
	walk_label(to->s, to->t, inside, &to->path);
	scan_explain(to->s, tell, to);
}

static void tell_end(struct walk_told *to)
{
	scan_explain(to->s, NULL, NULL);
	buf_clear(&to->path);
}

enum scan_result walk_look(struct scanner *s, const struct walk_limits *l,
			   const struct walk_text *t, struct walk_hits *h,
			   const char **why)
{
	struct scan_input in = { .text = t->data, .len = t->len,
				 .path = t->path, .commit = t->commit };
	enum scan_result result;
	struct walk_told told = { .s = s, .l = l, .t = t };

	*why = "the scanner did not say why";
	walk_tell_of(&told, NULL);
	result = scan_text(s, &in, walk_hits_add, h, why);
	if (result != SCAN_UNKNOWN)
		result = walk_look_inside(&told, h, why);
	tell_end(&told);
	if (h->more) {
		*why = "too many findings in one object";
		return SCAN_UNKNOWN;
	}
	if (result != SCAN_UNKNOWN && h->nr)
		result = SCAN_FOUND;
	return result;
}
