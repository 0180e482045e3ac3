/*
 * Tables of keys, and one function for each kind of value that rules have.
 * Takes TOML, fills fields; an unknown key, a wrong type, a value out of
 * range is logged with file:line, counted, and reading goes on.
 */
#include "rules-take.h"

#include <string.h>
#include <strings.h>

#include "buf.h"
#include "log.h"
#include "mem.h"

/* Lines about one file; the rest is counted. */
#define ERRORS_MAX 20

void rules_take_wrong(struct rules_reading *rd, int line, const char *what,
		      const char *why)
{
	if (rd->errors++ < ERRORS_MAX)
		log_error("%s:%d: %s: %s %s", rd->file, line, rd->subject,
			  what, why);
}

/*
 * A key that nobody here knows. betterleaks took gitleaks' format further, in
 * ways that are no part of it: one line says so, not one for each rule.
 */
static void unknown_key(struct rules_reading *rd, const struct toml *v)
{
	static const char *const others[] = { "filter", "prefilter",
					      "validate" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (strcasecmp(v->key, others[i]) != 0)
			continue;
		if (rd->foreign++)
			rd->errors++;
		else
			rules_take_wrong(rd, v->line, v->key,
					 "is of betterleaks' format, not of "
					 "gitleaks', which is what is "
					 "understood here");
		return;
	}
	rules_take_wrong(rd, v->line, v->key,
			 "is not a key that is understood here");
}

int rules_take_is(struct rules_reading *rd, const struct toml *v,
		  enum toml_type type)
{
	if (v->type == type)
		return 1;
	if (rd->errors++ < ERRORS_MAX)
		log_error("%s:%d: %s: %s should be %s, not %s", rd->file,
			  v->line, rd->subject, v->key ? v->key : "an item",
			  toml_type_name(type), toml_type_name(v->type));
	return 0;
}

/* Keys are compared without case, as gitleaks does; one with a NUL is none. */
static int is_key(const struct toml *v, const char *name)
{
	return strlen(name) == v->key_len && !strcasecmp(name, v->key);
}

int rules_take_end(struct rules_reading *rd)
{
	int told = rd->errors < ERRORS_MAX ? rd->errors : ERRORS_MAX;

	/* of what is another program's, one line has told all */
	if (rd->foreign)
		told = rd->errors;
	if (rd->errors > told)
		log_error("%s: and %d more errors", rd->file,
			  rd->errors - told);
	return rd->errors ? -1 : 0;
}

void rules_take_keys(struct rules_reading *rd, const struct toml *table,
		     const struct rules_key *keys, size_t nr, void *out)
{
	for (size_t i = 0; i < table->nr; i++) {
		const struct toml *v = table->items[i];
		size_t k = 0;

		while (k < nr && !is_key(v, keys[k].name))
			k++;
		if (k == nr)
			unknown_key(rd, v);
		else
			keys[k].take(rd, v, (char *)out + keys[k].offset);
		for (size_t j = 0; j < i; j++)
			if (!strcasecmp(table->items[j]->key, v->key))
				rules_take_wrong(rd, v->line, v->key,
						 "is given twice");
	}
}

/* A string without NUL, or NULL, logged. */
const char *rules_take_text(struct rules_reading *rd, const struct toml *v)
{
	if (!rules_take_is(rd, v, TOML_STRING))
		return NULL;
	if (memchr(v->text, '\0', v->len)) {
		rules_take_wrong(rd, v->line, v->key ? v->key : "an item",
				 "has a NUL");
		return NULL;
	}
	return v->text;
}

void rules_take_string(struct rules_reading *rd, const struct toml *v,
		       void *field)
{
	const char *s = rules_take_text(rd, v);
	char **out = field;

	if (s && !*out)
		*out = mem_strdup(s);
}

void rules_take_ignored(struct rules_reading *rd, const struct toml *v,
			void *field)
{
	(void)field;
	rules_take_text(rd, v);
}

void rules_take_words(struct rules_reading *rd, const struct toml *v,
		      void *field)
{
	if (!rules_take_is(rd, v, TOML_ARRAY))
		return;
	for (size_t i = 0; i < v->nr; i++) {
		const char *s = rules_take_text(rd, v->items[i]);

		if (s && !*s)
			rules_take_wrong(
				rd, v->items[i]->line, v->key,
				"has an empty item, which every text contains");
		else if (s)
			rules_words_add(field, s, strlen(s));
	}
}

void rules_take_lower(struct rules_reading *rd, const struct toml *v,
		      void *field)
{
	struct rules_words *w = field;

	rules_take_words(rd, v, w);
	for (size_t i = 0; i < w->nr; i++)
		for (char *s = w->list[i]; *s; s++)
			if (*s >= 'A' && *s <= 'Z')
				*s = (char)(*s + 'a' - 'A');
}

void rules_take_tags(struct rules_reading *rd, const struct toml *v,
		     void *field)
{
	const char *s;

	if (!rules_take_is(rd, v, TOML_ARRAY))
		return;
	for (size_t i = 0; i < v->nr; i++) {
		s = rules_take_text(rd, v->items[i]);
		if (s && *s)
			rules_words_add(field, s, strlen(s));
	}
}

void rules_take_flag(struct rules_reading *rd, const struct toml *v,
		     void *field)
{
	int *out = field;

	if (rules_take_is(rd, v, TOML_BOOLEAN))
		*out = (int)v->integer;
}

void rules_take_count(struct rules_reading *rd, const struct toml *v,
		      void *field)
{
	int64_t *out = field;

	if (!rules_take_is(rd, v, TOML_INTEGER))
		return;
	if (v->integer < 0 || v->integer > 1000000)
		rules_take_wrong(rd, v->line, v->key, "is out of range");
	*out = v->integer;
}

void rules_take_entropy(struct rules_reading *rd, const struct toml *v,
			void *field)
{
	double *out = field;

	if (v->type != TOML_INTEGER && !rules_take_is(rd, v, TOML_FLOAT))
		return;
	/* a byte has eight bits; also no NaN, which nothing exceeds */
	if (!(v->real >= 0 && v->real <= 8))
		rules_take_wrong(rd, v->line, v->key, "is not between 0 and 8");
	*out = v->real;
}

struct rules_pattern *rules_take_regex(struct rules_reading *rd,
				       const struct toml *v)
{
	struct rules *r = rd->rules;
	const char *s = rules_take_text(rd, v), *why = NULL;
	struct buf bytes = BUF_INIT;
	struct rules_pattern *p;
	struct rules_shape shape;

	if (!s)
		return NULL;
	if (rules_shape(s, &shape, NULL, &why)) {
		rules_take_wrong(rd, v->line, "regex", why);
		return NULL;
	}
	if (rules_runes(s, &bytes, &why)) {
		rules_take_wrong(rd, v->line, "regex", why);
		buf_clear(&bytes);
		return NULL;
	}
	p = mem_zalloc(sizeof(*p));
	p->text = buf_take(&bytes);
	p->owner = mem_strdup(rd->subject);
	p->file = rd->file;
	p->line = v->line;
	MEM_GROW(r->patterns, r->nr_patterns, r->alloc_patterns);
	r->patterns[r->nr_patterns++] = p;
	return p;
}

void rules_take_pattern(struct rules_reading *rd, const struct toml *v,
			void *field)
{
	struct rules_pattern **out = field;

	/* to gitleaks an empty one is none at all */
	if (v->type != TOML_STRING || v->len)
		*out = rules_take_regex(rd, v);
}
