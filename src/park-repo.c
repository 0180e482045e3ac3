/*
 * A repository for one delivery: takes a parked push, gives a bare repository
 * in STATE with the objects of the mirror and of the bundle. What the mirror
 * does not have is fetched from the upstream; the mirror itself is read only.
 */
#include "park-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "env.h"
#include "fault.h"
#include "gitenv.h"
#include "log.h"
#include "veil.h"

/* For git to make a repository, and to take a bundle. */
#define LOCAL_MS (10 * 60 * 1000)

struct repo {
	const struct config *c;
	const struct park *p;
	const struct config_upstream *u;
	const char *dir;
	struct buf words; /* what git said last */
};

/* Run git in the repository. Returns as child_run does. */
static int run(struct repo *r, const char *const *argv, struct env *e,
	       int64_t ms)
{
	const struct child_limits limits = { .memory = r->c->memory };
	struct child child = CHILD_INIT;
	int status;

	env_set(e, "GIT_DIR", r->dir);
	env_set(e, "GIT_NO_REPLACE_OBJECTS", "1");
	child.argv = argv;
	child.envp = env_list(e);
	child.dir = "/";
	child.limits = &limits;
	buf_reset(&r->words);
	status = child_run(&child, NULL, PARK_WORDS_MAX,
			   clock_left(clock_ms() + ms), NULL, &r->words);
	env_clear(e);
	veil_all(r->c, r->u, &r->words);
	return status;
}

/* Without an upstream. Returns 0, or -1. */
static int run_local(struct repo *r, const char *const *argv)
{
	struct env e = ENV_INIT;

	gitenv_base(&e, r->c);
	gitenv_pack(&e, r->c, 1);
	return run(r, argv, &e, LOCAL_MS) ? -1 : 0;
}

static int init(struct repo *r)
{
	const char *argv[] = { r->c->git, "init", "--bare", "--quiet",
			       "--template=", "--object-format=sha1", NULL };

	if (strlen(r->p->updates.list[0].new) == 64)
		argv[5] = "--object-format=sha256";
	return run_local(r, argv);
}

/* Append to, or make, a file of the repository. Returns 0, or -1, logged. */
static int append(struct repo *r, const char *name, const struct buf *text)
{
	struct buf path = BUF_INIT;
	ssize_t n = -1;
	int fd;

	buf_addf(&path, "%s/%s", r->dir, name);
	fd = open(path.data, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0)
		n = write(fd, text->data, text->len);
	if (n != (ssize_t)text->len)
		log_error("%s: cannot be written: %s", path.data,
			  n < 0 ? strerror(errno) : "no space left");
	if (fd >= 0)
		close(fd);
	buf_clear(&path);
	return n == (ssize_t)text->len ? 0 : -1;
}

static int borrow(struct repo *r, const char *mirror)
{
	struct buf line = BUF_INIT;
	int rc = 0;

	if (mirror)
		buf_addf(&line, "%s/objects", mirror);
	if (mirror && !access(line.data, F_OK)) {
		buf_addc(&line, '\n');
		rc = append(r, "objects/info/alternates", &line);
	}
	buf_clear(&line);
	return rc;
}

/* git push takes them from its configuration where its command has none. */
static int set_options(struct repo *r)
{
	struct buf text = BUF_INIT;
	int rc = 0;

	buf_adds(&text, "[push]\n");
	for (size_t i = 0; i < r->p->nr_options; i++) {
		buf_adds(&text, "\tpushOption = \"");
		for (const char *s = r->p->options[i]; *s; s++) {
			if (*s == '"' || *s == '\\')
				buf_addc(&text, '\\');
			buf_addc(&text, *s);
		}
		buf_adds(&text, "\"\n");
	}
	if (r->p->nr_options)
		rc = append(r, "config", &text);
	buf_clear(&text);
	return rc;
}

static int unbundle(struct repo *r)
{
	struct buf file = BUF_INIT;
	const char *argv[] = { r->c->git, "bundle", "unbundle", NULL, NULL };
	int rc;

	argv[3] = park_dir_file(r->c, r->p->id, ".bundle", &file);
	rc = run_local(r, argv);
	buf_clear(&file);
	return rc;
}

/* new_token: the one there is was not accepted. */
static enum fault_kind fetch_once(struct repo *r, const char *url,
				  int new_token)
{
	const char *argv[] = { r->c->git,
			       "fetch",
			       "--no-tags",
			       "--no-write-fetch-head",
			       "--no-auto-maintenance",
			       "--no-recurse-submodules",
			       "--quiet",
			       "--",
			       url,
			       "+refs/heads/*:refs/upstream/heads/*",
			       "+refs/tags/*:refs/upstream/tags/*",
			       NULL };
	struct env e = ENV_INIT;
	int status;

	gitenv_base(&e, r->c);
	gitenv_upstream(&e, r->c, r->u);
	if (new_token)
		gitenv_new_token(&e);
	status = run(r, argv, &e, r->c->refresh_ms);
	return fault_judge(status, r->words.len ? r->words.data : "",
			   r->words.len);
}

static void add_words(const struct repo *r, struct buf *out)
{
	fault_words(r->words.len ? r->words.data : "", r->words.len, out);
}

static int fetch(struct repo *r, struct buf *why)
{
	struct buf url = BUF_INIT;
	enum fault_kind fault;

	buf_addf(&url, "%s%s%s", r->u->url, r->p->name, r->u->suffix);
	fault = fetch_once(r, url.data, 0);
	if (fault == FAULT_AUTH && r->u->token_command)
		fault = fetch_once(r, url.data, 1);
	if (fault != FAULT_NONE) {
		buf_addf(why, "what it builds on is not in the mirror, and %s "
			 "(", fault_text(fault)->sentence);
		add_words(r, why);
		buf_addc(why, ')');
	}
	buf_clear(&url);
	return fault == FAULT_NONE ? 0 : -1;
}

/* The bundle's objects, and those of the upstream where they are needed. */
static int take_bundle(struct repo *r, struct buf *why)
{
	if (!unbundle(r))
		return 0;
	if (fetch(r, why))
		return -1;
	if (!unbundle(r))
		return 0;
	buf_adds(why, "its bundle cannot be taken, even with all that the "
		 "upstream has (");
	add_words(r, why);
	buf_addc(why, ')');
	return -1;
}

int park_repo_make(const struct config *c, const struct park *p,
		   const struct config_upstream *u, const char *mirror,
		   struct buf *dir, struct buf *why)
{
	struct repo r = { .c = c, .p = p, .u = u };
	int rc;

	park_repo_remove(c);
	buf_reset(dir);
	buf_addf(dir, "%s/deliver", c->state);
	r.dir = dir->data;
	rc = init(&r);
	if (rc) {
		buf_adds(why, "no repository can be made in [gate] state (");
		add_words(&r, why);
		buf_addc(why, ')');
	} else if (borrow(&r, mirror) || set_options(&r)) {
		buf_adds(why, "[gate] state cannot be written");
		rc = -1;
	} else if (p->bundle) {
		rc = take_bundle(&r, why);
	}
	buf_clear(&r.words);
	return rc;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) && errno != ENOENT ? -1 : 0;
}

void park_repo_remove(const struct config *c)
{
	struct buf dir = BUF_INIT;

	buf_addf(&dir, "%s/deliver", c->state);
	/* 16: directories open at once */
	nftw(dir.data, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (!access(dir.data, F_OK))
		log_warn("%s: could not be removed", dir.data);
	buf_clear(&dir);
}
