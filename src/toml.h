#ifndef TOML_H
#define TOML_H

#include <stddef.h>
#include <stdint.h>

/*
 * TOML 1.0, read strictly into a tree. Knows no key. Size, depth, keys in a
 * table and values in all are bounded.
 */
enum toml_type {
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOLEAN,
	TOML_DATE, /* date, time or both, kept as text */
	TOML_ARRAY,
	TOML_TABLE,
};

/* How a table or array may still be added to; of use to the reader alone. */
enum toml_open {
	TOML_CLOSED = 0, /* an inline table, an array's brackets */
	TOML_IMPLIED,    /* a table that a longer [header] named on its way */
	TOML_HEADED,     /* a [header] defined it */
	TOML_DOTTED,     /* a dotted key made it */
	TOML_LISTED,     /* an array of tables */
};

struct toml {
	enum toml_type type;
	enum toml_open open;
	int line;         /* of the value, or of a table's header */
	char *key;        /* in the table that holds it, else NULL */
	size_t key_len;   /* of key, which may hold NULs of its own */
	char *text;       /* a string; numbers and dates as written */
	size_t len;       /* of text, which may hold NULs of its own */
	int64_t integer;  /* integers; booleans as 0 and 1 */
	double real;
	struct toml **items; /* of an array or a table, in the file's order */
	size_t nr, alloc;
};

#define TOML_MAX_BYTES (8u << 20)
#define TOML_MAX_DEPTH 32
#define TOML_MAX_VALUES 400000
#define TOML_MAX_KEYS 4096 /* of one table: they are looked up in turn */

/*
 * Read text; file is for messages. Returns the root table, or NULL at the
 * first error, which is logged as "FILE:LINE: what".
 */
struct toml *toml_read(const char *file, const char *text, size_t len);
void toml_free(struct toml *t);

/* The value of key in a table, or NULL. */
struct toml *toml_get(const struct toml *table, const char *key);

/* A word for people: "a string", "a table", ... */
const char *toml_type_name(enum toml_type type);

#endif
