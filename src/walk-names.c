/*
 * Names of revisions, the part of gitrevisions(7) that ranges are made of: an
 * id or its beginning, a reference's name, full or short, HEAD; followed by
 * any number of ^, ^N, ~ and ~N. Takes text, gives an id.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "walk-internal.h"

/* The order of gitrevisions(7) for REFNAME. */
static const char *const prefixes[] = {
	"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/",
};

static int by_reference(const struct walk *w, const char *name, git_oid *out)
{
	const struct walk_ref *r = NULL;
	struct buf full = BUF_INIT;
	size_t i;

	if (!strcmp(name, "HEAD") || !strcmp(name, "@"))
		return walk_refs_head(w, out) ? -1 : 0;
	for (i = 0; !r && i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		buf_reset(&full);
		buf_addf(&full, "%s%s", prefixes[i], name);
		r = walk_refs_find(&w->refs, full.data);
	}
	buf_clear(&full);
	if (!r)
		return -1;
	git_oid_cpy(out, &r->id);
	return 0;
}

static int by_id(const struct walk *w, const char *name, git_oid *out)
{
	size_t n = strlen(name);
	git_oid part;

	if (n < GIT_OID_MINPREFIXLEN || n > GIT_OID_HEXSZ ||
	    strspn(name, "0123456789abcdefABCDEF") != n ||
	    git_oid_fromstrn(&part, name, n))
		return -1;
	return git_odb_exists_prefix(out, w->odb, &part, n) ? -1 : 0;
}

/* Go to a parent: the nth of id. */
static int step(const struct walk *w, git_oid *id, unsigned long nth)
{
	git_object *any = NULL, *commit = NULL;
	const git_oid *to = id;
	int ret = -1;

	if (git_object_lookup(&any, w->repo, id, GIT_OBJECT_ANY) ||
	    git_object_peel(&commit, any, GIT_OBJECT_COMMIT))
		goto out;
	if (nth)
		to = git_commit_parent_id((git_commit *)commit,
					  (unsigned)(nth - 1));
	else
		to = git_object_id(commit);
	if (to) {
		git_oid_cpy(id, to);
		ret = 0;
	}
out:
	git_object_free(commit);
	git_object_free(any);
	return ret;
}

/* "~3^2" after the name. */
static int follow(const struct walk *w, const char *s, const char *end,
		  git_oid *id)
{
	unsigned long n;
	char *next, kind;

	while (s < end) {
		kind = *s++;
		n = 1;
		if (*s >= '0' && *s <= '9') {
			n = strtoul(s, &next, 10);
			s = next;
		}
		if (n > 1000000)
			return -1;
		if (kind == '^') {
			if (step(w, id, n))
				return -1;
		} else if (kind == '~') {
			while (n--)
				if (step(w, id, 1))
					return -1;
		} else {
			return -1;
		}
	}
	return 0;
}

int walk_name(const struct walk *w, const char *name, size_t n, git_oid *out)
{
	struct buf text = BUF_INIT;
	size_t base;
	int ret;

	buf_add(&text, name, n);
	base = strcspn(text.data, "^~");
	buf_reset(&text);
	buf_add(&text, name, base);
	ret = by_reference(w, text.data, out);
	if (ret)
		ret = by_id(w, text.data, out);
	buf_reset(&text);
	buf_add(&text, name, n);
	if (!ret)
		ret = follow(w, text.data + base, text.data + n, out);
	buf_clear(&text);
	return ret;
}
