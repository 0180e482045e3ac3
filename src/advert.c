/*
 * Answers of git, kept: takes what an answer depends on, gives one that was
 * kept if nothing of that has changed, or has the caller make one. The lock is
 * held for look-ups alone, never while a file is looked at or a client served.
 */
#include "advert.h"
#include "advert-internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"

/*
 * One that is being made is waited for until it is this old: a git that takes
 * longer, or a client that takes a pack more slowly, is not worth it, and does
 * not keep others from making theirs.
 */
#define WAIT_MS 1000
/* What could not be kept is not tried again so soon. */
#define NOT_AGAIN_MS 10000
/* One answer may have this part of all that is kept. */
#define PART 4

struct advert_making {
	struct advert_making *next;
	struct advert *a;   /* nobody else's yet; its size is counted */
	size_t most;
	int64_t until;      /* clock_ms(); others wait so long */
	uint64_t number;
	int dropped;
};

/* guards what follows, and the table */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t made;
static struct advert_making *makings;
static uint64_t makings_begun;

static void init(void)
{
	clock_condition(&made);
}

void advert_release(struct advert *a)
{
	pthread_mutex_lock(&lock);
	advert_table_release(a);
	pthread_mutex_unlock(&lock);
}

static struct advert *hold(const struct advert_ask *ask, uint64_t hash)
{
	struct advert *a;

	pthread_mutex_lock(&lock);
	a = advert_table_find(ask, hash);
	if (a != NULL) {
		a->users++;
		advert_table_use(a);
	}
	pthread_mutex_unlock(&lock);
	return a;
}

void advert_discard(struct advert *a)
{
	pthread_mutex_lock(&lock);
	advert_table_remove(a);
	advert_table_release(a);
	pthread_mutex_unlock(&lock);
}

/* ADVERT_MAKE: there is none that is good. */
static enum advert_turn look_up(const struct advert_ask *ask, uint64_t hash,
				struct advert **found)
{
	struct advert *a = hold(ask, hash);
	enum advert_turn turn = ADVERT_MAKE;

	if (a == NULL)
		return ADVERT_MAKE;
	if (a->data.len == 0 && clock_left(a->until) > 0)
		turn = ADVERT_NONE;
	else if (a->data.len > 0 && advert_state_same(&a->state, 0))
		turn = ADVERT_FOUND;
	if (turn == ADVERT_FOUND)
		*found = a;
	else if (turn == ADVERT_NONE)
		advert_release(a);
	else
		advert_discard(a);
	return turn;
}

static const struct advert_making *find_making(const struct advert_ask *ask,
					       uint64_t hash)
{
	const struct advert_making *m = makings;

	while (m != NULL && (!advert_table_is(m->a, ask, hash) ||
			     clock_left(m->until) == 0))
		m = m->next;
	return m;
}

static int is_under_way(uint64_t number)
{
	const struct advert_making *m = makings;

	while (m != NULL && m->number != number)
		m = m->next;
	return m != NULL;
}

/* Be the one who makes it, or wait for that one. Returns 1 or 0. */
static int be_first(struct advert_making *m, const struct advert_ask *ask)
{
	const struct advert_making *other;
	uint64_t number;
	int64_t until;
	int first;

	pthread_mutex_lock(&lock);
	other = find_making(ask, m->a->hash);
	/* who has just made it may have ended since we looked */
	first = other == NULL &&
		advert_table_find(ask, m->a->hash) == NULL;
	if (first) {
		m->number = makings_begun++;
		m->until = clock_ms() + WAIT_MS;
		m->next = makings;
		makings = m;
	} else if (other != NULL) {
		number = other->number;
		until = other->until;
		while (is_under_way(number) &&
		       clock_wait(&made, &lock, until) == 0)
			;
	}
	pthread_mutex_unlock(&lock);
	return first;
}

static struct advert_making *making_new(const struct advert_ask *ask,
					uint64_t hash)
{
	struct advert_making *m = mem_zalloc(sizeof(*m));

	m->a = mem_zalloc(sizeof(*m->a));
	m->a->hash = hash;
	m->a->asked = ask->asked;
	m->a->users = 1;
	m->most = ask->most;
	buf_add(&m->a->key, ask->key, ask->key_len);
	return m;
}

