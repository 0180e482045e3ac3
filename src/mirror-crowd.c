/*
 * How many ask one upstream's server at a time: a table keyed by scheme, host
 * and port. Who finds it full waits, within its deadline. Without this, a
 * burst of clients with many repositories would be one of connections, which
 * servers throw away.
 */
#include "mirror-internal.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "gitenv.h"
#include "mem.h"

/*
 * sshd drops connections at random when 10 have not said who they are yet
 * (MaxStartups, sshd_config(5)): one that asks is one, and so is the fetch that
 * may follow, and what has ended may be one for a moment still. Other servers
 * have no such habit, but nor is there anything to be won by more.
 */
#define SSH_MOST 8
#define OTHER_MOST 16
/* A client does not announce its end to a condition: look now and then. */
#define LOOK_MS 250

struct server {
	struct server *next;
	char *key;
	unsigned users, asking; /* users: with those who wait */
};

static struct server *servers;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_cond_t changed;

static void init_changed(void)
{
	clock_condition(&changed);
}

/* Returns how many may ask there at a time. */
static unsigned server_of(const struct config_upstream *u, struct buf *key)
{
	struct gitenv_url url = { 0 };

	gitenv_url(u->url, &url);
	buf_addf(key, "%s %s %s", url.scheme, url.host, url.port);
	return strcmp(url.scheme, "ssh") ? OTHER_MOST : SSH_MOST;
}

static struct server *find(const char *key)
{
	struct server *s;

	for (s = servers; s; s = s->next)
		if (!strcmp(s->key, key))
			return s;
	s = mem_zalloc(sizeof(*s));
	s->key = mem_strdup(key);
	s->next = servers;
	servers = s;
	return s;
}

static void leave(struct server *s)
{
	struct server **p = &servers;

	if (--s->users)
		return;
	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	free(s->key);
	free(s);
}

/* Returns 0, or -1: it is too late, or nobody waits any more. */
static int wait_turn(int64_t deadline, int client)
{
	struct pollfd p = { .fd = client, .events = POLLRDHUP };
	int left = clock_left(deadline);

	if (!left || (client >= 0 && poll(&p, 1, 0) > 0))
		return -1;
	clock_wait(&changed, &mutex,
		   clock_ms() + (left < LOOK_MS ? left : LOOK_MS));
	return 0;
}

int mirror_crowd_enter(const struct config_upstream *u, int64_t deadline,
		       int client)
{
	struct buf key = BUF_INIT;
	unsigned most = server_of(u, &key);
	struct server *s;
	int rc = 0;

	pthread_once(&once, init_changed);
	pthread_mutex_lock(&mutex);
	s = find(key.data);
	s->users++;
	while (s->asking >= most && !rc)
		rc = wait_turn(deadline, client);
	if (rc)
		leave(s);
	else
		s->asking++;
	pthread_mutex_unlock(&mutex);
	buf_clear(&key);
	return rc;
}

void mirror_crowd_leave(const struct config_upstream *u)
{
	struct buf key = BUF_INIT;
	struct server *s;

	server_of(u, &key);
	pthread_mutex_lock(&mutex);
	s = find(key.data);
	s->asking--;
	leave(s);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	buf_clear(&key);
}
