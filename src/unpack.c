/*
 * Archives and compressed files, one within the other: takes bytes and limits,
 * gives entries. unpack-kind.c says what bytes are, unpack-read.c reads one of
 * them; here is what goes into what. What cannot be unpacked to its end is
 * said, never passed over.
 */
#include "unpack.h"

#include <string.h>

#include "unpack-internal.h"

/* Places in one zip where entries begin that its directory does not have. */
#define ZIP_STARTS_MAX 1024
/* Places in one zip where its directory may end. */
#define ZIP_ENDS_MAX 16
/* Places after what is packed where gzip may begin again. */
#define GZIP_STARTS_MAX 16
/* Where in a local header the method is, of two bytes. */
#define ZIP_METHOD 8

const char unpack_broken[] = "it is broken, and cannot be unpacked whole";
const char unpack_deeper[] =
	"it has archives within archives deeper than the limit";
const char unpack_partly[] = "something in it cannot be unpacked";

void unpack_unsure(struct unpack *u, const char *why)
{
	if (!u->why)
		u->why = why;
}

void unpack_over(struct unpack *u, const char *why)
{
	/* a limit says more than what was met before it */
	if (!u->over)
		u->why = why;
	u->over = 1;
}

/* A name within names: "outer!inner". The caller clears it. */
static struct buf name_in(const struct unpack_source *of, const char *name)
{
	struct buf full = BUF_INIT;

	if (*of->name)
		buf_addf(&full, "%s!", of->name);
	buf_adds(&full, name);
	return full;
}

/* To fn, which may ask for more to be looked at. */
static void tell(struct unpack *u, const struct unpack_source *of,
		 const char *full, const char *data, size_t len)
{
	const struct unpack_source *at = u->at;
	const char *name = u->name;

	u->at = of;
	u->name = full;
	if (u->fn(u->arg, full, data, len))
		u->stopped = 1;
	u->at = at;
	u->name = name;
}

void unpack_text(struct unpack *u, const struct unpack_source *of,
		 const char *name, const char *data, size_t len)
{
	struct buf full = name_in(of, name);

	tell(u, of, full.data, data, len);
	buf_clear(&full);
}

void unpack_list_parts(struct buf *list, const char *name, size_t len)
{
	const char *end = name + len, *slash;

	if (!memchr(name, '/', len))
		return;
	for (; name < end; name = slash + 1) {
		slash = memchr(name, '/', (size_t)(end - name));
		if (!slash)
			slash = end;
		buf_add(list, name, (size_t)(slash - name));
		buf_addc(list, '\n');
	}
}

void unpack_give(struct unpack *u, const struct unpack_source *of,
		 const char *name, const char *data, size_t len, int same)
{
	enum unpack_kind kind = unpack_kind(data, len);
	int deeper = !(same && kind == UNPACK_TAR);
	struct buf full = name_in(of, name);
	struct unpack_source s = { .data = data,
				   .len = len,
				   .headers = 1,
				   .name = full.data,
				   .level = of->level + (unsigned)deeper };

	/* the bytes of a tar come as its entries and headers, once */
	if (kind != UNPACK_TAR || s.level > u->limits->depth)
		tell(u, of, full.data, data, len);
	if (kind != UNPACK_PLAIN && !u->stopped) {
		if (s.level > u->limits->depth)
			unpack_unsure(u, unpack_deeper);
		else
			unpack_into(u, &s);
	}
	buf_clear(&full);
}

/*
 * The next local header of a zip's entry from `at`, or len. Its method of
 * compression is a small number (APPNOTE.TXT 4.4.5): text is none.
 */
static size_t zip_start(const struct unpack_source *s, size_t at)
{
	const char *end = s->data + s->len, *p = s->data + at;

	while ((p = memmem(p, (size_t)(end - p), "PK\3\4", 4))) {
		if (end - p > ZIP_METHOD + 1 && !p[ZIP_METHOD + 1])
			return (size_t)(p - s->data);
		p++;
	}
	return s->len;
}

