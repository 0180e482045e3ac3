/*
 * Method, path and query to what is asked of which repository. Takes what the
 * web server gives, every byte of it hostile; gives a route. Pure. What is not
 * in the table does not exist.
 */
#include "route.h"

#include <string.h>
#include <strings.h>

#include "match.h"

/* What follows a repository's name in a path: the longest has 31 bytes. */
#define PATH_MAX_BYTES (1 + ROUTE_NAME_MAX + 4 + 128)

/*
 * Where a path ends in tail, it is for this; the first line decides, so a
 * repository may be called "objects". dumb lines are patterns for what
 * http-backend would serve to clients of the dumb protocol.
 */
static const struct line {
	const char *tail;
	const char *method;
	enum route_kind kind;
	enum service service; /* NONE: the query says */
	int dumb;
} table[] = {
	{ "/info/refs", "GET", ROUTE_ADVERTISE, SERVICE_NONE, 0 },
	{ "/git-upload-pack", "POST", ROUTE_RPC, SERVICE_UPLOAD_PACK, 0 },
	{ "/git-receive-pack", "POST", ROUTE_RPC, SERVICE_RECEIVE_PACK, 0 },
	{ "/git-upload-archive", "POST", ROUTE_DUMB, SERVICE_NONE, 0 },
	{ "*/HEAD", "GET", ROUTE_DUMB, SERVICE_NONE, 1 },
	{ "*/objects/info/*", "GET", ROUTE_DUMB, SERVICE_NONE, 1 },
	{ "*/objects/pack/*", "GET", ROUTE_DUMB, SERVICE_NONE, 1 },
	{ "*/objects/\?\?/*", "GET", ROUTE_DUMB, SERVICE_NONE, 1 },
};

static const char *const service_names[] = {
	[SERVICE_NONE] = "",
	[SERVICE_UPLOAD_PACK] = "git-upload-pack",
	[SERVICE_RECEIVE_PACK] = "git-receive-pack",
};

const char *route_service_name(enum service s)
{
	return service_names[s];
}

/*
 * git sends exactly this one parameter. Anything beside it is refused: a
 * second "service" might be the one that somebody after us believes.
 */
static enum service query_service(const char *query)
{
	static const char param[] = "service=";

	if (strncmp(query, param, sizeof(param) - 1))
		return SERVICE_NONE;
	query += sizeof(param) - 1;
	if (!strcmp(query, service_names[SERVICE_UPLOAD_PACK]))
		return SERVICE_UPLOAD_PACK;
	if (!strcmp(query, service_names[SERVICE_RECEIVE_PACK]))
		return SERVICE_RECEIVE_PACK;
	return SERVICE_NONE;
}

static int ends_in(const char *s, size_t n, const char *tail)
{
	size_t len = strlen(tail);

	return n >= len && !strncasecmp(s + n - len, tail, len);
}

static int name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("._~+@=-", c));
}

/* What is wrong with the n bytes between two slashes, or NULL. */
static const char *judge_segment(const char *s, size_t n)
{
	if (!n)
		return "the repository's name has an empty part";
	/* ".", "..", ".git"; and options, and our own pages below "-". */
	if (*s == '.' || *s == '-')
		return "a part of the repository's name begins with '.' or "
		       "'-'";
	for (size_t i = 0; i < n; i++)
		if (!name_byte(s[i]))
			return "the repository's name has a character other "
			       "than letters, digits and . _ ~ + @ = -";
	/*
	 * "a.git/b" would lie inside the repository "a", and ".lock" is
	 * git's own. Without regard to case: an upstream may ignore it.
	 */
	if (ends_in(s, n, ".git") || ends_in(s, n, ".lock"))
		return "a part of the repository's name ends in .git or .lock";
	return NULL;
}

int route_name(const char *name, char out[ROUTE_NAME_MAX + 1],
	       const char **error)
{
	size_t len;

	*out = '\0';
	*error = NULL;
	if (*name == '/')
		name++;
	len = strnlen(name, ROUTE_NAME_MAX + sizeof(".git"));
	if (len > 4 && !strncmp(name + len - 4, ".git", 4))
		len -= 4;
	if (len > ROUTE_NAME_MAX) {
		*error = "the repository's name is too long";
		return -1;
	}
	for (size_t i = 0; i <= len; i++) {
		const char *slash = memchr(name + i, '/', len - i);
		size_t n = slash ? (size_t)(slash - name) - i : len - i;
		*error = judge_segment(name + i, n);
		if (*error)
			return -1;
		i += n;
	}
	memcpy(out, name, len);
	out[len] = '\0';
	return 0;
}

/* The path's first n bytes name the repository. */
static void find_repo(const char *path, size_t n, struct route *out)
{
	char name[PATH_MAX_BYTES + 1];

	memcpy(name, path, n);
	name[n] = '\0';
	if (*name != '/') {
		out->kind = ROUTE_BAD_NAME;
		out->error = "the path does not begin with '/'";
	} else if (route_name(name, out->repo, &out->error)) {
		out->kind = ROUTE_BAD_NAME;
	}
}

static void take_line(const struct line *line, const char *method,
		      const char *path, size_t n, const char *query,
		      struct route *out)
{
	out->kind = line->kind;
	/* Told before the method: any request for these is of the old kind. */
	if (line->kind == ROUTE_DUMB)
		return;
	if (strcmp(method, line->method) != 0) {
		out->kind = ROUTE_BAD_METHOD;
		return;
	}
	out->service = line->service;
	if (line->kind == ROUTE_ADVERTISE) {
		out->service = query_service(query);
		if (out->service == SERVICE_NONE) {
			out->kind = ROUTE_DUMB;
			return;
		}
	}
	find_repo(path, n, out);
	if (out->kind == ROUTE_BAD_NAME)
		out->service = SERVICE_NONE;
}

/* Our own pages: no repository can have this name. */
static int own_page(const char *method, const char *path, struct route *out)
{
	if (strncmp(path, "/-/", 3) != 0)
		return 0;
	if (!strcmp(path, "/-/health"))
		out->kind = !strcmp(method, "GET") || !strcmp(method, "HEAD")
				    ? ROUTE_HEALTH : ROUTE_BAD_METHOD;
	return 1;
}

void route_find(const char *method, const char *path, const char *query,
		struct route *out)
{
	size_t len;

	*out = (struct route){ .kind = ROUTE_NONE };
	method = method ? method : "";
	path = path ? path : "";
	query = query ? query : "";
	len = strlen(path);
	if (len > PATH_MAX_BYTES) {
		out->kind = ROUTE_BAD_NAME;
		out->error = "the path is too long";
		return;
	}
	if (own_page(method, path, out))
		return;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct line *line = &table[i];
		size_t tail = strlen(line->tail);
		if (line->dumb ? match_glob(line->tail, path)
			       : len >= tail &&
				 !strcmp(path + len - tail, line->tail)) {
			take_line(line, method, path, len - tail, query, out);
			return;
		}
	}
}
