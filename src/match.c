/*
 * Globs with '*' and '?'. Takes a pattern and a text, says whether they
 * match. Never recurses, so that no pattern and no text can make it slow:
 * only the last '*' is ever taken back.
 */
#include "match.h"

#include <stddef.h>

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static int same(char p, char t, int icase)
{
	if (p == '?' || p == t)
		return 1;
	return icase && lower(p) == lower(t);
}

static int match(const char *p, const char *t, int icase)
{
	const char *star = NULL;   /* behind the last '*' */
	const char *resume = NULL; /* where the text it stands for ends */

	while (*t) {
		if (*p == '*') {
			star = ++p;
			resume = t;
		} else if (*p && same(*p, *t, icase)) {
			p++;
			t++;
		} else if (star) {
			/* The star takes one byte more. */
			p = star;
			t = ++resume;
		} else {
			return 0;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

int match_glob(const char *pattern, const char *text)
{
	return match(pattern, text, 0);
}

int match_glob_icase(const char *pattern, const char *text)
{
	return match(pattern, text, 1);
}
