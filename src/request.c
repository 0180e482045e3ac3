/*
 * FastCGI parameters (RFC 3875 meta-variables) to a bounded, validated
 * struct. Takes what the web server passed on from a hostile client, gives
 * strings without control bytes; interprets none but those that have one
 * meaning only (a length, a content encoding's names).
 */
#include "request.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Longest value taken, by what a real client sends. */
struct variable {
	const char *name;
	size_t offset;
	size_t max;
	const char *error;
};

#define VARIABLE(name, field, max, what)                                       \
	{ name, offsetof(struct request, field), max,                          \
	  what " is malformed or too long" }

static const struct variable variables[] = {
	VARIABLE("REQUEST_METHOD", method, 32, "the method"),
	VARIABLE("PATH_INFO", path, 4096, "the path"),
	VARIABLE("QUERY_STRING", query, 1024, "the query"),
	VARIABLE("REMOTE_USER", who, 64, "the user's name"),
	VARIABLE("REMOTE_ADDR", addr, 64, "the client's address"),
	VARIABLE("CONTENT_TYPE", content_type, 128, "the content type"),
	VARIABLE("HTTP_CONTENT_ENCODING", content_encoding, 32,
		 "the content encoding"),
	VARIABLE("GIT_PROTOCOL", git_protocol, 128, "Git-Protocol"),
	VARIABLE("HTTP_GIT_PROTOCOL", git_protocol, 128, "Git-Protocol"),
	VARIABLE("SERVER_PROTOCOL", server_protocol, 32, "the protocol"),
};

/* RFC 3875 names are taken as they stand; the first of a name counts. */
static const char *lookup(char **params, const char *name)
{
	size_t n = strlen(name);

	for (; *params != NULL; params++)
		if (strncmp(*params, name, n) == 0 && (*params)[n] == '=')
			return *params + n + 1;
	return NULL;
}

/* Printable: no control bytes. UTF-8 may pass, it is cleaned where shown. */
static int printable(const char *s, size_t max)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (i >= max || (unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return 0;
	return 1;
}

/* An empty value is a value, and no length is told by the empty string. */
static int read_length(const char *s, int64_t *out)
{
	char *end;

	*out = -1;
	if (s == NULL || *s == '\0')
		return 0;
	if (strspn(s, "0123456789") != strlen(s) || strlen(s) > 18)
		return -1;
	*out = strtoll(s, &end, 10);
	return 0;
}

/* Its names are of either case, gzip has two (RFC 9110, 8.4.1). */
static const char *plain_encoding(const char *s)
{
	if (strcasecmp(s, "gzip") == 0 || strcasecmp(s, "x-gzip") == 0)
		return "gzip";
	return strcasecmp(s, "identity") == 0 ? "" : s;
}

/* GIT_PROTOCOL: keys and values joined by colons (git(1)). */
static int protocol_ok(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789=:.-_";

	return s[strspn(s, allowed)] == '\0';
}

static int read_strings(char **params, struct request *out, const char **error)
{
	size_t i;

	for (i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		const struct variable *v = &variables[i];
		const char **field =
			(const char **)(void *)((char *)out + v->offset);
		const char *value = lookup(params, v->name);

		if (value == NULL || (*field != NULL && **field != '\0'))
			continue;
		if (!printable(value, v->max)) {
			*error = v->error;
			return -1;
		}
		*field = value;
	}
	return 0;
}

/* Whatever was not given, or not reached, reads as the empty string. */
static void fill_empty(struct request *out)
{
	size_t i;

	for (i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		const char **field = (const char **)(void *)((char *)out +
							     variables[i].offset);

		if (*field == NULL)
			*field = "";
	}
}

int request_read(char **params, struct request *out, const char **error)
{
	int rc;

	memset(out, 0, sizeof(*out));
	out->content_length = -1;
	rc = read_strings(params, out, error);
	fill_empty(out);
	if (rc < 0)
		return -1;
	*error = NULL;
	out->content_encoding = plain_encoding(out->content_encoding);
	if (read_length(lookup(params, "CONTENT_LENGTH"),
			&out->content_length) < 0)
		*error = "CONTENT_LENGTH is not a length";
	else if (!protocol_ok(out->git_protocol))
		*error = "Git-Protocol is malformed";
	return *error == NULL ? 0 : -1;
}

int request_wants_v2(const char *git_protocol)
{
	static const char wanted[] = "version=2";

	/* one of the keys between colons */
	for (;;) {
		size_t n = strcspn(git_protocol, ":");

		if (n == strlen(wanted) && !memcmp(git_protocol, wanted, n))
			return 1;
		if (git_protocol[n] == '\0')
			return 0;
		git_protocol += n + 1;
	}
}
