/*
 * A strict reader of TOML 1.0: documents, tables, keys and arrays. Takes
 * text, gives a tree or the first error with its line; opens nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "mem.h"
#include "toml-internal.h"

/* A new last item of parent; key is NULL in an array. NULL past a bound. */
static struct toml *add(struct toml_reader *r, struct toml *parent,
			const struct buf *key, enum toml_type type,
			enum toml_open open)
{
	struct toml *t;

	if (++r->values > TOML_MAX_VALUES) {
		toml_error(r, "more than %d values", TOML_MAX_VALUES);
		return NULL;
	}
	if (key && parent->nr >= TOML_MAX_KEYS) {
		toml_error(r, "more than %d keys in one table", TOML_MAX_KEYS);
		return NULL;
	}
	t = mem_zalloc(sizeof(*t));
	t->type = type;
	t->open = open;
	t->line = r->line;
	if (key) {
		t->key = mem_array(key->len + 1, 1);
		memcpy(t->key, key->data, key->len);
		t->key_len = key->len;
	}
	MEM_GROW(parent->items, parent->nr, parent->alloc);
	parent->items[parent->nr++] = t;
	return t;
}

/* A comment, if one stands here, up to but without its line's end. */
static int skip_comment(struct toml_reader *r)
{
	int c;

	if (toml_peek(r, 0) != '#')
		return 0;
	while ((c = toml_peek(r, 0)) >= 0 && c != '\n') {
		if (c == '\r' && toml_peek(r, 1) == '\n')
			return 0;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return toml_error(r, "control character in a comment");
		r->p++;
	}
	return 0;
}

/* A line's end: 1 when one was taken, 0 when not, -1 for a lone return. */
static int take_newline(struct toml_reader *r)
{
	if (toml_peek(r, 0) == '\r') {
		if (toml_peek(r, 1) != '\n')
			return toml_error(r, "carriage return without newline");
		r->p++;
	}
	if (toml_peek(r, 0) != '\n')
		return 0;
	r->p++;
	r->line++;
	return 1;
}

/* White space, comments and line ends, as they may stand in arrays. */
static int skip_lines(struct toml_reader *r)
{
	int taken;

	do {
		toml_skip_blank(r);
		if (skip_comment(r))
			return -1;
		taken = take_newline(r);
	} while (taken > 0);
	return taken;
}

int toml_key_part(struct toml_reader *r, struct buf *out)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	int c = toml_peek(r, 0);

	buf_reset(out);
	buf_add(out, "", 0);
	if (c == '"' || c == '\'')
		return toml_string(r, out, 0);
	while (toml_peek(r, 0) > 0 && strchr(bare, toml_peek(r, 0)))
		buf_addc(out, *r->p++);
	return out->len ? 0 : toml_error(r, "a key is missing");
}

/* After a key's part: 1 and past the dot when another part follows. */
static int take_dot(struct toml_reader *r)
{
	toml_skip_blank(r);
	if (toml_peek(r, 0) != '.')
		return 0;
	r->p++;
	toml_skip_blank(r);
	return 1;
}

static int value(struct toml_reader *r, struct toml *v);

/* Through the tables of a dotted key; only such keys may have made them. */
static struct toml *through_dot(struct toml_reader *r, struct toml *table,
				const struct buf *key)
{
	struct toml *t = toml_find(table, key->data, key->len);

	if (!t)
		return add(r, table, key, TOML_TABLE, TOML_DOTTED);
	if (t->open != TOML_DOTTED) {
		toml_error(r, "'%s' is already defined in line %d", key->data,
			   t->line);
		return NULL;
	}
	return t;
}

/* "a.b.c = value" into table. */
static int assignment(struct toml_reader *r, struct toml *table)
{
	struct buf key = BUF_INIT;
	struct toml *v;
	int parts = 1, result = -1;

	if (toml_key_part(r, &key))
		goto out;
	while (take_dot(r)) {
		if (++parts > TOML_MAX_DEPTH) {
			toml_error(r, "a key has too many parts");
			goto out;
		}
		table = through_dot(r, table, &key);
		if (!table || toml_key_part(r, &key))
			goto out;
	}
	v = toml_find(table, key.data, key.len);
	if (v) {
		toml_error(r, "'%s' is already defined in line %d", key.data,
			   v->line);
	} else if (toml_peek(r, 0) != '=') {
		toml_error(r, "'=' is missing after '%s'", key.data);
	} else {
		r->p++;
		toml_skip_blank(r);
		v = add(r, table, &key, TOML_STRING, TOML_CLOSED);
		result = v ? value(r, v) : -1;
	}
out:
	buf_clear(&key);
	return result;
}

static int array(struct toml_reader *r, struct toml *v)
{
	v->type = TOML_ARRAY;
	r->p++;
	for (;;) {
		struct toml *item;

		if (skip_lines(r))
			return -1;
		if (toml_peek(r, 0) == ']')
			break;
		item = add(r, v, NULL, TOML_STRING, TOML_CLOSED);
		if (!item || value(r, item) || skip_lines(r))
			return -1;
		if (toml_peek(r, 0) == ']')
			break;
		if (toml_peek(r, 0) != ',')
			return toml_error(r, "',' or ']' is missing in an "
					     "array");
		r->p++;
	}
	r->p++;
	return 0;
}

