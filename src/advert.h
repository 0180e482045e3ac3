#ifndef ADVERT_H
#define ADVERT_H

#include <stddef.h>

#include "asked.h"
#include "buf.h"

/*
 * Answers of git, kept in memory and given again as long as the repository is
 * provably what it was: the files that git looked at are the same ones, with
 * the same times, as before git was started and after it had answered. Shared
 * by all workers. To answer a request:
 *
 *   1. advert_find(); with ADVERT_FOUND give advert_data(), advert_release().
 *   2. ADVERT_MAKE: have git answer, add its answer to *making's buffer, and
 *      tell advert_made() whether it is whole, in every case.
 *   3. ADVERT_NONE: have git answer.
 *
 * Of ASKED_PACK what is kept is the caller's, not bytes to be sent.
 */
struct advert;        /* one that is kept, held; const */
struct advert_making; /* one that is to be kept */

struct advert_ask {
	enum asked asked;
	const char *git_dir; /* the repository, absolute */
	/* all else that the answer depends on */
	const char *key;
	size_t key_len;
	const char *const *programs; /* that answer: absolute, ends with NULL */
	size_t most; /* bytes that may be kept in all; 0: none */
};

enum advert_turn { ADVERT_NONE, ADVERT_FOUND, ADVERT_MAKE };

/*
 * One at a time makes an answer; others wait for it until it is a second or two
 * old, and no longer.
 */
enum advert_turn advert_find(const struct advert_ask *ask,
			     struct advert **found,
			     struct advert_making **making);

/* Header and body, as they are to be sent. */
const char *advert_data(const struct advert *a, size_t *n);
void advert_release(struct advert *a);
/* The same, and it is not to be found again. */
void advert_discard(struct advert *a);

/* The answer, as it goes out; dropped once it is more than can be kept. */
void advert_add(struct advert_making *m, const char *data, size_t n);
/* Frees making. good: git answered, ended well, and complained of nothing. */
void advert_made(struct advert_making *m, int good);

/* Bytes that are kept now, and answers. */
void advert_count(size_t *bytes, size_t *answers);
/* At the end, when nobody asks any more. */
void advert_clear(void);

#endif
