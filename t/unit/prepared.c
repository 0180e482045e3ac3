/*
 * Properties of rules-prepare.c and rules-copy.c: the built-in set is what its
 * file says, field by field, and so is a copy of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules-fields.h"
#include "rules-index.h"
#include "rules-internal.h"
#include "rules.h"

static void same_words(const struct rules_words *a,
		       const struct rules_words *b)
{
	assert_int_equal(a->nr, b->nr);
	for (size_t i = 0; i < a->nr; i++)
		assert_string_equal(a->list[i], b->list[i]);
}

static void same_text(const char *a, const char *b)
{
	if (a && b)
		assert_string_equal(a, b);
	else
		assert_ptr_equal(a, b);
}

static void same_patterns(struct rules_pattern *const *a,
			  struct rules_pattern *const *b, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(a[i]->number, b[i]->number);
}

static size_t size_of(enum rules_kind kind)
{
	switch (kind) {
	case RULES_INT:
		return sizeof(int);
	case RULES_INT64:
	case RULES_DOUBLE:
		return 8;
	case RULES_SET:
		return sizeof(struct rules_set);
	case RULES_SIZE:
		return sizeof(size_t);
	case RULES_TEXT:
	case RULES_WORDS:
	case RULES_PATTERN:
	case RULES_PATTERNS:
		break;
	}
	return 0;
}

static void same_fields(const void *s, const void *t,
			const struct rules_field *f)
{
	for (; f->name; f++) {
		const char *a = (const char *)s + f->offset;
		const char *b = (const char *)t + f->offset;
		struct rules_pattern *const *p = (const void *)a;
		struct rules_pattern *const *q = (const void *)b;
		size_t nr;

		assert_memory_equal(a, b, size_of(f->kind));
		if (f->kind == RULES_TEXT)
			same_text(*(char *const *)a, *(char *const *)b);
		if (f->kind == RULES_WORDS)
			same_words((const void *)a, (const void *)b);
		if (f->kind == RULES_PATTERN && (*p || *q))
			same_patterns(p, q, 1);
		if (f->kind != RULES_PATTERNS)
			continue;
		memcpy(&nr, (const char *)t + f->count_offset, sizeof(nr));
		assert_memory_equal((const char *)s + f->count_offset, &nr,
				    sizeof(nr));
		same_patterns(*(struct rules_pattern **const *)a,
			      *(struct rules_pattern **const *)b, nr);
	}
}

static void same_rule(const struct rules_rule *a, const struct rules_rule *b)
{
	same_fields(a, b, rules_fields_rule);
	assert_int_equal(a->nr_allows, b->nr_allows);
	for (size_t i = 0; i < a->nr_allows; i++)
		assert_int_equal(a->allows[i]->number, b->allows[i]->number);
	assert_int_equal(a->nr_required, b->nr_required);
	for (size_t i = 0; i < a->nr_required; i++)
		same_fields(&a->required[i], &b->required[i],
			    rules_fields_required);
}

static void same_set(const struct rules *a, const struct rules *b)
{
	assert_int_equal(a->nr, b->nr);
	assert_int_equal(a->nr_patterns, b->nr_patterns);
	assert_int_equal(a->nr_allows, b->nr_allows);
	for (size_t i = 0; i < a->nr_patterns; i++)
		same_fields(a->patterns[i], b->patterns[i],
			    rules_fields_pattern);
	for (size_t i = 0; i < a->nr_allows; i++)
		same_fields(a->allows[i], b->allows[i], rules_fields_allow);
	for (size_t i = 0; i < a->nr; i++)
		same_rule(&a->list[i], &b->list[i]);
}

static void same_index(const struct rules_index *a,
		       const struct rules_index *b)
{
	assert_int_equal(a->nr, b->nr);
	assert_int_equal(a->nr_text, b->nr_text);
	assert_int_equal(a->nr_rules, b->nr_rules);
	assert_int_equal(a->nr_places, b->nr_places);
	assert_int_equal(a->reach, b->reach);
	assert_memory_equal(a->words, b->words, a->nr * sizeof(*a->words));
	assert_memory_equal(a->text, b->text, a->nr_text);
	assert_memory_equal(a->rules, b->rules, a->nr_rules * 4);
	assert_memory_equal(a->filter, b->filter,
			    RULES_INDEX_SLOTS * sizeof(*a->filter));
	assert_memory_equal(a->around, b->around,
			    RULES_INDEX_AROUNDS * sizeof(*a->around));
	assert_memory_equal(a->first, b->first, (RULES_INDEX_SLOTS + 1) * 4);
	assert_memory_equal(a->places, b->places,
			    a->nr_places * sizeof(*a->places));
}

/* Field by field: nothing was lost on the way through the build. */
static void built_in_is_what_the_file_says(void **state)
{
	const char *source = getenv("SOURCE");
	struct rules *r, *copy;
	char path[4096];

	(void)state;
	assert_non_null(source);
	snprintf(path, sizeof(path), "%s/rules/git-gate.toml", source);
	r = rules_load(path);
	assert_non_null(r);
	for (size_t i = 0; i < r->nr; i++)
		r->list[i].known = 1;
	same_set(r, rules_builtin());
	same_index(rules_builtin()->index, r->index);
	copy = rules_copy(rules_builtin());
	same_set(copy, rules_builtin());
	rules_free(copy);
	rules_free(r);
}

/* On top of the built-in set: its index is that of a set read whole. */
static void extending_it_changes_no_other_rule(void **state)
{
	char path[] = "/tmp/unit-words.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	const struct rules *base = rules_builtin();
	struct rules *r;

	(void)state;
	assert_non_null(f);
	fprintf(f, "[extend]\nuseDefault = true\n[[rules]]\nid = '%s'\n"
		"keywords = ['mine']\n[[rules]]\nid = 'my-own'\n"
		"regex = 'my-own-[0-9]{20}'\n", base->list[0].id);
	fclose(f);
	r = rules_load(path);
	unlink(path);
	assert_non_null(r);
	assert_int_equal(r->nr, base->nr + 1);
	assert_string_equal(r->list[1].id, "my-own");
	assert_int_equal(r->list[0].keywords.nr,
			 base->list[0].keywords.nr + 1);
	assert_string_equal(r->list[0].regex->text,
			    base->list[0].regex->text);
	for (size_t i = 1; i < base->nr; i++) {
		struct rules_rule *now = rules_find(r, base->list[i].id);

		assert_non_null(now);
		assert_string_equal(now->file, base->list[i].file);
		same_words(&now->wakes, &base->list[i].wakes);
	}
	rules_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_is_what_the_file_says),
		cmocka_unit_test(extending_it_changes_no_other_rule),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
