/* Properties of unpack.c: what is in an archive comes out, with its name, and
 * what cannot come out is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "unpack.h"

static const struct unpack_limits usual = {
	.depth = 3, .entries = 1000, .bytes = 64 << 20, .ratio = 200,
};

/* "name=content" for each, without NULs; those that are archives as
 * "name=...", but not what there is of one besides its entries. */
static int show(void *arg, const char *name, const char *data, size_t len)
{
	struct buf *out = arg;

	buf_adds(out, name);
	buf_addc(out, '=');
	if (unpack_wants(data, len) && !strstr(name, "(headers)"))
		buf_adds(out, "...");
	else
		for (size_t i = 0; i < len; i++)
			if (data[i])
				buf_addc(out, data[i]);
	buf_addc(out, '\n');
	return 0;
}

static enum unpack_result look(const struct buf *b,
			       const struct unpack_limits *limits,
			       const char *want, const char *want_why)
{
	struct buf out = BUF_INIT;
	const char *why = "";
	enum unpack_result r = unpack_each(b->data, b->len, limits, show, &out,
					   &why);

	buf_room(&out, 0);
	if (!want)
		;
	else if (*want)
		assert_non_null(strstr(out.data, want));
	else
		assert_string_equal(out.data, want);
	if (want_why)
		assert_non_null(strstr(why, want_why));
	buf_clear(&out);
	return r;
}

static la_ssize_t sink(struct archive *a, void *arg, const void *data,
		       size_t n)
{
	(void)a;
	buf_add(arg, data, n);
	return (la_ssize_t)n;
}

struct maker {
	struct archive *a;
	struct buf out;
};

/* An archive to write to: format, filter or NULL, options or NULL. */
static void begin(struct maker *m, int (*format)(struct archive *),
		  int (*filter)(struct archive *), const char *options)
{
	memset(m, 0, sizeof(*m));
	m->a = archive_write_new();
	assert_non_null(m->a);
	assert_int_equal(format(m->a), ARCHIVE_OK);
	if (filter)
		assert_int_equal(filter(m->a), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(m->a, 1);
	if (options)
		assert_int_equal(archive_write_set_options(m->a, options),
				 ARCHIVE_OK);
	if (options && strstr(options, "encryption"))
		archive_write_set_passphrase(m->a, "pass");
	assert_int_equal(archive_write_open(m->a, &m->out, NULL, sink, NULL),
			 ARCHIVE_OK);
}

static void add(struct maker *m, const char *name, const void *data, size_t n)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_size(e, (la_int64_t)n);
	assert_int_equal(archive_write_header(m->a, e), ARCHIVE_OK);
	assert_int_equal(archive_write_data(m->a, data, n), (la_ssize_t)n);
	archive_entry_free(e);
}

static struct buf end(struct maker *m)
{
	assert_int_equal(archive_write_close(m->a), ARCHIVE_OK);
	archive_write_free(m->a);
	return m->out;
}

static struct buf zip_of(const char *name, const void *data, size_t n,
			 const char *options)
{
	struct maker m;

	begin(&m, archive_write_set_format_zip, NULL, options);
	add(&m, name, data, n);
	return end(&m);
}

static int ustar(struct archive *a)
{
	return archive_write_set_format_ustar(a);
}

