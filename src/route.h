#ifndef ROUTE_H
#define ROUTE_H

/*
 * Method, path and query -> what is asked of which repository. Pure. Only the
 * smart protocol exists; the table in route.c is the whole list.
 */

enum route_kind {
	ROUTE_NONE = 0,    /* nothing of ours: 404 */
	ROUTE_BAD_METHOD,  /* 405 */
	ROUTE_BAD_NAME,    /* the path can name no repository: 404, error says */
	ROUTE_DUMB,        /* the dumb protocol, or no known service: 403 */
	ROUTE_HEALTH,      /* GET /-/health */
	ROUTE_ADVERTISE,   /* GET REPO/info/refs?service=git-... */
	ROUTE_RPC,         /* POST REPO/git-upload-pack, git-receive-pack */
};

enum service { SERVICE_NONE = 0, SERVICE_UPLOAD_PACK, SERVICE_RECEIVE_PACK };

/* Longest repository name, in bytes; deeper or longer is nobody's. */
#define ROUTE_NAME_MAX 255

struct route {
	enum route_kind kind;
	enum service service;
	char repo[ROUTE_NAME_MAX + 1]; /* normalised; "" unless found */
	const char *error; /* for ROUTE_BAD_NAME: why; a constant */
};

/*
 * method, path (PATH_INFO, decoded by the web server, RFC 3875 section 4.1.5)
 * and query as the web server gives them; NULL counts as "".
 */
void route_find(const char *method, const char *path, const char *query,
		struct route *out);

/*
 * Normalise a repository's name into out: one leading '/' and a ".git" at the
 * end are dropped; segments of [A-Za-z0-9._~+@=-] that begin with neither '.'
 * nor '-' and do not end in ".lock" or ".git", joined by single slashes.
 * Refused: anything else (empty, "..", "//", '%', control bytes, too long).
 * Returns 0, or -1 with *error set to a constant sentence part.
 */
int route_name(const char *name, char out[ROUTE_NAME_MAX + 1],
	       const char **error);

/* "git-upload-pack" or "git-receive-pack"; "" for none. */
const char *route_service_name(enum service s);

#endif
