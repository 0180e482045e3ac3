#ifndef COMMANDS_H
#define COMMANDS_H

#include <stddef.h>
#include "buf.h"

/*
 * The head of a push: the pkt-lines that a client sends to git-receive-pack
 * before its pack (gitprotocol-pack(5), "Reference Update Request"): "shallow"
 * lines, commands "OLD NEW REF", the first followed by NUL and capabilities,
 * or all of them inside a push certificate; a flush; push options and a
 * flush. Pure: fed bytes as they come, from hostile clients.
 */

/* Hexadecimal object id, SHA-1 or SHA-256, and a NUL. */
#define COMMANDS_OID_MAX 65

struct command {
	char old[COMMANDS_OID_MAX];
	char new[COMMANDS_OID_MAX];
	char *ref;
};

enum commands_state {
	COMMANDS_MORE = 0, /* feed on */
	COMMANDS_DONE,     /* the flush after the commands has been seen; nr
			      is 0 for git's probe, a lone flush */
	COMMANDS_BAD,      /* not a push; error says why */
};

struct commands {
	enum commands_state state;
	const char *error; /* a constant */
	struct command *list;
	size_t nr, alloc;
	/* capabilities the client chose */
	int report_status;    /* report-status or report-status-v2 */
	int side_band;        /* side-band-64k: 2; side-band: 1 */
	int push_options;
	/* the rest is the parser's own */
	char head[4];      /* a pkt-line's length, as it comes */
	size_t head_have;
	size_t want;       /* bytes of the line still to come */
	struct buf line;
	struct buf cert;   /* the lines of a push certificate */
	int in_cert;
	size_t total;      /* bytes of all lines */
};

/* Most commands in one push; more is refused. */
#define COMMANDS_MAX 10000
/* Most bytes before the pack: so many commands with long names, signed. */
#define COMMANDS_BYTES_MAX (4 << 20)

void commands_init(struct commands *c);
/* Take n bytes; what follows the end of the commands is ignored. */
enum commands_state commands_feed(struct commands *c, const void *data,
				  size_t n);
void commands_clear(struct commands *c);

/* All digits of the id are '0'. */
int commands_is_zero(const char *oid);
/* A full reference name as git-check-ref-format(1) has it, below refs/. */
int commands_ref_ok(const char *ref);

#endif
