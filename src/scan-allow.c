/*
 * Allow-lists: is this path, or this candidate, one that the rules' author
 * excused? Takes a list and the candidate, gives yes, no or "could not tell".
 */
#include <string.h>

#include "scan-internal.h"

/* 1 when one of the patterns matches, 0, or -1. */
static int any(struct scan_regex *x, struct rules_pattern *const *list,
	       size_t nr, const char *s, size_t len)
{
	for (size_t i = 0; i < nr; i++) {
		struct scan_span at;
		int n = scan_regex_find(x, list[i], s, len, 0, len, 0, &at);

		if (n)
			return n;
	}
	return 0;
}

static int path_of(struct scan_regex *x, const struct rules_allow *a,
		   const char *path)
{
	return any(x, a->paths, a->nr_paths, path, strlen(path));
}

/* Does s, lower-cased, hold word, which is lower case? */
static int holds(const char *s, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++) {
		size_t k = 0;

		while (k < n) {
			char c = s[i + k];

			if (c >= 'A' && c <= 'Z')
				c = (char)(c + 'a' - 'A');
			if (c != word[k])
				break;
			k++;
		}
		if (k == n)
			return 1;
	}
	return 0;
}

int scan_allow_path(struct scan_regex *x, const struct rules_allow *a,
		    const char *path)
{
	if (!a->nr_paths)
		return 0;
	/* with more to hold, it waits for a candidate */
	if (a->all && (a->nr_regexes || a->stopwords.nr))
		return 0;
	return path_of(x, a, path);
}

static struct scan_span target(const struct rules_allow *a,
			       const struct scan_candidate *c,
			       struct scan_span line)
{
	switch (a->target) {
	case RULES_SECRET:
		return c->secret;
	case RULES_MATCH:
		return c->match;
	case RULES_LINE:
		return line;
	}
	return c->secret;
}

int scan_allow_found(struct scan_regex *x, const struct rules_allow *a,
		     const char *path, const char *text,
		     const struct scan_candidate *c, struct scan_span line)
{
	struct scan_span s = target(a, c, line);
	int regex = any(x, a->regexes, a->nr_regexes, text + s.start,
			s.end - s.start);
	int word = 0, at_path;

	if (regex < 0)
		return -1;
	for (size_t i = 0; i < a->stopwords.nr && !word; i++)
		word = holds(text + c->secret.start,
			     c->secret.end - c->secret.start,
			     a->stopwords.list[i]);
	if (!a->all)
		return regex || word;
	at_path = a->nr_paths ? path_of(x, a, path) : 1;
	if (at_path < 0)
		return -1;
	return at_path && (regex || !a->nr_regexes) &&
	       (word || !a->stopwords.nr);
}

int scan_minds_path(const struct scanner *s)
{
	for (size_t i = 0; i < s->rules->nr; i++)
		if (s->rules->list[i].path)
			return 1;
	for (size_t i = 0; i < s->rules->nr_allows; i++)
		if (s->rules->allows[i]->nr_paths)
			return 1;
	return 0;
}