/* No key may add to what an inline table holds, once it has ended. */
static void close_tables(struct toml *t)
{
	t->open = TOML_CLOSED;
	for (size_t i = 0; i < t->nr; i++)
		close_tables(t->items[i]);
}

static int inline_table(struct toml_reader *r, struct toml *v)
{
	v->type = TOML_TABLE;
	r->p++;
	toml_skip_blank(r);
	while (toml_peek(r, 0) != '}') {
		if (assignment(r, v))
			return -1;
		toml_skip_blank(r);
		if (toml_peek(r, 0) == '}')
			break;
		if (toml_peek(r, 0) != ',')
			return toml_error(r, "',' or '}' is missing in an "
					     "inline table");
		r->p++;
		toml_skip_blank(r);
		if (toml_peek(r, 0) == '}')
			return toml_error(r, "',' before '}'");
	}
	r->p++;
	close_tables(v);
	return 0;
}

static int string_value(struct toml_reader *r, struct toml *v)
{
	struct buf text = BUF_INIT;
	int result = toml_string(r, &text, 1);

	v->type = TOML_STRING;
	v->len = text.len;
	v->text = buf_take(&text);
	return result;
}

static int value(struct toml_reader *r, struct toml *v)
{
	int c = toml_peek(r, 0), result;

	if (r->depth >= TOML_MAX_DEPTH)
		return toml_error(r, "nested too deeply");
	r->depth++;
	v->line = r->line;
	if (c == '"' || c == '\'')
		result = string_value(r, v);
	else if (c == '[')
		result = array(r, v);
	else if (c == '{')
		result = inline_table(r, v);
	else
		result = toml_scalar(r, v);
	r->depth--;
	return result;
}

/* A part of a header that is not its last; the newest of an array. */
static struct toml *through_header(struct toml_reader *r, struct toml *table,
				   const struct buf *key)
{
	struct toml *t = toml_find(table, key->data, key->len);

	if (!t)
		return add(r, table, key, TOML_TABLE, TOML_IMPLIED);
	if (t->open == TOML_LISTED)
		return t->items[t->nr - 1];
	if (t->open == TOML_CLOSED) {
		toml_error(r, "'%s' of line %d cannot be added to", key->data,
			   t->line);
		return NULL;
	}
	return t;
}

/* The last part of [a.b] or, with list, of [[a.b]]. */
static struct toml *header_table(struct toml_reader *r, struct toml *table,
				 const struct buf *key, int list)
{
	struct toml *t = toml_find(table, key->data, key->len);

	if (list && !t)
		t = add(r, table, key, TOML_ARRAY, TOML_LISTED);
	else if (!list && !t)
		return add(r, table, key, TOML_TABLE, TOML_HEADED);
	if (list && t && t->open == TOML_LISTED)
		return add(r, t, NULL, TOML_TABLE, TOML_HEADED);
	if (!list && t && t->open == TOML_IMPLIED) {
		t->open = TOML_HEADED;
		t->line = r->line;
		return t;
	}
	if (t)
		toml_error(r, "'%s' is already defined in line %d", key->data,
			   t->line);
	return NULL;
}

/* "[a.b]" or "[[a.b]]": the table that the following lines fill. */
static struct toml *header(struct toml_reader *r, struct toml *root)
{
	struct buf key = BUF_INIT;
	struct toml *t = root;
	int list = toml_peek(r, 1) == '[', parts = 1;

	r->p += 1 + list;
	toml_skip_blank(r);
	if (toml_key_part(r, &key))
		t = NULL;
	while (t && take_dot(r)) {
		t = through_header(r, t, &key);
		if (t && ++parts > TOML_MAX_DEPTH) {
			toml_error(r, "a key has too many parts");
			t = NULL;
		}
		if (t && toml_key_part(r, &key))
			t = NULL;
	}
	if (t && (toml_peek(r, 0) != ']' ||
		  (list && toml_peek(r, 1) != ']'))) {
		toml_error(r, "'%s' is missing", list ? "]]" : "]");
		t = NULL;
	}
	if (t) {
		r->p += 1 + list;
		t = header_table(r, t, &key, list);
	}
	buf_clear(&key);
	return t;
}

static int document(struct toml_reader *r, struct toml *root)
{
	struct toml *table = root;

	for (;;) {
		int ended;

		if (skip_lines(r))
			return -1;
		if (r->p == r->end)
			return 0;
		if (toml_peek(r, 0) == '[')
			table = header(r, root);
		else if (assignment(r, table))
			return -1;
		if (!table)
			return -1;
		toml_skip_blank(r);
		if (skip_comment(r))
			return -1;
		ended = r->p == r->end ? 1 : take_newline(r);
		if (!ended)
			return toml_error(r, "the line should end here");
		if (ended < 0)
			return -1;
	}
}

struct toml *toml_read(const char *file, const char *text, size_t len)
{
	struct toml_reader r = { .file = file, .p = text, .line = 1 };
	struct toml *root;

	if (len > TOML_MAX_BYTES) {
		log_error("%s: larger than %u bytes", file, TOML_MAX_BYTES);
		return NULL;
	}
	r.end = text + len;
	if (toml_check_utf8(&r))
		return NULL;
	/* a byte order mark is not part of the text */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		r.p += 3;
	root = mem_zalloc(sizeof(*root));
	root->type = TOML_TABLE;
	root->open = TOML_HEADED;
	root->line = 1;
	if (document(&r, root)) {
		toml_free(root);
		return NULL;
	}
	return root;
}
