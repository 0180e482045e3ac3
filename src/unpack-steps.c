/*
 * Several things to be unpacked, one after the other or one within the other,
 * under one set of limits. Takes bytes from whoever found them; unpack.c is
 * what goes into them.
 */
#include <stdlib.h>

#include "buf.h"
#include "mem.h"
#include "unpack-internal.h"

struct unpack *unpack_begin(const struct unpack_limits *limits,
			    struct unpack_clean *clean, unpack_fn *fn,
			    void *arg)
{
	struct unpack *u = mem_zalloc(sizeof(*u));

	u->limits = limits;
	u->clean = clean;
	u->fn = fn;
	u->arg = arg;
	return u;
}

const char *unpack_object(struct unpack *u, const char *data, size_t len)
{
	const struct unpack_source s = {
		.data = data, .len = len, .name = "", .level = 1
	};
	const char *why = u->why;

	u->packed += len;
	if (u->limits->depth && !unpack_ended(u) && unpack_wants(data, len))
		unpack_into(u, &s);
	return u->why == why ? NULL : u->why;
}

/*
 * A few bytes that begin like gzip and are broken are an example, in prose or
 * in a test: what any program makes of them is looked at, and that is all.
 */
static void look(struct unpack *u, const struct unpack_source *s)
{
	const char *before = u->why;
	int broken;

	u->why = NULL;
	unpack_into(u, s);
	broken = u->why == unpack_broken || u->why == unpack_partly;
	if (broken && !unpack_ended(u) && s->len <= UNPACK_CITED_MAX &&
	    unpack_kind(s->data, s->len) == UNPACK_GZIP) {
		u->why = NULL;
		unpack_gzip_cited(u, s);
	}
	if (before)
		u->why = before;
}

const char *unpack_inner(struct unpack *u, const char *name, const char *data,
			 size_t len)
{
	/* its own bytes are given too, and what is in those is deeper still */
	struct unpack_source own = { .name = u->name ? u->name : "",
				     .level = u->at ? u->at->level + 1 : 1 };
	struct unpack_source s = { .data = data, .len = len, .headers = 1,
				   .level = own.level };
	const char *why = u->why;
	struct buf full = BUF_INIT;

	if (!u->at)
		u->packed += len;
	if (unpack_ended(u) || !unpack_wants(data, len))
		return NULL;
	if (!u->limits->depth) {
		/* nothing is unpacked: it is text, if anything */
		unpack_text(u, &own, name, data, len);
		return NULL;
	}
	if (s.level > u->limits->depth) {
		unpack_unsure(u, unpack_deeper);
		return u->why == why ? NULL : u->why;
	}
	buf_addf(&full, "%s%s%s", own.name, *own.name ? "!" : "", name);
	s.name = full.data;
	if (unpack_kind(data, len) != UNPACK_TAR)
		unpack_text(u, &own, name, data, len);
	if (!u->stopped)
		look(u, &s);
	buf_clear(&full);
	return u->why == why ? NULL : u->why;
}

enum unpack_result unpack_end(struct unpack *u, const char **why)
{
	enum unpack_result r = UNPACK_NONE;

	if (u->why && !u->stopped) {
		*why = u->why;
		r = UNPACK_UNKNOWN;
	} else if (u->entries || u->stopped) {
		r = UNPACK_DONE;
	}
	free(u);
	return r;
}

enum unpack_result unpack_fresh(const char *data, size_t len,
				const struct unpack_limits *limits,
				struct unpack_clean *clean, unpack_fn *fn,
				void *arg, const char **why)
{
	struct unpack *u = unpack_begin(limits, clean, fn, arg);

	unpack_object(u, data, len);
	return unpack_end(u, why);
}

enum unpack_result unpack_each(const char *data, size_t len,
			       const struct unpack_limits *limits,
			       unpack_fn *fn, void *arg, const char **why)
{
	return unpack_fresh(data, len, limits, NULL, fn, arg, why);
}
