#ifndef UPDATES_H
#define UPDATES_H

#include <stddef.h>
#include "config.h"

/*
 * What a push asks for, as pre-receive reads it on standard input
 * (githooks(5)): "OLD NEW REF" lines.
 */
struct update {
	char old[65];
	char new[65];
	char *ref;
	enum op op; /* OP_UPDATE until walk_classify says it is a rewind */
	char *reason; /* why it is not taken, clean, for its "ng"; or NULL */
};

struct updates {
	struct update *list;
	size_t nr, alloc;
};

#define UPDATES_INIT { 0 }

/* Read all of fd. Returns 0, or -1, logged: malformed, or too many. */
int updates_read(int fd, struct updates *out);
/* The same of a note (passed.h), which has reasons. */
int updates_read_note(int fd, struct updates *out);
void updates_clear(struct updates *u);

#endif
