/*
 * Which answers of git may be given again: judges a request, and an answer, by
 * its pkt-lines (gitprotocol-common(5)). What is not understood wholly is never
 * kept. Takes bytes, gives a kind.
 */
#include "asked.h"

#include <string.h>

#include "request.h"
#include "route.h"
#include "text.h"

/* The first packet of the answer to it (gitprotocol-v2(5)). */
#define VERSION_2_LINE "000eversion 2\n"
#define LS_REFS "command=ls-refs"

/* Packets without a payload; any other length is that of a payload. */
enum special { FLUSH = 0, DELIM = 1 };

/* One packet: its payload, or what special one it is. */
struct packet {
	unsigned length; /* as its four digits say */
	const char *data;
	size_t n;
};

/* Returns 0, and *s behind it; -1 when there is none, or not all of it. */
static int next_packet(const char **s, const char *end, struct packet *p)
{
	unsigned length = 0;
	int i;

	if (end - *s < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		int digit = text_hex((*s)[i]);

		if (digit < 0)
			return -1;
		length = length * 16 + (unsigned)digit;
	}
	p->length = length;
	p->data = *s + 4;
	p->n = length < 4 ? 0 : length - 4;
	if (length == 3 || (size_t)(end - p->data) < p->n)
		return -1;
	*s = p->data + p->n;
	return 0;
}

static int is_line(const struct packet *p, const char *line)
{
	size_t n = p->n;

	if (n > 0 && p->data[n - 1] == '\n')
		n--;
	return n == strlen(line) && memcmp(p->data, line, n) == 0;
}

/*
 * One ls-refs command and nothing behind it: the command, what the client can
 * do, a delimiter, arguments, a flush. A second command is another matter.
 */
static int is_ls_refs(const char *body, size_t n)
{
	const char *end = body + n;
	struct packet p;
	int delims = 0;

	if (n > ASKED_BODY_MAX || next_packet(&body, end, &p) < 0 ||
	    !is_line(&p, LS_REFS))
		return 0;
	while (next_packet(&body, end, &p) == 0) {
		if (p.length == FLUSH)
			return body == end;
		if (p.length == DELIM && delims++ == 0)
			continue;
		if (p.length <= 4)
			return 0;
		/* a key that is there twice is not ours to judge */
		if (delims == 0 && p.n > 8 && !memcmp(p.data, "command=", 8))
			return 0;
	}
	return 0;
}

enum asked asked_find(const struct route *route, const char *git_protocol,
		      const char *body, size_t n)
{
	int v2 = request_wants_v2(git_protocol);

	if (route->kind == ROUTE_ADVERTISE &&
	    route->service == SERVICE_RECEIVE_PACK)
		return ASKED_PUSH_REFS;
	if (route->service != SERVICE_UPLOAD_PACK)
		return ASKED_OTHER;
	if (route->kind == ROUTE_ADVERTISE)
		return v2 ? ASKED_CAPABILITIES : ASKED_REFS;
	/* without version 2 a POST asks for a pack, whatever it looks like */
	if (route->kind == ROUTE_RPC && v2 && is_ls_refs(body, n))
		return ASKED_REFS;
	return ASKED_OTHER;
}

/* Packets that end in a flush, and nothing behind it. */
static int is_whole(const char *s, size_t n)
{
	const char *end = s + n;
	struct packet p = { .length = 4 };

	while (s < end)
		if (next_packet(&s, end, &p) < 0)
			return 0;
	return p.length == FLUSH;
}

/*
 * A reference may have such a name: then its repository's answers are made by
 * git each time, which is slow and right.
 */
static int is_new_each_time(const char *s, size_t n)
{
	return memmem(s, n, "session-id=", 11) != NULL ||
	       memmem(s, n, "push-cert=", 10) != NULL;
}

int asked_may_keep(enum asked asked, const char *answer, size_t n)
{
	size_t first = strlen(VERSION_2_LINE);

	switch (asked) {
	case ASKED_OTHER:
		return 0;
	case ASKED_CAPABILITIES:
		/* git may have been told not to speak it */
		if (n < first || memcmp(answer, VERSION_2_LINE, first) != 0)
			return 0;
		break;
	case ASKED_REFS:
	case ASKED_PUSH_REFS:
		break;
	case ASKED_PACK: /* has packets only where the pack is left out */
		return 0;
	}
	return is_whole(answer, n) && !is_new_each_time(answer, n);
}
