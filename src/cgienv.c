/*
 * The environment of git http-backend, and of what it starts without it.
 * Takes a validated request, gives the variables of an allow-list; nothing that
 * a client sent gets a name here that the client chose.
 */
#include "cgienv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "request.h"

static void set_if(struct env *e, const char *name, const char *value)
{
	if (*value != '\0')
		env_set(e, name, value);
}

/* "/srv/git/acme/web.git": root "/srv/git/acme", path "/web.git/...". */
static void set_paths(struct env *e, const struct route *route,
		      const char *git_dir)
{
	const char *service = route_service_name(route->service);
	const char *base = strrchr(git_dir, '/');

	env_setf(e, "GIT_PROJECT_ROOT", "%.*s", (int)(base - git_dir),
		 git_dir);
	if (route->kind == ROUTE_ADVERTISE) {
		env_setf(e, "PATH_INFO", "%s/info/refs", base);
		env_setf(e, "QUERY_STRING", "service=%s", service);
		env_set(e, "REQUEST_METHOD", "GET");
	} else {
		env_setf(e, "PATH_INFO", "%s/%s", base, service);
		env_set(e, "QUERY_STRING", "");
		env_set(e, "REQUEST_METHOD", "POST");
	}
}

/* What a CGI program has to know, and nothing behind it. */
static void set_cgi(struct env *e, const struct request *req,
		    const struct route *route, const char *git_dir,
		    uint64_t content_length)
{
	env_set(e, "GATEWAY_INTERFACE", "CGI/1.1");
	env_set(e, "GIT_HTTP_EXPORT_ALL", "1");
	set_paths(e, route, git_dir);
	set_if(e, "SERVER_PROTOCOL", req->server_protocol);
	if (route->kind != ROUTE_RPC)
		return;
	env_setf(e, "CONTENT_LENGTH", "%" PRIu64, content_length);
	env_setf(e, "CONTENT_TYPE", "application/x-%s-request",
		 route_service_name(route->service));
}

/* Who moved a reference, for its log: as http-backend has it. */
static void set_committer(struct env *e, const struct request *req)
{
	const char *who = *req->who != '\0' ? req->who : "anonymous";
	const char *addr = *req->addr != '\0' ? req->addr : "(none)";

	env_set(e, "GIT_COMMITTER_NAME", who);
	env_setf(e, "GIT_COMMITTER_EMAIL", "%s@http.%s", who, addr);
}

/*
 * The quarantine borrows from the mirror alone, whose references git knows
 * without a process that lists them.
 */
static void set_alternates(struct env *e, const struct config *c)
{
	struct buf command = BUF_INIT;

	gitenv_nothing(c, &command);
	env_config(e, "core.alternateRefsCommand", command.data);
	buf_clear(&command);
}

/* What receive-pack and its hook need. */
static void set_push(struct env *e, const struct config *c,
		     const struct config_repo *repo, const struct request *req,
		     const char *id, const struct route *route)
{
	char max[24];

	env_config(e, "core.hooksPath", c->hooks);
	/* without that hook git refuses; without pre-receive it would not */
	env_config(e, "receive.procReceiveRefs", "refs/");
	if (repo->upstream)
		set_alternates(e, c);
	env_config(e, "receive.advertisePushOptions",
		   repo->push_options != NULL ? "true" : "false");
	/* what is inflated counts too; git says more than a failed write */
	snprintf(max, sizeof(max), "%" PRIu64,
		 c->file_size > 0 && c->file_size < c->max_body
			 ? c->file_size : c->max_body);
	env_config(e, "receive.maxInputSize", max);
	/*
	 * Seconds. lighttpd tells of a client that has left when something is
	 * written to it: this notices it within git's own 5.
	 */
	env_config(e, "receive.keepAlive", "4");
	/* it takes what it likes of several: no more is promised */
	if (repo->upstream != NULL && repo->upstream->atomic_prefer)
		env_config(e, "receive.advertiseAtomic", "false");
	/* policy decides on deletions and rewinds, not the mirror */
	env_config(e, "receive.denyDeletes", "false");
	env_config(e, "receive.denyNonFastForwards", "false");
	env_config(e, "receive.denyDeleteCurrent", "ignore");
	env_set(e, "GIT_GATE_CONFIG", c->file);
	env_set(e, "GIT_GATE_CONFIG_NAME", c->name);
	env_set(e, "GIT_GATE_REPO", route->repo);
	env_set(e, "GIT_GATE_ID", id);
	/* the hook asks us before it forwards: control.h */
	env_set(e, "GIT_GATE_CONTROL", "yes");
	/* git asks proc-receive of each reference, see above */
	env_set(e, "GIT_GATE_ANSWERS", "yes");
	set_if(e, "GIT_GATE_WHO", req->who);
}

/*
 * Many sessions share the processors: a fetch takes half of them, at most 4,
 * since more than that gains little beside reading and compressing; a push,
 * of which there are fewer and which locks others out, takes all, at most 8.
 */
static unsigned threads_for(const struct config *c, const struct route *route)
{
	unsigned push = c->cores < 8 ? c->cores : 8;
	unsigned fetch = c->cores / 2 < 4 ? c->cores / 2 : 4;

	return route->service == SERVICE_RECEIVE_PACK ? push : fetch;
}

void cgienv_fill(struct env *e, const struct config *c,
		 const struct config_repo *repo, const struct request *req,
		 const char *id, const struct route *route,
		 const char *git_dir, uint64_t content_length)
{
	gitenv_base(e, c);
	gitenv_pack(e, c, threads_for(c, route));
	set_if(e, "REMOTE_USER", req->who);
	set_if(e, "REMOTE_ADDR", req->addr);
	set_if(e, "GIT_PROTOCOL", req->git_protocol);
	set_committer(e, req);
	if (route->service == SERVICE_RECEIVE_PACK) {
		set_push(e, c, repo, req, id, route);
		return;
	}
	set_cgi(e, req, route, git_dir, content_length);
	/* partial clones (git-clone(1), --filter), of hosted ones too */
	env_config(e, "uploadpack.allowFilter", "true");
}
