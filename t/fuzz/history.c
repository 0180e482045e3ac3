/*
 * history-parse.c: whatever the bytes are, what is parsed lies within them,
 * entries follow each other without a gap, and their order is one. The first
 * byte says what the rest is.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

static void read_commit(const char *data, size_t len, size_t raw_len)
{
	struct history_commit c;
	struct oid id;

	if (history_parse_commit(data, len, raw_len, &c))
		return;
	assert(c.time >= 0);
	assert(c.parents >= data && c.parents <= data + len);
	assert(c.nr_parents * (8 + 2 * raw_len) <=
	       (size_t)(data + len - c.parents));
	for (size_t i = 0; i < c.nr_parents; i++)
		assert(!history_parse_parent(&c, i, raw_len, &id));
}

static void read_tree(const char *data, size_t len, size_t raw_len)
{
	struct history_entry e, last = { 0 };
	const char *at = data, *from = data;
	struct oid id;
	int got;

	while ((got = history_parse_entry(&at, data + len, raw_len, &e)) > 0) {
		assert(e.raw == from && e.raw + e.raw_size == at);
		assert(e.name > e.raw && e.name + e.name_len + 1 + raw_len ==
					 at);
		assert(strlen(e.name) == e.name_len);
		history_entry_id(&e, raw_len, &id);
		assert(history_entry_order(&e, &e) == 0);
		if (last.raw) {
			int a = history_entry_order(&last, &e);
			int b = history_entry_order(&e, &last);

			assert((a < 0) == (b > 0) && (a == 0) == (b == 0));
		}
		last = e;
		from = at;
	}
	assert(got || at == data + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t raw_len, len;
	struct oid id;
	char *text;

	if (!size)
		return 0;
	raw_len = data[0] & 4 ? OID_SHA256 : OID_SHA1;
	len = size - 1;
	/* of its own, so that a byte too far is seen */
	text = malloc(len ? len : 1);
	if (!text)
		return 0;
	memcpy(text, data + 1, len);
	switch (data[0] & 3) {
	case 0:
		read_commit(text, len, raw_len);
		break;
	case 1:
		history_parse_tag(text, len, raw_len, &id);
		break;
	default:
		read_tree(text, len, raw_len);
	}
	free(text);
	return 0;
}
