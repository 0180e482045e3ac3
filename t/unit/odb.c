/*
 * odb.c: packs and loose objects that git would not have made. Whatever they
 * claim, what is whole is read, the rest is said to be broken or too large.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libdeflate.h>

#include "buf.h"
#include "log.h"
#include "mem.h"
#include "odb.h"

#define BLOB 3
#define OFS 6
#define REF 7
#define OBJECTS_MAX 2000

/* --- packs, made by hand ------------------------------------------------------ */

static char root[] = "/tmp/unit-odb.XXXXXX";
static struct libdeflate_compressor *deflater;

/* Ids are numbers, in the first two bytes. */
struct made {
	struct buf pack;
	size_t offsets[OBJECTS_MAX];
	unsigned nr;
};

static struct oid id_of(unsigned n)
{
	struct oid id = { { (unsigned char)(n >> 8), (unsigned char)n } };

	return id;
}

static void add_deflated(struct buf *b, const void *data, size_t n)
{
	size_t most = libdeflate_zlib_compress_bound(deflater, n);
	char *room = buf_room(b, most);

	b->len += libdeflate_zlib_compress(deflater, data, n, room, most);
}

/* Kind, size; of a delta its base: a distance, or an id. */
static void add_head(struct made *m, unsigned kind, uint64_t size,
		     size_t base)
{
	struct oid id = id_of((unsigned)base);
	unsigned char c = (unsigned char)(kind << 4 | (size & 15));
	char bytes[10];
	int n = 0;

	if (!m->pack.len)
		buf_add(&m->pack, "PACK\0\0\0\2\0\0\0\0", 12);
	m->offsets[m->nr++] = m->pack.len;
	for (size >>= 4; size; size >>= 7) {
		buf_addc(&m->pack, (char)(c | 0x80));
		c = size & 0x7f;
	}
	buf_addc(&m->pack, (char)c);
	if (kind == REF)
		buf_add(&m->pack, id.raw, OID_SHA1);
	if (kind != OFS)
		return;
	bytes[n++] = (char)(base & 0x7f);
	while (base >>= 7)
		bytes[n++] = (char)(0x80 | (--base & 0x7f));
	while (n)
		buf_addc(&m->pack, bytes[--n]);
}

static void add(struct made *m, unsigned kind, size_t base, const void *data,
		size_t n)
{
	if (kind == OFS) /* of an object's number, here */
		base = m->pack.len - m->offsets[base];
	add_head(m, kind, n, base);
	add_deflated(&m->pack, data, n);
}

static void add32(struct buf *b, size_t n)
{
	const char bytes[4] = { (char)(n >> 24), (char)(n >> 16),
				(char)(n >> 8), (char)n };

	buf_add(b, bytes, 4);
}

static void write_file(const char *name, const struct buf *b)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	unlink(path);
	assert_int_equal(buf_write_new(b, path), 0);
}

/* The pack and its index, as the only one of the store. */
static struct odb *store(struct made *m)
{
	static const char trailer[OID_SHA1];
	struct buf idx = BUF_INIT;
	struct oid id;
	struct odb *o;
	unsigned i;

	m->pack.data[10] = (char)(m->nr >> 8);
	m->pack.data[11] = (char)m->nr;
	buf_add(&m->pack, trailer, sizeof(trailer));
	buf_add(&idx, "\377tOc\0\0\0\2", 8);
	for (i = 0; i < 256; i++)
		add32(&idx, i * 256 + 256 < m->nr ? i * 256 + 256 : m->nr);
	for (i = 0; i < m->nr; i++) {
		id = id_of(i);
		buf_add(&idx, id.raw, OID_SHA1);
	}
	for (i = 0; i < m->nr; i++)
		add32(&idx, 0);
	for (i = 0; i < m->nr; i++)
		add32(&idx, m->offsets[i]);
	buf_add(&idx, trailer, sizeof(trailer));
	buf_add(&idx, trailer, sizeof(trailer));
	write_file("pack/pack-1.pack", &m->pack);
	write_file("pack/pack-1.idx", &idx);
	buf_clear(&idx);
	buf_clear(&m->pack);
	o = odb_open(root, OID_SHA1, 0);
	assert_non_null(o);
	return o;
}