/*
 * The entries of a zip as they stand in it, whatever its directory says. One
 * that does not end well ends nothing: what comes after it is looked for.
 */
static enum unpack_end zip_local(struct unpack *u,
				 const struct unpack_source *s,
				 struct unpack_pass *pass)
{
	enum unpack_end end = UNPACK_END_BROKEN;
	size_t at = zip_start(s, 0), given = 0;

	for (unsigned i = 0; at < s->len && !unpack_ended(u); i++) {
		struct unpack_source part = *s;

		if (i == ZIP_STARTS_MAX) {
			unpack_over(u, "it is a zip in too many pieces");
			break;
		}
		part.data += at;
		part.len -= at;
		end = unpack_read(u, &part, pass);
		given += pass->given;
		at = zip_start(s, at + (pass->used > 4 ? pass->used : 4));
	}
	pass->given = given;
	return end;
}

/*
 * A zip by its directory. Where that ends readers do not agree about: they
 * take the last place that looks like it, or the last with a comment that
 * reaches to the end of the file. Each of those is read as if nothing came
 * after it, which libarchive would look only a little way behind.
 */
static enum unpack_end zip_listed(struct unpack *u,
				  const struct unpack_source *s,
				  struct unpack_pass *pass)
{
	enum unpack_end end = UNPACK_END_WHOLE;
	size_t at = unpack_zip_end(s->data, s->len, s->len), given = 0;

	if (at == s->len)
		return unpack_read(u, s, pass);
	for (unsigned i = 0; at < s->len && !unpack_ended(u); i++) {
		struct unpack_source part = *s;

		if (i == ZIP_ENDS_MAX) {
			unpack_over(u, "it is a zip with too many ends");
			break;
		}
		part.len = at + UNPACK_ZIP_END;
		if (unpack_read(u, &part, pass) != UNPACK_END_WHOLE)
			end = UNPACK_END_BROKEN;
		given += pass->given;
		if (unpack_zip_fits(s->data, s->len, at))
			break;
		at = unpack_zip_end(s->data, s->len, at);
	}
	pass->given = given;
	return end;
}

/*
 * A zip says twice what it holds: in its directory, which programs that have
 * the whole file go by, and before each entry, which those go by that read a
 * stream. What either of them would unpack is looked at.
 */
static enum unpack_end zip(struct unpack *u, const struct unpack_source *s)
{
	struct unpack_pass pass = { .kind = UNPACK_ZIP };
	const uint64_t bytes_before = u->bytes;
	const unsigned entries_before = u->entries;
	struct unpack_seen seen;
	enum unpack_end end;
	const char *why;
	size_t given;

	if (unpack_seen_init(&seen)) {
		unpack_over(u, "there is no randomness on this machine");
		return UNPACK_END_BROKEN;
	}
	pass.seen = &seen;
	end = zip_listed(u, s, &pass);
	given = pass.given;
	/*
	 * The second reader does not know how long some entries are; what it
	 * cannot read matters only when the first one could not either.
	 */
	why = u->why;
	if (!unpack_ended(u)) {
		uint64_t bytes = u->bytes;
		unsigned entries = u->entries;
		enum unpack_end local;

		/* the same once more: the larger sum counts */
		u->bytes = bytes_before;
		u->entries = entries_before;
		pass.local = 1;
		local = zip_local(u, s, &pass);
		if (end == UNPACK_END_WHOLE && !u->over)
			u->why = why;
		else if (!given && unpack_zip_end(s->data, s->len, s->len) ==
					   s->len)
			end = local; /* it has no directory */
		if (u->bytes < bytes)
			u->bytes = bytes;
		if (u->entries < entries)
			u->entries = entries;
	}
	unpack_seen_clear(&seen);
	return end;
}

