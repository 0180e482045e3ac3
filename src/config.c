/*
 * The configuration: reads the file through lex.c, hands each key to the
 * table of config-keys.c, and checks what belongs together. Takes a path,
 * gives a const struct. Never stops at the first error, and never follows
 * what the file names (config-check.c does).
 */
#include "config.h"
#include "config-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "lex.h"
#include "log.h"
#include "match.h"
#include "mem.h"
#include "trust.h"

/* More is no configuration. Bytes. */
#define CONFIG_MAX (4 << 20)
/* A shared connection that nobody uses ends then. */
#define PERSIST_MS (10 * 60 * 1000)

/* The longest name of a socket in the state directory. */
#define STATE_SOCKET "/control"

void config_error(struct load *l, int line, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line)
		log_error("%s:%d: %s", l->file, line, text);
	else
		log_error("%s: %s", l->file, text);
	l->errors = 1;
}

static void end_repo(struct load *l, struct config_repo *r)
{
	int upstream = config_seen(l, "upstream");
	int hosted = config_seen(l, "hosted");
	int fresh = config_seen(l, "fresh");

	r->hosted_line = hosted;
	if (upstream && hosted)
		config_error(l, l->section_line, "[repo \"%s\"] has both "
			     "upstream and hosted; keep one", r->pattern);
	if (!upstream && !hosted && !l->unknown)
		config_error(l, l->section_line, "[repo \"%s\"] has neither "
			     "upstream nor hosted; add one", r->pattern);
	if (hosted && fresh)
		config_error(l, fresh, "fresh has no meaning for hosted "
			     "repositories, which are never fetched; remove "
			     "it");
}

/* What belongs together in a section is known at its end. */
static void end_section(struct load *l)
{
	switch (l->section) {
	case SECTION_UPSTREAM:
		config_end_upstream(l, l->object);
		break;
	case SECTION_REPO:
		end_repo(l, l->object);
		break;
	case SECTION_UNKNOWN:
	case SECTION_GATE:
	case SECTION_SESSION:
	case SECTION_BACKEND:
	case SECTION_PUSH:
	case SECTION_MAINTENANCE:
	case SECTION_SCAN:
	case SECTION_ACCESS:
		break;
	}
	l->section = SECTION_UNKNOWN;
}

/* Sections with a name are there once: forget the last one's keys. */
static void forget_keys(struct load *l, enum section s)
{
	for (size_t i = 0; i < config_nr_keys; i++)
		if (config_keys[i].section == s)
			l->seen[i] = 0;
}

static void twice(struct load *l, int line, const char *section,
		  const char *name, int first)
{
	config_error(l, line, "[%s \"%s\"] is already in line %d; join the "
		     "two, or rename one", section, name, first);
}

static void begin_upstream(struct load *l, const char *name, int line)
{
	struct config *c = l->c;
	const struct config_upstream *old = config_upstream(c, name);

	if (old)
		twice(l, line, "upstream", name, old->line);
	MEM_GROW(c->upstreams, c->nr_upstreams, l->alloc_upstreams);
	l->object = &c->upstreams[c->nr_upstreams++];
	*(struct config_upstream *)l->object = (struct config_upstream){
		.name = mem_strdup(name), .line = line,
		.persist_ms = PERSIST_MS
	};
}

static void begin_repo(struct load *l, const char *pattern, int line)
{
	struct config *c = l->c;

	for (size_t i = 0; i < c->nr_repos; i++)
		if (!strcmp(c->repos[i].pattern, pattern))
			twice(l, line, "repo", pattern, c->repos[i].line);
	MEM_GROW(c->repos, c->nr_repos, l->alloc_repos);
	MEM_GROW(l->wanted, c->nr_repos, l->alloc_wanted);
	l->wanted[c->nr_repos] = (struct wanted){ NULL, line };
	l->object = &c->repos[c->nr_repos++];
	*(struct config_repo *)l->object = (struct config_repo){
		.pattern = mem_strdup(pattern), .line = line
	};
}

static void begin_section(struct load *l, const struct lex_event *e)
{
	enum section s = config_section(e->section);
	int named = config_section_named(s);

	l->section_line = e->line;
	l->unknown = 0;
	l->object = l->c;
	if (s == SECTION_UNKNOWN) {
		config_error(l, e->line, "unknown section [%s]; known are "
			     "gate, session, backend, push, maintenance, scan, "
			     "upstream, repo and access",
			     e->section);
		return;
	}
	if (!named && e->subsection) {
		config_error(l, e->line, "[%s \"%s\"]: this section has no "
			     "name; write [%s]", e->section, e->subsection,
			     e->section);
		return;
	}
	if (named && (!e->subsection || !*e->subsection)) {
		config_error(l, e->line, "[%s] has no name; write "
			     "[%s \"NAME\"]", e->section, e->section);
		return;
	}
	l->section = s;
	if (!named)
		return;
	forget_keys(l, s);
	if (s == SECTION_UPSTREAM)
		begin_upstream(l, e->subsection, e->line);
	else
		begin_repo(l, e->subsection, e->line);
}

