/*
 * One pass through one archive or compressed file with libarchive, which gets
 * bytes in memory and the one format that they are said to be, and no filter
 * that would run a program. Limits are looked at while it reads.
 */
#include <string.h>

#include "clock.h"
#include "unpack-internal.h"
#include "unpack-library.h"

/* A ratio is no sign of malice before so much was unpacked. */
#define RATIO_FROM ((uint64_t)4 << 20)
#define NAME_MAX_BYTES 1024

static int filter_for(struct archive *a, enum unpack_kind kind)
{
	const struct unpack_library *lib = unpack_library();

	switch (kind) {
	case UNPACK_GZIP:
		return lib->read_support_filter_gzip(a);
	case UNPACK_BZIP2:
		return lib->read_support_filter_bzip2(a);
	case UNPACK_XZ:
		return lib->read_support_filter_xz(a);
	case UNPACK_ZSTD:
		return lib->read_support_filter_zstd(a);
	case UNPACK_LZ4:
		return lib->read_support_filter_lz4(a);
	case UNPACK_LZMA:
		return lib->read_support_filter_lzma(a);
	case UNPACK_ZIP:
	case UNPACK_SEVEN:
	case UNPACK_TAR:
	case UNPACK_AR:
	case UNPACK_PLAIN:
		break;
	}
	return ARCHIVE_OK;
}

static int format_for(struct archive *a, const struct unpack_pass *pass)
{
	const struct unpack_library *lib = unpack_library();

	switch (pass->kind) {
	case UNPACK_ZIP:
		return pass->local
			       ? lib->read_support_format_zip_streamable(a)
			       : lib->read_support_format_zip_seekable(a);
	case UNPACK_SEVEN:
		return lib->read_support_format_7zip(a);
	case UNPACK_TAR:
		return lib->read_support_format_tar(a);
	case UNPACK_AR:
		return lib->read_support_format_ar(a);
	case UNPACK_GZIP:
	case UNPACK_BZIP2:
	case UNPACK_XZ:
	case UNPACK_ZSTD:
	case UNPACK_LZ4:
	case UNPACK_LZMA:
	case UNPACK_PLAIN:
		break;
	}
	/* what is compressed may be empty */
	lib->read_support_format_empty(a);
	return lib->read_support_format_raw(a);
}

/*
 * NULL when it is not what it is said to be, or when only a program could
 * read it: libarchive warns of that.
 */
static struct archive *open_source(const struct unpack_source *s,
				   struct unpack_pass *pass)
{
	const struct unpack_library *lib = unpack_library();
	struct archive *a = lib->read_new();
	int said;

	if (!a)
		return NULL;
	if (filter_for(a, pass->kind) == ARCHIVE_OK &&
	    format_for(a, pass) == ARCHIVE_OK) {
		said = lib->read_open_memory(a, s->data, s->len);
		/* raw takes anything, and its first bytes are unpacked now */
		pass->packed =
			pass->kind >= UNPACK_GZIP &&
			(said != ARCHIVE_OK || lib->filter_count(a) > 1);
		if (said == ARCHIVE_OK &&
		    (pass->packed || pass->kind < UNPACK_GZIP))
			return a;
	}
	lib->read_free(a);
	return NULL;
}

int unpack_may(struct unpack *u, uint64_t n)
{
	const struct unpack_limits *l = u->limits;

	if (n > l->bytes || u->bytes > l->bytes - n)
		unpack_over(u, "unpacked it would be larger than the limit");
	else if (u->bytes + n > RATIO_FROM && l->ratio &&
		 (u->bytes + n) / l->ratio > u->packed)
		unpack_over(u, "it unpacks to too many times its size");
	else if (l->deadline && clock_ms() > l->deadline)
		unpack_over(u, "there was no time to unpack it");
	return !u->over;
}

/* What tars have besides their entries' bytes: names, links, comments. */
struct headers {
	struct buf bytes;
	const char *at; /* up to where it was looked at; NULL: not wanted */
};

static void skip_headers(struct headers *h, const struct unpack_source *s,
			 const char *block, size_t n)
{
	const char *end = s->data + s->len;

	if (!h->at || block < h->at || block > end)
		return;
	buf_add(&h->bytes, h->at, (size_t)(block - h->at));
	h->at = block + n;
}

/*
 * The bytes of the entry that is next. Holes are left out, but for one NUL.
 * Returns what libarchive said last: ARCHIVE_EOF when that was all.
 */
static int read_entry(struct unpack *u, const struct unpack_source *s,
		      struct archive *a, struct headers *h, struct buf *out)
{
	const struct unpack_library *lib = unpack_library();
	la_int64_t expect = 0;

	for (;;) {
		const void *block;
		la_int64_t at;
		size_t n;
		int said = lib->read_data_block(a, &block, &n, &at);

		if (said != ARCHIVE_OK && said != ARCHIVE_WARN)
			return said;
		if (!unpack_may(u, (uint64_t)n + 1))
			return ARCHIVE_FATAL;
		if (at != expect)
			buf_addc(out, '\0');
		if (n) {
			skip_headers(h, s, block, n);
			buf_add(out, block, n);
		}
		expect = at + (la_int64_t)n;
		u->bytes += n;
	}
}

