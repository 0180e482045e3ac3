#ifndef SERVE_H
#define SERVE_H

struct FCGX_Request;
struct config;
struct session;
struct serve_again;

/*
 * The story of one request: request, route, policy, mirror, spool, cgienv,
 * backend, reply. session has its connection, already in fcgi; backend is
 * git-http-backend's absolute path, or NULL when the gate is full: then this
 * is refused in no time. Everything it acquires it frees, but for what it
 * returns, which may be NULL: that is for serve_again, under the same c.
 */
struct serve_again *serve_request(struct FCGX_Request *fcgi,
				  struct session *session,
				  const struct config *c, const char *backend);

/*
 * What is worth doing for the next request, when the client of this one has
 * its whole answer: some 40 ms, 2 s at the worst; nothing once stop_fd is
 * readable, nor when it is -1. Frees a.
 */
void serve_again(struct serve_again *a, const struct config *c,
		 const char *backend, int stop_fd);

#endif
