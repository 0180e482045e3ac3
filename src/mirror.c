/*
 * Mirrors, refreshed: takes a repository and a deadline, makes its mirror or
 * brings it up to what the upstream has now, and says how fresh it is. One
 * refresh of a mirror at a time, which leaves alone the references of pushes
 * that are being forwarded (mirror-lock.c). A mirror appears in its place only
 * when it is whole.
 */
#include "mirror.h"
#include "mirror-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "log.h"

/*
 * Bring the repository in dir to the answer. The answer is saved only when
 * the references are those that it named: the upstream may have moved on
 * between the two.
 */
static enum fault_kind bring(struct mirror_job *j, const char *dir, int fetch)
{
	enum fault_kind fault = FAULT_NONE;
	int same = 0;

	if (!fetch)
		fault = mirror_git_compare(j, dir, &same);
	if (fault == FAULT_NONE && !same) {
		if (mirror_saved_remove(dir))
			return FAULT_LOCAL;
		if (!fetch)
			mirror_git_lead(j, dir);
		fault = mirror_ask_fetch(j, dir);
		if (fault == FAULT_NONE)
			fault = mirror_git_compare(j, dir, &same);
	}
	if (fault == FAULT_NONE)
		fault = mirror_git_head(j, dir);
	/* what was left alone is another's, and may change behind us */
	if (fault == FAULT_NONE && same && !j->busy.len &&
	    mirror_saved_write(j, dir))
		return FAULT_LOCAL;
	return fault;
}

/* A whole clone: beside its place, then renamed into it. */
static enum fault_kind first_clone(struct mirror_job *j)
{
	enum fault_kind fault;
	char *tmp;

	if (mirror_path_parents(j->path))
		return FAULT_LOCAL;
	tmp = mirror_clean_name(j->path);
	fault = mirror_git_init(j, tmp);
	if (fault == FAULT_NONE)
		fault = bring(j, tmp, !j->cloned);
	if (fault == FAULT_NONE)
		fault = mirror_heal_place(j, tmp);
	if (fault != FAULT_NONE && !access(tmp, F_OK))
		mirror_clean_tree(tmp);
	free(tmp);
	return fault;
}

/* Those that a damaged mirror may have caused. */
static int may_be_ours(enum fault_kind fault)
{
	return fault == FAULT_OTHER || fault == FAULT_LOCAL ||
	       fault == FAULT_UNREACHABLE;
}

/* Nobody else changes it. Healed once: what fails then has another cause. */
static enum fault_kind bring_whole(struct mirror_job *j, int known)
{
	enum fault_kind fault = FAULT_NONE;
	int damage = known ? 0 : mirror_heal(j);

	if (damage < 2)
		fault = bring(j, j->path, 0);
	if (known && may_be_ours(fault)) {
		damage = mirror_heal(j);
		if (damage)
			mirror_ask_log(j, fault);
		if (damage == 1)
			fault = bring(j, j->path, 0);
	}
	return damage == 2 ? first_clone(j) : fault;
}

static enum fault_kind refresh(struct mirror_job *j)
{
	int known = mirror_saved_is_known(j->path);
	const struct mirror_wait wait = { .refresh = j->deadline,
					  .push = j->deadline,
					  .client = -1 };
	enum fault_kind fault = mirror_ask(j);

	if (fault != FAULT_NONE)
		return fault;
	if (!mirror_path_is_bare(j->path))
		return first_clone(j);
	if (known && mirror_saved_equal(j)) {
		mirror_saved_touch(j->path);
		return FAULT_NONE;
	}
	/* here and not before: most refreshes find nothing new */
	if (mirror_lock_settle(j->path, &wait))
		return FAULT_BUSY;
	/* What was killed may have left its locks. Only pushes that forward
	   can hold one now, and those began before us. */
	mirror_clean_locks(j->path, j->busy.len ? j->c->refresh_ms : 0);
	return bring_whole(j, known);
}