static void every_format_comes_out(void **state)
{
	static const struct {
		int (*format)(struct archive *);
		int (*filter)(struct archive *);
		const char *want;
	} formats[] = {
		{ archive_write_set_format_zip, NULL, "dir/file=content\n" },
		{ archive_write_set_format_7zip, NULL, "dir/file=content\n" },
		{ ustar, NULL, "dir/file=content\n" },
		{ archive_write_set_format_pax, NULL, "dir/file=content\n" },
		{ archive_write_set_format_gnutar, NULL,
		  "dir/file=content\n" },
		{ archive_write_set_format_ar_svr4, NULL, "file=content\n" },
		{ ustar, archive_write_add_filter_lzma,
		  "data!dir/file=content\n" },
		{ ustar, archive_write_add_filter_gzip,
		  "data!dir/file=content\n" },
		{ ustar, archive_write_add_filter_bzip2,
		  "data!dir/file=content\n" },
		{ ustar, archive_write_add_filter_xz,
		  "data!dir/file=content\n" },
		{ ustar, archive_write_add_filter_zstd,
		  "data!dir/file=content\n" },
		{ ustar, archive_write_add_filter_lz4,
		  "data!dir/file=content\n" },
		{ archive_write_set_format_raw, archive_write_add_filter_gzip,
		  "data=content\n" },
		{ archive_write_set_format_raw, archive_write_add_filter_xz,
		  "data=content\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct maker m;
		struct buf b;

		begin(&m, formats[i].format, formats[i].filter, NULL);
		add(&m, "dir/file", "content", 7);
		b = end(&m);
		assert_true(unpack_wants(b.data, b.len));
		assert_int_equal(look(&b, &usual, formats[i].want, NULL),
				 UNPACK_DONE);
		buf_clear(&b);
	}
}

static void what_is_none_is_none(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_false(unpack_wants("", 0));
	assert_false(unpack_wants("PK", 2));
	assert_false(unpack_wants("text", 4));
	buf_adds(&b, "text");
	assert_int_equal(look(&b, &usual, "", NULL), UNPACK_NONE);
	/* begins like one, and nothing comes out */
	buf_reset(&b);
	buf_adds(&b, "PK\3\4 is how a zip begins, and this is a text of it\n");
	assert_int_equal(look(&b, &usual, "", NULL), UNPACK_NONE);
	buf_reset(&b);
	buf_adds(&b, "\x1f\x8b\x08 and no more of a gzip");
	assert_int_equal(look(&b, &usual, "", NULL), UNPACK_NONE);
	buf_clear(&b);
}

static void one_in_the_other_has_both_names(void **state)
{
	struct buf in = zip_of("f", "content", 7, NULL);
	struct buf mid = zip_of("in.zip", in.data, in.len, NULL);
	struct buf out = zip_of("mid.zip", mid.data, mid.len, NULL);
	struct unpack_limits flat = usual;

	(void)state;
	assert_int_equal(look(&out, &usual, "mid.zip!in.zip!f=content\n", NULL),
			 UNPACK_DONE);
	flat.depth = 2;
	assert_int_equal(look(&out, &flat, "mid.zip!in.zip=...\n", "deeper"),
			 UNPACK_UNKNOWN);
	buf_clear(&in);
	buf_clear(&mid);
	buf_clear(&out);
}

/* Entries before a zip's directory that it does not list. */
static void what_a_directory_hides_is_seen(void **state)
{
	struct buf hidden = zip_of("hidden", "unlisted", 8,
				   "compression=store");
	struct buf b = zip_of("listed", "content", 7, "compression=store");
	char *directory = memmem(hidden.data, hidden.len, "PK\1\2", 4);
	struct buf both = BUF_INIT;

	(void)state;
	assert_non_null(directory);
	buf_add(&both, hidden.data, (size_t)(directory - hidden.data));
	buf_add(&both, b.data, b.len);
	assert_int_equal(look(&both, &usual, "listed=content\n", NULL),
			 UNPACK_DONE);
	assert_int_equal(look(&both, &usual, "hidden=unlisted\n", NULL),
			 UNPACK_DONE);
	/* and with something between that is no entry */
	buf_reset(&both);
	buf_add(&both, b.data, b.len);
	buf_adds(&both, "nothing");
	buf_add(&both, hidden.data, (size_t)(directory - hidden.data));
	buf_add(&both, b.data, b.len);
	assert_int_equal(look(&both, &usual, "hidden=unlisted\n", NULL),
			 UNPACK_DONE);
	buf_clear(&both);
	buf_clear(&b);
	buf_clear(&hidden);
}

/* b with n bytes after the directory, which is all that tells of its data. */
static struct buf only_listed(const struct buf *b, const char *before,
			      size_t comment, size_t after)
{
	struct buf z = BUF_INIT;
	size_t start, i;

	buf_adds(&z, before);
	start = z.len;
	buf_add(&z, b->data, b->len);
	memset(z.data + start + 18, 0, 8); /* its lengths, said first */
	z.data[start + b->len - 2] = (char)(comment & 0xff);
	z.data[start + b->len - 1] = (char)(comment >> 8);
	for (i = 0; i < comment + after; i++)
		buf_addc(&z, 'c');
	return z;
}

/* Where a directory ends, behind a comment and other bytes. */
static void a_directory_is_found(void **state)
{
	static const struct {
		const char *before;
		size_t comment, after;
	} all[] = {
		{ "", 0, 0 }, { "", 20000, 0 }, { "", 65535, 0 },
		{ "#!/usr/bin/env python3\n", 10, 0 }, { "MZ", 0, 1 },
		{ "MZ", 10, 2000 }, { "", 10, 2000 }, { "MZ", 20000, 0 },
	};
	struct buf content = BUF_INIT, b;

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_adds(&content, "line ");
	b = zip_of("f", content.data, content.len,
		   "compression=deflate,experimental");
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct buf z = only_listed(&b, all[i].before, all[i].comment,
					   all[i].after);

		assert_int_equal(look(&z, &usual, "f=line line", NULL),
				 UNPACK_DONE);
		buf_clear(&z);
	}
	buf_clear(&b);
	buf_clear(&content);
}

