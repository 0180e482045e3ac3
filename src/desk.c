/*
 * The desk: takes connections at the control socket, reads one request each
 * and has it answered. A peer that stalls costs its own thread, for a while;
 * nothing here is reached by clients.
 */
#include "desk.h"
#include "desk-internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "vault.h"
#include "workers.h"

#define STACK_SIZE (512 * 1024)
/* Threads at a time: an operator's commands, and helpers of many pushes. */
#define MOST 64
/* A peer sends its line at once, and takes its answer. */
#define PEER_S 5
/* The longest line, with what comes behind it. */
#define LINE_MAX_BYTES 70000

struct desk {
	struct workers *workers;
	struct vault *vault;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t ended;
	unsigned running;
	struct visit *visits;
};

struct visit {
	struct visit *next;
	struct desk *desk;
	int fd;
};

static const struct {
	const char *word;
	desk_fn *answer;
} requests[] = {
	{ "status", desk_status },
	{ "sync", desk_sync },
	{ "token", desk_token },
	{ "renew", desk_renew },
	{ "keep", desk_keep },
	{ "loose", desk_loose },
	{ "mark", desk_mark },
	{ "marks", desk_marks },
};

static void answer(struct desk_request *r, char *line)
{
	size_t n = strcspn(line, " \n");
	char *words = line + n;

	if (*words)
		*words++ = '\0';
	r->words = words;
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (!strcmp(requests[i].word, line)) {
			requests[i].answer(r);
			return;
		}
	buf_adds(r->out, "unknown request\n");
}

/* Until there is a newline. Returns 0 or -1. */
static int read_line(int fd, struct buf *line)
{
	while (!line->len || !memchr(line->data, '\n', line->len)) {
		ssize_t n = recv(fd, buf_room(line, 4096), 4096, 0);

		if (n <= 0 || line->len + (size_t)n > LINE_MAX_BYTES)
			return -1;
		line->len += (size_t)n;
		line->data[line->len] = '\0';
	}
	return 0;
}

static void send_all(int fd, const struct buf *out)
{
	for (size_t at = 0; at < out->len;) {
		ssize_t n = send(fd, out->data + at, out->len - at,
				 MSG_NOSIGNAL);

		if (n <= 0) {
			log_warn("control: an answer was not taken");
			return;
		}
		at += (size_t)n;
	}
}

static void serve(struct visit *v)
{
	struct buf line = BUF_INIT, out = BUF_INIT;
	struct desk_request r = { .fd = v->fd, .out = &out,
				  .vault = v->desk->vault };
	struct shared_config *held = workers_config(v->desk->workers, &r.c);

	/* all at once: growing would leave copies of a token behind */
	buf_room(&line, LINE_MAX_BYTES + 4096);
	if (!read_line(v->fd, &line)) {
		answer(&r, line.data);
		send_all(v->fd, &out);
	}
	workers_config_done(v->desk->workers, held);
	/* either may hold a token */
	if (line.data)
		mem_wipe(line.data, line.alloc);
	if (out.data)
		mem_wipe(out.data, out.alloc);
	buf_clear(&line);
	buf_clear(&out);
}

/* Before its descriptor may be another's. */
static void take_out(struct desk *d, struct visit *v)
{
	struct visit **p = &d->visits;

	pthread_mutex_lock(&d->lock);
	while (*p != v)
		p = &(*p)->next;
	*p = v->next;
	pthread_mutex_unlock(&d->lock);
}

static void *run(void *arg)
{
	struct visit *v = arg;
	struct desk *d = v->desk;

	serve(v);
	take_out(d, v);
	close(v->fd);
	free(v);
	pthread_mutex_lock(&d->lock);
	d->running--;
	pthread_cond_broadcast(&d->ended);
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

struct desk *desk_open(struct workers *w)
{
	struct desk *d = mem_zalloc(sizeof(*d));

	d->workers = w;
	d->vault = vault_open();
	pthread_mutex_init(&d->lock, NULL);
	clock_condition(&d->ended);
	return d;
}

/* Returns 0, or -1: there is no room for one more. */
static int begin(struct desk *d, struct visit *v)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc = -1;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_mutex_lock(&d->lock);
	if (d->running < MOST && !pthread_create(&thread, &attr, run, v)) {
		d->running++;
		v->next = d->visits;
		d->visits = v;
		rc = 0;
	}
	pthread_mutex_unlock(&d->lock);
	pthread_attr_destroy(&attr);
	return rc;
}

void desk_take(struct desk *d, int fd)
{
	struct timeval bound = { .tv_sec = PEER_S };
	struct visit *v = mem_zalloc(sizeof(*v));

	v->desk = d;
	v->fd = fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
	if (!begin(d, v))
		return;
	if (send(fd, "busy\n", 5, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("control: one that came at a busy time has left");
	close(fd);
	free(v);
}

int desk_close(struct desk *d, int timeout_ms)
{
	int64_t until = clock_ms() + timeout_ms;
	struct visit *v;
	int rc = 0, left;

	pthread_mutex_lock(&d->lock);
	/* an upstream is asked for as long as there is somebody to tell */
	for (v = d->visits; v; v = v->next)
		shutdown(v->fd, SHUT_RD);
	while (d->running > 0 && rc == 0)
		rc = clock_wait(&d->ended, &d->lock, until);
	left = d->running > 0;
	pthread_mutex_unlock(&d->lock);
	if (left)
		return -1;
	vault_close(d->vault);
	pthread_cond_destroy(&d->ended);
	pthread_mutex_destroy(&d->lock);
	free(d);
	return 0;
}
