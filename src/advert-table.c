/*
 * The table of answers that are kept, by what they are for and by when they
 * were used last, and how many bytes there are of them in all. Takes and gives
 * answers, and frees those that nobody holds; the caller has the lock.
 */
#include "advert-internal.h"

#include <stdlib.h>
#include <string.h>

#include "advert.h"

/* A power of two; an answer or two for each of some thousand repositories. */
#define BUCKETS 4096

/* Looked at, of one repository's, for each that is kept. */
#define OUTDATE_MOST 256

static struct advert *buckets[BUCKETS];
static struct advert *repositories[BUCKETS]; /* the last that was kept first */
static struct advert *newest, *oldest;
static size_t bytes, answers;

/* FNV-1a, 64 bits (draft-eastlake-fnv); who can choose keys gains a slow
   look-up of what is bounded anyway. */
static uint64_t hash_more(uint64_t h, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3;
	return h;
}

static const uint64_t hash_begin = 0xcbf29ce484222325;

uint64_t advert_table_hash(const struct advert_ask *ask)
{
	uint64_t h = hash_more(hash_begin, ask->key, ask->key_len);

	h = hash_more(h, ask->git_dir, strlen(ask->git_dir));
	return h ^ h >> 32;
}

static struct advert **repository_of(const struct advert *a)
{
	const char *dir = a->state.paths.data;
	uint64_t h = hash_more(hash_begin, dir, strlen(dir));

	return &repositories[(h ^ h >> 32) % BUCKETS];
}

int advert_table_is(const struct advert *a, const struct advert_ask *ask,
		    uint64_t hash)
{
	return a->hash == hash && a->asked == ask->asked &&
	       a->key.len == ask->key_len &&
	       memcmp(a->key.data, ask->key, ask->key_len) == 0 &&
	       strcmp(a->state.paths.data, ask->git_dir) == 0;
}

static void free_answer(struct advert *a)
{
	bytes -= a->size;
	buf_clear(&a->key);
	buf_clear(&a->data);
	advert_state_clear(&a->state);
	free(a);
}

void advert_table_release(struct advert *a)
{
	if (--a->users == 0)
		free_answer(a);
}

static void use_unlink(struct advert *a)
{
	*(a->newer != NULL ? &a->newer->older : &newest) = a->older;
	*(a->older != NULL ? &a->older->newer : &oldest) = a->newer;
	a->newer = a->older = NULL;
}

static void use_link(struct advert *a)
{
	a->older = newest;
	*(newest != NULL ? &newest->newer : &oldest) = a;
	newest = a;
}

static void kept_unlink(struct advert *a)
{
	*(a->before != NULL ? &a->before->after : repository_of(a)) = a->after;
	if (a->after != NULL)
		a->after->before = a->before;
	a->before = a->after = NULL;
}

static void kept_link(struct advert *a)
{
	struct advert **first = repository_of(a);

	a->after = *first;
	if (a->after != NULL)
		a->after->before = a;
	*first = a;
}

static struct advert **place_of(const struct advert *a)
{
	struct advert **at = &buckets[a->hash % BUCKETS];

	while (*at != NULL && *at != a)
		at = &(*at)->next;
	return at;
}

void advert_table_remove(struct advert *a)
{
	struct advert **at = place_of(a);

	if (*at == NULL)
		return;
	*at = a->next;
	use_unlink(a);
	kept_unlink(a);
	answers--;
	advert_table_release(a);
}

void advert_table_add(struct advert *a)
{
	struct advert **at = &buckets[a->hash % BUCKETS];

	a->next = *at;
	*at = a;
	use_link(a);
	kept_link(a);
	answers++;
	a->users++;
}

void advert_table_outdate(const struct advert *a)
{
	struct advert *old = a->after, *next;
	int n;

	for (n = 0; old != NULL && n < OUTDATE_MOST; n++, old = next) {
		next = old->after;
		if (old->asked == a->asked && old->state.nr > 0 &&
		    strcmp(old->state.paths.data, a->state.paths.data) == 0 &&
		    !advert_state_equal(&old->state, &a->state))
			advert_table_remove(old);
	}
}

struct advert *advert_table_find(const struct advert_ask *ask, uint64_t hash)
{
	struct advert *a = buckets[hash % BUCKETS];

	while (a != NULL && !advert_table_is(a, ask, hash))
		a = a->next;
	return a;
}

int advert_table_count(struct advert *a, size_t n, size_t most)
{
	while (bytes + n > most && oldest != NULL)
		advert_table_remove(oldest);
	if (bytes + n > most)
		return -1;
	bytes += n;
	a->size += n;
	return 0;
}

void advert_table_uncount(struct advert *a)
{
	bytes -= a->size;
	a->size = 0;
}

void advert_table_use(struct advert *a)
{
	if (*place_of(a) == NULL)
		return;
	use_unlink(a);
	use_link(a);
}

void advert_table_total(size_t *n_bytes, size_t *n_answers)
{
	*n_bytes = bytes;
	*n_answers = answers;
}

void advert_table_clear(void)
{
	while (oldest != NULL)
		advert_table_remove(oldest);
}
