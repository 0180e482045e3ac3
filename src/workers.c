/*
 * The pool of workers. Takes a listening socket, gives each connection to
 * serve_request; knows libfcgi's ways with a connection, nothing of git.
 */
#include "workers.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "listen.h"
#include "log.h"
#include "mem.h"
#include "serve.h"
#include "session.h"
#include "witness.h"

/* A request needs about 100 KiB (a pkt-line, a pipe's chunk, a path). */
#define STACK_SIZE (512 * 1024)
/* So many workers stay when there is nothing to do. */
#define SPARE 8
/* The web server closes its side once it has all; for one that does not. */
#define CLOSE_MS 500

/* A configuration, kept until the last request that began under it ends. */
struct shared_config {
	struct config *c;
	unsigned users;
};

struct workers {
	int listen_fd, stop_fd;
	const char *backend;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t ended;
	struct shared_config *current;
	unsigned most, running, idle;
	pthread_mutex_t accepting; /* one of us waits in poll, not all */
};

static void release(struct workers *w, struct shared_config *sc)
{
	unsigned left;

	pthread_mutex_lock(&w->lock);
	left = --sc->users;
	pthread_mutex_unlock(&w->lock);
	if (left == 0) {
		config_free(sc->c);
		free(sc);
	}
}

static struct shared_config *hold(struct workers *w)
{
	struct shared_config *sc;

	pthread_mutex_lock(&w->lock);
	sc = w->current;
	sc->users++;
	pthread_mutex_unlock(&w->lock);
	return sc;
}

static void replace(struct workers *w, struct config *c)
{
	struct shared_config *sc = mem_zalloc(sizeof(*sc)), *old;

	sc->c = c;
	sc->users = 1;
	pthread_mutex_lock(&w->lock);
	old = w->current;
	w->current = sc;
	pthread_mutex_unlock(&w->lock);
	if (old != NULL)
		release(w, old);
}

struct shared_config *workers_config(struct workers *w, const struct config **c)
{
	struct shared_config *sc = hold(w);

	*c = sc->c;
	return sc;
}

void workers_config_done(struct workers *w, struct shared_config *sc)
{
	release(w, sc);
}

void workers_reload(struct workers *w, struct config *c)
{
	replace(w, c);
}

static int take_connection(struct workers *w)
{
	struct shared_config *sc;
	int fd;

	pthread_mutex_lock(&w->accepting);
	sc = hold(w);
	/* the bounds of a request that comes after a reload are a little old */
	fd = listen_accept(w->listen_fd, w->stop_fd, (long)sc->c->read_ms,
			   (long)sc->c->write_ms);
	pthread_mutex_unlock(&w->accepting);
	release(w, sc);
	return fd;
}

/*
 * libfcgi accepts by itself when it holds no connection. Ours is accepted
 * before, so that it is close-on-exec, has time-outs already while parameters
 * are read, and so that stopping needs no signal: it is given to libfcgi as
 * the kept connection of a request that ended, and -1 is its listening socket.
 */
static int read_parameters(FCGX_Request *fcgi, int fd)
{
	FCGX_InitRequest(fcgi, -1, 0);
	fcgi->ipcFd = fd;
	fcgi->keepConnection = 1;
	if (FCGX_Accept_r(fcgi) == 0)
		return 0;
	log_debug("a connection ended before it had asked for anything");
	return -1;
}

/*
 * Say that nothing more comes, and take what still does, so that the kernel
 * has no cause to throw our last words away. libfcgi would do so for as long
 * as the other side sends.
 */
static void close_gently(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t until = clock_ms() + CLOSE_MS;
	char rest[4096];

	if (shutdown(fd, SHUT_WR) == 0)
		while (clock_left(until) > 0 &&
		       poll(&p, 1, clock_left(until)) > 0 &&
		       recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0)
			;
}

/* Would a request that comes now find a worker, without this one? */
static int others_wait(struct workers *w)
{
	int idle;

	pthread_mutex_lock(&w->lock);
	idle = w->idle > 0;
	pthread_mutex_unlock(&w->lock);
	return idle;
}

/*
 * A session has a descriptor of its own, which is valid until its end whatever
 * libfcgi closes, so that nobody shuts a connection that has become another's.
 */
