#ifndef WITNESS_INTERNAL_H
#define WITNESS_INTERNAL_H

#include <sys/socket.h>

/*
 * What is told: when an answer begins, with its descriptor beside it; when it
 * has its end, with none.
 */
struct witness_word {
	int number;  /* of the descriptor, in the responder */
	unsigned id; /* of the request */
};

/* Room for one descriptor beside a word, aligned (cmsg(3)). */
union witness_control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr head;
};

/*
 * witness-process.c: what the process does, from its first moment. from is its
 * end of the pair.
 */
void witness_process(int from, char **argv) __attribute__((noreturn));

#endif
