/*
 * Packs: records of the input become entries, most of them valid, some that
 * lie. Each object is shown once by a sweep, whatever is wrong with others,
 * with little memory too; what is read has the text that was put in, and what
 * is broken is not read. Then with bytes of the pack changed: nothing is
 * asserted of texts, but that they are the same read one by one.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <libdeflate.h>

#include "log.h"
#include "odb-internal.h"
#include "odb-spans.h"

#define RECORDS 64
#define TEXT_MAX 20000
#define PACK_MAX ((size_t)1 << 20)
#define NONE 255

struct record {
	unsigned kind;
	unsigned base; /* its number, or NONE */
	unsigned char payload[768]; /* a text, or instructions */
	size_t len;
	int lies;      /* nobody can say what comes of it */
	int is_open;   /* made from what is still to come */
	size_t offset;
	char *text;    /* what it is, or NULL */
	size_t text_len;
	int state;     /* 0: not looked at, 1: being made, 2: done */
	unsigned shown;
	enum odb_status status;
};

struct input {
	const uint8_t *at, *end;
};

static struct record records[RECORDS];
static unsigned nr_records;
static unsigned char pack_bytes[PACK_MAX], idx_bytes[16384];
static size_t pack_len, idx_len;
static size_t max_object;
static int is_changed; /* the pack is no longer what the records say */

