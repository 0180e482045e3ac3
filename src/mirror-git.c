/*
 * The git commands of a refresh: takes a job, runs git without a shell in a
 * bounded time, gives the upstream's references and default branch, or a
 * fault. Whatever the upstream says is data: it reaches no command line but
 * as a checked reference name.
 */
#include "mirror-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"
#include "mem.h"
#include "veil.h"

/* Bytes of answers: some million references; of a fetch's words. */
#define ANSWER_MAX ((size_t)256 << 20)
#define WORDS_MAX ((size_t)1 << 20)
/* Bytes of "OID TAB REF" lines, some 1,500, from which on a fetch is slow. */
#define REFS_FETCHED ((size_t)128 << 10)

/*
 * Run git with these arguments, GIT_DIR being git_dir unless that is NULL. Its
 * words replace those of the job.
 */
static enum fault_kind run_with(struct mirror_job *j, const char *git_dir,
				const char *const *argv, const struct buf *in,
				size_t max, int watch, struct buf *out)
{
	/* a mirror may be of any size; its time is bounded otherwise */
	const struct child_limits limits = { .memory = j->c->memory,
					     .processes = j->c->processes,
					     .files = j->c->files };
	struct child child = CHILD_INIT;
	struct env e = ENV_INIT;
	enum fault_kind fault;
	int status;

	gitenv_base(&e, j->c);
	gitenv_upstream(&e, j->c, j->u);
	if (j->new_token)
		gitenv_new_token(&e);
	if (git_dir)
		env_set(&e, "GIT_DIR", git_dir);
	child.argv = argv;
	child.envp = env_list(&e);
	child.dir = "/";
	child.watch = watch;
	child.limits = &limits;
	buf_reset(&j->words);
	status = child_run(&child, in, max, clock_left(j->deadline), out,
			   &j->words);
	env_clear(&e);
	/* an error page may show the request that we made */
	veil_all(j->c, j->u, &j->words);
	if (status == CHILD_UNWANTED) {
		j->unasked = 1;
		buf_adds(&j->words, "\nthe client left before the answer");
		return FAULT_TIMEOUT;
	}
	fault = fault_judge(status, j->words.len ? j->words.data : "",
			    j->words.len);
	if (status == CHILD_TOO_LONG)
		buf_addf(&j->words, "\n%s: more than %zu bytes", argv[1], max);
	return fault;
}