static enum fault_kind run_refresh(const struct config *c,
				   const struct config_upstream *u,
				   const char *name, const char *path,
				   const struct mirror_wait *wait,
				   const struct buf *busy)
{
	struct mirror_job j = { .c = c, .u = u, .name = name, .path = path,
				.client = wait->client };
	struct buf url = BUF_INIT;
	int64_t bound = clock_ms() + c->refresh_ms;
	enum fault_kind fault;

	buf_addf(&url, "%s%s%s", u->url, name, u->suffix);
	if (busy->len)
		buf_add(&j.busy, busy->data, busy->len);
	j.url = buf_take(&url);
	j.deadline = wait->refresh < bound ? wait->refresh : bound;
	fault = refresh(&j);
	if (fault != FAULT_NONE)
		mirror_ask_log(&j, fault);
	if (fault == FAULT_NONE) {
		mirror_error_clear(path);
		mirror_saved_known(path);
	} else if (!j.unasked) {
		mirror_error_set(&j, fault);
	}
	if (j.fetched && mirror_path_is_bare(path))
		mirror_due_note(path);
	free(j.url);
	buf_clear(&j.head);
	buf_clear(&j.refs);
	buf_clear(&j.words);
	buf_clear(&j.busy);
	return fault;
}

/* With the turn that others leave us. */
static enum fault_kind refresh_in_turn(const struct config *c,
				       const struct config_upstream *u,
				       const char *name, const char *path,
				       const struct mirror_wait *wait)
{
	enum fault_kind fault = FAULT_TIMEOUT;
	struct buf busy = BUF_INIT;

	switch (mirror_lock_refresh(path, wait, &busy, &fault)) {
	case MIRROR_TURN_RUN:
		fault = run_refresh(c, u, name, path, wait, &busy);
		if (fault == FAULT_NONE)
			mirror_saved_asked(path);
		mirror_lock_done(path, fault);
		break;
	case MIRROR_TURN_JOINED:
		break;
	case MIRROR_TURN_LATE:
		log_warn("%s: no turn to ask upstream \"%s\" in time; a push "
			 "or a slow refresh is under way",
			 name, u->name);
		fault = FAULT_BUSY;
		break;
	}
	buf_clear(&busy);
	return fault;
}

/* Faults that pass by themselves: what there is may do meanwhile. */
static int is_passing(enum fault_kind fault)
{
	return fault == FAULT_UNREACHABLE || fault == FAULT_TIMEOUT ||
	       fault == FAULT_AGENT || fault == FAULT_TOKEN ||
	       fault == FAULT_BUSY;
}

static struct mirror_wait wait_of(const struct config *c, int client,
				  int64_t left_ms)
{
	int64_t now = clock_ms();

	if (left_ms > c->refresh_ms)
		left_ms = c->refresh_ms;
	return (struct mirror_wait){ .refresh = now + left_ms,
				     .push = now + c->queue_ms,
				     .client = client };
}

/* Has it what it had, and no power cut in between? Else nobody is served. */
static int is_whole(const struct config *c, const struct config_upstream *u,
		    const char *name, const char *path)
{
	struct mirror_job j = { .c = c, .u = u, .name = name, .path = path,
				.deadline = clock_ms() + c->refresh_ms,
				.client = -1 };
	int whole;

	if (!mirror_path_is_bare(path))
		return 0;
	if (mirror_saved_is_known(path))
		return 1;
	whole = mirror_heal_is_whole(&j);
	if (whole)
		mirror_saved_known(path);
	buf_clear(&j.words);
	return whole;
}