static unsigned take(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static void put_size(struct record *r, size_t n)
{
	do {
		r->payload[r->len++] =
			(unsigned char)((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
		n >>= 7;
	} while (n);
}

/* Instructions that fit the base, as long as that has been made. */
static void fill_delta(struct record *r, struct input *in, size_t n)
{
	const struct record *base =
		r->base < nr_records ? &records[r->base] : NULL;
	size_t base_len = base && base->text ? base->text_len : 7;
	unsigned char ops[512];
	size_t nr = 0, len = 0, i, from, m;

	for (i = 0; i < n && nr < 480; i++) {
		unsigned op = take(in);

		if (op & 1 && base_len) {
			from = take(in) * base_len / 256;
			m = 1 + take(in) * (base_len - from - 1) / 255;
			if (len + m > TEXT_MAX)
				break;
			ops[nr++] = 0xb3;
			ops[nr++] = (unsigned char)from;
			ops[nr++] = (unsigned char)(from >> 8);
			ops[nr++] = (unsigned char)m;
			ops[nr++] = (unsigned char)(m >> 8);
			len += m;
		} else {
			m = 1 + (op >> 1) % 8;
			ops[nr++] = (unsigned char)m;
			for (; m; m--, len++)
				ops[nr++] = (unsigned char)take(in);
		}
	}
	put_size(r, base_len);
	put_size(r, len);
	memcpy(r->payload + r->len, ops, nr);
	r->len += nr;
}

/* The text of a record, and of its bases. */
static void make_text(struct record *r)
{
	struct record *base = r->base == NONE ? NULL : &records[r->base];
	struct odb_delta d;

	if (r->state)
		return;
	r->state = 1;
	r->text = NULL;
	if (r->kind >= ODB_OFS_DELTA && base) {
		make_text(base);
		if (base->state == 2 && base->text && !r->lies &&
		    !odb_delta_head(&d, r->payload, r->len) &&
		    d.base_len == base->text_len && d.len <= 4 * TEXT_MAX) {
			r->text = malloc(d.len + ODB_SLACK);
			assert(r->text);
			r->text_len = d.len;
			if (odb_delta_apply(&d, base->text, r->text, NULL)) {
				free(r->text);
				r->text = NULL;
			}
		}
	} else if (r->kind && r->kind < 5 && !r->lies) {
		r->text = calloc(1, r->len + ODB_SLACK);
		assert(r->text);
		r->text_len = r->len;
		memcpy(r->text, r->payload, r->len);
	}
	r->state = 2;
}

static void read_record(struct input *in)
{
	static const unsigned char kinds[16] = { 3, 3, 3, 1, 2, 4, 6, 6,
						 6, 6, 6, 7, 7, 7, 0, 5 };
	struct record *r = &records[nr_records];
	unsigned how = take(in), n;

	memset(r, 0, sizeof(*r));
	r->kind = kinds[how & 15];
	r->base = NONE;
	r->lies = (how & 0xc0) == 0xc0;
	if (r->kind == ODB_OFS_DELTA && nr_records)
		r->base = take(in) % nr_records;
	if (r->kind == ODB_REF_DELTA)
		r->base = take(in) % (nr_records + 4); /* some to come */
	n = take(in);
	if (r->kind >= ODB_OFS_DELTA && !(how & 0x20)) {
		fill_delta(r, in, n % 32);
	} else {
		for (; r->len < n; r->len++)
			r->payload[r->len] = (unsigned char)take(in);
	}
	r->is_open = r->base != NONE &&
		     (r->base >= nr_records || records[r->base].is_open);
	nr_records++;
	if (!r->is_open)
		make_text(r);
}

static void put_head(struct record *r, size_t size)
{
	size_t distance = r->base == NONE ? 1 :
					    r->offset - records[r->base].offset;
	unsigned char c = (unsigned char)(r->kind << 4 | (size & 15));
	unsigned char bytes[10];
	int n = 0;

	for (size >>= 4; size; size >>= 7) {
		pack_bytes[pack_len++] = c | 0x80;
		c = size & 0x7f;
	}
	pack_bytes[pack_len++] = c;
	if (r->kind == ODB_OFS_DELTA) {
		bytes[n++] = distance & 0x7f;
		while (distance >>= 7)
			bytes[n++] = 0x80 | (--distance & 0x7f);
		while (n)
			pack_bytes[pack_len++] = bytes[--n];
	} else if (r->kind == ODB_REF_DELTA) {
		memset(pack_bytes + pack_len, 0, OID_SHA1);
		pack_bytes[pack_len] = (unsigned char)r->base;
		pack_len += OID_SHA1;
	}
}

static void put_record(struct libdeflate_compressor *c, struct record *r,
		       unsigned lie)
{
	size_t size = r->len, n;

	r->offset = pack_len;
	if (r->lies && lie & 1)
		size = lie & 2 ? size + lie : (size_t)lie << (lie & 63) % 50;
	put_head(r, size);
	n = libdeflate_zlib_compress(c, r->payload, r->len,
				     pack_bytes + pack_len,
				     PACK_MAX / RECORDS);
	assert(n);
	if (r->lies)
		pack_bytes[pack_len + lie % n] ^= 1 + lie / 2;
	pack_len += n;
}

static void put32(unsigned char *p, size_t n)
{
	p[0] = (unsigned char)(n >> 24);
	p[1] = (unsigned char)(n >> 16);
	p[2] = (unsigned char)(n >> 8);
	p[3] = (unsigned char)n;
}

/* The id of a record is its number and zeroes. */
static void put_files(struct input *in)
{
	static struct libdeflate_compressor *c;
	unsigned char *p = idx_bytes;
	unsigned i;

	if (!c)
		c = libdeflate_alloc_compressor(1);
	memcpy(pack_bytes, "PACK\0\0\0\2\0\0\0", 11);
	pack_bytes[11] = (unsigned char)nr_records;
	pack_len = 12;
	for (i = 0; i < nr_records; i++)
		put_record(c, &records[i], records[i].lies ? take(in) : 0);
	memset(pack_bytes + pack_len, 0, OID_SHA1);
	pack_len += OID_SHA1;
	memset(idx_bytes, 0, sizeof(idx_bytes));
	memcpy(p, "\377tOc\0\0\0\2", 8);
	for (i = 0, p += 8; i < 256; i++, p += 4)
		put32(p, i < nr_records ? i + 1 : nr_records);
	for (i = 0; i < nr_records; i++, p += OID_SHA1)
		*p = (unsigned char)i;
	for (i = 0, p += 4 * nr_records; i < nr_records; i++, p += 4)
		put32(p, records[i].offset);
	idx_len = (size_t)(p - idx_bytes) + 2 * OID_SHA1;
}

/* Does it, or what it is made from, lie? A lie can be as good as the truth. */
static int is_unsure(const struct record *r)
{
	unsigned i;

	for (i = 0; i < RECORDS && !r->lies; i++) {
		if (r->base == NONE || r->base >= nr_records)
			return 0;
		r = &records[r->base];
	}
	return 1;
}

/* --- reading ------------------------------------------------------------------- */

struct kept {
	size_t len;
	char data[];
};

static long kept_now;

static void *visit(void *arg, const struct odb_version *v)
{
	struct record *r = &records[v->id.raw[0]];
	const struct kept *base = v->base;
	struct kept *kept = NULL;

	(void)arg;
	assert(v->id.raw[0] < nr_records && !r->shown++);
	r->status = v->status;
	assert(v->status != ODB_MISSING && (v->status == ODB_OK || v->why));
	if (v->status != ODB_OK)
		return NULL;
	assert(v->type >= ODB_COMMIT && v->type <= ODB_TAG && !v->data[v->len]);
	assert(!max_object || v->len <= max_object);
	check_spans(v, base ? base->data : NULL, base ? base->len : 0);
	if (is_changed) {
		free(r->text);
		r->text = malloc(v->len + 1);
		assert(r->text);
		memcpy(r->text, v->data, v->len);
		r->text_len = v->len;
	} else if (!is_unsure(r)) {
		assert(r->text && r->text_len == v->len &&
		       !memcmp(r->text, v->data, v->len));
	}
	if (v->has_deltas) {
		kept = malloc(sizeof(*kept) + v->len);
		assert(kept);
		kept->len = v->len;
		memcpy(kept->data, v->data, v->len);
		kept_now++;
	}
	return kept;
}

static void forget(void *kept)
{
	kept_now--;
	free(kept);
}

static void sweep(struct odb *o, size_t memory)
{
	void *args[1] = { NULL };
	struct odb_sweep s = {
		.types = 30,
		.threads = 1,
		.memory = memory,
		.max_object = max_object,
		.visit = visit,
		.forget = forget,
		.args = args,
	};
	unsigned i;

	for (i = 0; i < nr_records; i++)
		records[i].shown = 0;
	assert(!odb_sweep(o, &s));
	assert(!kept_now);
	for (i = 0; i < nr_records; i++) {
		assert(records[i].shown == 1);
		if (!is_changed && !max_object && !is_unsure(&records[i]))
			assert((records[i].status == ODB_OK) ==
			       !!records[i].text);
	}
}

static void read_each(struct odb *o, size_t cache)
{
	struct odb_reader *r = odb_reader_new(o, NULL, cache);
	struct odb_object object;
	enum odb_status status;
	enum odb_type type;
	struct oid id = { { 0 } };
	size_t len;
	unsigned i;

	for (i = nr_records; i-- > 0;) {
		id.raw[0] = (unsigned char)i;
		status = odb_read(r, &id, 8 * TEXT_MAX, &object);
		assert(odb_has(o, &id));
		if (!is_changed && !is_unsure(&records[i]))
			assert((status == ODB_OK) == !!records[i].text);
		if (records[i].status == ODB_OK)
			assert(status == ODB_OK);
		if (status == ODB_OK && records[i].status == ODB_OK &&
		    records[i].text)
			assert(object.len == records[i].text_len &&
			       !memcmp(object.data, records[i].text,
				       object.len));
		if (status == ODB_OK)
			assert(odb_header(r, &id, &type, &len) == ODB_OK &&
			       type == object.type && len == object.len);
		else
			odb_header(r, &id, &type, &len);
		odb_release(r, &object);
	}
	odb_reader_free(r);
}

static void look(size_t memory)
{
	static struct odb_dir dir = { .fd = -1 };
	struct odb_pack pack = { .id = 1 };
	struct odb_packs *packs = calloc(1, sizeof(*packs) + sizeof(void *));
	struct odb o = { .raw_len = OID_SHA1, .dirs = &dir, .nr_dirs = 1 };
	char path[] = "/tmp/fuzz-odb-pack.XXXXXX";

	if (dir.fd < 0) {
		log_set_level(LOG_ERR);
		assert(mkdtemp(path));
		dir.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert(dir.fd >= 0 && !rmdir(path));
		dir.path = strdup("objects");
	}
	assert(packs);
	packs->nr = packs->nr_own = 1;
	packs->list[0] = &pack;
	atomic_store(&o.packs, packs);
	pthread_mutex_init(&o.lock, NULL);
	pack.dir = &dir;
	/* exactly as long, so that the sanitizer sees who reads on */
	pack.map.data = memcpy(malloc(pack_len), pack_bytes, pack_len);
	pack.map.len = pack_len;
	pack.idx_map.data = memcpy(malloc(idx_len), idx_bytes, idx_len);
	pack.idx_map.len = idx_len;
	if (!odb_pack_check(&pack, OID_SHA1)) {
		sweep(&o, memory);
		if (!max_object)
			read_each(&o, memory);
	}
	free((void *)(uintptr_t)pack.map.data);
	free((void *)(uintptr_t)pack.idx_map.data);
	free(packs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t memories[] = { 1 << 20, 60000, 4000, 0 };
	static const size_t sizes[] = { 0, 0, 100, 3000 };
	struct input in = { data, data + size };
	unsigned how = take(&in), changes = how >> 4 & 3, i;

	nr_records = 0;
	max_object = sizes[how >> 2 & 3];
	while (in.at < in.end && nr_records < RECORDS - 4)
		read_record(&in);
	for (i = 0; i < nr_records; i++)
		if (records[i].base != NONE && records[i].base >= nr_records)
			records[i].base = i; /* not there: a loop is as good */
	for (i = 0; i < nr_records; i++)
		make_text(&records[i]);
	is_changed = 0;
	put_files(&in);
	look(memories[how & 3]);
	if (changes && size > 16) {
		is_changed = 1;
		for (i = 0; i < changes; i++)
			pack_bytes[12 + data[size - 1 - i] * pack_len / 300 %
					   (pack_len - 32 + !nr_records)] ^=
				data[size - 5 - i];
		look(memories[how & 3]);
	}
	for (i = 0; i < nr_records; i++)
		free(records[i].text);
	return 0;
}
