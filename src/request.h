#ifndef REQUEST_H
#define REQUEST_H

#include <stdint.h>

/*
 * One request's FastCGI parameters, validated and bounded. Strings belong to
 * the array that they were read from; those not given are "". Pure.
 */
struct request {
	const char *method;
	const char *path;      /* PATH_INFO */
	const char *query;
	const char *who;       /* REMOTE_USER, checked by the web server */
	const char *addr;      /* REMOTE_ADDR */
	const char *content_type;
	const char *content_encoding; /* "" for none, "gzip", or as it came */
	const char *git_protocol;
	const char *server_protocol;
	int64_t content_length; /* -1: not given, the body ends when it ends */
};

/*
 * Fill out from params, "NAME=value" strings and a NULL. Returns 0, or -1 with
 * *error set to a constant sentence part: a value is too long, has control
 * bytes, or is malformed; fields may then be "" that were given.
 */
int request_read(char **params, struct request *out, const char **error);

/* Does the client ask for protocol version 2, by GIT_PROTOCOL (git(1))? */
int request_wants_v2(const char *git_protocol);

#endif
