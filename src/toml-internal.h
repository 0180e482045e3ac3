#ifndef TOML_INTERNAL_H
#define TOML_INTERNAL_H

#include "toml.h"

struct buf;

/* The reader's place; for toml.c and toml-value.c only. */
struct toml_reader {
	const char *file;
	const char *p, *end;
	int line;
	int depth;
	size_t values;
};

/* Logs "FILE:LINE: what" and returns -1. */
int toml_error(const struct toml_reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The byte n places on, or -1 past the end. */
int toml_peek(const struct toml_reader *r, size_t n);
/* Spaces and tabs. */
void toml_skip_blank(struct toml_reader *r);
/* All of the text is UTF-8: 0, or -1, logged with the line. */
int toml_check_utf8(const struct toml_reader *r);
/* A key, dotted or not, one part at a time. */
int toml_key_part(struct toml_reader *r, struct buf *out);

/* The value of a key that may hold NULs, or NULL. */
struct toml *toml_find(const struct toml *table, const char *key, size_t len);

/*
 * What stands at the reader's place: a string's bytes into out, in
 * toml-string.c; a scalar into v, whose line is set, in toml-value.c. Returns
 * 0 or -1, logged.
 */
int toml_string(struct toml_reader *r, struct buf *out, int multi_allowed);
int toml_scalar(struct toml_reader *r, struct toml *v);

#endif