static void what_comes_after_the_end_is_seen(void **state)
{
	struct buf b = BUF_INIT, other = zip_of("f", "content", 7, NULL), t;
	struct maker m;

	(void)state;
	begin(&m, archive_write_set_format_raw, archive_write_add_filter_gzip,
	      NULL);
	add(&m, "x", "first", 5);
	b = end(&m);
	buf_add(&b, "\0\0\0", 3);
	buf_add(&b, other.data, other.len);
	assert_int_equal(look(&b, &usual, "(trailing)!f=content\n", NULL),
			 UNPACK_DONE);
	buf_clear(&b);
	/* with something between, and what only looks like one */
	begin(&m, archive_write_set_format_raw, archive_write_add_filter_gzip,
	      NULL);
	add(&m, "x", "second", 6);
	b = end(&m);
	t = (struct buf)BUF_INIT;
	buf_add(&t, b.data, b.len);
	buf_add(&t, "junk\x1f\x8b\x08\0junk", 12);
	assert_int_equal(look(&t, &usual, "data=second\n", NULL),
			 UNPACK_DONE);
	buf_add(&t, b.data, b.len);
	assert_int_equal(look(&t, &usual, "(trailing)!data=second\n", NULL),
			 UNPACK_DONE);
	buf_clear(&t);
	buf_clear(&b);
	/* after a tar's end, within what is packed */
	begin(&m, ustar, NULL, NULL);
	add(&m, "file", "content", 7);
	t = end(&m);
	buf_adds(&t, "after the end");
	begin(&m, archive_write_set_format_raw, archive_write_add_filter_gzip,
	      NULL);
	add(&m, "x", t.data, t.len);
	b = end(&m);
	assert_int_equal(look(&b, &usual, "after the end", NULL), UNPACK_DONE);
	assert_int_equal(look(&b, &usual, "data!file=content", NULL),
			 UNPACK_DONE);
	buf_clear(&t);
	buf_clear(&b);
	buf_clear(&other);
}

static void members_are_one_after_the_other(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct maker m;
		struct buf one;

		begin(&m, archive_write_set_format_raw,
		      archive_write_add_filter_gzip, NULL);
		add(&m, "x", i ? "tent" : "con", i ? 4 : 3);
		one = end(&m);
		buf_add(&b, one.data, one.len);
		buf_clear(&one);
	}
	assert_int_equal(look(&b, &usual, "data=content\n", NULL), UNPACK_DONE);
	buf_clear(&b);
}

