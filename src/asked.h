#ifndef ASKED_H
#define ASKED_H

#include <stddef.h>

struct route;

/*
 * Which answers of git are the same as long as the repository is, and whether
 * an answer is one of them, whole. Pure.
 */
enum asked {
	ASKED_OTHER = 0,    /* never kept */
	ASKED_CAPABILITIES, /* of protocol version 2: no reference is in them */
	ASKED_REFS,         /* a fetch's advertisement, or ls-refs */
	ASKED_PUSH_REFS,    /* a push's advertisement */
	ASKED_PACK,         /* a fetch's, what of the answer is no pack */
};

/* Largest body of an ls-refs command that is looked at, bytes. */
#define ASKED_BODY_MAX 16384

/* git_protocol is GIT_PROTOCOL or ""; body is an RPC's, inflated. */
enum asked asked_find(const struct route *route, const char *git_protocol,
		      const char *body, size_t n);

/*
 * May git's answer, without its header, be given again? Not one that is cut
 * or that has what git makes anew each time (a session's id, a nonce).
 */
int asked_may_keep(enum asked asked, const char *answer, size_t n);

#endif
