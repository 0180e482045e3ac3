/*
 * The arguments of the push to the upstream: full names, a lease for each,
 * and no refspec that forces. Takes updates and git's variables of push
 * options, gives a vector. Of an upstream on this machine it looks whether its
 * repository borrows objects of others, for then its git is to list their
 * references. Never a word that a client chose where git could take it for an
 * option.
 */
#include "forward-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "gitenv.h"
#include "mem.h"

/* Of all arguments: Linux takes 2 MiB with the environment (execve(2)). */
#define ARGS_MAX 1500000

struct args {
	char **list;
	size_t nr, alloc, bytes;
};

static void add(struct args *a, const char *before, const char *middle,
		const char *between, const char *after)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s%s%s%s", before, middle, between, after);
	a->bytes += b.len + 1 + sizeof(char *);
	MEM_GROW(a->list, a->nr + 1, a->alloc);
	a->list[a->nr++] = buf_take(&b);
	a->list[a->nr] = NULL;
}

/* GIT_PUSH_OPTION_COUNT and GIT_PUSH_OPTION_n, see githooks(5). */
static void add_options(struct args *a)
{
	const char *count = getenv("GIT_PUSH_OPTION_COUNT");
	unsigned long nr = count ? strtoul(count, NULL, 10) : 0;
	struct buf name = BUF_INIT;

	for (unsigned long i = 0; i < nr && a->bytes < ARGS_MAX; i++) {
		const char *value;

		buf_reset(&name);
		buf_addf(&name, "GIT_PUSH_OPTION_%lu", i);
		value = getenv(name.data);
		if (!value)
			break;
		add(a, "--push-option=", value, "", "");
	}
	buf_clear(&name);
}

/* What git push takes for "no such reference" is an empty word. */
static const char *or_empty(const char *oid)
{
	return commands_is_zero(oid) ? "" : oid;
}

static void add_references(struct args *a, const struct forward *f)
{
	const struct update *list = f->u->list;

	for (size_t i = 0; i < f->u->nr; i++)
		if (f->states[i] != FORWARD_TAKEN)
			add(a, "--force-with-lease=", list[i].ref, ":",
			    or_empty(list[i].old));
	add(a, "--", "", "", "");
	add(a, f->r->upstream->url, f->name, f->r->upstream->suffix, "");
	for (size_t i = 0; i < f->u->nr; i++)
		if (f->states[i] != FORWARD_TAKEN)
			add(a, or_empty(list[i].new), ":", list[i].ref, "");
}

/*
 * Does this repository on this machine borrow from no other? 0 as well when
 * that cannot be seen.
 */
static int is_alone(const struct forward *f)
{
	struct buf path = BUF_INIT;
	struct gitenv_url url;
	int alone = 0;

	if (!gitenv_url(f->r->upstream->url, &url) && !strchr(url.path, '%')) {
		buf_addf(&path, "%s%s%s/objects/info", url.path, f->name,
			 f->r->upstream->suffix);
		alone = !access(path.data, F_OK);
		buf_adds(&path, "/alternates");
		alone = alone && access(path.data, F_OK) && errno == ENOENT;
	}
	buf_clear(&path);
	return alone;
}

/*
 * The git receive-pack of an upstream on this machine. The shell that git
 * starts it with has nothing to do afterwards. Its quarantine borrows from its
 * repository, whose references it knows: listing them once more, as those of
 * an alternate, would be a process for nothing.
 */
static void add_program(struct args *a, const struct forward *f)
{
	struct buf setting = BUF_INIT;

	/* of our own settings git lets none through to it */
	buf_adds(&setting, "export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="
			   "core.alternateRefsCommand GIT_CONFIG_VALUE_0=");
	gitenv_nothing(f->c, &setting);
	buf_adds(&setting, "; ");
	add(a, "--receive-pack=", is_alone(f) ? setting.data : "", "exec ",
	    "git-receive-pack");
	buf_clear(&setting);
}

char **forward_args(const struct forward *f)
{
	static const char *const fixed[] = {
		"push",
		"--porcelain",
		"--no-verify",
		"--no-signed",
		"--recurse-submodules=no",
		"--no-follow-tags",
	};
	struct args a = { 0 };

	add(&a, f->c->git, "", "", "");
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		add(&a, fixed[i], "", "", "");
	/* one alone is taken or not, of any upstream */
	if (f->atomic && f->u->nr - forward_count(f, FORWARD_TAKEN) > 1)
		add(&a, "--atomic", "", "", "");
	if (!strncmp(f->r->upstream->url, "file:", 5))
		add_program(&a, f);
	add_options(&a);
	add_references(&a, f);
	if (a.bytes <= ARGS_MAX)
		return a.list;
	forward_args_free(a.list);
	return NULL;
}

void forward_args_free(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}
