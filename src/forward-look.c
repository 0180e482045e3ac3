/*
 * What the upstream has now, after a push whose end is not known: takes the
 * updates, asks once by a bounded `git ls-remote`, and says which of them the
 * upstream has. Never takes silence for an answer.
 */
#include "forward-internal.h"

#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "commands.h"
#include "config.h"
#include "env.h"
#include "fault.h"
#include "gitenv.h"
#include "log.h"
#include "mem.h"

/* References that are asked for by name; of more, all are read. */
#define NAMES_MAX 50
/* Bytes of an answer: half a million references. */
#define ANSWER_MAX (64 << 20)

/* An update, and the line of the answer that has its reference. */
struct seen {
	const struct update *u;
	size_t i;
	const char *line; /* or NULL */
};

static int by_ref(const void *a, const void *b)
{
	const struct seen *one = a, *other = b;

	return strcmp(one->u->ref, other->u->ref);
}

/* The lines "ID TAB NAME NEWLINE" of the answer, for all updates. */
static struct seen *read_answer(const struct updates *u, char *answer)
{
	struct seen *seen = mem_array(u->nr, sizeof(*seen));

	for (size_t i = 0; i < u->nr; i++)
		seen[i] = (struct seen){ .u = &u->list[i], .i = i };
	qsort(seen, u->nr, sizeof(*seen), by_ref);
	for (char *line = answer, *end; (end = strchr(line, '\n'));
	     line = end + 1) {
		char *tab = memchr(line, '\t', (size_t)(end - line));
		struct update wanted = { .ref = tab ? tab + 1 : NULL };
		struct seen key = { .u = &wanted }, *found;

		*end = '\0';
		found = tab ? bsearch(&key, seen, u->nr, sizeof(key), by_ref)
			    : NULL;
		if (found)
			found->line = line;
	}
	return seen;
}

static int is_value(const char *line, const char *oid)
{
	size_t n = strlen(oid);

	if (!line)
		return commands_is_zero(oid);
	return !strncmp(line, oid, n) && line[n] == '\t';
}

/* Others, such as refs/for/, an upstream takes and does not show. */
static int is_shown(const char *ref)
{
	return !strncmp(ref, "refs/heads/", 11) ||
	       !strncmp(ref, "refs/tags/", 10);
}

/* Returns 0, or -1: of one it cannot be told. */
static int compare(struct forward *f, char *answer)
{
	struct seen *seen = read_answer(f->u, answer);
	int rc = 0;

	for (size_t k = 0; k < f->u->nr; k++) {
		const struct update *u = seen[k].u;
		const char *now = seen[k].line;
		size_t i = seen[k].i;

		if (f->states[i] == FORWARD_TAKEN)
			continue;
		if (!now && !is_shown(u->ref))
			rc = f->states[i] == FORWARD_UNSAID ? -1 : rc;
		else if (is_value(now, u->new))
			forward_take(f, i);
		else if (f->states[i] == FORWARD_UNSAID &&
			 !is_value(now, u->old))
			forward_refuse(f, i, forward_moved);
	}
	free(seen);
	return rc;
}

int forward_look(struct forward *f, int timeout_ms)
{
	const char *argv[NAMES_MAX + 8] = { f->c->git, "ls-remote", "--quiet",
					    "--refs", "--" };
	struct child child = CHILD_INIT;
	struct buf url = BUF_INIT, out = BUF_INIT, err = BUF_INIT;
	struct buf line = BUF_INIT;
	struct env e = ENV_INIT;
	size_t argc = 5;
	int rc;

	buf_addf(&url, "%s%s%s", f->r->upstream->url, f->name,
		 f->r->upstream->suffix);
	argv[argc++] = url.data;
	for (size_t i = 0; f->u->nr <= NAMES_MAX && i < f->u->nr; i++)
		argv[argc++] = f->u->list[i].ref;
	gitenv_base(&e, f->c);
	gitenv_upstream(&e, f->c, f->r->upstream);
	child.argv = argv;
	child.envp = env_list(&e);
	buf_adds(&out, "");
	rc = child_run(&child, NULL, ANSWER_MAX, timeout_ms, &out, &err);
	if (rc) {
		veil_all(f->c, f->r->upstream, &err);
		fault_words(err.len ? err.data : "", err.len, &line);
		log_warn("%s: cannot see whether upstream \"%s\" took a push: "
			 "%s", f->name, f->r->upstream->name, line.data);
	}
	rc = rc ? -1 : compare(f, out.data);
	env_clear(&e);
	buf_clear(&url);
	buf_clear(&out);
	buf_clear(&err);
	buf_clear(&line);
	return rc;
}