/* --- reading ------------------------------------------------------------------ */

static enum odb_status reads(const struct odb *o, unsigned n, size_t max,
			     const char *text)
{
	struct odb_reader *r = odb_reader_new(o, NULL, 1 << 20);
	struct oid id = id_of(n);
	struct odb_object object;
	enum odb_status status = odb_read(r, &id, max, &object);

	if (status == ODB_OK && text)
		assert_string_equal(object.data, text);
	if (status != ODB_OK)
		assert_true(*odb_why(r));
	odb_release(r, &object);
	odb_reader_free(r);
	return status;
}

struct seen {
	unsigned nr[6]; /* by status; 5: with copies */
	unsigned shown[OBJECTS_MAX];
	enum odb_status status[OBJECTS_MAX];
	size_t len[OBJECTS_MAX];
	unsigned stop_after;
};

static void *visit(void *arg, const struct odb_version *v)
{
	struct seen *s = arg;
	unsigned n = v->id.raw[0] * 256U + v->id.raw[1];

	s->nr[v->status]++;
	s->nr[5] += v->nr_copies > 0;
	assert_true(n < OBJECTS_MAX && s->shown[n]++ == 0);
	assert_true(v->status == ODB_OK || (v->why && !v->data));
	s->status[n] = v->status;
	s->len[n] = v->len;
	if (v->base)
		assert_true(v->nr_copies);
	return v->has_deltas ? s : NULL;
}

static int stop(void *arg)
{
	struct seen *s = arg;

	return s->stop_after && s->nr[ODB_OK] >= s->stop_after;
}

static int sweep(const struct odb *o, size_t memory, size_t max,
		 struct seen *s)
{
	void *args[1] = { s };
	struct odb_sweep how = {
		.types = 1 << ODB_BLOB,
		.threads = 1,
		.memory = memory,
		.max_object = max,
		.visit = visit,
		.args = args,
		.stop = stop,
	};

	return odb_sweep(o, &how);
}

/* --- properties ---------------------------------------------------------------- */

#define TEXT "the quick brown fox"
#define TEXT_LEN (sizeof(TEXT) - 1)
/* sizes, all of the base, and an insertion of two */
#define DELTA "\x13\x15\x90\x13\x02!!"
#define DELTA_LEN (sizeof(DELTA) - 1)

