/*
 * Pkt-lines that pass by. Takes the bytes of an answer of git, knows where one
 * packet ends and whether they carry a side-band; what is none is lost from
 * there on. Keeps no payload.
 */
#include "packets.h"

#include <string.h>

/* A length counts its own four digits; 0 to 3 are special packets. */
#define HEAD 4

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* The length is there: a payload follows, or nothing does. */
static void take_head(struct packets *p)
{
	size_t n = 0;
	unsigned i;

	for (i = 0; i < HEAD; i++) {
		int d = digit(p->head[i]);

		if (d < 0)
			p->lost = 1;
		n = n * 16 + (size_t)d;
	}
	p->have = 0;
	p->flush = n == 0;
	p->left = n > HEAD ? n - HEAD : 0;
	/* a flush or a delimiter changes nothing of what follows */
	if (p->left > 0)
		p->have_text = 0;
}

static int begins(const struct packets *p, const char *word)
{
	size_t n = strlen(word);

	return p->have_text >= n && memcmp(p->text, word, n) == 0;
}

static size_t take_payload(struct packets *p, const char *data, size_t n)
{
	size_t i;

	if (n > p->left)
		n = p->left;
	for (i = 0; i < n && p->have_text < sizeof(p->text); i++)
		p->text[p->have_text++] = data[i];
	if (begins(p, "\2"))
		p->told = 1;
	p->left -= n;
	return n;
}

void packets_feed(struct packets *p, const void *data, size_t n)
{
	const char *at = data, *end = at + n;

	while (at < end && !p->lost) {
		if (p->left > 0) {
			at += take_payload(p, at, (size_t)(end - at));
			continue;
		}
		p->head[p->have++] = *at++;
		if (p->have == HEAD)
			take_head(p);
	}
}

int packets_whole(const struct packets *p)
{
	return !p->lost && p->have == 0 && p->left == 0;
}

int packets_flushed(const struct packets *p)
{
	return packets_whole(p) && p->flush;
}

int packets_band(const struct packets *p)
{
	return begins(p, "\1") || begins(p, "\2") || begins(p, "\3") ||
	       begins(p, "packfile") || begins(p, "NAK") || begins(p, "ACK");
}

size_t packets_feed_to_band(struct packets *p, const void *data, size_t n,
			    int *there)
{
	const char *at = data;
	size_t left = n;

	*there = 0;
	while (left > 0 && !*there && !p->lost) {
		size_t some = p->left == 0 ? 1 : p->left < left ? p->left
								: left;

		packets_feed(p, at, some);
		at += some;
		left -= some;
		*there = packets_whole(p) && p->have_text > 0 && !p->flush &&
			 (begins(p, "\1") || begins(p, "\2") ||
			  begins(p, "packfile\n"));
	}
	return p->lost ? n : n - left;
}
