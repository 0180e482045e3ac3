/*
 * A repository for one delivery: takes a parked push, gives a bare repository
 * in STATE with the objects of the mirror and of the bundle, and says whether
 * the upstream has them already. What the mirror does not have is fetched from
 * the upstream; the mirror itself is read only.
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
/* For a look at the upstream's references; half a million in bytes. */
#define LOOK_MS 10000
#define LOOK_MAX ((size_t)64 << 20)
/* References that are asked for by name; of more, all are read. */
#define NAMES_MAX 50
/* A push of more is simply sent. */
#define HAS_MAX 1000

struct repo {
	const struct config *c;
	const struct park *p;
	const struct config_upstream *u;
	const char *dir;
	struct buf words; /* what git said last */
	struct buf *out;  /* what it printed, or NULL */
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
	status = child_run(&child, NULL, r->out ? LOOK_MAX : PARK_WORDS_MAX,
			   clock_left(clock_ms() + ms), r->out, &r->words);
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

/* The upstream's references, "OID TAB REF" lines. Returns 0 or -1. */
static int look(struct repo *r, const char *url, struct buf *out)
{
	const char *argv[NAMES_MAX + 8] = { r->c->git, "ls-remote", "--quiet",
					    "--refs", "--", url };
	const struct updates *u = &r->p->updates;
	struct env e = ENV_INIT;
	int rc;

	for (size_t i = 0; u->nr <= NAMES_MAX && i < u->nr; i++)
		argv[6 + i] = u->list[i].ref;
	gitenv_base(&e, r->c);
	gitenv_upstream(&e, r->c, r->u);
	buf_adds(out, "");
	r->out = out;
	rc = run(r, argv, &e, LOOK_MS);
	r->out = NULL;
	return rc ? -1 : 0;
}

/* The line of a reference in such lines, or NULL. */
static const char *line_of(const struct buf *lines, const char *ref)
{
	size_t n = strlen(ref);
	const char *line = lines->data, *end, *tab;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		tab = memchr(line, '\t', (size_t)(end - line));
		if (tab && (size_t)(end - tab) == n + 1 &&
		    !memcmp(tab + 1, ref, n))
			return line;
	}
	return NULL;
}

/* 1: old is what new builds on; 0: it is not; else it cannot be told. */
static int builds_on(struct repo *r, const char *new, const char *old)
{
	const char *argv[] = { r->c->git, "merge-base", "--is-ancestor", old,
			       new, NULL };
	struct env e = ENV_INIT;
	int status;

	gitenv_base(&e, r->c);
	status = run(r, argv, &e, LOCAL_MS);
	return status == 0 ? 1 : status == 1 ? 0 : -1;
}

/*
 * Of a reference that the upstream shows with another value. A rewind goes to
 * what the old value may build on, so that it would be found there at once.
 */
static int is_beyond(struct repo *r, const struct update *u, const char *line,
		     int *fetched)
{
	struct buf now = BUF_INIT, why = BUF_INIT;
	int rc = 0;

	if ((u->op != OP_CREATE && u->op != OP_UPDATE) ||
	    strncmp(u->ref, "refs/heads/", 11) != 0 ||
	    !strncmp(line, u->old, strlen(u->old)))
		return 0;
	buf_addf(&now, "%.*s", (int)strcspn(line, "\t"), line);
	rc = builds_on(r, now.data, u->new);
	if (rc < 0 && !*fetched) {
		*fetched = 1;
		rc = fetch(r, &why) ? 0 : builds_on(r, now.data, u->new);
	}
	buf_clear(&now);
	buf_clear(&why);
	return rc == 1;
}

static int has_one(struct repo *r, const struct update *u,
		   const struct buf *lines, int *fetched)
{
	const char *line = line_of(lines, u->ref);

	/* others, such as refs/for/, an upstream does not show */
	if (!line)
		return u->op == OP_DELETE &&
		       (!strncmp(u->ref, "refs/heads/", 11) ||
			!strncmp(u->ref, "refs/tags/", 10));
	return !strncmp(line, u->new, strlen(u->new)) ||
	       is_beyond(r, u, line, fetched);
}

int park_repo_has(const struct config *c, const struct park *p,
		  const struct config_upstream *u, const char *dir)
{
	struct repo r = { .c = c, .p = p, .u = u, .dir = dir };
	struct buf url = BUF_INIT, lines = BUF_INIT;
	int fetched = 0, has;

	buf_addf(&url, "%s%s%s", u->url, p->name, u->suffix);
	has = p->updates.nr <= HAS_MAX && !look(&r, url.data, &lines);
	for (size_t i = 0; has && i < p->updates.nr; i++)
		has = has_one(&r, &p->updates.list[i], &lines, &fetched);
	buf_clear(&url);
	buf_clear(&lines);
	buf_clear(&r.words);
	return has;
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