static void sizes_are_not_believed(void **state)
{
	struct made m = { .nr = 0 };
	struct seen s = { .nr = { 0 } };
	struct odb *o;

	(void)state;
	add(&m, BLOB, 0, TEXT, TEXT_LEN);
	add_head(&m, BLOB, (uint64_t)1 << 59, 0);
	add_deflated(&m.pack, TEXT, TEXT_LEN);
	add_head(&m, BLOB, UINT64_MAX, 0);
	add_deflated(&m.pack, TEXT, TEXT_LEN);
	add_head(&m, BLOB, TEXT_LEN + 1, 0);
	add_deflated(&m.pack, TEXT, TEXT_LEN);
	add_head(&m, BLOB, TEXT_LEN - 1, 0);
	add_deflated(&m.pack, TEXT, TEXT_LEN);
	/* deltas: a result of 2^59, a longer and a shorter one, a base of
	 * another size, and copies from beyond it */
	add(&m, OFS, 0, "\x13\x80\x80\x80\x80\x80\x80\x80\x80\x08\x90\x13", 12);
	add(&m, OFS, 0, "\x13\x16\x90\x13\x02!!", 7);
	add(&m, OFS, 0, "\x13\x14\x90\x13\x02!!", 7);
	add(&m, OFS, 0, "\x14\x15\x90\x13\x02!!", 7);
	add(&m, OFS, 0, "\x13\x13\x90\x14", 4);
	add(&m, OFS, 0, "\x13\x13\x91\x01\x13", 5);
	add(&m, OFS, 0, "\x13\x13\x9f\xff\xff\xff\xff\x13", 8);
	add(&m, OFS, 0, "\x13\x01\x00!", 4); /* reserved */
	add(&m, OFS, 0, "\x13\x05\x05!!", 5); /* an insertion that is cut */
	add(&m, OFS, 0, "\x13\x05\xff\x01", 4); /* a copy that is cut */
	add(&m, OFS, 0, "\x93", 1);
	add(&m, OFS, 0, "", 0);
	add(&m, OFS, 0, DELTA, DELTA_LEN);
	o = store(&m);
	assert_int_equal(sweep(o, 1 << 20, 0, &s), 0);
	assert_int_equal(s.nr[ODB_OK], 2);
	assert_int_equal(s.nr[ODB_BROKEN], m.nr - 2);
	assert_int_equal(reads(o, 0, 0, TEXT), ODB_OK);
	assert_int_equal(reads(o, m.nr - 1, 0, TEXT "!!"), ODB_OK);
	while (--m.nr > 1)
		assert_int_equal(reads(o, m.nr - 1, 0, NULL), ODB_BROKEN);
	odb_close(o);
}

static void limits_hold(void **state)
{
	struct made m = { .nr = 0 };
	struct seen s = { .nr = { 0 } };
	char *text = mem_zalloc(1 << 20);
	struct odb *o;

	(void)state;
	add(&m, BLOB, 0, text, 1 << 20);
	/* of it, 16 bytes; of those, all */
	add(&m, OFS, 0, "\x80\x80\x40\x10\x90\x10", 6);
	add(&m, OFS, 1, "\x10\x10\x90\x10", 4);
	add(&m, BLOB, 0, text, 1000);
	o = store(&m);
	assert_int_equal(reads(o, 0, 1 << 20, NULL), ODB_OK);
	assert_int_equal(reads(o, 0, (1 << 20) - 1, NULL), ODB_TOO_LARGE);
	assert_int_equal(reads(o, 2, 1 << 20, NULL), ODB_OK);
	assert_int_equal(reads(o, 2, 1000, NULL), ODB_TOO_LARGE);
	assert_int_equal(sweep(o, 1 << 24, 1000, &s), 0);
	assert_int_equal(s.nr[ODB_TOO_LARGE], 3);
	assert_int_equal(s.status[3], ODB_OK);
	/* up to twice as much is still a base, but what it has is fresh */
	memset(&s, 0, sizeof(s));
	assert_int_equal(sweep(o, 1 << 24, 1 << 19, &s), 0);
	assert_int_equal(s.status[0], ODB_TOO_LARGE);
	assert_int_equal(s.nr[ODB_OK], 3);
	assert_int_equal(s.nr[5], 1);
	odb_close(o);
	free(text);
}

static void circles_end(void **state)
{
	struct made m = { .nr = 0 };
	struct seen s = { .nr = { 0 } };
	struct odb *o;
	unsigned i;

	(void)state;
	add(&m, REF, 0, DELTA, DELTA_LEN); /* of itself */
	add(&m, REF, 2, DELTA, DELTA_LEN);
	add(&m, REF, 3, DELTA, DELTA_LEN);
	add(&m, REF, 1, DELTA, DELTA_LEN);
	add(&m, REF, 3, DELTA, DELTA_LEN); /* a tail of that circle */
	add(&m, OFS, 4, DELTA, DELTA_LEN);
	add(&m, REF, 7, DELTA, DELTA_LEN); /* of what comes later: right */
	add(&m, BLOB, 0, TEXT, TEXT_LEN);
	o = store(&m);
	assert_int_equal(sweep(o, 1 << 20, 0, &s), 0);
	assert_int_equal(s.nr[ODB_OK], 2);
	assert_int_equal(s.nr[ODB_BROKEN], 6);
	for (i = 0; i < 6; i++)
		assert_int_equal(reads(o, i, 0, NULL), ODB_BROKEN);
	assert_int_equal(reads(o, 6, 0, TEXT "!!"), ODB_OK);
	odb_close(o);
}

