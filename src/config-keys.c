/*
 * The table of all sections and keys of the configuration, and of what they are
 * when not given. Takes names, gives entries of the table;
 * git-gate.conf(5) describes each. Judges no value.
 */
#include "config-internal.h"

#include <string.h>
#include <strings.h>

#include "buf.h"

#define GATE(field) offsetof(struct config, field)
#define UP(field) offsetof(struct config_upstream, field)
#define REPO(field) offsetof(struct config_repo, field)

/* poll(2) counts milliseconds in an int: 24 days fit. */
#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)
#define WAIT 1, 24 * DAY_MS

const struct key config_keys[] = {
	{ SECTION_GATE, "state", KIND_PATH, GATE(state), 0, 0, 0 },
	{ SECTION_GATE, "mirrors", KIND_PATH, GATE(mirrors), 0, 0, 0 },
	{ SECTION_GATE, "spool", KIND_PATH, GATE(spool), 0, 0, 0 },
	{ SECTION_GATE, "git", KIND_PATH, GATE(git), 0, 0, 0 },
	{ SECTION_GATE, "ssh", KIND_PATH, GATE(ssh), 0, 0, 0 },
	{ SECTION_GATE, "hooks", KIND_PATH, GATE(hooks), 0, 0, 0 },
	{ SECTION_GATE, "libexec", KIND_PATH, GATE(libexec), 0, 0, 0 },
	{ SECTION_GATE, "workers", KIND_COUNT, GATE(workers), 2, 4096, 0 },

	{ SECTION_SESSION, "readTimeout", KIND_TIME, GATE(read_ms), WAIT, 0 },
	{ SECTION_SESSION, "writeTimeout", KIND_TIME, GATE(write_ms), WAIT, 0 },
	{ SECTION_SESSION, "backendTimeout", KIND_TIME, GATE(backend_ms),
	  WAIT, 0 },
	{ SECTION_SESSION, "sessionTimeout", KIND_TIME, GATE(total_ms),
	  WAIT, 0 },
	{ SECTION_SESSION, "queueTimeout", KIND_TIME, GATE(queue_ms), WAIT, 0 },
	{ SECTION_SESSION, "refreshTimeout", KIND_TIME, GATE(refresh_ms),
	  WAIT, 0 },
	{ SECTION_SESSION, "forwardTimeout", KIND_TIME, GATE(forward_ms),
	  WAIT, 0 },
	{ SECTION_SESSION, "stopTimeout", KIND_TIME, GATE(stop_ms), WAIT, 0 },
	{ SECTION_SESSION, "maxBody", KIND_SIZE, GATE(max_body), 1, INT64_MAX,
	  0 },
	{ SECTION_SESSION, "maxRequest", KIND_SIZE, GATE(max_request), 1,
	  INT64_MAX, 0 },

	{ SECTION_SESSION, "maxSessions", KIND_COUNT, GATE(max_sessions), 1,
	  4096, 0 },
	{ SECTION_SESSION, "maxPerClient", KIND_COUNT, GATE(max_per_client), 1,
	  4096, 0 },
	{ SECTION_SESSION, "maxPerRepository", KIND_COUNT, GATE(max_per_repo),
	  1, 4096, 0 },
	{ SECTION_SESSION, "maxWaiting", KIND_COUNT, GATE(max_waiting), 0,
	  4096, 0 },

	{ SECTION_BACKEND, "memory", KIND_SIZE, GATE(memory), 0, INT64_MAX, 0 },
	{ SECTION_BACKEND, "cpu", KIND_TIME, GATE(cpu_ms), 1000, 24 * DAY_MS,
	  0 },
	{ SECTION_BACKEND, "fileSize", KIND_SIZE, GATE(file_size), 0,
	  INT64_MAX, 0 },
	{ SECTION_BACKEND, "processes", KIND_COUNT, GATE(processes), 0,
	  1000000, 0 },
	{ SECTION_BACKEND, "files", KIND_COUNT, GATE(files), 64, 1000000, 0 },
	{ SECTION_BACKEND, "threads", KIND_COUNT, GATE(threads), 0, 64, 0 },
	{ SECTION_BACKEND, "advertisements", KIND_SIZE, GATE(adverts), 0,
	  INT64_MAX, 0 },
	{ SECTION_BACKEND, "packs", KIND_SIZE, GATE(packs), 0, INT64_MAX, 0 },
	{ SECTION_BACKEND, "packsAge", KIND_TIME, GATE(packs_ms), 1000,
	  365 * DAY_MS, 0 },

	{ SECTION_PUSH, "park", KIND_PATH, GATE(park), 0, 0, 0 },
	{ SECTION_PUSH, "parkMax", KIND_COUNT, GATE(park_max), 1, 100000, 0 },
	{ SECTION_PUSH, "parkSize", KIND_SIZE, GATE(park_size), 1, INT64_MAX,
	  0 },

	{ SECTION_MAINTENANCE, "auto", KIND_BOOL, GATE(maintain), 0, 0, 0 },
	{ SECTION_MAINTENANCE, "delay", KIND_TIME, GATE(maintain_ms), WAIT,
	  0 },
	{ SECTION_MAINTENANCE, "packs", KIND_COUNT, GATE(maintain_packs), 2,
	  10000, 0 },
	{ SECTION_MAINTENANCE, "timeout", KIND_TIME, GATE(care_ms), WAIT, 0 },
	{ SECTION_MAINTENANCE, "removeUnused", KIND_TIME, GATE(unused_ms), 0,
	  365 * DAY_MS, 0 },
	{ SECTION_MAINTENANCE, "maxSize", KIND_SIZE, GATE(mirrors_size), 0,
	  INT64_MAX, 0 },

	{ SECTION_SCAN, "rules", KIND_PATH, GATE(rules), 0, 0, 0 },
	{ SECTION_SCAN, "maxObject", KIND_SIZE, GATE(max_object), 1, INT64_MAX,
	  0 },
	/* two names of one thing */
	{ SECTION_SCAN, "timeout", KIND_TIME, GATE(scan_ms), WAIT, 0 },
	{ SECTION_SCAN, "deadline", KIND_TIME, GATE(scan_ms), WAIT, 0 },
	{ SECTION_SCAN, "report", KIND_COUNT, GATE(report), 1, 1000, 0 },
	{ SECTION_SCAN, "threads", KIND_COUNT, GATE(scan_threads), 0, 64, 0 },
	/* the rules and one window of text need so much */
	{ SECTION_SCAN, "memory", KIND_SIZE, GATE(scan_memory), 32 << 20,
	  INT64_MAX, 0 },
	{ SECTION_SCAN, "decode", KIND_COUNT, GATE(decode_depth), 0, 8, 0 },
	{ SECTION_SCAN, "archives", KIND_COUNT, GATE(archive_depth), 0, 8, 0 },
	{ SECTION_SCAN, "unknown", KIND_NOTE, GATE(scan_note), 0, 0, 0 },
	{ SECTION_SCAN, "exceptions", KIND_PATH, GATE(exceptions), 0, 0, 0 },
	{ SECTION_SCAN, "ignore", KIND_PATH, GATE(ignore), 0, 0, 0 },

	{ SECTION_UPSTREAM, "url", KIND_URL, UP(url), 0, 0, 0 },
	{ SECTION_UPSTREAM, "suffix", KIND_WORD, UP(suffix), 0, 0, 0 },
	{ SECTION_UPSTREAM, "identityFile", KIND_PATH, UP(identity_file), 0, 0,
	  SCHEME_SSH },
	{ SECTION_UPSTREAM, "certificateFile", KIND_PATH, UP(certificate_file),
	  0, 0, SCHEME_SSH },
	{ SECTION_UPSTREAM, "agentSocket", KIND_SOCKET, UP(agent_socket), 0, 0,
	  SCHEME_SSH },
	{ SECTION_UPSTREAM, "knownHosts", KIND_PATH, UP(known_hosts), 0, 0,
	  SCHEME_SSH },
	{ SECTION_UPSTREAM, "controlPersist", KIND_TIME, UP(persist_ms), 0,
	  DAY_MS, SCHEME_SSH },
	{ SECTION_UPSTREAM, "username", KIND_NAME, UP(username), 0, 0,
	  SCHEME_WEB },
	{ SECTION_UPSTREAM, "tokenFile", KIND_PATH, UP(token_file), 0, 0,
	  SCHEME_WEB },
	{ SECTION_UPSTREAM, "tokenCommand", KIND_PATH, UP(token_command), 0, 0,
	  SCHEME_WEB },
	{ SECTION_UPSTREAM, "caFile", KIND_PATH, UP(ca_file), 0, 0,
	  SCHEME_HTTPS },
	{ SECTION_UPSTREAM, "clientCert", KIND_PATH, UP(client_cert), 0, 0,
	  SCHEME_HTTPS },
	{ SECTION_UPSTREAM, "clientKey", KIND_PATH, UP(client_key), 0, 0,
	  SCHEME_HTTPS },
	{ SECTION_UPSTREAM, "proxy", KIND_PROXY, UP(proxy), 0, 0, SCHEME_WEB },
	{ SECTION_UPSTREAM, "followRedirects", KIND_BOOL, UP(follow_redirects),
	  0, 0, SCHEME_WEB },
	{ SECTION_UPSTREAM, "atomic", KIND_ATOMIC, UP(atomic_prefer), 0, 0, 0 },
	{ SECTION_UPSTREAM, "ignoreCase", KIND_BOOL, UP(ignore_case), 0, 0, 0 },

	{ SECTION_REPO, "upstream", KIND_UPSTREAM, 0, 0, 0, 0 },
	{ SECTION_REPO, "hosted", KIND_PATH, REPO(hosted), 0, 0, 0 },
	{ SECTION_REPO, "fresh", KIND_FRESH, 0, 1, 365 * DAY_MS, 0 },
	{ SECTION_REPO, "pushOptions", KIND_GLOBS, REPO(push_options), 0, 0,
	  0 },

	/* The only keys that may be there more than once. */
	{ SECTION_ACCESS, "allow", KIND_RULE, 0, 0, 0, 0 },
	{ SECTION_ACCESS, "deny", KIND_RULE, 0, 0, 0, 0 },
};
const size_t config_nr_keys = sizeof(config_keys) / sizeof(*config_keys);
_Static_assert(sizeof(config_keys) / sizeof(*config_keys) <= CONFIG_KEYS_MAX,
	       "struct load has no room for a line of each key");

