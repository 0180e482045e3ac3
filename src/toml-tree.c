/*
 * What the reader of TOML and its callers share: the reader's place, the
 * message of an error, and the tree.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "toml-internal.h"

int toml_error(const struct toml_reader *r, const char *fmt, ...)
{
	struct buf what = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf_room(&what, 300), 300, fmt, ap);
	va_end(ap);
	log_error("%s:%d: %s", r->file, r->line, what.data);
	buf_clear(&what);
	return -1;
}

int toml_peek(const struct toml_reader *r, size_t n)
{
	return n < (size_t)(r->end - r->p) ? (unsigned char)r->p[n] : -1;
}

void toml_skip_blank(struct toml_reader *r)
{
	while (toml_peek(r, 0) == ' ' || toml_peek(r, 0) == '\t')
		r->p++;
}

void toml_free(struct toml *t)
{
	if (!t)
		return;
	/* as deep as the reader went, TOML_MAX_DEPTH and some */
	for (size_t i = 0; i < t->nr; i++)
		toml_free(t->items[i]);
	free(t->items);
	free(t->key);
	free(t->text);
	free(t);
}

struct toml *toml_find(const struct toml *table, const char *key, size_t len)
{
	for (size_t i = 0; i < table->nr; i++) {
		struct toml *t = table->items[i];

		if (t->key && t->key_len == len && !memcmp(t->key, key, len))
			return t;
	}
	return NULL;
}

struct toml *toml_get(const struct toml *table, const char *key)
{
	return toml_find(table, key, strlen(key));
}

const char *toml_type_name(enum toml_type type)
{
	switch (type) {
	case TOML_STRING:
		return "a string";
	case TOML_INTEGER:
		return "an integer";
	case TOML_FLOAT:
		return "a float";
	case TOML_BOOLEAN:
		return "a boolean";
	case TOML_DATE:
		return "a date";
	case TOML_ARRAY:
		return "an array";
	case TOML_TABLE:
		return "a table";
	}
	return "nothing";
}
