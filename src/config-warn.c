/*
 * What is allowed by the configuration and cannot be meant: takes a loaded one,
 * logs warnings with file and line. Judges values alone, looks at no file.
 */
#include "config.h"
#include "config-internal.h"

#include <string.h>

#include "log.h"

/* [repo] sections that are named in one warning's place. */
#define SHOWN_MAX 3
#define NR(table) (sizeof(table) / sizeof(*(table)))

/* Where it is set, or 0. */
static int line_of(const struct config *c, enum section section,
		   const char *key)
{
	int i = config_key(section, key);

	return i < 0 ? 0 : c->lines[i];
}

int config_park_line(const struct config *c)
{
	return line_of(c, SECTION_PUSH, "park");
}

/* May a push of one be refused by its upstream, and not before? */
static int may_park(const struct config *c)
{
	for (size_t i = 0; i < c->nr_repos; i++)
		if (c->repos[i].upstream && c->repos[i].fresh != FRESH_STRICT)
			return 1;
	return 0;
}

static void warn_of_bounds(const struct config *c)
{
	static const char *const keys[] = { "parkMax", "parkSize" };

	for (size_t i = 0; i < 2; i++)
		if (line_of(c, SECTION_PUSH, keys[i]))
			log_warn("%s:%d: %s is set, but park is not, so that "
				 "no push is parked; set park, or remove it",
				 c->name, line_of(c, SECTION_PUSH, keys[i]), keys[i]);
}

/*
 * A push begins with an advertisement, which needs the upstream where fresh is
 * strict: without it there is nothing yet that could be parked.
 */
static void warn_of_strict(const struct config *c)
{
	unsigned shown = 0;

	for (size_t i = 0; i < c->nr_repos && shown < SHOWN_MAX; i++) {
		const struct config_repo *r = &c->repos[i];

		if (!r->upstream)
			continue;
		shown++;
		log_warn("%s:%d: park is set, but [repo \"%s\"] (line %d) has "
			 "fresh = strict, so that its pushes are refused at "
			 "once while the upstream is down and cannot be "
			 "parked; set fresh = offline-ok there", c->name,
			 config_park_line(c), r->pattern, r->line);
	}
	if (!shown)
		log_warn("%s:%d: park is set, but no [repo] has an upstream, "
			 "so that no push is parked; remove it", c->name,
			 config_park_line(c));
}

static void warn_park(const struct config *c)
{
	if (!c->park)
		warn_of_bounds(c);
	else if (!may_park(c))
		warn_of_strict(c);
}

/*
 * Said here rather than where the file is read, which every push does. Others
 * of the kind cannot be told by their host.
 */
static void warn_case(const struct config *c)
{
	static const char *const hosts[] = { "github.com", "gitlab.com",
					     "bitbucket.org", "codeberg.org" };

	for (size_t i = 0; i < c->nr_upstreams; i++) {
		const struct config_upstream *u = &c->upstreams[i];
		for (size_t k = 0; k < NR(hosts) && !u->ignore_case; k++)
			if (config_url_is_at(u->url, hosts[k]))
				log_warn("%s:%d: [upstream \"%s\"]: %s takes "
					 "names without regard to case, so "
					 "that another spelling passes a deny "
					 "rule; add ignoreCase = true",
					 c->name, u->line, u->name, hosts[k]);
	}
}

/* git runs git-gate-pack itself, or has a shell do it, which reads the path. */
static void warn_libexec(const struct config *c)
{
	size_t n = strcspn(c->libexec, CONFIG_SHELL_BYTES);

	if (c->packs && c->libexec[n])
		log_warn("%s:%d: libexec %s has a '%c', which a shell would "
			 "read: no packs are kept, and each fetch has git make "
			 "one; install to another path, or set packs = 0",
			 c->name, line_of(c, SECTION_GATE, "libexec"),
			 c->libexec, c->libexec[n]);
}

/* Why a pattern matches no name, or NULL: route.c takes none of these. */
static const char *matches_none(const char *pattern)
{
	size_t n = strlen(pattern);

	if (pattern[0] == '/')
		return "names begin without a slash";
	if (n > 0 && pattern[n - 1] == '/')
		return "names end without a slash; what is below it is /*";
	if (n >= 4 && !strcmp(pattern + n - 4, ".git"))
		return "names are without .git";
	return NULL;
}

/* A deny that matches nothing denies nothing. */
static void warn_names(const struct config *c)
{
	for (size_t i = 0; i < c->nr_repos; i++) {
		const struct config_repo *r = &c->repos[i];
		const char *why = matches_none(r->pattern);

		if (why)
			log_warn("%s:%d: [repo \"%s\"] matches no repository: %s",
				 c->name, r->line, r->pattern, why);
	}
	for (size_t i = 0; i < c->nr_rules_access; i++) {
		const struct config_rule *r = &c->rules_access[i];
		const char *why = matches_none(r->repo);

		if (why)
			log_warn("%s:%d: %s: the rule matches no repository: "
				 "%s", c->name, r->line, r->text, why);
	}
}

/* The name is put behind it, so this would be a repository within one. */
static void warn_url(const struct config *c)
{
	for (size_t i = 0; i < c->nr_upstreams; i++) {
		const struct config_upstream *u = &c->upstreams[i];
		size_t n = strlen(u->url);

		while (n > 0 && u->url[n - 1] == '/')
			n--;
		if (n >= 4 && !memcmp(u->url + n - 4, ".git", 4))
			log_warn("%s:%d: [upstream \"%s\"]: the url ends in "
				 ".git; it is what stands before a "
				 "repository's name, which is put behind it",
				 c->name, u->line, u->name);
	}
}

void config_warn(const struct config *c)
{
	warn_case(c);
	warn_park(c);
	warn_libexec(c);
	warn_names(c);
	warn_url(c);
}