static void names_are_text_too(void **state)
{
	struct archive_entry *e = archive_entry_new();
	struct maker m;
	struct buf b;

	(void)state;
	begin(&m, archive_write_set_format_7zip, NULL, NULL);
	add(&m, "name-in-7z", "content", 7);
	b = end(&m);
	assert_int_equal(look(&b, &usual, "(names)=name-in-7z\n", NULL),
			 UNPACK_DONE);
	buf_clear(&b);
	begin(&m, ustar, archive_write_add_filter_gzip, NULL);
	archive_entry_set_pathname(e, "link");
	archive_entry_set_filetype(e, AE_IFLNK);
	archive_entry_set_symlink(e, "link-target");
	assert_int_equal(archive_write_header(m.a, e), ARCHIVE_OK);
	b = end(&m);
	assert_int_equal(look(&b, &usual, "link-target", NULL), UNPACK_DONE);
	archive_entry_free(e);
	buf_clear(&b);
}

static void what_is_encrypted_could_not_be_told(void **state)
{
	struct buf b = zip_of("f", "content", 7, "encryption=traditional");

	(void)state;
	assert_int_equal(look(&b, &usual, "", "encrypted"), UNPACK_UNKNOWN);
	buf_clear(&b);
}

static void a_broken_one_could_not_be_told(void **state)
{
	struct buf big = BUF_INIT, b;
	struct maker m;

	(void)state;
	for (int i = 0; i < 50000; i++)
		buf_addf(&big, "%d\n", i * 7 % 9973);
	b = zip_of("f", big.data, big.len, NULL);
	b.len = b.len / 2;
	assert_int_equal(look(&b, &usual, "f=0\n7\n14\n", ""), UNPACK_UNKNOWN);
	buf_clear(&b);
	begin(&m, archive_write_set_format_raw, archive_write_add_filter_gzip,
	      NULL);
	add(&m, "x", big.data, big.len);
	b = end(&m);
	b.len = b.len / 2;
	assert_int_equal(look(&b, &usual, NULL, ""), UNPACK_UNKNOWN);
	b.len = 40;
	assert_int_equal(look(&b, &usual, "", "broken"), UNPACK_UNKNOWN);
	buf_clear(&b);
	buf_clear(&big);
}

static void limits_hold(void **state)
{
	struct unpack_limits l = usual;
	struct buf zeros = BUF_INIT, b;
	struct maker m;

	(void)state;
	buf_room(&zeros, 32 << 20);
	memset(zeros.data, 0, 32 << 20);
	zeros.len = 32 << 20;
	b = zip_of("f", zeros.data, zeros.len, NULL);
	assert_int_equal(look(&b, &l, "", "too many times"), UNPACK_UNKNOWN);
	l.ratio = 100000;
	assert_int_equal(look(&b, &l, "f=", NULL), UNPACK_DONE);
	l.bytes = 1 << 20;
	assert_int_equal(look(&b, &l, "", "larger"), UNPACK_UNKNOWN);
	l.bytes = 64 << 20;
	l.deadline = clock_ms() - 1;
	assert_int_equal(look(&b, &l, "", "time"), UNPACK_UNKNOWN);
	l.deadline = 0;
	buf_clear(&b);
	begin(&m, archive_write_set_format_zip, NULL, NULL);
	for (int i = 0; i < 5; i++)
		add(&m, "f", "abcde" + i, 1);
	b = end(&m);
	l.entries = 5;
	assert_int_equal(look(&b, &l, "f=e\n", NULL), UNPACK_DONE);
	l.entries = 4;
	assert_int_equal(look(&b, &l, "f=d\n", "entries"), UNPACK_UNKNOWN);
	buf_clear(&b);
	buf_clear(&zeros);
}

static int stop(void *arg, const char *name, const char *data, size_t len)
{
	(void)name;
	(void)data;
	(void)len;
	++*(int *)arg;
	return 1;
}

static void it_ends_when_it_is_told_to(void **state)
{
	const char *why = NULL;
	struct maker m;
	int calls = 0;
	struct buf b;

	(void)state;
	begin(&m, archive_write_set_format_zip, NULL, NULL);
	add(&m, "a", "1", 1);
	add(&m, "b", "2", 1);
	b = end(&m);
	assert_int_equal(unpack_each(b.data, b.len, &usual, stop, &calls, &why),
			 UNPACK_DONE);
	assert_int_equal(calls, 1);
	buf_clear(&b);
}

struct steps {
	struct unpack *u;
	const struct buf *inner;
	struct buf out;
};

