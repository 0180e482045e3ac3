/*
 * "status": what the responder is doing, as text for people.
 */
#include "desk-internal.h"

#include "buf.h"
#include "session.h"

void desk_status(struct desk_request *r)
{
	session_print(r->out);
}