/* An entry's name, cut where it is too long. */
static void name_of(struct archive_entry *e, size_t nr, struct buf *out)
{
	const struct unpack_library *lib = unpack_library();
	const char *name = lib->entry_pathname_utf8(e);

	if (!name)
		name = lib->entry_pathname(e);
	buf_reset(out);
	if (name && *name)
		buf_add(out, name, strnlen(name, NAME_MAX_BYTES));
	else
		buf_addf(out, "entry-%zu", nr);
}

/* Names of a 7z stand packed in it, where nobody else sees them. */
static void add_listing(struct archive_entry *e, const char *name,
			struct buf *out)
{
	const struct unpack_library *lib = unpack_library();
	const char *link = lib->entry_symlink_utf8(e);

	buf_adds(out, name);
	if (link)
		buf_addf(out, " %.*s", NAME_MAX_BYTES, link);
	buf_addc(out, '\n');
}

static void note_encrypted(struct unpack *u)
{
	u->encrypted = 1;
	unpack_unsure(u, "something in it is encrypted");
}

struct reading {
	struct archive *a;
	struct headers headers;
	struct buf name, data, listing;
};

/* Under the same name: then it need not be given again. */
static int was_seen(struct unpack_pass *pass, const struct reading *r)
{
	struct unpack_hash h = { 0 };
	int was;

	if (!pass->seen)
		return 0;
	unpack_seen_hash(pass->seen, r->name.data, r->name.len, &h);
	unpack_seen_hash(pass->seen, r->data.data, r->data.len, &h);
	was = unpack_seen_has(pass->seen, h);
	if (!was)
		unpack_seen_put(pass->seen, h);
	return was;
}

/* One entry. Returns 0, or -1: it is broken, and there is no more. */
static int take_entry(struct unpack *u, const struct unpack_source *s,
		      struct unpack_pass *pass, struct reading *r,
		      struct archive_entry *e)
{
	const struct unpack_library *lib = unpack_library();
	int said;

	pass->given++;
	if (u->entries++ >= u->limits->entries) {
		unpack_over(u, "it has more entries than the limit");
		return 0;
	}
	name_of(e, pass->given, &r->name);
	if (pass->kind == UNPACK_SEVEN)
		add_listing(e, r->name.data, &r->listing);
	unpack_list_parts(&r->listing, r->name.data, r->name.len);
	if (lib->entry_is_encrypted(e)) {
		note_encrypted(u);
		return 0;
	}
	buf_reset(&r->data);
	buf_room(&r->data, 0); /* never NULL */
	said = read_entry(u, s, r->a, &r->headers, &r->data);
	if (r->data.len && !unpack_ended(u) && !was_seen(pass, r))
		unpack_give(u, s, r->name.data, r->data.data, r->data.len,
			    pass->kind >= UNPACK_GZIP);
	if (said == ARCHIVE_EOF || u->over)
		return 0;
	/* a directory of them may go on after one that cannot be read */
	unpack_unsure(u, unpack_partly);
	return said == ARCHIVE_FATAL ? -1 : 0;
}

static enum unpack_end read_all(struct unpack *u, const struct unpack_source *s,
				struct unpack_pass *pass, struct reading *r)
{
	const struct unpack_library *lib = unpack_library();

	while (!unpack_ended(u)) {
		struct archive_entry *e;
		int said = lib->read_next_header(r->a, &e);

		if (said == ARCHIVE_EOF)
			return UNPACK_END_WHOLE;
		if (said != ARCHIVE_OK && said != ARCHIVE_WARN)
			break;
		if (take_entry(u, s, pass, r, e))
			break;
	}
	return UNPACK_END_BROKEN;
}

/* What is left: bytes of a tar that are of no entry, and names. */
static void give_rest(struct unpack *u, const struct unpack_source *s,
		      struct reading *r)
{
	skip_headers(&r->headers, s, s->data + s->len, 0);
	if (r->headers.bytes.len && !u->stopped)
		unpack_text(u, s, "(headers)", r->headers.bytes.data,
			    r->headers.bytes.len);
	if (r->listing.len && !u->stopped)
		unpack_text(u, s, "(names)", r->listing.data, r->listing.len);
}

enum unpack_end unpack_read(struct unpack *u, const struct unpack_source *s,
			    struct unpack_pass *pass)
{
	const struct unpack_library *lib = unpack_library();
	struct reading r = { .a = NULL };
	enum unpack_end end = UNPACK_END_BROKEN;
	la_int64_t used;

	pass->given = pass->used = 0;
	pass->packed = 0;
	if (!lib)
		unpack_unsure(u, "the library that unpacks is missing");
	else
		r.a = open_source(s, pass);
	if (pass->kind == UNPACK_TAR && s->headers)
		r.headers.at = s->data;
	if (r.a) {
		end = read_all(u, s, pass, &r);
		/* of a 7z whose directory is encrypted, no more is known */
		if (lib->read_has_encrypted_entries(r.a) > 0)
			note_encrypted(u);
		used = lib->filter_bytes(r.a, -1);
		if (used > 0 && (uint64_t)used <= s->len)
			pass->used = (size_t)used;
	}
	give_rest(u, s, &r);
	if (r.a)
		lib->read_free(r.a);
	buf_clear(&r.headers.bytes);
	buf_clear(&r.name);
	buf_clear(&r.data);
	buf_clear(&r.listing);
	return end;
}