/*
 * A gzip somewhere in what comes after one: not what a program that unpacks
 * would find, but who put it there would. Bytes that only look like one are
 * no reason to be unsure.
 */
static void scattered(struct unpack *u, const struct unpack_source *s,
		      size_t at)
{
	struct buf name = name_in(s, "(trailing)");
	uint64_t before = u->bytes;

	for (unsigned i = 0; i < GZIP_STARTS_MAX && !unpack_ended(u); i++) {
		const char *p = memmem(s->data + at, s->len - at,
				       "\x1f\x8b\x08", 3), *why = u->why;
		struct unpack_source rest = { .data = p, .name = name.data,
					      .level = s->level + 1 };

		if (!p)
			break;
		at = (size_t)(p - s->data) + 3;
		rest.len = s->len - (size_t)(p - s->data);
		/* RFC 1952, 2.3.1: flags that must be zero */
		if (rest.len < 4 || p[3] & 0xe0)
			continue;
		unpack_into(u, &rest);
		if (u->bytes != before)
			break; /* what follows that was looked at with it */
		if (!u->over)
			u->why = why;
	}
	buf_clear(&name);
}

/* Something packed after what is packed, with or without zeros between. */
static void trailing(struct unpack *u, const struct unpack_source *s,
		     size_t used)
{
	while (used < s->len && !s->data[used])
		used++;
	if (used && used < s->len && !unpack_ended(u) &&
	    unpack_wants(s->data + used, s->len - used))
		unpack_give(u, s, "(trailing)", s->data + used, s->len - used,
			    0);
	else if (used && used < s->len && s->level < u->limits->depth &&
		 unpack_kind(s->data, s->len) == UNPACK_GZIP)
		scattered(u, s, used);
}

/* Returns 1 when nothing came out, nor is that a reason to be unsure. */
static int into_kind(struct unpack *u, const struct unpack_source *s,
		     enum unpack_kind kind)
{
	struct unpack_pass pass = { .kind = kind };
	const char *why = u->why;
	uint64_t bytes = u->bytes;
	enum unpack_end end;

	if (pass.kind == UNPACK_ZIP) {
		end = unpack_zip(u, s) ? zip(u, s) : UNPACK_END_WHOLE;
		/* with a directory it is no text that begins like one */
		pass.packed = unpack_zip_end(s->data, s->len, s->len) < s->len;
	} else if (pass.kind == UNPACK_GZIP && !unpack_gzip(u, s)) {
		end = UNPACK_END_WHOLE;
	} else {
		end = unpack_read(u, s, &pass);
		if (pass.kind != UNPACK_SEVEN)
			trailing(u, s, pass.used);
	}
	if (end == UNPACK_END_BROKEN && !u->stopped)
		unpack_unsure(u, unpack_broken);
	/*
	 * Where nothing came out it may only begin like an archive, as text
	 * with "PK" can; what begins as compressed data do is that.
	 */
	if (u->bytes != bytes || u->over || u->encrypted)
		return 0;
	if (end == UNPACK_END_BROKEN && !pass.packed &&
	    pass.kind != UNPACK_SEVEN)
		u->why = why;
	return u->why == why;
}

void unpack_into(struct unpack *u, const struct unpack_source *s)
{
	enum unpack_kind kind = unpack_kind(s->data, s->len);
	int nothing = into_kind(u, s, kind);
	struct unpack_source tar = *s;

	/* the name of a tar's first entry can be anything, even packed */
	tar.headers = 1;
	if (kind != UNPACK_TAR && !unpack_ended(u) &&
	    unpack_is_tar(s->data, s->len))
		nothing &= into_kind(u, &tar, UNPACK_TAR);
	if (nothing && kind != UNPACK_ZIP && !unpack_ended(u) &&
	    unpack_zip_end(s->data, s->len, s->len) < s->len)
		into_kind(u, s, UNPACK_ZIP);
}
