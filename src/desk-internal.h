#ifndef DESK_INTERNAL_H
#define DESK_INTERNAL_H

/* What the files of desk share; nobody else includes this. */

struct buf;
struct config;
struct vault;

/*
 * One request: what follows its first word, as far as it was read with the
 * line ("" for nothing); the answer goes to out, or piece by piece to fd.
 */
struct desk_request {
	const struct config *c;
	int fd;
	char *words;
	struct buf *out;
	struct vault *vault;
};
typedef void desk_fn(struct desk_request *r);

desk_fn desk_status;
desk_fn desk_sync;

/* desk-token.c */
desk_fn desk_token;
desk_fn desk_renew;
desk_fn desk_keep;
desk_fn desk_loose;
desk_fn desk_mark;
desk_fn desk_marks;

#endif