static enum fault_kind run(struct mirror_job *j, const char *git_dir,
			   const char *const *argv, size_t max,
			   struct buf *out)
{
	return run_with(j, git_dir, argv, NULL, max, -1, out);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void mirror_git_sort(struct buf *b)
{
	struct buf sorted = BUF_INIT;
	char **lines = NULL;
	size_t nr = 0, alloc = 0;

	for (char *p = b->data, *end; b->len && *p; p = end + 1) {
		end = strchr(p, '\n');
		MEM_GROW(lines, nr, alloc);
		lines[nr++] = p;
		*end = '\0';
	}
	if (nr)
		qsort(lines, nr, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < nr; i++) {
		buf_adds(&sorted, lines[i]);
		buf_addc(&sorted, '\n');
	}
	free(lines);
	buf_clear(b);
	*b = sorted;
}

/* Reference names of ours, without what would surprise a line reader. */
static int wanted_ref(const char *ref)
{
	size_t n = strlen(ref);

	if (strncmp(ref, "refs/heads/", 11) != 0 &&
	    strncmp(ref, "refs/tags/", 10) != 0)
		return 0;
	for (const char *p = ref; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return 0;
	/* "^{}" is what a tag points to, told beside the tag. */
	return n < 3 || strcmp(ref + n - 3, "^{}") != 0;
}

/* "OID TAB REF" or "ref: TARGET TAB HEAD". */
static void take_line(struct mirror_job *j, char *line)
{
	char *ref = strchr(line, '\t');
	size_t oid;

	if (!ref)
		return;
	*ref++ = '\0';
	if (!strncmp(line, "ref: ", 5)) {
		if (!strcmp(ref, "HEAD") && wanted_ref(line + 5) &&
		    !strncmp(line + 5, "refs/heads/", 11)) {
			buf_reset(&j->head);
			buf_adds(&j->head, line + 5);
		}
		return;
	}
	oid = strspn(line, "0123456789abcdef");
	if (!line[oid] && (oid == 40 || oid == 64) && wanted_ref(ref))
		buf_addf(&j->refs, "%s\t%s\n", line, ref);
}

enum fault_kind mirror_git_ask(struct mirror_job *j)
{
	const char *argv[] = { j->c->git, "ls-remote", "--symref", "--quiet",
			       "--", j->url, NULL };
	struct buf out = BUF_INIT;
	enum fault_kind fault;

	buf_reset(&j->head);
	buf_reset(&j->refs);
	if (!mirror_near_ask(j))
		return FAULT_NONE;
	/* No repository can be there, and git looks for no other. */
	fault = run_with(j, "/dev/null", argv, NULL, ANSWER_MAX, j->client,
			 &out);
	buf_reset(&j->head);
	buf_reset(&j->refs);
	if (fault == FAULT_NONE && out.len) {
		char *save = NULL, *line = strtok_r(out.data, "\n", &save);

		for (; line; line = strtok_r(NULL, "\n", &save))
			take_line(j, line);
		mirror_git_sort(&j->refs);
	}
	buf_clear(&out);
	return fault;
}

/* What a mirror's own file says; the rest comes from our environment. */
static enum fault_kind configure(const char *dir)
{
	static const char text[] =
		"[core]\n"
		"\tlogAllRefUpdates = false\n"
		"[http]\n" /* no push without the gate */
		"\treceivepack = false\n"
		"[uploadpack]\n"
		"\tallowFilter = true\n"
		"\tallowAnySHA1InWant = false\n"
		"[gc]\n"
		"\tauto = 0\n"
		"[receive]\n"
		"\tautogc = false\n";
	char file[PATH_MAX];
	int fd, ok;

	snprintf(file, sizeof(file), "%s/config", dir);
	fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
	ok = fd >= 0 &&
	     write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1;
	if (fd >= 0 && close(fd))
		ok = 0;
	if (ok)
		return FAULT_NONE;
	log_error("%s: cannot be written: %s", file, strerror(errno));
	return errno == ENOSPC ? FAULT_NO_SPACE : FAULT_LOCAL;
}

/*
 * Only `git clone` asks for the default branch of a repository that has no
 * branch (protocol v2, "unborn"), so an empty upstream is cloned. So is one of
 * very many references, of each of which a fetch would make a file.
 */
enum fault_kind mirror_git_init(struct mirror_job *j, const char *dir)
{
	const char *clone[] = { j->c->git, "clone", "--bare", "--quiet",
				"--template=", "--", j->url, dir, NULL };
	const char *init[] = { j->c->git, "init", "--bare", "--quiet",
			       "--template=", "--object-format=sha1", "--",
			       dir, NULL };
	enum fault_kind fault;

	if (j->refs.len && strcspn(j->refs.data, "\t") == 64)
		init[5] = "--object-format=sha256";
	j->cloned = !j->refs.len || j->refs.len > REFS_FETCHED;
	j->fetched |= j->cloned;
	fault = run(j, NULL, j->cloned ? clone : init, WORDS_MAX, NULL);
	return fault == FAULT_NONE ? configure(dir) : fault;
}

/* The arguments of a fetch into a mirror, refspecs last. */
struct fetch {
	const char **argv;
	size_t nr, alloc;
};

static void add(struct fetch *f, const char *arg)
{
	MEM_GROW(f->argv, f->nr, f->alloc);
	f->argv[f->nr++] = arg;
}

static void begin_fetch(const struct mirror_job *j, int prune, struct fetch *f)
{
	static const char *const options[] = {
		"--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
		"--no-recurse-submodules", "--quiet", "--force", "--stdin",
		"--",
	};

	add(f, j->c->git);
	add(f, "fetch");
	if (prune)
		add(f, "--prune");
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		add(f, options[i]);
	add(f, j->url);
}

/* in: more refspecs, a line each, or NULL. */
static enum fault_kind run_fetch(struct mirror_job *j, const char *dir,
				 struct fetch *f, const struct buf *in)
{
	enum fault_kind fault;

	add(f, NULL);
	fault = run_with(j, dir, f->argv, in, WORDS_MAX, -1, NULL);
	free(f->argv);
	return fault;
}

enum fault_kind mirror_git_fetch(struct mirror_job *j, const char *dir)
{
	struct buf except = BUF_INIT;
	struct fetch f = { 0 };
	enum fault_kind fault;

	begin_fetch(j, 1, &f);
	add(&f, "+refs/heads/*:refs/heads/*");
	add(&f, "+refs/tags/*:refs/tags/*");
	/* "^REF": neither updated nor pruned (git-fetch(1), refspecs) */
	for (const char *p = j->busy.len ? j->busy.data : ""; *p;
	     p += strcspn(p, "\n") + 1)
		buf_addf(&except, "^%.*s\n", (int)strcspn(p, "\n"), p);
	fault = run_fetch(j, dir, &f, &except);
	buf_clear(&except);
	return fault;
}

/* Packs alone are left out: it takes as long as there is besides them. */
void mirror_git_check(struct mirror_job *j, const char *dir, struct buf *said)
{
	const char *argv[] = { j->c->git, "-c", "core.commitGraph=false", "-c",
			       "core.multiPackIndex=false",
			       /* it would say what is in an object, line
				  feeds and all: no word is to be believed */
			       "-c", "fsck.gitmodulesUrl=ignore",
			       "-c", "fsck.gitmodulesPath=ignore",
			       "-c", "fsck.gitmodulesUpdate=ignore",
			       "-c", "fsck.gitmodulesName=ignore", "fsck",
			       "--no-full", "--no-dangling", "--no-reflogs",
			       "--no-progress", NULL };

	struct buf before = j->words;

	j->words = (struct buf)BUF_INIT;
	run(j, dir, argv, WORDS_MAX, said);
	buf_add(said, j->words.len ? j->words.data : "", j->words.len);
	buf_clear(&j->words);
	j->words = before;
}

/* HEAD as it is: "ref: TARGET". */
static int head_is(const char *dir, const char *target)
{
	struct buf file = BUF_INIT, want = BUF_INIT;
	char path[PATH_MAX];
	int same;

	snprintf(path, sizeof(path), "%s/HEAD", dir);
	buf_addf(&want, "ref: %s\n", target);
	same = !buf_read_file(&file, path, 4096) && file.len == want.len &&
	       !memcmp(file.data, want.data, want.len);
	buf_clear(&file);
	buf_clear(&want);
	return same;
}

enum fault_kind mirror_git_head(struct mirror_job *j, const char *dir)
{
	const char *argv[] = { j->c->git, "symbolic-ref", "HEAD", NULL, NULL };

	if (!j->head.len || head_is(dir, j->head.data))
		return FAULT_NONE;
	argv[3] = j->head.data;
	return run(j, dir, argv, WORDS_MAX, NULL);
}

enum fault_kind mirror_git_compare(struct mirror_job *j, const char *dir,
				   int *same)
{
	const char *argv[] = { j->c->git,
			       "for-each-ref",
			       "--format=%(objectname)%09%(refname)",
			       "refs/heads/",
			       "refs/tags/",
			       NULL };
	struct buf out = BUF_INIT;
	enum fault_kind fault = FAULT_NONE;

	if (mirror_refs_read(dir, &out)) {
		buf_reset(&out);
		fault = run(j, dir, argv, ANSWER_MAX, &out);
	}
	if (fault == FAULT_NONE)
		mirror_git_sort(&out);
	*same = fault == FAULT_NONE && out.len == j->refs.len &&
		(!out.len || !memcmp(out.data, j->refs.data, out.len));
	buf_clear(&out);
	return fault;
}

/* Is that reference one of those that are not to be touched? */
static int is_busy(const struct mirror_job *j, const char *ref)
{
	size_t n = strlen(ref);

	for (const char *p = j->busy.len ? j->busy.data : ""; *p;
	     p += strcspn(p, "\n") + 1)
		if (strcspn(p, "\n") == n && !memcmp(p, ref, n))
			return 1;
	return 0;
}

void mirror_git_lead(struct mirror_job *j, const char *dir)
{
	struct buf spec = BUF_INIT;
	struct fetch f = { 0 };

	if (!j->head.len || head_is(dir, j->head.data) ||
	    is_busy(j, j->head.data))
		return;
	buf_addf(&spec, "+%s:%s", j->head.data, j->head.data);
	begin_fetch(j, 0, &f);
	add(&f, spec.data);
	if (run_fetch(j, dir, &f, NULL) == FAULT_NONE)
		mirror_git_head(j, dir);
	buf_clear(&spec);
}
