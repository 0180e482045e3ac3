/*
 * Keys that the configuration does not know: takes the name, logs which one
 * may be meant, by its spelling or in another section. Decides nothing.
 */
#include "config-internal.h"

#include <string.h>
#include <strings.h>

#include "buf.h"

/* Longer names are not compared letter by letter. */
#define NAME_MAX_BYTES 32
/* Letters that differ in a name that may be meant. */
#define DISTANCE 2
/* Letters of the beginning of one. */
#define PREFIX 4

static const char *const sections[] = { "gate", "session", "backend", "push",
					"maintenance", "scan", "upstream",
					"repo", "access" };

static size_t lower(char c)
{
	return (size_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to add, leave out or change, until a is b (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_BYTES + 1], n = strlen(b);

	if (n > NAME_MAX_BYTES || strlen(a) > NAME_MAX_BYTES)
		return NAME_MAX_BYTES;
	for (size_t k = 0; k <= n; k++)
		row[k] = k;
	for (size_t i = 1; *a; i++, a++) {
		size_t before = row[0];

		row[0] = i;
		for (size_t k = 1; k <= n; k++) {
			size_t same = before + (lower(*a) != lower(b[k - 1]));

			before = row[k];
			row[k] = least(same, least(row[k], row[k - 1]) + 1);
		}
	}
	return row[n];
}

/* How far a known key is from what was written; NAME_MAX_BYTES: too far. */
static size_t unlike(const char *name, const char *known)
{
	size_t n = strlen(name), len = strlen(known), d;

	d = distance(name, known);
	if (d <= DISTANCE && d < len)
		return d;
	if (least(n, len) >= PREFIX && !strncasecmp(name, known, least(n, len)))
		return DISTANCE + 1;
	return NAME_MAX_BYTES;
}

static const char *nearest(enum section s, const char *name)
{
	size_t best = NAME_MAX_BYTES;
	const char *found = NULL;

	for (size_t i = 0; i < config_nr_keys; i++) {
		size_t d = NAME_MAX_BYTES;

		if (config_keys[i].section == s)
			d = unlike(name, config_keys[i].name);
		if (d < best) {
			best = d;
			found = config_keys[i].name;
		}
	}
	return found;
}

/* "park belongs in [push]", of each section that has such a key. */
static void add_sections(const char *name, struct buf *out)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		enum section s = config_section(sections[i]);
		int k = config_key(s, name);

		if (k < 0)
			continue;
		if (out->len)
			buf_addf(out, " or [%s]", sections[i]);
		else
			buf_addf(out, "%s belongs in [%s]",
				 config_keys[k].name, sections[i]);
	}
}

/* The name as it stands in the file: the lexer gives lower case. */
static void add_written(const struct load *l, const char *name, int line,
			struct buf *out)
{
	const char *s = l->text->data, *end;
	size_t n = strlen(name);

	while (line-- > 1 && (end = strchr(s, '\n')))
		s = end + 1;
	end = s + strcspn(s, "\n");
	for (; s + n <= end; s++)
		if (!strncasecmp(s, name, n)) {
			buf_add(out, s, n);
			return;
		}
	buf_adds(out, name);
}

void config_unknown_key(struct load *l, const char *section, const char *name,
			int line)
{
	struct buf hint = BUF_INIT, written = BUF_INIT, known = BUF_INIT;
	const char *meant = nearest(l->section, name);

	add_sections(name, &hint);
	if (!hint.len && meant)
		buf_addf(&hint, "did you mean %s?", meant);
	if (!hint.len) {
		config_key_list(l->section, &known);
		buf_addf(&hint, "known are %s", known.data);
	}
	add_written(l, name, line, &written);
	config_error(l, line, "unknown key %s in [%s]; %s", written.data,
		     section, hint.data);
	buf_clear(&hint);
	buf_clear(&written);
	buf_clear(&known);
}