/* What is in an entry "a" in some way that only fn knows. */
static int go_in(void *arg, const char *name, const char *data, size_t len)
{
	struct steps *s = arg;

	show(&s->out, name, data, len);
	if (len == 1 && *data == '1')
		unpack_inner(s->u, "(in)", s->inner->data, s->inner->len);
	return 0;
}

/* Looks at an archive, then at another as if it were within that. */
static enum unpack_result in_steps(const struct buf *b,
				   const struct unpack_limits *limits,
				   const char *want, const char *want_why)
{
	struct steps s = { .inner = b, .out = BUF_INIT };
	struct unpack_limits once = *limits;
	const char *why = NULL;
	enum unpack_result r;

	s.u = unpack_begin(&once, NULL, go_in, &s);
	unpack_object(s.u, b->data, b->len);
	/* it is the same reason, if any: said once */
	if (unpack_inner(s.u, "(beside)", "no archive", 10))
		fail();
	r = unpack_end(s.u, &why);
	assert_string_equal(s.out.data, want);
	if (want_why)
		assert_non_null(strstr(why, want_why));
	buf_clear(&s.out);
	return r;
}

static void what_an_entry_holds_is_one_deeper(void **state)
{
	struct unpack_limits limits = usual;
	struct maker m;
	struct buf b;

	(void)state;
	begin(&m, archive_write_set_format_zip, NULL, NULL);
	add(&m, "a", "1", 1);
	b = end(&m);
	limits.depth = 2;
	assert_int_equal(in_steps(&b, &limits, "a=1\na!(in)=...\na!(in)!a=1\n",
				  "deeper"),
			 UNPACK_UNKNOWN);
	limits.depth = 3;
	limits.entries = 2;
	assert_int_equal(in_steps(&b, &limits, "a=1\na!(in)=...\na!(in)!a=1\n"
				  "a!(in)!a!(in)=...\n", "entries"),
			 UNPACK_UNKNOWN);
	buf_clear(&b);
}

/* The first n bytes of b, as something that is in a text. */
static enum unpack_result cut(const struct buf *b, size_t n, struct buf *out)
{
	struct unpack_limits limits = usual;
	const char *why = NULL;
	struct unpack *u = unpack_begin(&limits, NULL, show, out);

	buf_reset(out);
	unpack_inner(u, "(in)", b->data, n);
	return unpack_end(u, &why);
}

static void of_a_cited_gzip_what_comes_out_is_given(void **state)
{
	struct buf b, out = BUF_INIT;
	uint32_t v = 1; /* letters as if by chance */
	char text[600];
	struct maker m;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + (v = v * 1103515245 + 12345) / 65536 % 26);
	begin(&m, archive_write_set_format_raw, archive_write_add_filter_gzip,
	      NULL);
	add(&m, "x", text, 60);
	b = end(&m);
	/* without its sums, and without the end of the deflated too */
	assert_int_not_equal(cut(&b, b.len - 1, &out), UNPACK_UNKNOWN);
	assert_non_null(memmem(out.data, out.len, text, 50));
	assert_int_not_equal(cut(&b, b.len - 10, &out), UNPACK_UNKNOWN);
	assert_non_null(memmem(out.data, out.len, text, 50));
	for (size_t n = 18; n < b.len; n++)
		assert_int_not_equal(cut(&b, n, &out), UNPACK_UNKNOWN);
	buf_clear(&b);
	/* an archive by itself, or a long one, is not cited */
	begin(&m, archive_write_set_format_raw, archive_write_add_filter_gzip,
	      NULL);
	add(&m, "x", text, sizeof(text));
	b = end(&m);
	assert_true(b.len > 300);
	assert_int_equal(cut(&b, b.len - 1, &out), UNPACK_UNKNOWN);
	b.len = 200;
	assert_int_equal(look(&b, &usual, NULL, "broken"), UNPACK_UNKNOWN);
	buf_clear(&b);
	buf_clear(&out);
}

