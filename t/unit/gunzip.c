/*
 * Properties of gunzip.c: what comes out is what went in, in whatever pieces
 * it comes; nothing that is cut, changed or followed by more is whole; a
 * stream that unfolds without end is stopped where the sink says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "gunzip.h"

struct out {
	unsigned char *data;
	size_t len, size;
	size_t stop; /* refuse what goes past it */
	size_t largest;
};

static int take(void *arg, const void *data, size_t n)
{
	struct out *out = arg;

	assert_true(n > 0);
	if (n > out->largest)
		out->largest = n;
	out->len += n;
	if (out->len > out->stop)
		return -1;
	if (out->data != NULL) {
		assert_true(out->len <= out->size);
		memcpy(out->data + out->len - n, data, n);
	}
	return 0;
}

/* zlib's own compressor; bits as deflateInit2 has them. */
static size_t deflate_to(unsigned char *to, size_t room, const void *from,
			 size_t n, int level, int bits)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, bits, 8,
				      Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)from;
	z.avail_in = (unsigned)n;
	z.next_out = to;
	z.avail_out = (unsigned)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

/* Text that is half noise, so that there are blocks of each kind. */
#define PLAIN 100000
static unsigned char plain[PLAIN], packed[2 * PLAIN];

static size_t make(size_t n, int level)
{
	unsigned seed = 1;
	size_t i;

	for (i = 0; i < n; i++) {
		seed = seed * 1103515245 + 12345;
		plain[i] = i / 4096 % 2 ? (unsigned char)(seed >> 16)
					: "0032have "[i % 9];
	}
	return deflate_to(packed, sizeof(packed), plain, n, level, 15 + 16);
}

/* The first n bytes of packed, piece by piece. */
static enum gunzip_state feed(size_t n, size_t piece, struct out *out)
{
	struct gunzip *g = gunzip_new();
	enum gunzip_state state = GUNZIP_MORE;
	size_t at;

	for (at = 0; at < n; at += piece)
		state = gunzip_feed(g, packed + at,
				    n - at < piece ? n - at : piece, take, out);
	gunzip_free(g);
	return state;
}

static void all_comes_out_in_any_pieces(void **state)
{
	static const size_t pieces[] = { 1, 2, 7, 1000, 8192, 2 * PLAIN };
	static const size_t sizes[] = { 0, 1, 16383, 16384, 16385, 32768,
					PLAIN };
	static unsigned char got[PLAIN];
	size_t i, k;
	int level;

	(void)state;
	for (level = 0; level <= 9; level += 3) {
		for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			size_t n = make(sizes[i], level);

			for (k = 0; k < sizeof(pieces) / sizeof(*pieces); k++) {
				struct out out = { .data = got, .size = PLAIN,
						   .stop = PLAIN };

				assert_int_equal(feed(n, pieces[k], &out),
						 GUNZIP_DONE);
				assert_int_equal(out.len, sizes[i]);
				assert_memory_equal(got, plain, sizes[i]);
			}
		}
	}
}

static void nothing_that_is_cut_is_whole(void **state)
{
	size_t n = make(20000, 6), cut;

	(void)state;
	for (cut = 0; cut < n; cut++) {
		struct out out = { .stop = PLAIN };

		assert_int_equal(feed(cut, 4096, &out), GUNZIP_MORE);
	}
}

/*
 * A flipped bit either shows, or was one that carries no data: time and system
 * in the header (RFC 1952, 2.3), padding.
 */
static void no_flipped_bit_changes_what_comes_out(void **state)
{
	static unsigned char got[PLAIN];
	size_t n = make(3000, 6), at;
	int bit;

	(void)state;
	for (at = 0; at < n; at++) {
		for (bit = 0; bit < 8; bit++) {
			struct out out = { .data = got, .size = PLAIN,
					   .stop = PLAIN };
			enum gunzip_state end;

			packed[at] ^= (unsigned char)(1 << bit);
			end = feed(n, 4096, &out);
			packed[at] ^= (unsigned char)(1 << bit);
			if (end != GUNZIP_DONE)
				continue;
			assert_true(at < 10 || at == n - 9);
			assert_int_equal(out.len, 3000);
			assert_memory_equal(got, plain, 3000);
		}
	}
}

static void what_is_not_gzip_is_damaged(void **state)
{
	struct out out = { .stop = PLAIN };
	size_t n;

	(void)state;
	make(1000, 6);
	n = deflate_to(packed, sizeof(packed), plain, 1000, 6, 15); /* zlib */
	assert_int_equal(feed(n, n, &out), GUNZIP_DAMAGED);
	n = deflate_to(packed, sizeof(packed), plain, 1000, 6, -15); /* raw */
	assert_int_equal(feed(n, n, &out), GUNZIP_DAMAGED);
	memcpy(packed, "0032want 0123456789", 19);
	assert_int_equal(feed(19, 1, &out), GUNZIP_DAMAGED);
	memset(packed, 0, 100);
	assert_int_equal(feed(100, 1, &out), GUNZIP_DAMAGED);
	assert_int_equal(out.len, 0);
}