const struct config config_defaults = {
	.workers = 512,
	.read_ms = 15 * 1000,
	.write_ms = 60 * 1000,
	.backend_ms = 10 * 60 * 1000,
	.total_ms = 60 * 60 * 1000,
	.queue_ms = 30 * 1000,
	.refresh_ms = 10 * 60 * 1000,
	.forward_ms = 10 * 60 * 1000,
	.stop_ms = 30 * 1000,
	.max_body = (uint64_t)8 << 30,
	.max_request = 32 << 20,
	.max_sessions = 64,
	.max_per_client = 32,
	.max_per_repo = 48,
	.max_waiting = 256,
	.memory = (uint64_t)4 << 30,
	.cpu_ms = 30 * 60 * 1000,
	.file_size = (uint64_t)16 << 30,
	.files = 1024,
	.adverts = 32 << 20,
	.packs = (uint64_t)1 << 30,
	.packs_ms = 60 * 60 * 1000,
	.park_max = 100,
	.park_size = (uint64_t)1 << 30,
	.maintain = 1,
	.maintain_ms = 60 * 1000,
	.maintain_packs = 10,
	.care_ms = 30 * 60 * 1000,
	.max_object = 256 << 20,
	.scan_ms = 2 * 60 * 1000,
	.report = 20,
	.scan_memory = 256 << 20,
	.decode_depth = 3,
	.archive_depth = 3,
};

