#ifndef PACKETS_H
#define PACKETS_H

#include <stddef.h>

/*
 * Where one is in a stream of pkt-lines (gitprotocol-common(5)), fed with what
 * passes by: a message of ours may go between two of them only. Pure.
 */
struct packets {
	char head[4];  /* of the length that is coming */
	unsigned have; /* of it */
	size_t left;   /* bytes of the packet's payload */
	int begins;    /* its first byte is next */
	int band;      /* the last one was of a side-band */
	int lost;      /* these are no pkt-lines */
};

#define PACKETS_INIT { .have = 0 }

void packets_feed(struct packets *p, const void *data, size_t n);
/* Is the last one whole? */
int packets_whole(const struct packets *p);

#endif