/* With bound: an answer that is young enough will do. */
static int refresh_upstream(const struct config *c, const struct config_repo *r,
			    const char *name, const struct mirror_wait *wait,
			    int bound, int64_t *age_ms, enum fault_kind *fault)
{
	struct buf path = BUF_INIT;
	int64_t age;
	int rc = 0;

	if (mirror_path(c, r, name, &path)) {
		*fault = FAULT_LOCAL;
	} else {
		age = bound && r->fresh == FRESH_BOUND
			      ? mirror_saved_age(path.data) : -1;
		if (age >= 0 && age < r->fresh_ms &&
		    is_whole(c, r->upstream, name, path.data))
			*age_ms = age;
		else
			*fault = refresh_in_turn(c, r->upstream, name,
						 path.data, wait);
	}
	if (*fault != FAULT_NONE)
		rc = -1;
	if (rc && r->fresh == FRESH_OFFLINE && is_passing(*fault) &&
	    is_whole(c, r->upstream, name, path.data)) {
		*age_ms = mirror_saved_any_age(path.data);
		rc = 1;
	}
	buf_clear(&path);
	return rc;
}

int mirror_refresh(const struct config *c, const struct config_repo *r,
		   const char *name, int client, int64_t left_ms,
		   int64_t *age_ms, enum fault_kind *fault)
{
	struct mirror_wait wait = wait_of(c, client, left_ms);
	struct buf path = BUF_INIT;
	int rc;

	*age_ms = 0;
	*fault = FAULT_NONE;
	if (r->upstream)
		return refresh_upstream(c, r, name, &wait, 1, age_ms, fault);
	rc = mirror_path(c, r, name, &path);
	if (rc)
		*fault = FAULT_NOT_FOUND;
	buf_clear(&path);
	return rc;
}

int mirror_refresh_now(const struct config *c, const struct config_repo *r,
		       const char *name, int client, int64_t left_ms,
		       int64_t *age_ms, enum fault_kind *fault)
{
	struct mirror_wait wait = wait_of(c, client, left_ms);

	*age_ms = 0;
	*fault = FAULT_NONE;
	return refresh_upstream(c, r, name, &wait, 0, age_ms, fault);
}

int mirror_fresh_enough(const struct config *c, const struct config_repo *r,
			const char *name, int64_t bound_ms)
{
	struct buf path = BUF_INIT;
	int64_t age = -1;

	if (!mirror_path(c, r, name, &path) && mirror_path_is_bare(path.data))
		age = r->upstream ? mirror_saved_asked_age(path.data) : 0;
	buf_clear(&path);
	if (r->fresh == FRESH_BOUND && bound_ms < r->fresh_ms)
		bound_ms = r->fresh_ms;
	return age >= 0 && age <= bound_ms;
}

void mirror_push_end(const char *path, const char *id, int broken)
{
	int sweep;

	if (mirror_lock_push_end(path, id, broken, &sweep)) {
		/* Without this, an old answer would pass for the new state. */
		if (mirror_saved_remove(path))
			log_error("%s: its next refresh may not see all", path);
		mirror_due_note(path);
	}
	if (!sweep)
		return;
	mirror_clean_quarantines(path);
	mirror_lock_swept(path);
}

int mirror_push_begin(const struct config *c, const struct config_repo *r,
		      const char *name, const char *id,
		      const struct commands *commands, int client, int wait)
{
	struct mirror_wait until = wait_of(c, client, c->refresh_ms);
	struct buf path = BUF_INIT;
	int rc = mirror_path(c, r, name, &path);

	if (!wait)
		until.refresh = until.push = clock_ms();
	if (!rc)
		rc = mirror_lock_push(path.data, id, commands, &until);
	buf_clear(&path);
	return rc;
}

int mirror_push_forward(const char *id)
{
	char *path = NULL;
	int rc = mirror_lock_forward(id, &path);

	/* likewise, where it is killed before its end */
	if (rc > 0 && mirror_saved_remove(path))
		rc = -1;
	free(path);
	return rc;
}

void mirror_use(const char *path)
{
	mirror_lock_hold(path);
}

void mirror_release(const char *path)
{
	mirror_saved_used(path);
	mirror_lock_release(path);
	mirror_due_active();
}

int64_t mirror_stale_ms(const char *path)
{
	struct buf code = BUF_INIT;
	int64_t ago = -1;

	if (mirror_error_get(path, &code, &ago))
		ago = mirror_saved_any_age(path);
	buf_clear(&code);
	return ago;
}
