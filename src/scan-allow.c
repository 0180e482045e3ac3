/*
 * Allow-lists: is this path or commit, or this candidate, one that the rules'
 * author excused? Takes a list and the candidate, gives yes, no or "could not
 * tell"; for a probe, only a yes that no path, commit or line could change.
 */
#include <string.h>
#include <strings.h>

#include "scan-internal.h"

/* 1 when one of the patterns matches, 0, or -1. */
static int any(struct scanner *s, struct rules_pattern *const *list, size_t nr,
	       const char *text, size_t len)
{
	for (size_t i = 0; i < nr; i++) {
		struct span at;
		int n = scan_regex_find(s->regex, list[i], text, len, 0, len,
					&at);

		if (n)
			return n;
	}
	return 0;
}

static int at_path(struct scanner *s, const struct rules_allow *a)
{
	const char *path = s->in->path ? s->in->path : "";

	return any(s, a->paths, a->nr_paths, path, strlen(path));
}

static int at_commit(const struct scanner *s, const struct rules_allow *a)
{
	for (size_t i = 0; s->in->commit && i < a->commits.nr; i++)
		if (!strcasecmp(a->commits.list[i], s->in->commit))
			return 1;
	return 0;
}

int scan_allow_input(struct scanner *s, const struct rules_allow *a)
{
	int path;

	/* with more to hold, it waits for a candidate */
	if (a->all && (a->nr_regexes || a->stopwords.nr))
		return 0;
	path = at_path(s, a);
	if (path < 0)
		return -1;
	if (!a->all)
		return path || at_commit(s, a);
	return (a->nr_paths || a->commits.nr) && (path || !a->nr_paths) &&
	       (at_commit(s, a) || !a->commits.nr);
}

/* From the start of the match's first line to the end of its last. */
static struct span line_of(const struct scan_view *v, struct span match)
{
	const char *text = v->text, *p = NULL;
	struct span line = match;

	p = match.start ? memrchr(text, '\n', match.start) : NULL;
	line.start = p ? (size_t)(p + 1 - text) : 0;
	p = memchr(text + match.end, '\n', v->len - match.end);
	line.end = p ? (size_t)(p - text) : v->len;
	return line;
}

static struct span target(const struct rules_allow *a,
			  const struct scan_view *v,
			  const struct scan_candidate *c)
{
	switch (a->target) {
	case RULES_SECRET:
		return c->secret;
	case RULES_MATCH:
		return c->match;
	case RULES_LINE:
		return line_of(v, c->match);
	}
	return c->secret;
}

/* Numbered as the set's; a list is in it once. */
static int stops(struct scanner *s, const struct rules_allow *a,
		 const char *secret, size_t len)
{
	struct scan_stop **stop = &s->stops[a->number];

	if (!a->stopwords.nr)
		return 0;
	if (!*stop)
		*stop = scan_stop_new(&a->stopwords);
	return scan_stop_in(*stop, secret, len);
}

static int regex_holds(struct scanner *s, const struct rules_allow *a,
		       const struct scan_view *v,
		       const struct scan_candidate *c)
{
	struct span t;

	if (!a->nr_regexes)
		return 0;
	t = target(a, v, c);
	return any(s, a->regexes, a->nr_regexes, v->text + t.start,
		   t.end - t.start);
}

int scan_allow_found(struct scanner *s, const struct rules_allow *a,
		     const struct scan_view *v, const struct scan_candidate *c,
		     int probing)
{
	int lined = a->nr_regexes && a->target == RULES_LINE;
	int word, regex, path = 1;

	/* where a probe cannot know, it does not excuse */
	if (probing && a->all && (lined || a->nr_paths || a->commits.nr))
		return 0;
	word = stops(s, a, v->text + c->secret.start,
		     c->secret.end - c->secret.start);
	if (word && !a->all)
		return 1;
	regex = probing && lined ? 0 : regex_holds(s, a, v, c);
	if (regex < 0 || !a->all)
		return regex;
	if (a->nr_paths)
		path = at_path(s, a);
	if (path < 0)
		return -1;
	return path && (regex || !a->nr_regexes) &&
	       (word || !a->stopwords.nr) &&
	       (at_commit(s, a) || !a->commits.nr);
}