/* Into the table, in place of an older one of its kind, if there is room. */
static void keep(struct advert_making *m, const struct advert_ask *ask)
{
	struct advert *a = m->a, *old = advert_table_find(ask, a->hash);
	size_t size = sizeof(*a) + a->key.alloc + a->data.len + 1 +
		      advert_state_size(&a->state);

	if (old != NULL)
		advert_table_remove(old);
	/* as large as it is, not as it might have become */
	a->data.alloc = a->data.len + 1;
	a->data.data = mem_resize(a->data.data, a->data.alloc, 1);
	advert_table_uncount(a);
	if (advert_table_count(a, size, m->most) < 0)
		return;
	advert_table_add(a);
	if (a->state.nr > 0)
		advert_table_outdate(a);
}

/* What cannot be kept, for a while; without its state, which may be large. */
static void keep_note(struct advert_making *m, const struct advert_ask *ask)
{
	struct advert *a = m->a;

	free(a->state.seen);
	a->state.seen = NULL;
	a->state.nr = a->state.alloc = 0;
	a->state.paths.len = strlen(a->state.paths.data) + 1;
	buf_clear(&a->data);
	advert_table_uncount(a);
	a->until = clock_ms() + NOT_AGAIN_MS;
	keep(m, ask);
}

static void making_free(struct advert_making *m)
{
	advert_table_release(m->a);
	free(m);
}

enum advert_turn advert_find(const struct advert_ask *ask,
			     struct advert **found,
			     struct advert_making **making)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint64_t hash = advert_table_hash(ask);
	enum advert_turn turn;
	struct advert_making *m;
	enum state_is is;

	pthread_once(&once, init);
	if (ask->most == 0 || ask->asked == ASKED_OTHER)
		return ADVERT_NONE;
	turn = look_up(ask, hash, found);
	if (turn != ADVERT_MAKE)
		return turn;
	m = making_new(ask, hash);
	is = advert_state_take(&m->a->state, ask->git_dir, ask->programs,
			       ask->asked);
	if (is == STATE_GOOD && be_first(m, ask)) {
		*making = m;
		return ADVERT_MAKE;
	}
	pthread_mutex_lock(&lock);
	if (is == STATE_STRANGE)
		keep_note(m, ask);
	making_free(m);
	pthread_mutex_unlock(&lock);
	/* whom we waited for may have kept his; else git is asked, by each */
	return is == STATE_GOOD && look_up(ask, hash, found) == ADVERT_FOUND
		       ? ADVERT_FOUND : ADVERT_NONE;
}

const char *advert_data(const struct advert *a, size_t *n)
{
	*n = a->data.len;
	return a->data.data;
}

void advert_add(struct advert_making *m, const char *data, size_t n)
{
	struct buf *b = &m->a->data;
	size_t before = b->alloc;

	if (m->dropped)
		return;
	if (b->len + n <= m->most / PART)
		buf_add(b, data, n);
	else
		m->dropped = 1;
	if (m->dropped || b->alloc == before)
		return;
	pthread_mutex_lock(&lock);
	if (advert_table_count(m->a, b->alloc - before, m->most) < 0)
		m->dropped = 1;
	pthread_mutex_unlock(&lock);
	if (m->dropped)
		buf_clear(b);
}

/* Is it one that is the same as long as the repository is? */
static int may_keep(const struct advert_making *m)
{
	const struct buf *b = &m->a->data;
	const char *body;

	if (m->dropped || b->len == 0)
		return 0;
	if (m->a->asked == ASKED_PACK)
		return 1; /* judged by who made it of an answer */
	body = memmem(b->data, b->len, "\r\n\r\n", 4);
	return body != NULL &&
	       asked_may_keep(m->a->asked, body + 4,
			      b->len - (size_t)(body + 4 - b->data));
}

static void unlink_making(const struct advert_making *m)
{
	struct advert_making **at = &makings;

	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
}

void advert_made(struct advert_making *m, int good)
{
	const struct advert_ask ask = {
		.asked = m->a->asked, .git_dir = m->a->state.paths.data,
		.key = m->a->key.data, .key_len = m->a->key.len,
	};
	int may = good && may_keep(m);
	int same = may && advert_state_same(&m->a->state, 1);

	pthread_mutex_lock(&lock);
	unlink_making(m);
	if (same)
		keep(m, &ask);
	else if (good && !may)
		keep_note(m, &ask);
	making_free(m);
	pthread_cond_broadcast(&made);
	pthread_mutex_unlock(&lock);
}

void advert_count(size_t *bytes, size_t *answers)
{
	pthread_mutex_lock(&lock);
	advert_table_total(bytes, answers);
	pthread_mutex_unlock(&lock);
}

void advert_clear(void)
{
	pthread_mutex_lock(&lock);
	advert_table_clear();
	pthread_mutex_unlock(&lock);
}