static void take_key(struct load *l, const struct lex_event *e)
{
	int i = config_key(l->section, e->key), set;

	if (i < 0) {
		l->unknown = 1;
		config_unknown_key(l, e->section, e->key, e->line);
		return;
	}
	set = config_key_set(l, i);
	if (set >= 0 && config_keys[i].kind != KIND_RULE)
		config_error(l, e->line, "%s is already in line %d%s%s; remove "
			     "one of the two", config_keys[i].name,
			     l->seen[set], set == i ? "" : " as ",
			     set == i ? "" : config_keys[set].name);
	l->seen[i] = e->line;
	config_value(l, &config_keys[i], e->value, e->line);
}

static void take_event(void *arg, const struct lex_event *e)
{
	struct load *l = arg;

	if (!e->key) {
		end_section(l);
		begin_section(l, e);
	} else if (l->section != SECTION_UNKNOWN) {
		take_key(l, e);
	}
}

/* [repo] sections may stand before the [upstream] that they name. */
static void resolve_upstreams(struct load *l)
{
	for (size_t i = 0; i < l->c->nr_repos; i++) {
		struct wanted *w = &l->wanted[i];
		if (!w->upstream)
			continue;
		l->c->repos[i].upstream = config_upstream(l->c, w->upstream);
		if (!l->c->repos[i].upstream)
			config_error(l, w->line, "upstream = %s: there is no "
				     "[upstream \"%s\"]; add one, or correct "
				     "the name", w->upstream, w->upstream);
	}
}

int config_state_line(const struct load *l)
{
	int line = l->seen[config_key(SECTION_GATE, "state")];

	return line ? line : 1;
}

static void check_whole(struct load *l, int last_line)
{
	const struct config *c = l->c;
	size_t room = CONFIG_SOCKET_MAX - strlen(STATE_SOCKET);

	resolve_upstreams(l);
	if (!c->nr_repos)
		config_error(l, last_line, "no [repo] section; add one, or "
			     "nothing can be served");
	if (!l->seen[config_key(SECTION_ACCESS, "allow")] &&
	    !l->seen[config_key(SECTION_ACCESS, "deny")])
		log_warn("%s:%d: no rule in [access]; everything is denied "
			 "until there is an allow line", l->file, last_line);
	if (strlen(c->state) > room)
		config_error(l, config_state_line(l), "state = %s: %zu bytes "
			     "long; sockets are made in it, which allows at "
			     "most %zu: choose a shorter path", c->state,
			     strlen(c->state), room);
	else
		config_check_shared(l);
}

/* *at unless it is set: dir/name, or dir alone. */
static void default_path(char **at, const char *dir, const char *name)
{
	struct buf b = BUF_INIT;

	if (*at)
		return;
	buf_addf(&b, "%s%s", dir, name);
	*at = buf_take(&b);
}

static void default_paths(struct config *c)
{
	default_path(&c->state, STATEDIR, "");
	default_path(&c->mirrors, c->state, "/mirrors");
	default_path(&c->spool, c->state, "/spool");
	default_path(&c->git, GIT_PATH, "");
	default_path(&c->ssh, SSH_PATH, "");
	default_path(&c->libexec, LIBEXECDIR, "");
	default_path(&c->hooks, LIBEXECDIR, "/hooks");
}

/* Who can write the file decides who may do what. */
static void distrust(void *arg, const char *what)
{
	config_error(arg, 1, "%s", what);
}

/* Returns -1 when there is nothing to parse. */
static int read_file(struct load *l, struct buf *text)
{
	/* O_NONBLOCK: opening a FIFO would wait for its other end. */
	int fd = open(l->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0) {
		config_error(l, 0, "cannot be opened: %s; %s", strerror(errno),
			     errno == EACCES ? "run this as the gate's user, "
					       "who must be able to read it"
					     : "name the configuration with "
					       "-c");
		return -1;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		config_error(l, 0, "not a regular file; name the "
			     "configuration file itself");
	} else {
		trust_check(l->file, &st, distrust, l);
		if (!buf_read_fd(text, fd, CONFIG_MAX)) {
			close(fd);
			return 0;
		}
		config_error(l, 0, "cannot be read: %s", strerror(errno));
	}
	close(fd);
	return -1;
}

/* Errors are shown with the name as given, children get an absolute one. */
static char *absolute(const char *file)
{
	char *path = *file == '/' ? NULL : realpath(file, NULL);

	return path ? path : mem_strdup(file);
}

static int count_lines(const struct buf *text)
{
	int n = 1;

	for (size_t i = 0; i + 1 < text->len; i++)
		n += text->data[i] == '\n';
	return n;
}

struct config *config_load(const char *file)
{
	struct buf text = BUF_INIT;
	static atomic_uint_fast64_t loaded;
	struct load l = { .file = file };

	if (read_file(&l, &text)) {
		buf_clear(&text);
		return NULL;
	}
	buf_adds(&text, ""); /* a string, of an empty file too */
	l.c = mem_zalloc(sizeof(*l.c));
	*l.c = config_defaults;
	l.c->number = ++loaded;
	l.c->file = absolute(file);
	l.c->name = mem_strdup(l.c->file);
	l.text = &text;
	if (lex_config(file, text.data, text.len, take_event, &l))
		l.errors = 1;
	end_section(&l);
	default_paths(l.c);
	check_whole(&l, count_lines(&text));
	buf_clear(&text);
	for (size_t i = 0; i < l.c->nr_repos; i++)
		free(l.wanted[i].upstream);
	free(l.wanted);
	memcpy(l.c->lines, l.seen, sizeof(l.seen));
	if (l.errors) {
		config_free(l.c);
		return NULL;
	}
	return l.c;
}
