#ifndef GUNZIP_H
#define GUNZIP_H

#include <stddef.h>

/*
 * One gzip stream (RFC 1952), inflated as it comes, in constant memory
 * (about 40 KiB). One member and nothing behind it: git sends no more, and
 * `git http-backend` reads no more.
 */
struct gunzip;

enum gunzip_state {
	GUNZIP_MORE = 0, /* feed on; the stream is not at its end */
	GUNZIP_DONE,     /* all of it came, and its checksum is right */
	GUNZIP_STOPPED,  /* the sink said so */
	GUNZIP_DAMAGED,  /* not gzip, damaged, or bytes behind its end */
};

/* Returns 0, or -1 to stop. */
typedef int gunzip_sink(void *arg, const void *data, size_t n);

/* Never NULL; for gunzip_free. */
struct gunzip *gunzip_new(void);

/*
 * Inflate n bytes into sink, in pieces. Once it was stopped or damaged it
 * stays so. What a damaged stream gave before the damage, the sink has seen.
 */
enum gunzip_state gunzip_feed(struct gunzip *g, const void *data, size_t n,
			      gunzip_sink *sink, void *arg);

/* Harmless with NULL. */
void gunzip_free(struct gunzip *g);

#endif
