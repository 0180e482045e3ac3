/*
 * What commits, tags and trees say: takes an object's bytes, gives ids, times
 * and entries. Pure; every byte may be hostile, and what is not as git writes
 * it is malformed, not guessed at.
 */
#include <string.h>

#include "history.h"

/* "LABEL ID\n" at *at; moves on. Returns 0 or -1. */
static int take_id(const char **at, const char *end, const char *label,
		   size_t raw_len, struct oid *out)
{
	size_t n = strlen(label), digits = 2 * raw_len;
	const char *p = *at;

	if ((size_t)(end - p) < n + digits + 1 || memcmp(p, label, n) ||
	    p[n + digits] != '\n' || oid_parse(out, p + n, raw_len))
		return -1;
	*at = p + n + digits + 1;
	return 0;
}

/* "... 1700000000 +0100" after the mail's '>'; 0 when there is none. */
static int64_t parse_time(const char *line, const char *end)
{
	const char *p = memrchr(line, '>', (size_t)(end - line));
	int64_t t = 0;

	if (!p)
		return 0;
	for (p++; p < end && *p == ' ';)
		p++;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (t > INT64_MAX / 10 - 1)
			return 0;
		t = t * 10 + (*p - '0');
	}
	return t;
}

/* Of the headers from p on, up to the empty line. */
static int64_t committer_time(const char *p, const char *end)
{
	const char *line_end;

	for (; p < end && *p != '\n'; p = line_end + 1) {
		line_end = memchr(p, '\n', (size_t)(end - p));
		if (!line_end)
			line_end = end;
		if (line_end - p > 10 && !memcmp(p, "committer ", 10))
			return parse_time(p, line_end);
	}
	return 0;
}

int history_parse_commit(const char *data, size_t len, size_t raw_len,
			 struct history_commit *out)
{
	const char *at = data, *end = data + len;
	struct oid parent;

	memset(out, 0, sizeof(*out));
	if (take_id(&at, end, "tree ", raw_len, &out->tree))
		return -1;
	out->parents = at;
	while (!take_id(&at, end, "parent ", raw_len, &parent))
		out->nr_parents++;
	/* what looks like one and is none would lose a parent */
	if (end - at >= 7 && !memcmp(at, "parent ", 7))
		return -1;
	out->time = committer_time(at, end);
	return 0;
}

int history_parse_parent(const struct history_commit *c, size_t i,
			 size_t raw_len, struct oid *out)
{
	size_t line = 7 + 2 * raw_len + 1;

	return oid_parse(out, c->parents + i * line + 7, raw_len);
}

int history_parse_tag(const char *data, size_t len, size_t raw_len,
		      struct oid *out)
{
	return take_id(&data, data + len, "object ", raw_len, out);
}

/* As git takes modes: what is none of three is a submodule. */
static enum odb_type type_of(unsigned mode)
{
	switch (mode & 0170000) {
	case 0100000:
	case 0120000:
		return ODB_BLOB;
	case 0040000:
		return ODB_TREE;
	default:
		return ODB_COMMIT;
	}
}

int history_parse_entry(const char **at, const char *end, size_t raw_len,
			struct history_entry *out)
{
	const char *p = *at, *nul;
	unsigned mode = 0;

	if (p == end)
		return 0;
	out->raw = p;
	for (; p < end && *p >= '0' && *p <= '7' && mode <= 0777777; p++)
		mode = mode << 3 | (unsigned)(*p - '0');
	if (p == out->raw || p == end || *p != ' ')
		return -1;
	out->name = ++p;
	nul = memchr(p, '\0', (size_t)(end - p));
	if (!nul || (size_t)(end - nul) < raw_len + 1)
		return -1;
	out->name_len = (size_t)(nul - p);
	*at = nul + 1 + raw_len;
	out->raw_size = (size_t)(*at - out->raw);
	out->mode = mode;
	out->type = type_of(mode);
	return 1;
}

void history_entry_id(const struct history_entry *e, size_t raw_len,
		      struct oid *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->raw, e->raw + e->raw_size - raw_len, raw_len);
}

/* What follows a name where it ends. */
static int after(const struct history_entry *e)
{
	return e->type == ODB_TREE ? '/' : '\0';
}

int history_entry_order(const struct history_entry *a,
			const struct history_entry *b)
{
	size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
	int diff = memcmp(a->name, b->name, n), x, y;

	if (diff)
		return diff;
	x = a->name_len > n ? (unsigned char)a->name[n] : after(a);
	y = b->name_len > n ? (unsigned char)b->name[n] : after(b);
	if (x != y || (a->name_len == n && b->name_len == n))
		return x - y;
	/* "a/" of a tree and "a/..." that is a hostile name */
	return a->name_len > b->name_len ? 1 : -1;
}