static void serve_connection(struct workers *w, int fd, int full)
{
	struct serve_again *again = NULL;
	struct shared_config *sc;
	struct session *session;
	FCGX_Request fcgi;
	int own;

	if (read_parameters(&fcgi, fd) < 0)
		return;
	sc = hold(w);
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	session = own >= 0 ? session_begin(own, sc->c->total_ms) : NULL;
	if (session != NULL)
		again = serve_request(&fcgi, session, sc->c,
				      full ? NULL : w->backend);
	else
		log_error("a request is dropped: %s", strerror(errno));
	/* one request a connection: an idle one would hold this worker */
	fcgi.keepConnection = 0;
	fcgi.detached = 1; /* closed without more: we do the rest */
	FCGX_Finish_r(&fcgi);
	if (session != NULL) {
		/* it would keep the connection open */
		if (session->witnessed)
			witness_done(own);
		/* what is read wholly is closed without more */
		if (!session->taken)
			close_gently(own);
		session_end(session);
	}
	if (own >= 0)
		close(own);
	serve_again(again, sc->c, w->backend, others_wait(w) ? w->stop_fd : -1);
	release(w, sc);
}

static void *work(void *arg);

/* Returns -1 when it cannot be, or when there are as many as there may be. */
static int start_one(struct workers *w)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc = 0, started = 0;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_mutex_lock(&w->lock);
	if (w->running < w->most) {
		rc = pthread_create(&thread, &attr, work, w);
		started = rc == 0;
	}
	w->running += (unsigned)started;
	w->idle += (unsigned)started;
	pthread_mutex_unlock(&w->lock);
	pthread_attr_destroy(&attr);
	if (rc != 0)
		log_error("cannot start a worker: %s; lower gate.workers",
			  strerror(rc));
	return started ? 0 : -1;
}

/*
 * A worker takes a request. The last that was idle starts another; where there
 * may be none, it has no time for this request but to say so.
 */
static int become_busy(struct workers *w)
{
	int last;

	pthread_mutex_lock(&w->lock);
	last = --w->idle == 0;
	pthread_mutex_unlock(&w->lock);
	return last && start_one(w) < 0;
}

/* Returns 0 when there are enough others to wait for work. */
static int become_idle(struct workers *w)
{
	int stay;

	pthread_mutex_lock(&w->lock);
	stay = w->idle < SPARE;
	w->idle += (unsigned)stay;
	pthread_mutex_unlock(&w->lock);
	return stay;
}

static void *work(void *arg)
{
	struct workers *w = arg;
	int fd, idle = 1;

	while (idle && (fd = take_connection(w)) >= 0) {
		serve_connection(w, fd, become_busy(w));
		idle = become_idle(w);
	}
	pthread_mutex_lock(&w->lock);
	w->idle -= (unsigned)idle;
	w->running--;
	pthread_cond_signal(&w->ended);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

struct workers *workers_start(unsigned n, int listen_fd, int wake_fd,
			      struct config *c, const char *backend)
{
	struct workers *w = mem_zalloc(sizeof(*w));
	unsigned i;

	w->listen_fd = listen_fd;
	w->most = n;
	w->backend = backend;
	w->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&w->lock, NULL);
	pthread_mutex_init(&w->accepting, NULL);
	clock_condition(&w->ended);
	replace(w, c);
	if (session_table(n, wake_fd) < 0 || w->stop_fd < 0 ||
	    FCGX_Init() != 0) {
		log_error("cannot start: %s", strerror(errno));
		return NULL;
	}
	for (i = 0; i < n && i < SPARE; i++)
		if (start_one(w) < 0)
			return NULL;
	return w;
}

void workers_stop(struct workers *w, int close_listen)
{
	uint64_t one = 1;

	/* stays readable, for all of them */
	if (write(w->stop_fd, &one, sizeof(one)) < 0)
		log_error("eventfd: %s", strerror(errno));
	/* who comes now would wait in vain */
	if (close_listen)
		shutdown(w->listen_fd, SHUT_RDWR);
}

int workers_join(struct workers *w, int timeout_ms)
{
	int64_t until = clock_ms() + timeout_ms;
	int rc = 0, left;

	pthread_mutex_lock(&w->lock);
	while (w->running > 0 && rc == 0)
		rc = clock_wait(&w->ended, &w->lock, until);
	left = w->running > 0;
	pthread_mutex_unlock(&w->lock);
	return left ? -1 : 0;
}

void workers_free(struct workers *w)
{
	release(w, w->current);
	close(w->listen_fd);
	close(w->stop_fd);
	pthread_cond_destroy(&w->ended);
	pthread_mutex_destroy(&w->lock);
	pthread_mutex_destroy(&w->accepting);
	free(w);
	session_table_free();
}
