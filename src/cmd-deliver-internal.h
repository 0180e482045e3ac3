#ifndef CMD_DELIVER_INTERNAL_H
#define CMD_DELIVER_INTERNAL_H

#include <stddef.h>
#include "park.h"

/* What the files of cmd-deliver share; nobody else includes this. */

struct config;

struct deliver {
	struct config *c;
	struct park_list list;
	const char *id; /* of the push at hand; for the log */
	int status;
	unsigned delivered, not_delivered, not_tried;
	char *warning; /* the last one, which the gate's log has; or NULL */
	/* servers that did not answer: the rest of theirs is not tried */
	const char **silent;
	size_t nr_silent, alloc_silent;
};

/* The worst of what happened is the exit status. */
void cmd_deliver_worse(struct deliver *d, int status);

/* "ID: ..." on standard output, cleaned. */
void cmd_deliver_tell(const struct park *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* For people: nobody is "nobody (-)"; "17s", "5m", "3h", "12d". */
const char *cmd_deliver_who(const struct park *p);
const char *cmd_deliver_age(const struct park *p, char out[24]);

/* A record of each of its references. */
void cmd_deliver_audit(const struct deliver *d, const struct park *p,
		       const char *verdict, const char *code);

/* cmd-deliver-send.c: send this one, or say why not. */
void cmd_deliver_send(struct deliver *d, struct park *p);

#endif
