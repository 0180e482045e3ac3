/*
 * Pushes that passed and could not be delivered, kept for the operator: takes
 * the updates from the hook's quarantine, gives a bundle and a note beside it.
 * Bounded in number and bytes; never leaves anything half-written, and never
 * keeps what has not been scanned.
 */
#include "park.h"
#include "park-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "log.h"
#include "mem.h"

/* For another hook to have written its push; part of PARK_MS. */
#define LOCK_MS 10000

static const char bundle[] = ".bundle", bundle_tmp[] = ".bundle.tmp";
static const char note[] = ".push", note_tmp[] = ".push.tmp";

/* GIT_PUSH_OPTION_COUNT and GIT_PUSH_OPTION_n, see githooks(5). */
static void add_options(struct park *p)
{
	const char *count = getenv("GIT_PUSH_OPTION_COUNT"), *value;
	unsigned long nr = count ? strtoul(count, NULL, 10) : 0;
	char name[48];

	for (unsigned long i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "GIT_PUSH_OPTION_%lu", i);
		value = getenv(name);
		if (!value)
			break;
		MEM_GROW(p->options, p->nr_options, p->alloc_options);
		p->options[p->nr_options++] = mem_strdup(value);
	}
}

static void add_updates(struct park *p, const struct updates *u)
{
	struct updates *to = &p->updates;

	for (size_t i = 0; i < u->nr; i++) {
		MEM_GROW(to->list, to->nr, to->alloc);
		to->list[to->nr] = u->list[i];
		to->list[to->nr].reason = NULL;
		to->list[to->nr++].ref = mem_strdup(u->list[i].ref);
	}
}

/* Returns 0; -1, logged: it cannot be named here. */
static int fill(const struct config *c, const char *name, const char *id,
		const char *who, const struct updates *u, struct park *p)
{
	const struct config_repo *r = config_find(c, name);

	if (!park_dir_id_ok(id)) {
		log_error("%s: a push has no session's id: is this hook run "
			  "by git-gated?", name);
		return -1;
	}
	if (!r || !r->upstream) {
		log_error("%s: has no upstream, so there is nothing to park",
			  name);
		return -1;
	}
	memcpy(p->id, id, sizeof(p->id));
	p->who = mem_strdup(who ? who : "");
	p->name = mem_strdup(name);
	p->upstream = mem_strdup(r->upstream->name);
	p->time = time(NULL);
	add_options(p);
	add_updates(p, u);
	return 0;
}

static int has_objects(const struct updates *u)
{
	for (size_t i = 0; i < u->nr; i++)
		if (u->list[i].op != OP_DELETE)
			return 1;
	return 0;
}

static int fail(const char *path, const char *what)
{
	int full = errno == ENOSPC || errno == EDQUOT;

	log_error("%s: cannot be %s: %s", path, what, strerror(errno));
	return full ? 1 : -1;
}

/* ID and one ending are renamed to ID and another. */
static int move(const struct config *c, const char *id, const char *from,
		const char *to)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	int rc = rename(park_dir_file(c, id, from, &a),
			park_dir_file(c, id, to, &b));

	if (rc)
		rc = fail(a.data, "renamed");
	buf_clear(&a);
	buf_clear(&b);
	return rc;
}

static int sync_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return rc;
}

/* ID.push.tmp, on the disk. */
static int write_note(const struct config *c, const char *id,
		      const struct buf *text)
{
	struct buf path = BUF_INIT;
	int rc;

	park_dir_file(c, id, note_tmp, &path);
	if (buf_write_new(text, path.data) || sync_file(path.data))
		rc = fail(path.data, "written");
	else
		rc = 0;
	buf_clear(&path);
	return rc;
}

static void remove_file(const struct config *c, const char *id,
			const char *after)
{
	struct buf path = BUF_INIT;

	if (unlink(park_dir_file(c, id, after, &path)) && errno != ENOENT)
		fail(path.data, "removed");
	buf_clear(&path);
}

/* Bytes that there are still for this push; 0, logged: none, or no place. */
static uint64_t room_left(const struct config *c)
{
	unsigned pushes;
	uint64_t bytes;

	if (park_count(c, &pushes, &bytes))
		log_error("%s: cannot be read: %s", c->park, strerror(errno));
	else if (pushes >= c->park_max)
		log_warn("%s: holds %u pushes, which is all that [push] "
			 "parkMax allows; run git-gate deliver", c->park,
			 pushes);
	else if (bytes >= c->park_size)
		log_warn("%s: holds %" PRIu64 " bytes, which is all that "
			 "[push] parkSize allows; run git-gate deliver",
			 c->park, bytes);
	else
		return c->park_size - bytes;
	return 0;
}