/* What no entry can be: kinds, distances, offsets. */
static void entries_are_checked(void **state)
{
	struct made m = { .nr = 0 };
	struct seen s = { .nr = { 0 } };
	struct odb *o;
	unsigned i;

	(void)state;
	add(&m, BLOB, 0, TEXT, TEXT_LEN);
	for (i = 0; i < 2; i++) {
		add_head(&m, i ? 5 : 0, TEXT_LEN, 0);
		add_deflated(&m.pack, TEXT, TEXT_LEN);
	}
	/* bases before the first entry, at the entry, between two */
	add_head(&m, OFS, DELTA_LEN, m.pack.len - 11);
	add_deflated(&m.pack, DELTA, DELTA_LEN);
	add_head(&m, OFS, DELTA_LEN, 0);
	add_deflated(&m.pack, DELTA, DELTA_LEN);
	add_head(&m, OFS, DELTA_LEN, m.pack.len - m.offsets[0] - 1);
	add_deflated(&m.pack, DELTA, DELTA_LEN);
	add_head(&m, OFS, DELTA_LEN, SIZE_MAX / 2);
	add_deflated(&m.pack, DELTA, DELTA_LEN);
	add(&m, BLOB, 0, TEXT, TEXT_LEN);
	m.offsets[m.nr++] = m.pack.len + 5; /* in the checksum */
	m.offsets[m.nr++] = m.pack.len + 500;
	m.offsets[m.nr++] = 3;
	m.offsets[m.nr++] = 0x80000000; /* the first of none */
	m.offsets[m.nr++] = m.offsets[0] + 2; /* in the midst of another */
	m.offsets[m.nr++] = m.offsets[0];     /* the same: two names */
	o = store(&m);
	assert_int_equal(sweep(o, 1 << 20, 0, &s), 0);
	assert_int_equal(s.nr[ODB_OK], 3);
	assert_int_equal(s.nr[ODB_BROKEN], m.nr - 3);
	assert_int_equal(s.status[m.nr - 1], ODB_OK);
	for (i = 1; i < m.nr - 1; i++)
		assert_int_equal(reads(o, i, 0, NULL),
				 i == 7 ? ODB_OK : ODB_BROKEN);
	odb_close(o);
}

/* A loose object of this title and text. */
static void put_loose(unsigned n, const char *title, size_t title_len,
		      const void *text, size_t len)
{
	struct buf plain = BUF_INIT, file = BUF_INIT;
	struct oid id = id_of(n);
	char hex[OID_HEX_MAX + 1], path[128];

	buf_add(&plain, title, title_len);
	buf_add(&plain, text, len);
	add_deflated(&file, plain.data, plain.len);
	oid_hex(&id, OID_SHA1, hex);
	snprintf(path, sizeof(path), "%s/%.2s", root, hex);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%.2s/%s", hex, hex + 2);
	write_file(path, &file);
	buf_clear(&plain);
	buf_clear(&file);
}

static void remove_loose(void)
{
	char path[128];
	struct oid id;
	char hex[OID_HEX_MAX + 1];
	unsigned i;

	for (i = 0; i < OBJECTS_MAX; i++) {
		id = id_of(i);
		oid_hex(&id, OID_SHA1, hex);
		snprintf(path, sizeof(path), "%s/%.2s/%s", root, hex, hex + 2);
		unlink(path);
		snprintf(path, sizeof(path), "%s/%.2s", root, hex);
		rmdir(path);
	}
}