static void nothing_may_follow(void **state)
{
	struct out out = { .stop = PLAIN };
	size_t n = make(1000, 6);

	(void)state;
	packed[n] = '\0';
	assert_int_equal(feed(n + 1, n + 1, &out), GUNZIP_DAMAGED);
	assert_int_equal(feed(n + 1, 1, &out), GUNZIP_DAMAGED);
	/* nor a second member, which some readers append and some ignore */
	memcpy(packed + n, packed, n);
	out.len = 0;
	assert_int_equal(feed(2 * n, 2 * n, &out), GUNZIP_DAMAGED);
	assert_int_equal(out.len, 1000);
	assert_int_equal(feed(2 * n, n, &out), GUNZIP_DAMAGED);
}

static void what_ended_stays_ended(void **state)
{
	struct out out = { .stop = 500 };
	size_t n = make(1000, 6);
	struct gunzip *g = gunzip_new();

	(void)state;
	assert_int_equal(gunzip_feed(g, "", 0, take, &out), GUNZIP_MORE);
	assert_int_equal(gunzip_feed(g, packed, n, take, &out), GUNZIP_STOPPED);
	out.stop = PLAIN;
	assert_int_equal(gunzip_feed(g, packed, n, take, &out), GUNZIP_STOPPED);
	assert_int_equal(gunzip_feed(g, "", 0, take, &out), GUNZIP_STOPPED);
	gunzip_free(g);
	g = gunzip_new();
	assert_int_equal(gunzip_feed(g, "x", 1, take, &out), GUNZIP_MORE);
	assert_int_equal(gunzip_feed(g, "x", 1, take, &out), GUNZIP_DAMAGED);
	assert_int_equal(gunzip_feed(g, packed, n, take, &out), GUNZIP_DAMAGED);
	gunzip_free(g);
	gunzip_free(NULL);
}

/* 64 MiB of one byte, about 64 KiB of gzip. */
static void a_bomb_ends_where_the_sink_says(void **state)
{
	size_t size = 64 << 20, room = 1 << 20, n, before;
	unsigned char *zeros = calloc(1, size), *bomb = malloc(room);
	struct out out = { .stop = 1 << 20 };
	struct gunzip *g = gunzip_new();

	(void)state;
	assert_non_null(zeros);
	assert_non_null(bomb);
	n = deflate_to(bomb, room, zeros, size, 9, 15 + 16);
	free(zeros);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	assert_int_equal(gunzip_feed(g, bomb, n, take, &out), GUNZIP_STOPPED);
	assert_true(out.len <= out.stop + out.largest);
	gunzip_free(g);
	/* all of it, where the sink lets it: in pieces, in constant memory */
	g = gunzip_new();
	out = (struct out){ .stop = size };
	assert_int_equal(gunzip_feed(g, bomb, n, take, &out), GUNZIP_DONE);
	assert_int_equal(out.len, size);
	assert_true(out.largest <= 65536);
	assert_true(mallinfo2().uordblks + mallinfo2().hblkhd <=
		    before + 65536);
	gunzip_free(g);
	free(bomb);
}

/* Blocks that hold nothing go on for ever, and give nothing. */
static void blocks_of_nothing_are_no_end(void **state)
{
	static const unsigned char head[10] = { 0x1f, 0x8b, 8 };
	static const unsigned char empty[5] = { 0, 0, 0, 0xff, 0xff };
	struct out out = { .stop = 0 };
	struct gunzip *g = gunzip_new();
	int i;

	(void)state;
	assert_int_equal(gunzip_feed(g, head, sizeof(head), take, &out),
			 GUNZIP_MORE);
	for (i = 0; i < 100000; i++)
		assert_int_equal(gunzip_feed(g, empty, sizeof(empty), take,
					     &out), GUNZIP_MORE);
	assert_int_equal(out.len, 0);
	gunzip_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_comes_out_in_any_pieces),
		cmocka_unit_test(nothing_that_is_cut_is_whole),
		cmocka_unit_test(no_flipped_bit_changes_what_comes_out),
		cmocka_unit_test(what_is_not_gzip_is_damaged),
		cmocka_unit_test(nothing_may_follow),
		cmocka_unit_test(what_ended_stays_ended),
		cmocka_unit_test(a_bomb_ends_where_the_sink_says),
		cmocka_unit_test(blocks_of_nothing_are_no_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("gunzip", tests, NULL, NULL);
}