/* The note last: it tells how large the bundle is. */
static int write_files(const struct config *c, struct park *p,
		       int64_t deadline)
{
	uint64_t room = room_left(c);
	struct buf text = BUF_INIT, path = BUF_INIT;
	int rc = room ? 0 : 1;

	if (!rc && has_objects(&p->updates))
		rc = park_bundle_write(c, &p->updates,
				       park_dir_file(c, p->id, bundle_tmp,
						     &path),
				       room, deadline, &p->bundle);
	if (!rc)
		rc = park_note_write(p, &text);
	if (!rc && text.len > room - p->bundle) {
		log_warn("%s: no room for a note of %zu bytes", c->park,
			 text.len);
		rc = 1;
	}
	p->bytes = p->bundle + text.len;
	if (!rc)
		rc = write_note(c, p->id, &text);
	buf_clear(&text);
	buf_clear(&path);
	return rc;
}

/* Returns 0, or -1, logged: this session has parked a push already. */
static int is_new(const struct config *c, const char *id)
{
	struct buf path = BUF_INIT;
	int there = !access(park_dir_file(c, id, note, &path), F_OK);

	if (there)
		log_error("%s: is there already", path.data);
	buf_clear(&path);
	return there ? -1 : 0;
}

/*
 * Under the lock. A bundle has its note before it is seen. A client that tries
 * again and again takes no more room than the first time.
 */
static int keep(const struct config *c, struct park *p, int64_t deadline,
		char kept[17])
{
	static const char *const all[] = { bundle, bundle_tmp, note, note_tmp };
	int rc;

	park_dir_tidy(c);
	if (is_new(c, p->id))
		return -1;
	if (park_list_same(c, p, kept)) {
		log_info("%s: push %s is parked already, as %s", p->name,
			 p->id, kept);
		return 0;
	}
	rc = write_files(c, p, deadline);
	if (!rc)
		rc = move(c, p->id, note_tmp, note);
	if (!rc && p->bundle)
		rc = move(c, p->id, bundle_tmp, bundle);
	if (!rc)
		rc = park_dir_sync(c);
	for (size_t i = 0; rc && i < sizeof(all) / sizeof(*all); i++)
		remove_file(c, p->id, all[i]);
	return rc;
}

/* The lock; -1, logged. */
static int lock(const struct config *c)
{
	int busy, fd = park_dir_lock(c, PARK_LOCK, LOCK_MS, &busy);

	if (fd < 0 && busy)
		log_error("%s/%s: others had it for %d s; try again", c->park,
			  PARK_LOCK, LOCK_MS / 1000);
	return fd;
}

int park_push(const struct config *c, const char *name, const char *id,
	      const char *who, const struct updates *u, char kept[17])
{
	int64_t deadline = clock_ms() + PARK_MS;
	struct park p = { 0 };
	int fd, rc = -1;

	if (!c->park)
		return -1;
	/* it was there at the start */
	if (!mkdir(c->park, 0700))
		log_warn("%s: was not there any more; made again", c->park);
	snprintf(kept, 17, "%s", id);
	if (!fill(c, name, id, who, u, &p) && (fd = lock(c)) >= 0) {
		rc = keep(c, &p, deadline, kept);
		close(fd);
	}
	if (!rc && !strcmp(kept, id))
		log_warn("%s: push %s is parked: %zu reference%s, %" PRIu64
			 " bytes; git-gate deliver sends it", name, id,
			 p.updates.nr, p.updates.nr == 1 ? "" : "s", p.bytes);
	park_note_clear(&p);
	return rc;
}

int park_save(const struct config *c, const struct park *p)
{
	struct buf text = BUF_INIT;
	int rc = -1, fd = lock(c);

	if (fd < 0)
		return -1;
	remove_file(c, p->id, note_tmp);
	if (!park_note_write(p, &text) && !write_note(c, p->id, &text) &&
	    !move(c, p->id, note_tmp, note))
		rc = park_dir_sync(c);
	close(fd);
	buf_clear(&text);
	return rc;
}

int park_remove(const struct config *c, const char *id)
{
	struct buf path = BUF_INIT;
	int rc = -1, fd = lock(c), alone;

	if (fd < 0)
		return -1;
	/* a bundle that never had a note */
	alone = access(park_dir_file(c, id, note, &path), F_OK) &&
		!access(park_dir_file(c, id, bundle, &path), F_OK);
	/* a note without its bundle is what park_dir_tidy removes */
	remove_file(c, id, bundle);
	if (unlink(park_dir_file(c, id, note, &path)) && !alone)
		fail(path.data, "removed");
	else
		rc = park_dir_sync(c);
	close(fd);
	buf_clear(&path);
	return rc;
}

int park_hold(const struct config *c)
{
	int busy, fd = park_dir_lock(c, "deliver.lock", 0, &busy);

	if (fd < 0 && busy)
		log_error("%s: another git-gate deliver is at work", c->park);
	return fd;
}