static void bases_elsewhere(void **state)
{
	struct made m = { .nr = 0 };
	struct seen s = { .nr = { 0 } };
	struct odb *o;

	(void)state;
	add(&m, REF, 1000, DELTA, DELTA_LEN); /* which is loose */
	add(&m, OFS, 0, "\x15\x15\x90\x15", 4);
	add(&m, REF, 1001, DELTA, DELTA_LEN); /* which is nowhere */
	add(&m, REF, 1002, DELTA, DELTA_LEN); /* which is a tree */
	put_loose(1000, "blob 19", 8, TEXT, TEXT_LEN);
	put_loose(1002, "tree 19", 8, TEXT, TEXT_LEN);
	o = store(&m);
	assert_int_equal(sweep(o, 1 << 20, 0, &s), 0);
	assert_int_equal(s.nr[ODB_OK], 3);
	assert_int_equal(s.nr[ODB_BROKEN], 1);
	assert_int_equal(s.nr[5], 1); /* the first is all fresh */
	assert_int_equal(s.shown[3], 0);
	assert_int_equal(s.shown[1002], 0);
	assert_int_equal(reads(o, 1, 0, TEXT "!!"), ODB_OK);
	assert_int_equal(reads(o, 2, 0, NULL), ODB_BROKEN);
	assert_int_equal(reads(o, 1001, 0, NULL), ODB_MISSING);
	odb_close(o);
	remove_loose();
}

static void loose_titles(void **state)
{
	static const struct {
		const char *title;
		size_t len;
	} bad[] = {
		{ "blob 20", 8 },    { "blob 18", 8 },
		{ "blob 019", 9 },   { "blob ", 6 },
		{ "blob 19", 7 },    { "blob -19", 9 },
		{ "blab 19", 8 },    { " blob 19", 9 },
		{ "blob 19 ", 9 },   { "", 0 },
		{ "commit", 6 },     { "blob 18446744073709551635", 26 },
		{ "blob 1152921504606846976", 25 },
		{ "blob 0000000000000000000000000000000000000019", 46 },
	};
	struct made m = { .nr = 0 };
	char *text = mem_zalloc(10 << 20);
	struct odb *o;
	unsigned i;

	(void)state;
	add(&m, BLOB, 0, "", 0);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		put_loose(1000 + i, bad[i].title, bad[i].len, TEXT, TEXT_LEN);
	put_loose(1100, "blob 19", 8, TEXT, TEXT_LEN);
	put_loose(1101, "blob 5", 7, text, 10 << 20); /* goes on for long */
	put_loose(1102, "blob 10485760", 14, text, 10 << 20);
	put_loose(1103, "blob 10485761", 14, text, 10 << 20);
	put_loose(1104, "blob 0", 7, "", 0);
	o = store(&m);
	assert_int_equal(reads(o, 0, 0, ""), ODB_OK);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(reads(o, 1000 + i, 0, NULL), ODB_BROKEN);
	assert_int_equal(reads(o, 1100, 0, TEXT), ODB_OK);
	assert_int_equal(reads(o, 1101, 0, NULL), ODB_BROKEN);
	assert_int_equal(reads(o, 1102, 0, NULL), ODB_OK);
	assert_int_equal(reads(o, 1102, 1 << 20, NULL), ODB_TOO_LARGE);
	assert_int_equal(reads(o, 1103, 0, NULL), ODB_BROKEN);
	assert_int_equal(reads(o, 1104, 0, ""), ODB_OK);
	odb_close(o);
	remove_loose();
	free(text);
}

