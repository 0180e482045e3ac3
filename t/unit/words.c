/*
 * Properties of scan-words.c and rules-index.c: what a naive search finds is
 * found, in that order, and no byte outside of the text is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"
#include "rules-index.h"
#include "rules-internal.h"
#include "scan-internal.h"

static uint32_t seed = 1;

static uint32_t dice(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* A capital of a word is that alone, a small letter is both. */
static int is_there(const char *text, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (c != word[i] && c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != word[i])
			return 0;
	}
	return 1;
}

/* One rule for each word, and one that has all of them. */
static struct rules_index *index_of(const char *const *words, size_t nr)
{
	struct rules r = { .nr = nr + 1 };
	struct rules_index *x;

	r.list = mem_array(r.nr, sizeof(*r.list));
	for (size_t i = 0; i < nr; i++) {
		rules_words_add(&r.list[i].wakes, words[i], strlen(words[i]));
		rules_words_add(&r.list[nr].wakes, words[i], strlen(words[i]));
	}
	x = rules_index_new(&r);
	for (size_t i = 0; i < r.nr; i++)
		rules_words_clear(&r.list[i].wakes);
	free(r.list);
	return x;
}

/* How often word stands in text and starts in lo..hi. */
static size_t count(const char *text, size_t len, size_t lo, size_t hi,
		    const char *word)
{
	size_t n = strlen(word), found = 0;

	for (size_t i = lo; i < hi && i + n <= len; i++)
		found += (size_t)is_there(text + i, word, n);
	return found;
}

static void must_agree(const struct rules_index *x, const char *text,
		       size_t len, size_t lo, size_t hi)
{
	size_t *found = mem_array(x->nr + 1, sizeof(*found)), last = lo, n;
	struct scan_hits hits = { 0 };

	for (size_t at = lo; at < hi;) {
		size_t next = scan_words_find(x, text, len, at, hi, &hits);

		assert_true(next > at && next <= hi);
		for (size_t i = 0; i < hits.nr; i++) {
			const struct scan_hit *h = &hits.list[i];
			const char *word = rules_index_word(x, h->word, &n);

			assert_true(h->start >= at && h->start < next);
			assert_true(h->start >= last);
			assert_true(n <= len - h->start);
			assert_true(is_there(text + h->start, word, n));
			found[h->word]++;
			last = h->start;
		}
		at = next;
	}
	for (uint32_t i = 0; i < x->nr; i++)
		if (found[i] != count(text, len, lo, hi,
				      rules_index_word(x, i, &n)))
			fail_msg("'%s': %zu times in %zu..%zu of %zu bytes",
				 rules_index_word(x, i, &n), found[i], lo, hi,
				 len);
	free(found);
	free(hits.list);
}

static const char *const some[] = {
	"a", "q~", "s.", "sk", "1/", "key", "$1$", "abc", "aaaa", "abab",
	"tok:", "token", "secret", "aaaaaaaa", "bababab", "-----begin",
	"private key", "a_very_long_keyword_that_goes_on_and_on_and_on_and_on",
	"\xc3\xa9t\xc3\xa9", "k\x7f@`", "{{", "\n\n\t", "zzzzzzzzzzzzzzzzz",
};
#define SOME (sizeof(some) / sizeof(some[0]))

/* Text of few letters, so that words and near misses come often. */
static void fill(char *text, size_t len)
{
	static const char letters[] = "aAbBcCdDoOkKeEyYsS.~qQ1/$\n\t{@[`\x7f\xc3\xa9";

	for (size_t i = 0; i < len; i++)
		text[i] = letters[dice(sizeof(letters) - 1)];
	for (size_t i = 0; len && i < len / 16 + 1; i++) {
		const char *word = some[dice(SOME)];
		size_t at = dice((uint32_t)len), n = strlen(word);

		for (size_t k = 0; k < n && at + k < len; k++)
			text[at + k] = dice(3) || word[k] < 'a' ||
				       word[k] > 'z' ? word[k] :
				       (char)(word[k] - 'a' + 'A');
	}
}

