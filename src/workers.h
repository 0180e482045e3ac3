#ifndef WORKERS_H
#define WORKERS_H

struct config;

/*
 * The pool: threads that each accept, serve and finish one request at a time,
 * sharing the configuration that was current when the request came.
 */
struct workers;

/*
 * Serve at most n requests at a time from the listening descriptor; threads are
 * made as they are needed and end when they are not. c is taken over. backend
 * is git-http-backend's absolute path; wake_fd is for session_table. Returns
 * NULL, logged, on failure.
 */
struct workers *workers_start(unsigned n, int listen_fd, int wake_fd,
			      struct config *c, const char *backend);

/*
 * The configuration of now, for other threads: it stays until it is given
 * back.
 */
struct shared_config;
struct shared_config *workers_config(struct workers *w,
				     const struct config **c);
void workers_config_done(struct workers *w, struct shared_config *sc);

/* Requests from now on see c, which is taken over. */
void workers_reload(struct workers *w, struct config *c);

/*
 * Accept no more; what runs goes on. close_listen: nobody else listens on the
 * socket, so who comes is to be told at once that nobody does.
 */
void workers_stop(struct workers *w, int close_listen);

/* Wait up to timeout_ms for all to have ended. Returns 0, or -1. */
int workers_join(struct workers *w, int timeout_ms);

/* Once all have ended: free them and the configuration. */
void workers_free(struct workers *w);

#endif
