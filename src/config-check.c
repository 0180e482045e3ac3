/*
 * What the configuration names on disk: is it there, can it be used, can the
 * wrong people use it too? Takes a loaded configuration, logs every fault;
 * of programs of ours config-own.c does. May make the working directories and
 * that of parked pushes; changes nothing else, reads no secret.
 */
#include "config.h"
#include "config-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "mem.h"

/* Where a message belongs: line 0 leaves the line out. */
struct place {
	const char *file;
	int line;
	const char *key;
};

static int fault(const struct place *p, const char *path, const char *what)
{
	if (p->line)
		log_error("%s:%d: %s %s %s", p->file, p->line, p->key, path,
			  what);
	else
		log_error("%s: %s %s %s", p->file, p->key, path, what);
	return -1;
}

static int fault_errno(const struct place *p, const char *path,
		       const char *remedy)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "cannot be used: %s; %s", strerror(errno), remedy);
	fault(p, path, b.data);
	buf_clear(&b);
	return -1;
}

/* May the effective user do this? access(2) asks about the real one. */
static int may(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}

static int trusted_owner(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* What is not there yet can be made when the gate starts. */
static int check_parent(const struct place *p, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent = mem_strndup(path, (size_t)(slash - path) + 1);
	int there = !access(parent, F_OK);

	free(parent);
	if (there)
		return 0;
	errno = ENOENT;
	return fault_errno(p, path, "make its parent directory");
}

/*
 * A directory of ours, made if it is not there. Whoever else could write in it
 * could plant repositories and sockets.
 */
static int check_working_dir(const struct place *p, const char *path, int make)
{
	struct stat st;

	if (!make && access(path, F_OK) && errno == ENOENT)
		return check_parent(p, path);
	if (make && mkdir(path, 0700) && errno != EEXIST)
		return fault_errno(p, path, "make its parent directory, or "
				   "let the gate's user write there");
	if (stat(path, &st))
		return fault_errno(p, path, "let the gate's user reach it");
	if (!S_ISDIR(st.st_mode))
		return fault(p, path, "is not a directory; remove it, or name "
			     "another");
	/* root may check for the user that will run */
	if (!trusted_owner(&st) && (make || geteuid() != 0))
		return fault(p, path, "belongs to another user; chown it to "
			     "the gate's user, and run this as that user");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fault(p, path, "can be written by its group or by "
			     "others; chmod 0700 it");
	if (may(path, R_OK | W_OK | X_OK))
		return fault_errno(p, path, errno == EROFS ?
				   "name one that can be written" :
				   st.st_uid == geteuid() ? "chmod 0700 it" :
				   "chown it to the gate's user");
	return 0;
}

static int check_dir(const struct place *p, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return fault_errno(p, path, "make it, or correct the path");
	if (!S_ISDIR(st.st_mode))
		return fault(p, path, "is not a directory; correct the path");
	if (may(path, R_OK | X_OK))
		return fault_errno(p, path, "let the gate's user read it");
	if (may(path, W_OK))
		log_warn("%s:%d: %s %s: %s; pushes there will fail unless the "
			 "repositories belong to the gate's user", p->file,
			 p->line, p->key, path, strerror(errno));
	return 0;
}

/* A file that can be read (R_OK) or executed (X_OK). */
static int check_file(const struct place *p, const char *path, int mode)
{
	struct stat st;

	if (stat(path, &st))
		return fault_errno(p, path, "correct the path");
	if (!S_ISREG(st.st_mode))
		return fault(p, path, "is not a regular file; correct the "
			     "path");
	if (st.st_size == 0)
		return fault(p, path, "is empty; was it made by a command that "
			     "failed?");
	if (may(path, mode))
		return fault_errno(p, path, mode == X_OK ?
				   "it must be executable" :
				   "let the gate's user read it");
	return 0;
}

/*
 * What decides or runs is as good as the configuration itself. The mode alone
 * is judged: programs may be another's who installed them.
 */
static int check_closed(const struct place *p, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return fault_errno(p, path, "correct the path");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fault(p, path, "can be written by its group or by "
			     "others; chmod go-w it");
	return 0;
}

static int check_secret(const struct place *p, const char *path)
{
	struct stat st;

	if (check_file(p, path, R_OK))
		return -1;
	if (stat(path, &st))
		return fault_errno(p, path, "correct the path");
	if (!trusted_owner(&st) && geteuid() != 0)
		return fault(p, path, "belongs to another user; chown it to "
			     "root or to the gate's user");
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return fault(p, path, "is a secret that its group or others "
			     "can reach; chmod 0600 it");
	return 0;
}

/* An agent may be started after us: that it is not there yet is no error. */
static int check_agent(const struct place *p, const char *path)
{
	struct stat st;

	if (stat(path, &st)) {
		log_warn("%s:%d: %s %s: %s; pushes and fetches fail until an "
			 "ssh-agent listens there", p->file, p->line, p->key,
			 path, strerror(errno));
		return 0;
	}
	if (!S_ISSOCK(st.st_mode))
		return fault(p, path, "is not a socket; name the agent's "
			     "socket, its SSH_AUTH_SOCK");
	return 0;
}

static int check_program(const struct place *p, const char *path)
{
	return check_file(p, path, X_OK) || check_closed(p, path) ? -1 : 0;
}

static int check_command(const struct place *p, const char *path)
{
	if (strchr(path, ' ') && access(path, F_OK) && errno != EACCES)
		return fault(p, path, "is not there; it is run without "
			     "arguments; name a program");
	return check_program(p, path);
}

static int check_readable(const struct place *p, const char *path)
{
	return check_file(p, path, R_OK) || check_closed(p, path) ? -1 : 0;
}

/* What is in it is judged where it is read. */
static int check_exceptions(const struct place *p, const char *path)
{
	if (!access(path, F_OK) || errno != ENOENT)
		return 0;
	if (check_parent(p, path))
		return -1;
	log_warn("%s:%d: %s %s is not there yet; git-gate allow makes it",
		 p->file, p->line, p->key, path);
	return 0;
}

typedef int check_fn(const struct place *p, const char *path);

struct check {
	const char *key;
	size_t offset;
	check_fn *fn;
};

static const struct check upstream_checks[] = {
	{ "identityFile", offsetof(struct config_upstream, identity_file),
	  check_secret },
	{ "certificateFile", offsetof(struct config_upstream, certificate_file),
	  check_readable },
	{ "agentSocket", offsetof(struct config_upstream, agent_socket),
	  check_agent },
	{ "knownHosts", offsetof(struct config_upstream, known_hosts),
	  check_readable },
	{ "tokenFile", offsetof(struct config_upstream, token_file),
	  check_secret },
	{ "tokenCommand", offsetof(struct config_upstream, token_command),
	  check_command },
	{ "caFile", offsetof(struct config_upstream, ca_file),
	  check_readable },
	{ "clientCert", offsetof(struct config_upstream, client_cert),
	  check_readable },
	{ "clientKey", offsetof(struct config_upstream, client_key),
	  check_secret },
};

#define NR(table) (sizeof(table) / sizeof(*(table)))

/* Every path that is set is checked, in this order. */
static int check_upstream(const struct config *c,
			  const struct config_upstream *u)
{
	int bad = 0;

	for (size_t i = 0; i < NR(upstream_checks); i++) {
		const struct check *k = &upstream_checks[i];
		struct place p = { c->name, config_upstream_line(u, k->key),
				   k->key };
		const char *path = *(char *const *)((const char *)u +
						    k->offset);
		if (path && k->fn(&p, path))
			bad = -1;
	}
	return bad;
}

/* Where a key of an unnamed section was given; 0: it has its default. */
static struct place place_of(const struct config *c, enum section section,
			     const char *key)
{
	int i = config_key(section, key);

	return (struct place){ c->name, i < 0 ? 0 : c->lines[i], key };
}

static int check_gate(const struct config *c, int make)
{
	const struct {
		const char *key;
		const char *path;
	} dirs[] = { { "state", c->state },
		     { "mirrors", c->mirrors },
		     { "spool", c->spool } };
	struct place git = place_of(c, SECTION_GATE, "git");
	struct place rules = place_of(c, SECTION_SCAN, "rules");
	struct place exceptions = place_of(c, SECTION_SCAN, "exceptions");
	struct place ignore = place_of(c, SECTION_SCAN, "ignore");
	struct place park = place_of(c, SECTION_PUSH, "park");
	int bad = 0;

	for (size_t i = 0; i < NR(dirs); i++) {
		struct place p = place_of(c, SECTION_GATE, dirs[i].key);
		/* a missing state directory will hold the other two */
		if (i > 0 && !make && access(c->state, F_OK))
			continue;
		if (check_working_dir(&p, dirs[i].path, make))
			bad = -1;
	}
	if (c->park && check_working_dir(&park, c->park, make))
		bad = -1;
	if (check_program(&git, c->git))
		bad = -1;
	/* who can write it is judged where it is read, as of all it extends */
	if (c->rules && check_file(&rules, c->rules, R_OK))
		bad = -1;
	if (c->exceptions && check_exceptions(&exceptions, c->exceptions))
		bad = -1;
	if (c->ignore && check_closed(&ignore, c->ignore))
		bad = -1;
	return bad;
}

static int uses_ssh(const struct config *c)
{
	for (size_t i = 0; i < c->nr_upstreams; i++)
		if (config_scheme_is(&c->upstreams[i], "ssh"))
			return 1;
	return 0;
}

int config_check_paths(const struct config *c, int make)
{
	struct place ssh = place_of(c, SECTION_GATE, "ssh");
	int bad = check_gate(c, make);

	config_warn(c);
	for (size_t i = 0; i < c->nr_upstreams; i++)
		if (check_upstream(c, &c->upstreams[i]))
			bad = -1;
	for (size_t i = 0; i < c->nr_repos; i++) {
		const struct config_repo *r = &c->repos[i];
		struct place p = { c->name, r->hosted_line, "hosted" };

		if (r->hosted && check_dir(&p, r->hosted))
			bad = -1;
	}
	if (uses_ssh(c) && check_program(&ssh, c->ssh))
		bad = -1;
	if (config_check_own(c))
		bad = -1;
	return bad;
}