static const struct {
	const char *name;
	enum section section;
	int named;
} sections[] = {
	{ "gate", SECTION_GATE, 0 },
	{ "session", SECTION_SESSION, 0 },
	{ "backend", SECTION_BACKEND, 0 },
	{ "push", SECTION_PUSH, 0 },
	{ "maintenance", SECTION_MAINTENANCE, 0 },
	{ "scan", SECTION_SCAN, 0 },
	{ "upstream", SECTION_UPSTREAM, 1 },
	{ "repo", SECTION_REPO, 1 },
	{ "access", SECTION_ACCESS, 0 },
};
#define NR_SECTIONS (sizeof(sections) / sizeof(*sections))

enum section config_section(const char *name)
{
	for (size_t i = 0; i < NR_SECTIONS; i++)
		if (!strcmp(sections[i].name, name))
			return sections[i].section;
	return SECTION_UNKNOWN;
}

int config_section_named(enum section s)
{
	for (size_t i = 0; i < NR_SECTIONS; i++)
		if (sections[i].section == s)
			return sections[i].named;
	return 0;
}

int config_key(enum section s, const char *name)
{
	for (size_t i = 0; i < config_nr_keys; i++)
		if (config_keys[i].section == s &&
		    !strcasecmp(config_keys[i].name, name))
			return (int)i;
	return -1;
}

int config_upstream_line(const struct config_upstream *u, const char *key)
{
	int i = config_key(SECTION_UPSTREAM, key);

	return i >= 0 && u->lines[i] ? u->lines[i] : u->line;
}

void config_key_list(enum section s, struct buf *out)
{
	for (size_t i = 0; i < config_nr_keys; i++)
		if (config_keys[i].section == s)
			buf_addf(out, "%s%s", out->len ? ", " : "",
				 config_keys[i].name);
}

int config_key_set(const struct load *l, int i)
{
	const struct key *k = &config_keys[i];

	if (l->seen[i])
		return i;
	/* offset 0 is of kinds that are stored otherwise too */
	for (size_t j = 0; k->offset && j < config_nr_keys; j++)
		if (l->seen[j] && config_keys[j].section == k->section &&
		    config_keys[j].offset == k->offset)
			return (int)j;
	return -1;
}

int config_seen(const struct load *l, const char *name)
{
	int i = config_key(l->section, name);

	return i < 0 ? 0 : l->seen[i];
}
