/*
 * What the upstream has taken, recorded in the mirror: takes updates, moves a
 * single reference's file, or runs a bounded `git update-ref`, all in one or,
 * where that fails, each alone. Never fails: a mirror is a cache, and the next
 * refresh finds what is missing here.
 */
#include "git-gate-proc-receive-internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "clock.h"
#include "commands.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"
#include "updates.h"

/* For all of them; of git's words; and names in the log. */
#define ALL_MS 20000
#define WORDS_MAX 65536
#define NAMES_MAX 20

/* git-update-ref(1); a reference's name has no blank. */
static void add_line(struct buf *in, const struct update *u)
{
	/* what was not there needs no deletion, and git takes none */
	if (commands_is_zero(u->old) && commands_is_zero(u->new))
		return;
	buf_adds(in, "option no-deref\n");
	if (commands_is_zero(u->new))
		buf_addf(in, "delete %s %s\n", u->ref, u->old);
	else
		buf_addf(in, "update %s %s %s\n", u->ref, u->new, u->old);
}

/* Returns as child_run does, with git's words. */
static int update_refs(const struct config *c, const struct buf *in,
		       int patient, int64_t deadline, struct buf *words)
{
	const char *const argv[] = { c->git, "update-ref", "--stdin", NULL };
	struct child child = CHILD_INIT;
	struct buf out = BUF_INIT;
	struct env e = ENV_INIT;
	int rc;

	buf_reset(words);
	buf_adds(words, "");
	gitenv_base(&e, c);
	/* what a lock has held up for long once is not waited for again */
	if (!patient)
		env_config(&e, "core.filesRefLockTimeout", "100");
	env_set(&e, "GIT_DIR", ".");
	child.argv = argv;
	child.envp = env_list(&e);
	rc = child_run(&child, in, WORDS_MAX, clock_left(deadline), &out,
		       words);
	env_clear(&e);
	buf_clear(&out);
	return rc;
}

/* A refresh has seen the upstream's new value before us. */
static int is_there(const struct update *u, const struct buf *words)
{
	struct buf told = BUF_INIT;
	int there;

	if (commands_is_zero(u->new))
		buf_adds(&told, "unable to resolve reference");
	else
		buf_addf(&told, "is at %s but", u->new);
	there = strstr(words->data, told.data) != NULL;
	buf_clear(&told);
	return there;
}

/* Is the file NAME this object's name, as git writes one? */
static int holds(const char *name, const char *oid)
{
	size_t n = strlen(oid);
	char text[80] = "";
	ssize_t got = -1;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0) {
		got = read(fd, text, sizeof(text));
		close(fd);
	}
	return got == (ssize_t)n + 1 && !memcmp(text, oid, n) &&
	       text[n] == '\n';
}

static int write_whole(int fd, const char *oid)
{
	char line[70];
	int n = snprintf(line, sizeof(line), "%s\n", oid);

	return write(fd, line, (size_t)n) == n ? 0 : -1;
}

/*
 * What most pushes do, a branch that moves on and has a file of its own, needs
 * no process: its lock, the new value, and the lock becomes the file, as git
 * itself does (gitrepository-layout(5)), but the disk is not waited for: a file
 * that a loss of power left half-written is mended (mirror-sound.c). Returns 0,
 * or -1: let git do it.
 */
static int move_file(const struct update *u)
{
	struct buf lock = BUF_INIT;
	int fd, rc = -1;

	if (commands_is_zero(u->old) || commands_is_zero(u->new))
		return -1;
	buf_addf(&lock, "%s.lock", u->ref);
	fd = open(lock.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd >= 0) {
		if (holds(u->ref, u->old))
			rc = write_whole(fd, u->new);
		if (close(fd))
			rc = -1;
		if (rc || (rc = rename(lock.data, u->ref)))
			unlink(lock.data);
	}
	buf_clear(&lock);
	return rc;
}

static void move_each(const struct config *c, const struct update *const *list,
		      size_t nr, int64_t deadline)
{
	struct buf in = BUF_INIT, words = BUF_INIT;
	size_t failed = 0;

	for (size_t i = 0; i < nr && clock_left(deadline); i++) {
		buf_reset(&in);
		add_line(&in, list[i]);
		if (!update_refs(c, &in, 0, deadline, &words) ||
		    is_there(list[i], &words))
			continue;
		if (failed++ < NAMES_MAX)
			log_warn("%s: the mirror does not follow before its "
				 "next refresh: %s", list[i]->ref,
				 words.len ? words.data : "no time left");
	}
	if (failed > NAMES_MAX)
		log_warn("%zu more references of this push do not follow",
			 failed - NAMES_MAX);
	buf_clear(&in);
	buf_clear(&words);
}

void proc_move_refs(const struct config *c, const struct update *const *list,
		    size_t nr)
{
	int64_t deadline = clock_ms() + ALL_MS;
	struct buf in = BUF_INIT, words = BUF_INIT;
	int rc;

	for (size_t i = 0; i < nr; i++)
		if (nr > 1 || move_file(list[i]))
			add_line(&in, list[i]);
	rc = in.len ? update_refs(c, &in, 1, deadline, &words) : 0;
	/* one that was killed has left its locks: the next refresh removes
	   them, and none can be taken before */
	if (rc > 128)
		log_warn("git update-ref ended with status %d; the mirror does "
			 "not follow before its next refresh", rc);
	else if (rc)
		move_each(c, list, nr, deadline);
	buf_clear(&in);
	buf_clear(&words);
}
