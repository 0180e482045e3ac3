/*
 * gzip, inflated. Takes compressed bytes from a hostile client as they come,
 * gives plain ones to a sink that may stop it; never holds more than a window
 * and one piece, whatever the stream unfolds to, and never takes a stream for
 * whole whose checksum was not seen.
 */
#include "gunzip.h"

#include <stdlib.h>
#define ZLIB_CONST /* its input is const */
#include <zlib.h>

#include "log.h"
#include "mem.h"

/* zlib's largest window (2^15 bytes), plus 16: a gzip header and no other. */
#define WINDOW_BITS (15 + 16)
/* Most that zlib is handed at once; it counts in unsigned int. */
#define FEED_MAX (1u << 30)
/* One piece of output. */
#define PIECE 16384

struct gunzip {
	z_stream z;
	enum gunzip_state state;
};

static void *take_memory(void *arg, unsigned count, unsigned size)
{
	(void)arg;
	return mem_array(count, size);
}

static void give_memory(void *arg, void *p)
{
	(void)arg;
	free(p);
}

struct gunzip *gunzip_new(void)
{
	struct gunzip *g = mem_zalloc(sizeof(*g));

	g->z.zalloc = take_memory;
	g->z.zfree = give_memory;
	/* memory is there, so what is left is a library of another kind */
	if (inflateInit2(&g->z, WINDOW_BITS) != Z_OK) {
		log_error("zlib %s cannot inflate; this was built with %s",
			  zlibVersion(), ZLIB_VERSION);
		abort();
	}
	return g;
}

/* One piece: what inflate makes of the input that is left. */
static enum gunzip_state inflate_piece(struct gunzip *g, gunzip_sink *sink,
				       void *arg)
{
	unsigned char out[PIECE];
	size_t n;
	int rc;

	g->z.next_out = out;
	g->z.avail_out = sizeof(out);
	rc = inflate(&g->z, Z_NO_FLUSH);
	n = sizeof(out) - g->z.avail_out;
	/* Z_BUF_ERROR: no room and no input left to use, which is no fault */
	if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
		return GUNZIP_DAMAGED;
	if (n > 0 && sink(arg, out, n) < 0)
		return GUNZIP_STOPPED;
	return rc == Z_STREAM_END ? GUNZIP_DONE : GUNZIP_MORE;
}

static void inflate_all(struct gunzip *g, gunzip_sink *sink, void *arg)
{
	/* a full piece may have left some inside zlib, without input too */
	while (g->state == GUNZIP_MORE &&
	       (g->z.avail_in > 0 || g->z.avail_out == 0))
		g->state = inflate_piece(g, sink, arg);
}

enum gunzip_state gunzip_feed(struct gunzip *g, const void *data, size_t n,
			      gunzip_sink *sink, void *arg)
{
	const unsigned char *p = data;

	while (n > 0 && g->state == GUNZIP_MORE) {
		unsigned some = n < FEED_MAX ? (unsigned)n : FEED_MAX;

		g->z.next_in = p;
		g->z.avail_in = some;
		inflate_all(g, sink, arg);
		p += some - g->z.avail_in;
		n -= some - g->z.avail_in;
	}
	if (n > 0 && g->state == GUNZIP_DONE)
		g->state = GUNZIP_DAMAGED;
	return g->state;
}

void gunzip_free(struct gunzip *g)
{
	if (g == NULL)
		return;
	inflateEnd(&g->z);
	free(g);
}
