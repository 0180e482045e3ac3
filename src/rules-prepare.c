/*
 * A program of the build: reads the built-in rules' file and writes the set,
 * with all that is derived from it, as C of constants. What it writes is
 * compiled into every program that scans, which then reads no rules at all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "rules-fields.h"
#include "rules-index.h"
#include "rules-internal.h"
#include "rules.h"

/* The set that is written is no part of the program that writes it. */
const struct rules rules_prepared = { .builtin = 1 };

/* How far the arrays of what several structs have are written. */
struct done {
	size_t words, lists, allows, required;
};

static void put_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		/* '?' for trigraphs; three digits end an escape */
		if (c < ' ' || c > '~' || strchr("\"\\?", c))
			printf("\\%03o", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void put_text(const char *s)
{
	printf(s ? "(char *)" : "NULL");
	if (s)
		put_string(s);
}

static void put_set(const struct rules_set *s)
{
	printf("{ { ");
	for (int i = 0; i < 4; i++)
		printf("0x%" PRIx64 "u, ", s->bits[i]);
	printf("} }");
}

static void put_pattern(const struct rules_pattern *p)
{
	if (p)
		printf("(struct rules_pattern *)&patterns[%zu]", p->number);
	else
		printf("NULL");
}

static void put_size(size_t n)
{
	if (n == SIZE_MAX)
		printf("SIZE_MAX");
	else
		printf("%zuu", n);
}

/* Where the words of a list stand in the array of all. */
static void put_words(const struct rules_words *w, struct done *d)
{
	printf("{ (char **)&words[%zu], %zu, %zu }", d->words, w->nr, w->nr);
	d->words += w->nr;
}

static void put_list(const char *s, const struct rules_field *f,
		     struct done *d)
{
	size_t nr;

	memcpy(&nr, s + f->count_offset, sizeof(nr));
	printf("(struct rules_pattern **)&lists[%zu],\n\t  .%s = %zu", d->lists,
	       f->count, nr);
	d->lists += nr;
}

static void put_field(const char *s, const struct rules_field *f,
		      struct done *d)
{
	const void *at = s + f->offset;

	printf("\t  .%s = ", f->name);
	switch (f->kind) {
	case RULES_TEXT:
		put_text(*(char *const *)at);
		break;
	case RULES_WORDS:
		put_words(at, d);
		break;
	case RULES_PATTERN:
		put_pattern(*(struct rules_pattern *const *)at);
		break;
	case RULES_PATTERNS:
		put_list(s, f, d);
		break;
	case RULES_INT:
		printf("%d", *(const int *)at);
		break;
	case RULES_INT64:
		printf("%" PRId64, *(const int64_t *)at);
		break;
	case RULES_SIZE:
		put_size(*(const size_t *)at);
		break;
	case RULES_DOUBLE:
		printf("%.17g", *(const double *)at);
		break;
	case RULES_SET:
		put_set(at);
		break;
	}
	printf(",\n");
}

static void put_fields(const void *s, const struct rules_field *f,
		       struct done *d)
{
	for (; f->name; f++)
		put_field(s, f, d);
}

/* The words of one struct, in the order in which put_words counts them. */
static void put_its_words(const char *s, const struct rules_field *f)
{
	for (; f->name; f++) {
		const void *at = s + f->offset;
		const struct rules_words *w = at;

		for (size_t i = 0; f->kind == RULES_WORDS && i < w->nr; i++) {
			printf("\t");
			put_text(w->list[i]);
			printf(",\n");
		}
	}
}

static void put_all_words(const struct rules *r)
{
	printf("static char *const words[] = {\n");
	for (size_t i = 0; i < r->nr_allows; i++)
		put_its_words((const char *)r->allows[i], rules_fields_allow);
	for (size_t i = 0; i < r->nr; i++)
		put_its_words((const char *)&r->list[i], rules_fields_rule);
	printf("\tNULL\n};\n\n");
}

static void put_patterns(const struct rules *r, struct done *d)
{
	printf("static const struct rules_pattern patterns[] = {\n");
	for (size_t i = 0; i < r->nr_patterns; i++) {
		printf("\t{ .file = file,\n");
		put_fields(r->patterns[i], rules_fields_pattern, d);
		printf("\t},\n");
	}
	printf("};\n\nstatic const struct rules_pattern *const all[] = {\n");
	for (size_t i = 0; i < r->nr_patterns; i++)
		printf("\t&patterns[%zu],\n", i);
	printf("};\n\nstatic const struct rules_pattern *const lists[] = {\n");
	for (size_t i = 0; i < r->nr_allows; i++) {
		const struct rules_allow *a = r->allows[i];

		for (size_t k = 0; k < a->nr_paths; k++)
			printf("\t&patterns[%zu],\n", a->paths[k]->number);
		for (size_t k = 0; k < a->nr_regexes; k++)
			printf("\t&patterns[%zu],\n", a->regexes[k]->number);
	}
	printf("\tNULL\n};\n\n");
}

static void put_allows(const struct rules *r, struct done *d)
{
	printf("static const struct rules_allow allows[] = {\n");
	for (size_t i = 0; i < r->nr_allows; i++) {
		printf("\t{ .file = file,\n");
		put_fields(r->allows[i], rules_fields_allow, d);
		printf("\t},\n");
	}
	printf("\t{ 0 }\n};\n\n"
	       "static const struct rules_allow *const every_allow[] = {\n");
	for (size_t i = 0; i < r->nr_allows; i++)
		printf("\t&allows[%zu],\n", i);
	printf("\tNULL\n};\n\n"
	       "static const struct rules_allow *const of_rules[] = {\n");
	for (size_t i = 0; i < r->nr; i++)
		for (size_t k = 0; k < r->list[i].nr_allows; k++)
			printf("\t&allows[%zu],\n",
			       r->list[i].allows[k]->number);
	printf("\tNULL\n};\n\n");
}

static void put_rules(const struct rules *r, struct done *d)
{
	printf("static const struct rules_required required[] = {\n");
	for (size_t i = 0; i < r->nr; i++)
		for (size_t k = 0; k < r->list[i].nr_required; k++) {
			printf("\t{\n");
			put_fields(&r->list[i].required[k],
				   rules_fields_required, d);
			printf("\t},\n");
		}
	printf("\t{ 0 }\n};\n\nstatic const struct rules_rule rules[] = {\n");
	for (size_t i = 0; i < r->nr; i++) {
		const struct rules_rule *rule = &r->list[i];

		printf("\t{ .file = file,\n");
		put_fields(rule, rules_fields_rule, d);
		printf("\t  .required = (struct rules_required *)"
		       "&required[%zu],\n\t  .nr_required = %zu,\n",
		       d->required, rule->nr_required);
		printf("\t  .allows = (const struct rules_allow **)"
		       "&of_rules[%zu],\n\t  .nr_allows = %zu,\n\t},\n",
		       d->allows, rule->nr_allows);
		d->required += rule->nr_required;
		d->allows += rule->nr_allows;
	}
	printf("};\n\n");
}

static void put_numbers(const char *name, const void *list, size_t nr,
			size_t each)
{
	const uint32_t *n = list;

	printf("static const %s = {", name);
	for (size_t i = 0; i < nr; i++) {
		printf("%s%s", i * each % 8 ? " " : "\n\t", each > 1 ? "{" : "");
		for (size_t k = 0; k < each; k++)
			printf("%s0x%" PRIx32 "u", k ? ", " : "", *n++);
		printf("%s", each > 1 ? "}," : ",");
	}
	printf("\n};\n\n");
}

/* Every struct of the index is of 32-bit numbers and nothing else. */
static void put_index(const struct rules_index *x)
{
	put_numbers("struct rules_index_word index_words[]", x->words, x->nr,
		    sizeof(*x->words) / sizeof(uint32_t));
	put_numbers("uint32_t index_rules[]", x->rules, x->nr_rules, 1);
	put_numbers("uint32_t index_filter[]", x->filter, RULES_INDEX_SLOTS,
		    1);
	put_numbers("struct rules_index_around index_around[]", x->around,
		    RULES_INDEX_AROUNDS,
		    sizeof(*x->around) / sizeof(uint32_t));
	put_numbers("uint32_t index_first[]", x->first, RULES_INDEX_SLOTS + 1,
		    1);
	put_numbers("struct rules_index_place index_places[]", x->places,
		    x->nr_places, sizeof(*x->places) / sizeof(uint32_t));
	printf("static const char index_text[] =\n");
	for (uint32_t i = 0; i < x->nr; i++) {
		printf("\t");
		put_string(x->text + x->words[i].at);
		printf(" \"\\0\"\n");
	}
	printf("\t;\n\nstatic const struct rules_index index_of_all = {\n"
	       "\tindex_words, index_text, index_rules, index_filter,\n"
	       "\tindex_around, index_first, index_places, %" PRIu32 ", %" PRIu32
	       ", %" PRIu32 ", %" PRIu32 ", %" PRIu32 "\n};\n\n", x->nr,
	       x->nr_text, x->nr_rules, x->nr_places, x->reach);
}

static void put_set_of_rules(const struct rules *r)
{
	struct done d = { 0 };

	printf("/* Made by rules-prepare.c from the built-in rules. */\n"
	       "#include \"rules-index.h\"\n"
	       "#include \"rules-internal.h\"\n\n"
	       "static const char file[] = \"built-in rules\";\n"
	       "static const char *const files[] = { file };\n\n");
	put_all_words(r);
	put_patterns(r, &d);
	put_allows(r, &d);
	put_rules(r, &d);
	put_index(r->index);
	printf("const struct rules rules_prepared = {\n"
	       "\t.builtin = 1,\n"
	       "\t.files = { (char **)files, 1, 1 },\n"
	       "\t.list = (struct rules_rule *)rules,\n"
	       "\t.nr = %zu,\n"
	       "\t.patterns = (struct rules_pattern **)all,\n"
	       "\t.nr_patterns = %zu,\n"
	       "\t.allows = (struct rules_allow **)every_allow,\n"
	       "\t.nr_allows = %zu,\n"
	       "\t.index = &index_of_all,\n};\n",
	       r->nr, r->nr_patterns, r->nr_allows);
}

int main(int argc, char **argv)
{
	struct rules *r;
	int failed;

	log_init("rules-prepare", LOG_PLAIN);
	if (argc != 2) {
		log_error("usage: rules-prepare FILE.toml >FILE.c");
		return 2;
	}
	r = rules_load(argv[1]);
	if (!r)
		return 1;
	for (size_t i = 0; i < r->nr; i++)
		r->list[i].known = 1;
	put_set_of_rules(r);
	rules_free(r);
	failed = fflush(stdout) || ferror(stdout);
	if (failed)
		log_error("standard output cannot be written");
	return failed;
}
