/*
 * Texts that were probed before. git makes a version of one base, out of many
 * small copies where that fits badly; most of what is new against it is in
 * other versions, in long stretches. Keeps versions for a while, for all
 * threads, and finds what others have of them, byte for byte.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "odb.h"
#include "scan.h"
#include "sweep-internal.h"

#define GRAM SWEEP_GRAM
/* Powers of two: an anchor is in some 150 bytes. */
#define SLOTS ((size_t)1 << 17)
#define SLOT_SHIFT (64 - 17)
#define TEXTS ((size_t)1 << 12)
#define TABLES (SLOTS * sizeof(struct slot) + TEXTS * sizeof(struct text))
/* With fewer bytes in common, it would cost more than it saves. */
#define COMMON 128
/* With less memory nothing is kept. */
#define MAX_LEAST ((size_t)4 << 20)

struct text {
	char *data;
	size_t len;
	struct scan_trace trace;
};

/* An anchor, with a part of its hash and its text's place in the ring; that
 * may be gone, and then another may be in its place. */
struct slot {
	uint32_t at, of;
};

struct sweep_known {
	const struct scanner *scanner; /* any of these rules */
	pthread_rwlock_t lock;
	struct slot *slots;
	struct text *ring; /* by number modulo TEXTS */
	uint32_t oldest, next; /* numbers; they wrap */
	size_t bytes, max;
};

/* Who keeps a text is to come to it, however many look for theirs. */
static void init_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(
		&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

struct sweep_known *sweep_known_new(const struct scanner *s, size_t max)
{
	struct sweep_known *k;

	if (max < MAX_LEAST)
		return NULL;
	k = mem_zalloc(sizeof(*k));
	k->scanner = s;
	k->max = max;
	k->bytes = TABLES;
	k->slots = mem_array(SLOTS, sizeof(*k->slots));
	k->ring = mem_array(TEXTS, sizeof(*k->ring));
	init_lock(&k->lock);
	return k;
}

static size_t weight(const struct sweep_known *k, const struct text *t)
{
	return t->len + scan_trace_size(k->scanner, &t->trace);
}

static void drop_oldest(struct sweep_known *k)
{
	struct text *t = &k->ring[k->oldest++ % TEXTS];

	k->bytes -= weight(k, t);
	free(t->data);
	scan_trace_clear(&t->trace);
	t->len = 0;
}

void sweep_known_free(struct sweep_known *k)
{
	if (!k)
		return;
	while (k->oldest != k->next)
		drop_oldest(k);
	pthread_rwlock_destroy(&k->lock);
	free(k->slots);
	free(k->ring);
	free(k);
}

void sweep_known_hold(struct sweep_known *k)
{
	pthread_rwlock_rdlock(&k->lock);
}

void sweep_known_let_go(struct sweep_known *k)
{
	pthread_rwlock_unlock(&k->lock);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Of the GRAM bytes at p: each word has a factor of its own. */
static uint64_t hash_of(const char *p)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < GRAM; i += sizeof(hash))
		hash += sweep_load(p + i) * (SWEEP_SPREAD * (2 * i + 1));
	return (hash ^ hash >> 32) * SWEEP_SPREAD;
}

static struct slot *slot_of(const struct sweep_known *k, uint64_t hash)
{
	return &k->slots[hash >> SLOT_SHIFT];
}

/* Bits above those of a place in the ring. */
static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)hash & ~(uint32_t)(TEXTS - 1);
}

/* How many bytes are the same from a and b on, up to max. */
static size_t same_after(const char *a, const char *b, size_t max)
{
	size_t n = 0;

	for (; max - n >= 8; n += 8) {
		uint64_t x = sweep_load(a + n) ^ sweep_load(b + n);

		if (x)
			return n + (size_t)__builtin_ctzll(x) / 8;
	}
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

/* The same backwards, of what ends at a and b. */
static size_t same_before(const char *a, const char *b, size_t max)
{
	size_t n = 0;

	for (; max - n >= 8; n += 8) {
		uint64_t x = sweep_load(a - n - 8) ^ sweep_load(b - n - 8);

		if (x)
			return n + (size_t)__builtin_clzll(x) / 8;
	}
	while (n < max && *(a - n - 1) == *(b - n - 1))
		n++;
	return n;
}

int sweep_known_find(const struct sweep_known *k, const struct odb_version *v,
		     size_t at, size_t least, struct sweep_match *m)
{
	const uint64_t hash = hash_of(v->data + at);
	const struct slot *slot = slot_of(k, hash);
	const struct text *t = &k->ring[slot->of % TEXTS];
	size_t n, before, from = slot->at;

	/* of a place without a text, len is 0; and what is there is compared */
	if (((slot->of ^ (uint32_t)hash) & ~(uint32_t)(TEXTS - 1)) ||
	    from >= t->len)
		return 0;
	n = same_after(v->data + at, t->data + from,
		       smaller(t->len - from, v->len - at));
	if (n < GRAM)
		return 0;
	before = same_before(v->data + at, t->data + from,
			     smaller(from, at - least));
	*m = (struct sweep_match){ { at - before, at + n }, &t->trace,
				   from - before };
	return before + n >= COMMON;
}

/* Its anchors; of those with the same hash, the last one is found. */
static void index_text(struct sweep_known *k, const struct text *t)
{
	const uint32_t place = k->next % TEXTS;

	for (size_t at = 0, next; t->len - at >= GRAM; at = next) {
		uint64_t hash;

		next = sweep_line_after(t->data, at, t->len);
		if (!sweep_is_anchor(t->data + at, next - at))
			continue;
		hash = hash_of(t->data + at);
		*slot_of(k, hash) = (struct slot){ (uint32_t)at,
						   tag_of(hash) | place };
	}
}

void sweep_known_put(struct sweep_known *k, const struct odb_version *v,
		     const struct scan_trace *trace)
{
	struct text t = { NULL, v->len, SCAN_TRACE_INIT };

	/* one that would drive out most others is not worth it */
	if (v->len > k->max / 4)
		return;
	t.data = mem_resize(NULL, v->len, 1);
	memcpy(t.data, v->data, v->len);
	scan_trace_copy(k->scanner, trace, 0, 0, v->len, &t.trace);
	pthread_rwlock_wrlock(&k->lock);
	if (k->next - k->oldest == TEXTS)
		drop_oldest(k);
	k->ring[k->next % TEXTS] = t;
	index_text(k, &t);
	k->bytes += weight(k, &t);
	k->next++;
	while (k->bytes > k->max)
		drop_oldest(k);
	pthread_rwlock_unlock(&k->lock);
}
