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

void config_warn_park(const struct config *c)
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
void config_warn_case(const struct config *c)
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
void config_warn_libexec(const struct config *c)
{
	size_t n = strcspn(c->libexec, CONFIG_SHELL_BYTES);

	if (c->packs && c->libexec[n])
		log_warn("%s:%d: libexec %s has a '%c', which a shell would "
			 "read: no packs are kept, and each fetch has git make "
			 "one; install to another path, or set packs = 0",
			 c->name, line_of(c, SECTION_GATE, "libexec"),
			 c->libexec, c->libexec[n]);
}
