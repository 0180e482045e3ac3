/*
 * walk-like.c: how much one text has of another. walk-look.c: findings that
 * others have too are left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "mem.h"
#include "walk-internal.h"

static unsigned like(const char *a, const char *b)
{
	return walk_like(a, strlen(a), b, strlen(b));
}

static void counts_lines(void **state)
{
	(void)state;
	assert_int_equal(like("one\ntwo\n", "one\ntwo\n"), 100);
	assert_int_equal(like("one\ntwo\n", "two\none\n"), 100);
	assert_int_equal(like("one\ntwo\n", "two\n"), 50);
	assert_int_equal(like("two\n", "one\ntwo\n"), 100);
	assert_int_equal(like("one\ntwo\n", "One\nTwo\n"), 0);
	assert_int_equal(like("one\ntwo\n", ""), 0);
	assert_int_equal(like("", "one\n"), 100);
	assert_int_equal(like("", ""), 100);
}

/* A line that is there twice is not had by one that has it once. */
static void counts_each_once(void **state)
{
	(void)state;
	assert_int_equal(like("a\na\na\na\n", "a\n"), 25);
	assert_int_equal(like("a\na\na\nb\n", "a\na\nb\nb\n"), 75);
}

static void takes_pieces_without_lines(void **state)
{
	char a[1024], b[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = b[i] = (char)(i * 7 % 251);
	assert_int_equal(walk_like(a, sizeof(a), b, sizeof(b)), 100);
	memset(b + 512, 'x', 512);
	assert_in_range(walk_like(a, sizeof(a), b, sizeof(b)), 40, 60);
}

static void add(struct walk_hits *h, const char *rule, const char *secret)
{
	struct walk_hit *to;

	MEM_GROW(h->list, h->nr, h->alloc);
	to = &h->list[h->nr++];
	memset(to, 0, sizeof(*to));
	to->f.rule = rule;
	to->f.secret = mem_strdup(secret);
	to->f.secret_len = strlen(secret);
	to->f.encodings = mem_strdup("");
}

static void drops_what_another_has(void **state)
{
	struct walk_hits h = WALK_HITS_INIT, was = WALK_HITS_INIT;

	(void)state;
	add(&h, "a", "one");
	add(&h, "b", "one");
	add(&h, "a", "two");
	add(&h, "a", "on");
	add(&was, "a", "one");
	add(&was, "a", "one");
	add(&was, "c", "two");
	walk_hits_drop(&h, &was);
	assert_int_equal(h.nr, 3);
	assert_string_equal(h.list[0].f.rule, "b");
	assert_memory_equal(h.list[1].f.secret, "two", 3);
	assert_int_equal(h.list[2].f.secret_len, 2);
	walk_hits_clear(&was);
	walk_hits_drop(&h, &was);
	assert_int_equal(h.nr, 3);
	walk_hits_clear(&h);
	walk_hits_clear(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_lines),
		cmocka_unit_test(counts_each_once),
		cmocka_unit_test(takes_pieces_without_lines),
		cmocka_unit_test(drops_what_another_has),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
