/*
 * The programs that are git-gate's own, in the directories of its hooks and of
 * its helpers: are those there that this configuration needs, and closed to
 * others? Takes a loaded configuration, logs every fault, and with each who
 * chose that directory: the operator, or the build.
 */
#include "config.h"
#include "config-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"

/* One of the two directories. */
struct own {
	const struct config *c;
	const char *key;     /* of [gate], that names it */
	const char *dir;
	const char *built;   /* what it is where that key is not given */
	int line;            /* of that key; 0: not given */
};

static int fault(const struct own *o, const char *path, const char *what)
{
	if (o->line)
		log_error("%s:%d: %s %s %s", o->c->name, o->line, o->key, path,
			  what);
	else
		log_error("%s: %s %s %s", o->c->name, o->key, path, what);
	return -1;
}

/* What should be a program of ours and is none: where it comes from. */
static int no_program(const struct own *o, const char *path, const char *what)
{
	struct buf b = BUF_INIT;

	if (strcmp(o->dir, o->built) != 0)
		buf_addf(&b, "%s; git-gate installs it in %s: name that in "
			 "gate.%s, or remove the line", what, o->built, o->key);
	else
		buf_addf(&b, "%s; it comes with git-gate: install that again, "
			 "or set gate.%s to the directory that has it", what,
			 o->key);
	fault(o, path, b.data);
	buf_clear(&b);
	return -1;
}

/* Where a link leads that leads nowhere. */
static int is_missing(const struct own *o, const char *path)
{
	struct buf b = BUF_INIT;
	char to[4096];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n < 0)
		return no_program(o, path, "is not there");
	to[n] = '\0';
	buf_addf(&b, "is a link to %s, which is not there", to);
	no_program(o, path, b.data);
	buf_clear(&b);
	return -1;
}

static int fault_errno(const struct own *o, const char *path, const char *what,
		       const char *remedy)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s: %s; %s", what, strerror(errno), remedy);
	fault(o, path, b.data);
	buf_clear(&b);
	return -1;
}

/*
 * What runs is as good as the configuration itself. The mode alone is judged:
 * it may be another's who installed it.
 */
static int check_closed(const struct own *o, const char *path,
			const struct stat *st)
{
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return fault(o, path, "can be written by its group or by "
			     "others; chmod go-w it");
	return 0;
}

static int check_program(const struct own *o, const char *name)
{
	struct buf b = BUF_INIT;
	struct stat st;
	int rc;

	buf_addf(&b, "%s/%s", o->dir, name);
	if (stat(b.data, &st))
		rc = errno == ENOENT ? is_missing(o, b.data) :
		     fault_errno(o, b.data, "cannot be reached", "let the "
				 "gate's user reach it");
	else if (!S_ISREG(st.st_mode) || !st.st_size)
		rc = no_program(o, b.data, "is not a program");
	else if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		rc = fault(o, b.data, "is not executable; chmod 0755 it");
	else if (faccessat(AT_FDCWD, b.data, X_OK, AT_EACCESS))
		rc = fault_errno(o, b.data, "cannot be executed",
				 "chmod 0755 it, or have its file system "
				 "mounted without noexec");
	else
		rc = check_closed(o, b.data, &st);
	buf_clear(&b);
	return rc;
}

/*
 * Who can write a directory of our programs can add a hook, or replace one.
 * What is missing in it is told of each of them.
 */
static int check_dir(const struct own *o)
{
	struct stat st;

	if (stat(o->dir, &st))
		return 0;
	return check_closed(o, o->dir, &st);
}

static struct own own(const struct config *c, const char *key, const char *dir,
		      const char *built)
{
	int i = config_key(SECTION_GATE, key);

	return (struct own){ .c = c, .key = key, .dir = dir, .built = built,
			     .line = i < 0 ? 0 : c->lines[i] };
}

/* What is needed only for some kinds of upstreams. */
int config_check_own(const struct config *c)
{
	const struct own hooks = own(c, "hooks", c->hooks, LIBEXECDIR "/hooks");
	const struct own helpers = own(c, "libexec", c->libexec, LIBEXECDIR);
	int ssh = 0, token = 0, bad = 0;

	for (size_t i = 0; i < c->nr_upstreams; i++) {
		const struct config_upstream *u = &c->upstreams[i];

		ssh |= config_scheme_is(u, "ssh");
		token |= u->token_file || u->token_command;
	}
	bad |= check_dir(&hooks) | check_dir(&helpers) |
	       check_program(&hooks, "pre-receive") |
	       check_program(&hooks, "proc-receive");
	if (c->nr_upstreams)
		bad |= check_program(&helpers, "git-gate-nothing");
	if (ssh)
		bad |= check_program(&helpers, "git-gate-ssh");
	if (c->packs)
		bad |= check_program(&helpers, "git-gate-pack");
	if (token)
		bad |= check_program(&helpers, "git-gate-askpass");
	return bad ? -1 : 0;
}
