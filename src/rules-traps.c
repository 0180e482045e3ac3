/*
 * Rules that are in order and yet hardly mean what their author thinks: half
 * an anchor, flags that gitleaks carries on, allow-lists that excuse whatever
 * there is. Takes a set of rules, logs warnings; changes and refuses nothing.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "log.h"
#include "rules-internal.h"
#include "rules.h"

#define NR(list) (sizeof(list) / sizeof(*(list)))

/*
 * Names and secrets as unlike as can be: what matches all of them was hardly
 * made for some.
 */
static const char *const some_paths[] = { "x", "0", "README", "src/main.c",
					  "A/B C.TXT", "\xc3\xa9" };
static const char *const some_secrets[] = { "0f1e2d3c4b5a69788796",
					    "QWERTZUIOPQWERTZUIOP",
					    "kjhgfdsapoiuztrewqyx",
					    "====----====----====" };

/* "^a|b|c$" anchors its first and last words alone. */
static int is_half_anchored(const char *s)
{
	size_t len = strlen(s);
	int depth = 0, bars = 0, in_class = 0;

	s += strspn(s, "(?ims)") == 4 ? 4 : 0;
	if (*s != '^' || len < 2)
		return 0;
	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (in_class)
			in_class = *s != ']';
		else if (*s == '[')
			in_class = 1;
		else if (*s == '(' || *s == ')')
			depth += *s == '(' ? 1 : -1;
		else if (*s == '|' && depth == 0)
			bars += s[1] != '^';
	}
	return bars > 0 && s[-1] == '$';
}

/* "(?i)a": flags for the rest of it. */
static int begins_with_flags(const char *s)
{
	size_t n;

	if (strncmp(s, "(?", 2) != 0)
		return 0;
	n = strspn(s + 2, "imsU-");
	return n && s[2 + n] == ')';
}

static int matches_all(const struct rules_pattern *p, const char *const *list,
		       size_t nr)
{
	char why[200];
	pcre2_code *code = rules_compile(p, 0, why, sizeof(why));
	pcre2_match_data *data =
		code ? pcre2_match_data_create_from_pattern(code, NULL) : NULL;
	size_t i = 0;

	while (data && i < nr &&
	       pcre2_match(code, (PCRE2_SPTR)list[i], strlen(list[i]), 0, 0,
			   data, NULL) >= 0)
		i++;
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return i == nr;
}

static void warn_excuses(const struct rules_allow *a,
			 const struct rules_pattern *p, const char *of)
{
	log_warn("%s:%d: allow-list: the regex '%.60s' of %s matches everything, "
		 "so that %s is excused; name what is meant, or remove it",
		 a->file, p->line, p->text, of,
		 a->rules.nr ? "all that its rules find" : "every secret");
}

/* gitleaks joins the regexes of a list into one, with '|' between them. */
static void warn_flags(const struct rules_allow *a,
		       struct rules_pattern *const *list, size_t nr)
{
	for (size_t i = 0; i + 1 < nr; i++) {
		if (!begins_with_flags(list[i]->text))
			continue;
		log_warn("%s:%d: allow-list: the flags that begin '%.60s' hold "
			 "for it alone; gitleaks takes them to hold for those "
			 "that follow it in the list as well: write them in "
			 "each that is to have them", a->file, list[i]->line,
			 list[i]->text);
		return;
	}
}

static void check_allow(const struct rules_allow *a)
{
	int kinds = (a->nr_paths > 0) + (a->nr_regexes > 0) +
		    (a->stopwords.nr > 0) + (a->commits.nr > 0);

	warn_flags(a, a->paths, a->nr_paths);
	warn_flags(a, a->regexes, a->nr_regexes);
	/* one kind of several does not excuse by itself */
	if (a->all && kinds > 1)
		return;
	for (size_t i = 0; i < a->nr_paths; i++)
		if (matches_all(a->paths[i], some_paths, NR(some_paths)))
			warn_excuses(a, a->paths[i], "paths");
	for (size_t i = 0; i < a->nr_regexes; i++)
		if (matches_all(a->regexes[i], some_secrets,
				NR(some_secrets)))
			warn_excuses(a, a->regexes[i], "regexes");
	for (size_t i = 0; i < a->stopwords.nr; i++)
		if (strlen(a->stopwords.list[i]) == 1)
			log_warn("%s:%d: allow-list: the stopword '%s' is in "
				 "nearly every secret, and excuses it; write "
				 "whole words", a->file, a->line,
				 a->stopwords.list[i]);
}

void rules_warn_traps(const struct rules *r)
{
	for (size_t i = 0; i < r->nr_patterns; i++)
		if (is_half_anchored(r->patterns[i]->text))
			log_warn("%s:%d: %s: '^' and '$' hold for the first "
				 "and last alternative only; group them: "
				 "^(?:...)$", r->patterns[i]->file,
				 r->patterns[i]->line, r->patterns[i]->owner);
	/* those that are built in were written for us, not for gitleaks */
	for (size_t i = 0; i < r->nr_allows; i++)
		if (strcmp(r->allows[i]->file,
			   rules_prepared.files.list[0]) != 0)
			check_allow(r->allows[i]);
}
