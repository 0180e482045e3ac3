/*
 * history-parse.c: commits, tags and trees as git writes them, and as it does
 * not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "history.h"

#define A40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B40 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C40 "cccccccccccccccccccccccccccccccccccccccc"
#define WHO "A <a@b.example> "

static int commit(const char *text, struct history_commit *c)
{
	return history_parse_commit(text, strlen(text), OID_SHA1, c);
}

static void reads_commits(void **state)
{
	struct history_commit c;
	char hex[OID_HEX_MAX + 1];
	struct oid id;

	(void)state;
	assert_int_equal(commit("tree " A40 "\nparent " B40 "\nparent " C40
				"\nauthor " WHO "5 +0000\ncommitter " WHO
				"1700000000 +0100\n\ncommitter x> 7\n", &c), 0);
	assert_string_equal(oid_hex(&c.tree, OID_SHA1, hex), A40);
	assert_int_equal(c.nr_parents, 2);
	assert_int_equal(c.time, 1700000000);
	assert_int_equal(history_parse_parent(&c, 1, OID_SHA1, &id), 0);
	assert_string_equal(oid_hex(&id, OID_SHA1, hex), C40);
	assert_int_equal(commit("tree " A40 "\n\n", &c), 0);
	assert_int_equal(c.nr_parents, 0);
	assert_int_equal(c.time, 0);
}

static void reads_long_ids(void **state)
{
	const char *text = "tree " A40 "aaaaaaaaaaaaaaaaaaaaaaaa\nparent " B40
			   "bbbbbbbbbbbbbbbbbbbbbbbb\ncommitter x> 9 +0000\n";
	struct history_commit c;

	(void)state;
	assert_int_equal(history_parse_commit(text, strlen(text), OID_SHA256,
					      &c), 0);
	assert_int_equal(c.nr_parents, 1);
	assert_int_equal(c.time, 9);
	assert_int_equal(commit(text, &c), -1);
}

static void refuses_commits(void **state)
{
	static const char *const bad[] = {
		"", "tree", "tree " A40, "tree " A40 "x\n", " tree " A40 "\n",
		"Tree " A40 "\n", "tree zaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		"parent " A40 "\ntree " A40 "\n",
		/* a parent that cannot be read is not left out */
		"tree " A40 "\nparent " B40 "0\n",
		"tree " A40 "\nparent " B40 "\nparent short\n",
	};
	struct history_commit c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(commit(bad[i], &c), -1);
}

static void bounds_times(void **state)
{
	struct history_commit c;

	(void)state;
	assert_int_equal(commit("tree " A40 "\ncommitter " WHO
				"99999999999999999999999 +0000\n", &c), 0);
	assert_int_equal(c.time, 0);
	assert_int_equal(commit("tree " A40 "\ncommitter nobody\n", &c), 0);
	assert_int_equal(c.time, 0);
	assert_int_equal(commit("tree " A40 "\ncommitter a>", &c), 0);
	assert_int_equal(c.time, 0);
}

static void reads_tags(void **state)
{
	char hex[OID_HEX_MAX + 1];
	struct oid id;

	(void)state;
	assert_int_equal(history_parse_tag("object " B40 "\ntype", 52, OID_SHA1,
					   &id), 0);
	assert_string_equal(oid_hex(&id, OID_SHA1, hex), B40);
	assert_int_equal(history_parse_tag("object " B40, 47, OID_SHA1, &id),
			 -1);
	assert_int_equal(history_parse_tag("", 0, OID_SHA1, &id), -1);
}

static void add(struct buf *b, const char *mode, const char *name, char id)
{
	char raw[OID_SHA1];

	memset(raw, id, sizeof(raw));
	buf_addf(b, "%s %s", mode, name);
	buf_addc(b, '\0');
	buf_add(b, raw, sizeof(raw));
}

static int next(const char **at, const struct buf *b, struct history_entry *e)
{
	return history_parse_entry(at, b->data + b->len, OID_SHA1, e);
}

