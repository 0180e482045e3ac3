/*
 * Have these bytes been met already? A zip is read in two ways, and what both
 * find is looked at once; what is packed in many archives is unpacked once.
 * Bytes are told apart by two polynomials over the prime 2^61 - 1, each at a
 * random place of its own, so that nobody can make two that agree.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mem.h"
#include "unpack-internal.h"

#define PRIME ((UINT64_C(1) << 61) - 1)
/* Bytes of one term: as many as are always less than the prime. */
#define TERM 7
/* Not more are remembered: 16 bytes each, in a table at least half full. */
#define CLEAN_MAX ((size_t)1 << 18)

struct unpack_clean {
	pthread_mutex_t lock; /* of what seen holds; its keys are const */
	struct unpack_seen seen;
};

int unpack_seen_init(struct unpack_seen *s)
{
	memset(s, 0, sizeof(*s));
	if (getrandom(s->keys, sizeof(s->keys), 0) != (ssize_t)sizeof(s->keys))
		return -1;
	for (size_t i = 0; i < 2; i++)
		s->keys[i] = s->keys[i] % (PRIME - 2) + 2;
	return 0;
}

void unpack_seen_clear(struct unpack_seen *s)
{
	free(s->hashes);
	s->hashes = NULL;
	s->nr = s->size = 0;
}

/* (h + term + 1) * key, of which the first is less than 2^62. */
static uint64_t step(uint64_t key, uint64_t h, uint64_t term)
{
	unsigned __int128 v = (unsigned __int128)(h + term + 1) * key;

	h = ((uint64_t)v & PRIME) + (uint64_t)(v >> 61);
	return h >= PRIME ? h - PRIME : h;
}

static void add(const struct unpack_seen *s, struct unpack_hash *h,
		uint64_t term)
{
	/* side by side: a processor works at both at once */
	h->a = step(s->keys[0], h->a, term);
	h->b = step(s->keys[1], h->b, term);
}

void unpack_seen_hash(const struct unpack_seen *s, const void *data, size_t n,
		      struct unpack_hash *h)
{
	const char *p = data;
	uint64_t term = 0;

	/* how long it is, before it: what follows is of the next */
	add(s, h, (uint32_t)n);
	add(s, h, (uint64_t)n >> 32);
	for (; n > TERM; n -= TERM, p += TERM) {
		memcpy(&term, p, sizeof(term));
		add(s, h, term & ((UINT64_C(1) << 8 * TERM) - 1));
	}
	term = 0;
	if (n)
		memcpy(&term, p, n);
	add(s, h, term);
}

static int is_free(const struct unpack_hash *h)
{
	return !(h->a | h->b);
}

/* Where h is, or would be. */
static struct unpack_hash *place(const struct unpack_seen *s,
				 const struct unpack_hash *h)
{
	size_t i = h->a & (s->size - 1);

	while (!is_free(&s->hashes[i]) &&
	       (s->hashes[i].a != h->a || s->hashes[i].b != h->b))
		i = (i + 1) & (s->size - 1);
	return &s->hashes[i];
}

static void grow(struct unpack_seen *s)
{
	struct unpack_hash *old = s->hashes;
	size_t i, size = s->size;

	s->size = size ? size * 2 : 64;
	s->hashes = mem_array(s->size, sizeof(*s->hashes));
	for (i = 0; i < size; i++)
		if (!is_free(&old[i]))
			*place(s, &old[i]) = old[i];
	free(old);
}

/* 0 is a free place, and nobody's. */
static struct unpack_hash some(struct unpack_hash h)
{
	h.a += !h.a;
	return h;
}

int unpack_seen_has(const struct unpack_seen *s, struct unpack_hash h)
{
	h = some(h);
	return s->size && !is_free(place(s, &h));
}

void unpack_seen_put(struct unpack_seen *s, struct unpack_hash h)
{
	struct unpack_hash *at;

	if (s->nr * 2 >= s->size)
		grow(s);
	h = some(h);
	at = place(s, &h);
	s->nr += (size_t)is_free(at);
	*at = h;
}

/* --- what was clean, for all threads -------------------------------------- */

struct unpack_clean *unpack_clean_new(void)
{
	struct unpack_clean *c = mem_zalloc(sizeof(*c));

	if (unpack_seen_init(&c->seen)) {
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void unpack_clean_free(struct unpack_clean *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	unpack_seen_clear(&c->seen);
	free(c);
}

struct unpack_hash unpack_clean_hash(const struct unpack_clean *c,
				     const void *data, size_t n,
				     uint64_t becomes)
{
	struct unpack_hash h = { 0 };

	unpack_seen_hash(&c->seen, &becomes, sizeof(becomes), &h);
	unpack_seen_hash(&c->seen, data, n, &h);
	return h;
}

int unpack_clean_has(struct unpack_clean *c, struct unpack_hash h)
{
	int ret;

	pthread_mutex_lock(&c->lock);
	ret = unpack_seen_has(&c->seen, h);
	pthread_mutex_unlock(&c->lock);
	return ret;
}

void unpack_clean_put(struct unpack_clean *c, struct unpack_hash h)
{
	pthread_mutex_lock(&c->lock);
	if (c->seen.nr < CLEAN_MAX)
		unpack_seen_put(&c->seen, h);
	pthread_mutex_unlock(&c->lock);
}
