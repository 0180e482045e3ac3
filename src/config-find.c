/*
 * Looking things up in a loaded configuration, and freeing it. Takes names,
 * gives pointers into the const struct.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "match.h"

const struct config_upstream *config_upstream(const struct config *c,
					      const char *name)
{
	for (size_t i = 0; i < c->nr_upstreams; i++)
		if (!strcmp(c->upstreams[i].name, name))
			return &c->upstreams[i];
	return NULL;
}

void config_offered(const struct config_upstream *u, struct buf *out)
{
	const struct {
		const char *what, *path;
	} all[] = {
		/* with both, the agent is asked for this key alone */
		{ "identityFile", u->identity_file },
		{ "agent", u->agent_socket },
		{ "tokenFile", u->token_file },
		{ "tokenCommand", u->token_command },
		{ "clientCert", u->client_cert },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].path) {
			buf_addf(out, " (%s %s)", all[i].what, all[i].path);
			return;
		}
}

static int ignores_case(const struct config_repo *r)
{
	return r->upstream && r->upstream->ignore_case;
}

const struct config_repo *config_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->nr_repos; i++) {
		const struct config_repo *r = &c->repos[i];
		if (ignores_case(r) ? match_glob_icase(r->pattern, name)
				    : match_glob(r->pattern, name))
			return r;
	}
	return NULL;
}

const struct config_repo *config_repo(const struct config *c, char *name)
{
	const struct config_repo *r = config_find(c, name);

	if (!r || !ignores_case(r))
		return r;
	for (char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	/* In small letters it may be the name of an earlier [repo]. */
	return config_find(c, name);
}

static void free_upstream(struct config_upstream *u)
{
	free(u->name);
	free(u->url);
	free(u->suffix);
	free(u->identity_file);
	free(u->certificate_file);
	free(u->agent_socket);
	free(u->known_hosts);
	free(u->username);
	free(u->token_file);
	free(u->token_command);
	free(u->ca_file);
	free(u->client_cert);
	free(u->client_key);
	free(u->proxy);
}

static void free_rule(struct config_rule *r)
{
	free(r->who);
	free(r->repo);
	free(r->ref);
	free(r->text);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->nr_upstreams; i++)
		free_upstream(&c->upstreams[i]);
	for (size_t i = 0; i < c->nr_repos; i++) {
		free(c->repos[i].pattern);
		free(c->repos[i].hosted);
		free(c->repos[i].push_options);
	}
	for (size_t i = 0; i < c->nr_rules_access; i++)
		free_rule(&c->rules_access[i]);
	free(c->upstreams);
	free(c->repos);
	free(c->rules_access);
	if (c->is_copy)
		unlink(c->file);
	free(c->file);
	free(c->name);
	free(c->state);
	free(c->mirrors);
	free(c->spool);
	free(c->git);
	free(c->ssh);
	free(c->hooks);
	free(c->libexec);
	free(c->park);
	free(c->rules);
	free(c->exceptions);
	free(c->ignore);
	free(c);
}
