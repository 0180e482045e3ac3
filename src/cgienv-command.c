/*
 * Which program of git answers a request, and what it leaves out. A fetch is
 * git http-backend's. For a push that program would start git receive-pack,
 * copy the body to it and wait: receive-pack is run itself, and what would
 * stand before its answer is made here, byte for byte.
 */
#include "cgienv.h"

#include <string.h>

#include "config.h"
#include "request.h"

/* http-backend's words for "do not keep this", in its order. */
#define NO_CACHE                                                               \
	"Expires: Fri, 01 Jan 1980 00:00:00 GMT\r\n"                           \
	"Pragma: no-cache\r\n"                                                 \
	"Cache-Control: no-cache, max-age=0, must-revalidate\r\n"
/* A pkt-line that names the service, and a flush-pkt (gitprotocol-http(5)). */
#define SERVICE "001f# service=git-receive-pack\n0000"

static void make_preset(struct buf *preset, const struct request *req,
			int advertise)
{
	buf_adds(preset, NO_CACHE);
	buf_addf(preset, "Content-Type: application/x-git-receive-pack-%s"
		 "\r\n\r\n", advertise ? "advertisement" : "result");
	/* receive-pack answers in version 0 all the same, but unnamed */
	if (advertise && !request_wants_v2(req->git_protocol))
		buf_adds(preset, SERVICE);
}

void cgienv_command(struct cgienv_command *cmd, const struct config *c,
		    const char *backend, const struct request *req,
		    const struct route *route, const char *git_dir)
{
	int advertise = route->kind == ROUTE_ADVERTISE;

	if (route->service != SERVICE_RECEIVE_PACK) {
		cmd->argv[0] = backend;
		buf_adds(&cmd->preset, "");
		return;
	}
	cmd->argv[0] = c->git;
	cmd->argv[1] = "receive-pack";
	cmd->argv[2] = advertise ? "--http-backend-info-refs"
				 : "--stateless-rpc";
	cmd->argv[3] = git_dir; /* begins with a slash, so no option */
	make_preset(&cmd->preset, req, advertise);
}
