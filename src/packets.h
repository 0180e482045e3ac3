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
	char text[9];  /* its first bytes */
	unsigned have_text;
	int flush;     /* the last one was a flush */
	int told;      /* one was of the side-band for people, 2 */
	int lost;      /* these are no pkt-lines */
};

#define PACKETS_INIT { .have = 0 }

void packets_feed(struct packets *p, const void *data, size_t n);
/* Is the last one whole? And a flush? */
int packets_whole(const struct packets *p);
int packets_flushed(const struct packets *p);
/*
 * Does a side-band follow? The last packet was of one, or is what stands before
 * its first: "packfile" in version 2, NAK or ACK in those before.
 */
int packets_band(const struct packets *p);
/*
 * Feed as far as a place where a packet of the side-band may go for certain:
 * behind one, or behind "packfile"; NAK and ACK may be all of an answer.
 * Returns how much was taken: all of it where there is no such place.
 */
size_t packets_feed_to_band(struct packets *p, const void *data, size_t n,
			    int *there);

#endif
