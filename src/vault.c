/*
 * Tokens, kept in the responder's memory and nowhere else. Takes a token and
 * the time until which it is good, gives it to whoever asks under the same
 * key, and sees that one process at a time makes a new one. Never logs one,
 * and leaves no copy of one behind.
 */
#include "vault.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "mem.h"

/* Upstreams with a tokenCommand, and earlier settings of theirs. */
#define ENTRIES_MAX 512
/* The sweeper looks at the clock so often, in case it was set. */
#define SWEEP_S 30
#define SWEEPER_STACK (128 * 1024)
/* Bytes of marks for one upstream: of some ten tokens. */
#define MARKS_MAX 512

struct entry {
	char *key;
	char *token; /* in pages of its own, or NULL */
	size_t len, size;
	int64_t until;       /* UNIX seconds */
	int64_t made;        /* clock_ms() */
	int64_t used;        /* likewise; who goes when there is no room */
	int minting;         /* a process makes one, */
	int minter;          /* its pidfd or -1, */
	int64_t mint_end;    /* and has so long, clock_ms() */
	int64_t loose_until; /* clock_ms(): nobody waits for another */
	char *marks;         /* of an upstream; then there is no token */
};

struct vault {
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct entry *entries;
	size_t nr, alloc;
	int sweeping, closing;
	pthread_t sweeper;
};

static int64_t unix_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

/* --- one token ---------------------------------------------------------- */

static void wipe(struct entry *e)
{
	if (!e->token)
		return;
	mem_wipe(e->token, e->size);
	munmap(e->token, e->size);
	e->token = NULL;
	e->len = e->size = 0;
}

/* Where locking is not allowed, swap is the operator's business. */
static void store(struct entry *e, const char *token, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (n / page + 1) * page;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	wipe(e);
	if (p == MAP_FAILED) {
		log_warn("a token cannot be kept: %s", strerror(errno));
		return;
	}
	if (mlock(p, size))
		log_debug("a token's memory is not locked: %s",
			  strerror(errno));
	madvise(p, size, MADV_DONTDUMP);
	memcpy(p, token, n);
	e->token = p;
	e->len = n;
	e->size = size;
}

/* --- who makes one ------------------------------------------------------ */

static void end_turn(struct entry *e)
{
	if (e->minter >= 0)
		close(e->minter);
	e->minter = -1;
	e->minting = 0;
}

/* Is the process still there, and within its time? */
static int is_minting(const struct entry *e)
{
	struct pollfd p = { .fd = e->minter, .events = POLLIN };

	return e->minting && clock_left(e->mint_end) > 0 &&
	       (e->minter < 0 || poll(&p, 1, 0) == 0);
}

static void begin_turn(struct entry *e, pid_t asker)
{
	end_turn(e);
	/* it opens close-on-exec; where it does not, time alone counts */
	e->minter = (int)syscall(SYS_pidfd_open, asker, 0);
	e->mint_end = clock_ms() + VAULT_MINT_MS;
	/* one that has left already has no turn */
	e->minting = e->minter >= 0 || errno != ESRCH;
}

/* --- all of them -------------------------------------------------------- */

static void forget(struct vault *v, size_t i)
{
	struct entry *e = &v->entries[i];

	wipe(e);
	end_turn(e);
	free(e->key);
	free(e->marks);
	*e = v->entries[--v->nr];
}

/* The one that was not asked for longest; there is at least one. */
static void forget_oldest(struct vault *v)
{
	size_t oldest = 0;

	for (size_t i = 1; i < v->nr; i++)
		if (v->entries[i].used < v->entries[oldest].used)
			oldest = i;
	forget(v, oldest);
}

static struct entry *entry_of(struct vault *v, const char *key)
{
	struct entry *e = NULL;

	for (size_t i = 0; i < v->nr && !e; i++)
		if (!strcmp(v->entries[i].key, key))
			e = &v->entries[i];
	if (!e) {
		if (v->nr == ENTRIES_MAX)
			forget_oldest(v);
		MEM_GROW(v->entries, v->nr, v->alloc);
		e = &v->entries[v->nr++];
		*e = (struct entry){ .key = mem_strdup(key), .minter = -1 };
	}
	e->used = clock_ms();
	return e;
}

/* Wipe what has expired. Returns the next time to look, UNIX seconds. */
static int64_t sweep(struct vault *v)
{
	int64_t now = unix_now(), next = now + SWEEP_S;

	for (size_t i = 0; i < v->nr; i++) {
		struct entry *e = &v->entries[i];

		if (e->token && e->until <= now)
			wipe(e);
		else if (e->token && e->until < next)
			next = e->until;
	}
	return next;
}

