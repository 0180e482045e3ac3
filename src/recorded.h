#ifndef RECORDED_H
#define RECORDED_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Bytes at a pack's end; in them is its checksum, gitformat-pack(5). */
#define RECORDED_LAST 32

/*
 * An answer to a fetch without the pack in it: fed with what git sends, header
 * and all, it has what stands before the pack and behind it, and how to know
 * the pack again. Pure.
 */
struct recorded {
	struct buf before, after;
	size_t header;      /* bytes of before that are the CGI header */
	uint64_t pack;      /* bytes of the pack */
	char last[RECORDED_LAST];
	size_t packet;      /* most of the pack in one packet, bytes */

	/* of the packet that is coming */
	char head[4];
	unsigned have;
	size_t left;
	int band;           /* of its payload; -1: not known yet; 0: none */
	int ended, lost;
};

#define RECORDED_INIT { .before = BUF_INIT }

void recorded_feed(struct recorded *r, const char *data, size_t n);
/*
 * Is it a whole answer with one pack in a side-band, behind which there is
 * nothing but words for people and a flush?
 */
int recorded_whole(const struct recorded *r);
void recorded_clear(struct recorded *r);

#endif