/* The text ends where no more can be read, and starts where it began. */
static void no_byte_outside_is_read(void **state)
{
	struct rules_index *x = index_of(some, SOME);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	char *mid = map + page;

	(void)state;
	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(mid, page, PROT_READ | PROT_WRITE), 0);
	for (size_t len = 0; len <= 100; len++) {
		for (int k = 0; k < 20; k++) {
			char *end = mid + page - len;
			size_t lo = dice((uint32_t)len + 1);
			size_t hi = lo + dice((uint32_t)(len - lo) + 1);

			fill(end, len);
			must_agree(x, end, len, 0, len);
			must_agree(x, end, len, lo, hi);
			fill(mid, len);
			must_agree(x, mid, len, 0, len);
			must_agree(x, mid, len, lo, hi);
		}
	}
	munmap(map, 3 * page);
	rules_index_free(x);
}

/* Longer texts: where one chunk ends and the next begins. */
static void long_texts_agree(void **state)
{
	struct rules_index *x = index_of(some, SOME);
	size_t len = 20000;
	char *text = mem_array(len, 1);

	(void)state;
	for (int k = 0; k < 20; k++) {
		fill(text, len);
		must_agree(x, text, len, 0, len);
		must_agree(x, text, len, dice(5000), 5000 + dice(15000));
	}
	free(text);
	rules_index_free(x);
}

/* More hits than one call gives, many at one place. */
static void floods_come_in_parts(void **state)
{
	static const char *const words[] = {
		"a", "aa", "aaa", "aaaa", "aaaaa", "aaaaaaaaa",
	};
	struct rules_index *x = index_of(words, 6);
	size_t len = 100000;
	char *text = mem_array(len, 1);
	struct scan_hits hits = { 0 };

	(void)state;
	memset(text, 'A', len);
	must_agree(x, text, len, 0, len);
	must_agree(x, text, len, 17, len - 1);
	assert_true(scan_words_find(x, text, len, 0, len, &hits) < len);
	assert_true(hits.nr < 2 * SCAN_HITS_MAX);
	free(hits.list);
	free(text);
	rules_index_free(x);
}

/* Sets of any words, of one byte and of many. */
static void random_sets_agree(void **state)
{
	char text[600], words[60][12];
	const char *list[60];

	(void)state;
	for (int k = 0; k < 60; k++) {
		size_t nr = 1 + dice(60);
		struct rules_index *x;

		for (size_t i = 0; i < nr; i++) {
			size_t n = 1 + dice(k < 20 ? 3 : 11);

			for (size_t j = 0; j < n; j++)
				words[i][j] = "abcABxyz0_-./:\xff\x01"[dice(16)];
			words[i][n] = '\0';
			list[i] = words[i];
		}
		x = index_of(list, nr);
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = "aAbBcCxyz0_-./:\xff\x01 "[dice(18)];
		must_agree(x, text, sizeof(text), 0, sizeof(text));
		rules_index_free(x);
	}
}

/* Each word knows all rules that want it, and no other. */
static void words_know_their_rules(void **state)
{
	struct rules_index *x = index_of(some, SOME);
	size_t nr, len;

	(void)state;
	assert_int_equal(rules_index_count(x), SOME);
	for (uint32_t i = 0; i < x->nr; i++) {
		const uint32_t *rules = rules_index_rules(x, i, &nr);

		assert_int_equal(nr, 2);
		assert_int_equal(rules[1], SOME);
		assert_string_equal(rules_index_word(x, i, &len),
				    some[rules[0]]);
		assert_int_equal(len, strlen(some[rules[0]]));
	}
	rules_index_free(x);
	x = index_of(NULL, 0);
	assert_int_equal(rules_index_count(x), 0);
	must_agree(x, "abc", 3, 0, 3);
	rules_index_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_byte_outside_is_read),
		cmocka_unit_test(long_texts_agree),
		cmocka_unit_test(floods_come_in_parts),
		cmocka_unit_test(random_sets_agree),
		cmocka_unit_test(words_know_their_rules),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