static void reads_entries(void **state)
{
	static const struct {
		const char *mode;
		enum odb_type type;
	} modes[] = {
		{ "100644", ODB_BLOB }, { "100755", ODB_BLOB },
		{ "120000", ODB_BLOB }, { "40000", ODB_TREE },
		{ "040000", ODB_TREE }, { "160000", ODB_COMMIT },
		/* as git takes them */
		{ "0", ODB_COMMIT }, { "100777", ODB_BLOB },
		{ "7", ODB_COMMIT }, { "644", ODB_COMMIT },
		{ "170000", ODB_COMMIT }, { "60000", ODB_COMMIT },
	};
	struct history_entry e;
	struct oid id;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		struct buf b = BUF_INIT;
		const char *at;

		add(&b, modes[i].mode, "a name", '\n');
		add(&b, modes[i].mode, "", ' ');
		at = b.data;
		assert_int_equal(next(&at, &b, &e), 1);
		assert_string_equal(e.name, "a name");
		assert_int_equal(e.name_len, 6);
		assert_int_equal(e.type, modes[i].type);
		history_entry_id(&e, OID_SHA1, &id);
		assert_int_equal(id.raw[19], '\n');
		assert_int_equal(id.raw[20], 0);
		assert_int_equal(next(&at, &b, &e), 1);
		assert_int_equal(e.name_len, 0);
		assert_int_equal(next(&at, &b, &e), 0);
		buf_clear(&b);
	}
}

/* Every cut is an error, but at an entry's end; none is read past. */
static void refuses_entries(void **state)
{
	static const char *const bad[] = { " a", "x a", "-1 a", "8 a",
					   "100644", "7777777777 a" };
	struct history_entry e;
	struct buf b = BUF_INIT;
	const char *at;

	(void)state;
	add(&b, "100644", "name", 'x');
	for (size_t len = 1; len < b.len; len++) {
		at = b.data;
		assert_int_equal(history_parse_entry(&at, b.data + len,
						     OID_SHA1, &e), -1);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_reset(&b);
		buf_add(&b, bad[i], strlen(bad[i]) + 1);
		buf_add(&b, A40, OID_SHA1);
		at = b.data;
		assert_int_equal(next(&at, &b, &e), -1);
	}
	buf_clear(&b);
}

/* git sorts a directory as if its name ended in '/'. */
static void orders_names(void **state)
{
	static const struct {
		const char *mode, *name;
	} sorted[] = {
		{ "100644", "" }, { "100644", "a" }, { "100644", "a.c" },
		{ "40000", "a" }, { "100644", "a/" }, { "100644", "a0" },
		{ "100644", "ab" }, { "40000", "ab" }, { "100644", "b" },
		{ "100644", "\303\244" },
	};
	const size_t nr = sizeof(sorted) / sizeof(*sorted);
	struct history_entry e[sizeof(sorted) / sizeof(*sorted)];
	struct buf b[sizeof(sorted) / sizeof(*sorted)] = { BUF_INIT };

	(void)state;
	for (size_t i = 0; i < nr; i++) {
		const char *at;

		add(&b[i], sorted[i].mode, sorted[i].name, 'x');
		at = b[i].data;
		assert_int_equal(next(&at, &b[i], &e[i]), 1);
	}
	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < nr; k++) {
			int order = history_entry_order(&e[i], &e[k]);

			assert_int_equal((order > 0) - (order < 0),
					 (i > k) - (i < k));
		}
	for (size_t i = 0; i < nr; i++)
		buf_clear(&b[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_commits),
		cmocka_unit_test(reads_long_ids),
		cmocka_unit_test(refuses_commits),
		cmocka_unit_test(bounds_times),
		cmocka_unit_test(reads_tags),
		cmocka_unit_test(reads_entries),
		cmocka_unit_test(refuses_entries),
		cmocka_unit_test(orders_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