/* How many files of b are given, with what was clean before. */
static int count_fresh(const struct buf *b, struct unpack_clean *clean,
		       const struct unpack_limits *limits, const char *want_why)
{
	struct buf out = BUF_INIT;
	const char *why = "";
	int n = 0;

	assert_int_equal(unpack_fresh(b->data, b->len, limits, clean, show,
				      &out, &why),
			 *want_why ? UNPACK_UNKNOWN : UNPACK_DONE);
	assert_non_null(strstr(why, want_why));
	for (size_t i = 0; i < out.len; i++)
		n += out.data[i] == '\n';
	buf_clear(&out);
	return n;
}

static struct buf pair_of(const char *name, const char *one, const char *two)
{
	struct maker m;

	begin(&m, archive_write_set_format_zip, NULL, NULL);
	add(&m, name, one, strlen(one));
	add(&m, "other", two, strlen(two));
	return end(&m);
}

static void what_was_clean_is_not_given_again(void **state)
{
	struct unpack_limits few = usual, small = usual;
	struct unpack_clean *clean = unpack_clean_new();
	struct buf a = pair_of("name", "content", "more"),
		   b = pair_of("renamed", "content", "MORE"),
		   in = zip_of("in.zip", a.data, a.len, NULL);
	const char *why;
	int calls = 0;

	(void)state;
	few.entries = 1;
	small.bytes = 8;
	/* what fn did not take is not clean */
	unpack_fresh(a.data, a.len, &usual, clean, stop, &calls, &why);
	assert_int_equal(calls, 1);
	assert_int_equal(count_fresh(&a, clean, &usual, ""), 2);
	assert_int_equal(count_fresh(&a, clean, &usual, ""), 0);
	assert_int_equal(count_fresh(&b, clean, &usual, ""), 1);
	assert_int_equal(count_fresh(&b, NULL, &usual, ""), 2);
	/* an archive is given, and entered, each time */
	assert_int_equal(count_fresh(&in, clean, &usual, ""), 1);
	assert_int_equal(count_fresh(&in, clean, &usual, ""), 1);
	/* and it is counted as if it were */
	assert_int_equal(count_fresh(&a, clean, &few, "entries"), 0);
	assert_int_equal(count_fresh(&a, clean, &small, "larger"), 0);
	buf_clear(&a);
	buf_clear(&b);
	buf_clear(&in);
	unpack_clean_free(clean);
}

/* What its last bytes say of its size is believed only when it is so. */
static void a_gzip_is_read_whatever_it_says(void **state)
{
	struct buf b, twice = BUF_INIT;
	struct maker m;

	(void)state;
	begin(&m, archive_write_set_format_raw, archive_write_add_filter_gzip,
	      NULL);
	add(&m, "x", "content", 7);
	b = end(&m);
	assert_int_equal(look(&b, &usual, "data=content\n", ""), UNPACK_DONE);
	buf_add(&twice, b.data, b.len);
	buf_add(&twice, b.data, b.len);
	assert_int_equal(look(&twice, &usual, "data=contentcontent\n", ""),
			 UNPACK_DONE);
	for (int less = 0; less < 2; less++) {
		b.data[b.len - 4] = less ? 3 : 100;
		look(&b, &usual, "data=content\n", NULL);
	}
	b.data[b.len - 1] = '\xff';
	look(&b, &usual, "data=content\n", NULL);
	buf_clear(&b);
	buf_clear(&twice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_comes_out),
		cmocka_unit_test(what_is_none_is_none),
		cmocka_unit_test(one_in_the_other_has_both_names),
		cmocka_unit_test(what_a_directory_hides_is_seen),
		cmocka_unit_test(a_directory_is_found),
		cmocka_unit_test(what_comes_after_the_end_is_seen),
		cmocka_unit_test(members_are_one_after_the_other),
		cmocka_unit_test(names_are_text_too),
		cmocka_unit_test(what_is_encrypted_could_not_be_told),
		cmocka_unit_test(a_broken_one_could_not_be_told),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(it_ends_when_it_is_told_to),
		cmocka_unit_test(what_an_entry_holds_is_one_deeper),
		cmocka_unit_test(of_a_cited_gzip_what_comes_out_is_given),
		cmocka_unit_test(what_was_clean_is_not_given_again),
		cmocka_unit_test(a_gzip_is_read_whatever_it_says),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
