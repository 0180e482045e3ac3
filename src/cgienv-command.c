/*
 * Which program of git answers a request, and what it leaves out. What git
 * http-backend would do before git upload-pack or git receive-pack is to write
 * a few lines, start that one, copy the body to it and wait: it is run itself,
 * and what would stand before its answer is made here, byte for byte.
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

static void make_preset(struct buf *preset, const struct request *req,
			const struct route *route)
{
	const char *service = route_service_name(route->service);
	int advertise = route->kind == ROUTE_ADVERTISE;

	buf_adds(preset, NO_CACHE);
	buf_addf(preset, "Content-Type: application/x-%s-%s\r\n\r\n", service,
		 advertise ? "advertisement" : "result");
	/*
	 * A pkt-line that names the service, and a flush-pkt
	 * (gitprotocol-http(5)). receive-pack answers a client of version 2 in
	 * version 0 all the same, but unnamed.
	 */
	if (advertise && !request_wants_v2(req->git_protocol))
		buf_addf(preset, "%04zx# service=%s\n0000",
			 strlen("0000# service=\n") + strlen(service), service);
}

void cgienv_command(struct cgienv_command *cmd, const struct config *c,
		    const char *backend, const struct request *req,
		    const struct route *route, const char *git_dir)
{
	int push = route->service == SERVICE_RECEIVE_PACK;

	if (backend != NULL) {
		cmd->argv[0] = backend;
		buf_adds(&cmd->preset, "");
		return;
	}
	cmd->argv[0] = c->git;
	cmd->argv[1] = push ? "receive-pack" : "upload-pack";
	cmd->argv[2] = route->kind == ROUTE_ADVERTISE
			       ? "--http-backend-info-refs" : "--stateless-rpc";
	cmd->argv[3] = git_dir; /* begins with a slash, so no option */
	make_preset(&cmd->preset, req, route);
}
