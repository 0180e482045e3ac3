#ifndef REPLY_H
#define REPLY_H

#include "route.h"

struct FCGX_Request;
struct commands;
struct refusal;

/*
 * Every answer that we write ourselves. A refusal is always visible in the
 * client's terminal: at an advertisement as an HTTP error with text, which
 * git shows; in an RPC as git's own words for it, since git shows nothing of
 * an HTTP error there.
 */

/* text/plain with a status. */
void reply_text(struct FCGX_Request *fcgi, int status, const char *text);

/*
 * Refuse. commands (may be NULL) are what was parsed of a push: its
 * references are named in the report-status, side-band is used where chosen.
 */
void reply_refuse(struct FCGX_Request *fcgi, const struct route *route,
		  const struct commands *commands, const struct refusal *why,
		  const char *id);

struct buf;
struct packets;

/*
 * The last words of an answer of git that was begun and cannot be ended, in
 * the form that git shows at that point; none where there is no such form.
 */
void reply_last(const struct route *route, const struct commands *commands,
		const struct packets *packets, const struct refusal *why,
		const char *id, struct buf *out);

/*
 * The same lines for people, to stand before the flush that ends the answer to
 * a push; none where it has no side-band.
 */
void reply_note(const struct commands *commands, const struct refusal *why,
		const char *id, struct buf *out);

#endif
