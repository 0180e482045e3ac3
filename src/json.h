#ifndef JSON_H
#define JSON_H

#include <stddef.h>

/*
 * JSON, RFC 8259, read strictly as a row of events. Knows no key. Depth is
 * bounded; size is the caller's to bound.
 */
enum json_type {
	JSON_OBJECT, /* it begins; its members follow, then JSON_END */
	JSON_ARRAY,
	JSON_END,
	JSON_STRING,
	JSON_NUMBER, /* text is as written */
	JSON_WORD,   /* true, false or null, which text says */
};

struct json_event {
	enum json_type type;
	unsigned depth;   /* of what it stands in: 0 for the outermost value */
	const char *key;  /* of a member, or NULL; no NUL in it */
	const char *text; /* of strings, numbers and words; ended by a NUL */
	size_t len;       /* of text, which may hold NULs of its own */
	int line;
};

#define JSON_MAX_DEPTH 32

/* Strings live until it returns. Other than 0 ends the reading. */
typedef int json_fn(void *arg, const struct json_event *e);

/*
 * Returns 0; or -1 at the first error, logged as "file:line: what"; or what fn
 * returned.
 */
int json_read(const char *file, const char *text, size_t len, json_fn *fn,
	      void *arg);

#endif