static void *run_sweeper(void *arg)
{
	struct vault *v = arg;

	pthread_mutex_lock(&v->lock);
	while (!v->closing) {
		struct timespec until = { .tv_sec = sweep(v) };

		pthread_cond_timedwait(&v->changed, &v->lock, &until);
	}
	pthread_mutex_unlock(&v->lock);
	return NULL;
}

/* With the first token. Without it, one is wiped when the next one asks. */
static void start_sweeper(struct vault *v)
{
	pthread_attr_t attr;

	if (v->sweeping)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, SWEEPER_STACK);
	v->sweeping = !pthread_create(&v->sweeper, &attr, run_sweeper, v);
	pthread_attr_destroy(&attr);
}

/* --- what others see ---------------------------------------------------- */

struct vault *vault_open(void)
{
	struct vault *v = mem_zalloc(sizeof(*v));

	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->changed, NULL);
	return v;
}

void vault_close(struct vault *v)
{
	pthread_mutex_lock(&v->lock);
	v->closing = 1;
	while (v->nr > 0)
		forget(v, v->nr - 1);
	pthread_cond_signal(&v->changed);
	pthread_mutex_unlock(&v->lock);
	if (v->sweeping)
		pthread_join(v->sweeper, NULL);
	pthread_cond_destroy(&v->changed);
	pthread_mutex_destroy(&v->lock);
	free(v->entries);
	free(v);
}

enum vault_answer vault_ask(struct vault *v, const char *key, pid_t asker,
			    int renew, struct buf *out)
{
	enum vault_answer answer = VAULT_MINT;
	struct entry *e;

	pthread_mutex_lock(&v->lock);
	sweep(v);
	e = entry_of(v, key);
	if (renew && e->token && clock_ms() - e->made > VAULT_NEW_MS)
		wipe(e);
	if (e->token) {
		buf_add(out, e->token, e->len);
		answer = VAULT_HAVE;
	} else if (clock_ms() < e->loose_until) {
		answer = VAULT_MINT;
	} else if (is_minting(e)) {
		answer = VAULT_WAIT;
	} else {
		begin_turn(e, asker);
	}
	pthread_mutex_unlock(&v->lock);
	return answer;
}

void vault_keep(struct vault *v, const char *key, const char *token, size_t n,
		int64_t until)
{
	struct entry *e;

	pthread_mutex_lock(&v->lock);
	e = entry_of(v, key);
	end_turn(e);
	e->loose_until = 0;
	e->until = until;
	e->made = clock_ms();
	store(e, token, n);
	start_sweeper(v);
	pthread_cond_signal(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

void vault_loose(struct vault *v, const char *key)
{
	struct entry *e;

	pthread_mutex_lock(&v->lock);
	e = entry_of(v, key);
	end_turn(e);
	wipe(e);
	e->loose_until = clock_ms() + VAULT_LOOSE_MS;
	pthread_mutex_unlock(&v->lock);
}

/* --- marks -------------------------------------------------------------- */

/* Names are no keys of tokens, which begin otherwise. */
static struct entry *marks_of(struct vault *v, const char *name)
{
	struct buf key = BUF_INIT;
	struct entry *e;

	buf_addf(&key, "marks:%s", name);
	e = entry_of(v, key.data);
	buf_clear(&key);
	return e;
}

void vault_mark(struct vault *v, const char *name, const char *marks)
{
	struct buf all = BUF_INIT;
	struct entry *e;

	pthread_mutex_lock(&v->lock);
	e = marks_of(v, name);
	buf_adds(&all, marks);
	/* the same token again and again is the usual thing */
	if (e->marks && !strstr(e->marks, marks))
		buf_addf(&all, " %s", e->marks);
	if (!e->marks || all.len > strlen(marks)) {
		if (all.len > MARKS_MAX)
			all.data[MARKS_MAX] = '\0';
		free(e->marks);
		e->marks = buf_take(&all);
	}
	buf_clear(&all);
	pthread_mutex_unlock(&v->lock);
}

void vault_marks(struct vault *v, const char *name, struct buf *out)
{
	struct entry *e;

	pthread_mutex_lock(&v->lock);
	e = marks_of(v, name);
	if (e->marks)
		buf_adds(out, e->marks);
	pthread_mutex_unlock(&v->lock);
}
