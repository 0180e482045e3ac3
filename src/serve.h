#ifndef SERVE_H
#define SERVE_H

struct FCGX_Request;
struct config;
struct session;

/*
 * The story of one request: request, route, policy, mirror, spool, cgienv,
 * backend, reply. session has its connection, already in fcgi; backend is
 * git-http-backend's absolute path, or NULL when the gate is full: then this
 * is refused in no time. Everything it acquires it frees.
 */
void serve_request(struct FCGX_Request *fcgi, struct session *session,
		   const struct config *c, const char *backend);

#endif
