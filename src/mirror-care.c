/*
 * The maintenance of one mirror: takes a path, has git pack its references and
 * objects and write what makes clones cheap, when there is enough of them. At
 * the lowest priority, in a bounded time; gives way to whoever is about to
 * change a reference, and leaves nothing half-written.
 */
#include "mirror-keep.h"
#include "mirror-internal.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "child.h"
#include "clock.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"

/* Others wait for one that is overdue, but half as long as they may. */
#define TURN_MS 5000
/* One that took too long is tried as a whole again. */
#define SLOW_MS (24 * 60 * 60 * 1000)
/* git gc takes 6700 for too many, its default of gc.auto; then it is late. */
#define LOOSE_MANY 2000
/* Less than this a clone counts through as soon as with a bitmap. */
#define BITMAP_OBJECTS 1000
#define WORDS_MAX ((size_t)1 << 20)

/* Objects that are in no pack, up to LOOSE_MANY. */
static unsigned count_loose(const char *path)
{
	struct buf dir = BUF_INIT;
	unsigned nr = 0;

	for (unsigned i = 0; i < 256 && nr < LOOSE_MANY; i++) {
		struct dirent *entry;
		DIR *d;

		buf_reset(&dir);
		buf_addf(&dir, "%s/objects/%02x", path, i);
		d = opendir(dir.data);
		while (d && (entry = readdir(d)))
			nr += strspn(entry->d_name, "0123456789abcdef") >= 38;
		if (d)
			closedir(d);
	}
	buf_clear(&dir);
	return nr;
}

/* What people call it, as long as it has a name. */
static const char *shown(const struct config *c, const char *path,
			 char name[ROUTE_NAME_MAX + 1])
{
	return mirror_name(c, path, name) ? name : path;
}

static int is_worth_it(const struct config *c, const char *path,
		       const struct mirror_look *look)
{
	unsigned loose;

	if (look->packs >= c->maintain_packs)
		return 1;
	loose = count_loose(path);
	return loose >= LOOSE_MANY ||
	       (!look->bitmap && look->objects + loose >= BITMAP_OBJECTS);
}

/* Returns 0; 1: it was told to end; 2: no time; -1: failed; both logged. */
static int run(const struct config *c, const char *path,
	       const char *const *argv, int watch)
{
	const struct child_limits limits = { .memory = c->memory,
					     .processes = c->processes,
					     .files = c->files,
					     .idle = 1 };
	char name[ROUTE_NAME_MAX + 1];
	struct child child = CHILD_INIT;
	struct buf words = BUF_INIT, line = BUF_INIT;
	struct env e = ENV_INIT;
	int status;

	gitenv_base(&e, c);
	gitenv_pack(&e, c, 1);
	/* whatever backend.threads says */
	env_config(&e, "pack.threads", "1");
	env_set(&e, "GIT_DIR", path);
	child.argv = argv;
	child.envp = env_list(&e);
	child.dir = "/";
	child.watch = watch;
	child.limits = &limits;
	status = child_run(&child, NULL, WORDS_MAX, (int)c->care_ms, NULL,
			   &words);
	env_clear(&e);
	if (status == CHILD_TIMEOUT) {
		log_warn("%s: maintenance: git %s took longer than "
			 "maintenance.timeout", shown(c, path, name), argv[1]);
	} else if (status && status != CHILD_UNWANTED) {
		fault_words(words.len ? words.data : "", words.len, &line);
		log_warn("%s: maintenance: git %s: exit status %d: %s",
			 shown(c, path, name), argv[1], status, line.data);
	}
	buf_clear(&words);
	buf_clear(&line);
	if (status == CHILD_TIMEOUT)
		return 2;
	return !status ? 0 : status == CHILD_UNWANTED ? 1 : -1;
}

/*
 * What no reference leads to is kept for two weeks, as git gc does: a push that
 * is on its way may be based on it, since its client saw it advertised. The
 * commit-graph comes first, so that it never has commits that a repack has let
 * go.
 */
static int run_all(const struct config *c, const char *path, int watch)
{
	const char *graph[] = { c->git, "commit-graph", "write", "--reachable",
				"--changed-paths", "--no-progress", NULL };
	const char *repack[] = { c->git, "repack", "-a", "-d", "-l", "--cruft",
				 "--cruft-expiration=2.weeks.ago",
				 "--write-bitmap-index", "--quiet", NULL };
	int rc = run(c, path, graph, watch);

	return rc ? rc : run(c, path, repack, watch);
}

/*
 * What has come, into few packs, and none of the large ones again: it takes as
 * long as there is new, and lets nothing go.
 */
static int run_part(const struct config *c, const char *path, int watch)
{
	const char *repack[] = { c->git, "repack", "--geometric=2", "-d", "-l",
				 "--no-write-bitmap-index", "--quiet", NULL };

	return run(c, path, repack, watch);
}

static int is_slow(const char *path)
{
	int64_t ms = mirror_saved_slow_age(path);

	return ms >= 0 && ms < SLOW_MS;
}

static int run_some(const struct config *c, const char *path, int overdue,
		    int watch)
{
	const char *refs[] = { c->git, "pack-refs", "--all", NULL };
	char name[ROUTE_NAME_MAX + 1];
	int rc = run(c, path, refs, watch);

	if (rc)
		return rc;
	if (overdue || is_slow(path))
		return run_part(c, path, watch);
	rc = run_all(c, path, watch);
	if (rc == 2) {
		mirror_saved_slow(path);
		log_warn("%s: maintenance: it is packed in part for a day",
			 shown(c, path, name));
	}
	return rc;
}

/* Inside, with nobody about to change anything. Returns as mirror_care. */
static int care(const struct config *c, const char *path, int overdue)
{
	int64_t since = time(NULL), turn = TURN_MS;
	int watch, rc;

	if (turn > c->queue_ms / 2)
		turn = c->queue_ms / 2;
	if (turn > c->refresh_ms / 2)
		turn = c->refresh_ms / 2;
	if (mirror_lock_care(path, overdue ? (int)turn : 0, &watch))
		return 1;
	/* after the lock: whoever stops us ends those that have it */
	rc = mirror_due_stopping() ? 1 : run_some(c, path, overdue, watch);
	/* nobody else writes there until we say that we have ended */
	if (rc) {
		mirror_clean_packs(path, since);
		mirror_clean_bitmaps(path);
		mirror_clean_locks(path, 0);
	}
	if (mirror_lock_care_end(path, watch) && rc < 0)
		rc = 1;
	return rc == 2 ? 1 : rc;
}

int mirror_care(const struct config *c, const struct mirror_due *due)
{
	const char *path = due->path;
	int64_t began = clock_ms();
	struct mirror_look before, after;
	char name[ROUTE_NAME_MAX + 1];
	struct buf code = BUF_INIT;
	int rc = 0;

	mirror_look(path, &before, &code);
	if (mirror_path_is_bare(path) && is_worth_it(c, path, &before)) {
		rc = care(c, path, due->overdue);
		mirror_look(path, &after, &code);
		if (!rc)
			log_info("%s: maintenance: %u packs, %" PRIu64
				 " bytes, are now %u, %" PRIu64 " bytes; it "
				 "took %" PRId64 " ms", shown(c, path, name),
				 before.packs,
				 before.bytes, after.packs, after.bytes,
				 clock_ms() - began);
		else if (rc > 0)
			log_debug("%s: maintenance gave way",
				  shown(c, path, name));
	}
	buf_clear(&code);
	return rc;
}