/* What is read stays, whatever else is read, with a cache too small for it. */
static void what_is_held_stays(void **state)
{
	struct made m = { .nr = 0 };
	struct odb_object held[100], again;
	struct odb_reader *r;
	struct odb *o;
	struct oid id;
	unsigned i;

	(void)state;
	add(&m, BLOB, 0, "0", 1);
	for (i = 1; i < 100; i++) {
		/* all of the base and one more */
		const char delta[] = { (char)i, (char)(i + 1), '\x90', (char)i,
				       1, (char)('0' + i % 10) };

		add(&m, OFS, i - 1, delta, sizeof(delta));
	}
	o = store(&m);
	r = odb_reader_new(o, NULL, 300);
	for (i = 0; i < 100; i++) {
		id = id_of(i);
		assert_int_equal(odb_read(r, &id, 0, &held[i]), ODB_OK);
	}
	for (i = 100; i-- > 0;) {
		id = id_of(99 - i);
		assert_int_equal(odb_read(r, &id, 0, &again), ODB_OK);
		odb_release(r, &again);
		assert_int_equal(held[i].len, i + 1);
		assert_int_equal(held[i].data[i], '0' + i % 10);
		assert_int_equal(held[i].data[i + 1], 0);
		odb_release(r, &held[i]);
		odb_release(r, &held[i]); /* does nothing */
	}
	odb_reader_free(r);
	odb_close(o);
}

/*
 * A tree of deltas of 1 MB each, nine deep, twice as wide at each step: made
 * with memory for fewer than nine.
 */
static void memory_is_bounded(void **state)
{
	struct made m = { .nr = 0 };
	struct seen s = { .nr = { 0 } };
	struct rusage before, after;
	char *text = mem_zalloc(1 << 20);
	struct odb *o;
	unsigned i;

	(void)state;
	add(&m, BLOB, 0, text, 1 << 20);
	for (i = 1; i < 500; i++)
		add(&m, OFS, (i - 1) / 2,
		    "\x80\x80\x40\x80\x80\x40\xf0\xff\xff\x0f\x01!", 12);
	o = store(&m);
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(sweep(o, 1 << 18, 0, &s), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(s.nr[ODB_OK], 500);
	assert_int_equal(s.nr[5], 499);
#ifndef __SANITIZE_ADDRESS__
	assert_true(after.ru_maxrss - before.ru_maxrss < 6 << 10);
#endif
	memset(&s, 0, sizeof(s));
	s.stop_after = 250;
	assert_int_equal(sweep(o, 1 << 18, 0, &s), 1);
	assert_in_range(s.nr[ODB_OK], 250, 499);
	odb_close(o);
	free(text);
}

/* A chain that is longer than git makes any; sweep has no limit of it. */
static void long_chains(void **state)
{
	struct made m = { .nr = 0 };
	struct seen s = { .nr = { 0 } };
	struct odb *o;
	unsigned i;

	(void)state;
	add(&m, BLOB, 0, "\n", 1);
	for (i = 1; i < OBJECTS_MAX; i++)
		add(&m, OFS, i - 1, "\x01\x01\x90\x01", 4);
	o = store(&m);
	assert_int_equal(sweep(o, 100, 0, &s), 0);
	assert_int_equal(s.nr[ODB_OK], OBJECTS_MAX);
	assert_int_equal(reads(o, OBJECTS_MAX - 1, 0, "\n"), ODB_OK);
	odb_close(o);
}

static int begin(void **state)
{
	char path[128];

	(void)state;
	log_set_level(LOG_ERR);
	deflater = libdeflate_alloc_compressor(6);
	if (!deflater || !mkdtemp(root))
		return -1;
	snprintf(path, sizeof(path), "%s/pack", root);
	return mkdir(path, 0700);
}

static int end(void **state)
{
	char path[128];

	(void)state;
	libdeflate_free_compressor(deflater);
	snprintf(path, sizeof(path), "%s/pack/pack-1.pack", root);
	unlink(path);
	snprintf(path, sizeof(path), "%s/pack/pack-1.idx", root);
	unlink(path);
	snprintf(path, sizeof(path), "%s/pack", root);
	rmdir(path);
	return rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(sizes_are_not_believed),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(circles_end),
		cmocka_unit_test(entries_are_checked),
		cmocka_unit_test(bases_elsewhere),
		cmocka_unit_test(loose_titles),
		cmocka_unit_test(what_is_held_stays),
		cmocka_unit_test(long_chains),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
