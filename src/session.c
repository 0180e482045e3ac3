/*
 * The table of sessions under way. Takes what workers say of themselves,
 * gives it to `status` and to the watchdog.
 */
#include "session.h"
#include "session-internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "text.h"

/* Requests, after which memory that none of them has any more goes back to the
 * system: the allocator keeps it wherever a piece behind it is in use. */
#define TRIM_AFTER 256

pthread_mutex_t session_lock = PTHREAD_MUTEX_INITIALIZER;
struct session *session_entries;
unsigned session_top;
static unsigned size, used, ended;

const char *session_stage_name(enum session_stage stage)
{
	static const char *const names[] = {
		[STAGE_HEAD] = "head",	     [STAGE_MIRROR] = "mirror",
		[STAGE_BODY] = "body",	     [STAGE_QUEUE] = "queue",
		[STAGE_BACKEND] = "backend", [STAGE_SCAN] = "scan",
		[STAGE_FORWARD] = "forward", [STAGE_REPLY] = "reply",
		[STAGE_DRAIN] = "drain",
	};

	return names[stage];
}

int session_table(unsigned n, int wake_fd)
{
	session_entries = mem_array(n, sizeof(*session_entries));
	size = n;
	return session_watch_open(wake_fd);
}

void session_table_free(void)
{
	free(session_entries);
	session_entries = NULL;
	size = session_top = 0;
	session_watch_close();
}

static void make_id(char id[17])
{
	unsigned char raw[8];
	size_t i;

	/* never fails once the kernel is up: getrandom(2) */
	while (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		;
	for (i = 0; i < sizeof(raw); i++)
		snprintf(id + 2 * i, 3, "%02x", raw[i]);
}

/* The first one, so that those in use stay together. */
static struct session *first_free(void)
{
	unsigned i = 0;

	while (i < session_top && session_entries[i].in_use)
		i++;
	if (i == size)
		return NULL;
	if (i == session_top)
		session_top++;
	return &session_entries[i];
}

struct session *session_begin(int fd, int64_t total_ms)
{
	struct session *s;

	pthread_mutex_lock(&session_lock);
	s = first_free();
	if (s != NULL) {
		memset(s, 0, sizeof(*s));
		make_id(s->id);
		s->in_use = 1;
		s->fd = fd;
		s->wake_fd = -1;
		s->began = clock_ms();
		s->deadline = s->began + total_ms;
		session_hurried(s);
		used++;
		session_due(s);
	}
	pthread_mutex_unlock(&session_lock);
	return s;
}

void session_end(struct session *s)
{
	int trim;

	pthread_mutex_lock(&session_lock);
	s->in_use = 0;
	used--;
	/* a moment in which nobody waits for it */
	trim = ++ended >= TRIM_AFTER && used == 0;
	if (trim)
		ended = 0;
	while (session_top > 0 && !session_entries[session_top - 1].in_use)
		session_top--;
	if (s->place != PLACE_NONE) {
		s->place = PLACE_NONE;
		session_place_grant();
	}
	pthread_mutex_unlock(&session_lock);
	if (trim)
		malloc_trim(0);
}

/*
 * Whose share a request counts to: the user's, else the address's. Of IPv6
 * the network's, which one client has whole (RFC 4291, 2.5.4).
 */
static void name_client(struct session *s, const char *who, const char *addr)
{
	struct in6_addr ip;

	if (*who != '\0') {
		/* no address begins so */
		snprintf(s->client, sizeof(s->client), "=%s", s->who);
	} else if (inet_pton(AF_INET6, addr, &ip) == 1 &&
		   !IN6_IS_ADDR_V4MAPPED(&ip)) {
		memset(ip.s6_addr + 8, 0, 8);
		inet_ntop(AF_INET6, &ip, s->client, sizeof(s->client));
	} else {
		snprintf(s->client, sizeof(s->client), "%s", s->addr);
	}
}

void session_name(struct session *s, const char *who, const char *addr,
		  const char *repo, const char *operation)
{
	pthread_mutex_lock(&session_lock);
	text_clean_to(s->who, sizeof(s->who), who);
	text_clean_to(s->addr, sizeof(s->addr), addr);
	text_clean_to(s->repo, sizeof(s->repo), repo);
	snprintf(s->operation, sizeof(s->operation), "%s", operation);
	name_client(s, who, addr);
	pthread_mutex_unlock(&session_lock);
}

void session_stage(struct session *s, enum session_stage stage)
{
	pthread_mutex_lock(&session_lock);
	/* who forwards was let be, past its deadline too: from now on not */
	if (s->stage == STAGE_FORWARD) {
		if (clock_left(s->deadline) == 0)
			s->deadline = clock_ms();
		session_due(s);
	}
	s->stage = stage;
	pthread_mutex_unlock(&session_lock);
}

void session_stage_of(const char *id, enum session_stage stage)
{
	unsigned i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_top; i++)
		if (session_entries[i].in_use &&
		    session_entries[i].stage == STAGE_BACKEND &&
		    strcmp(session_entries[i].id, id) == 0)
			session_entries[i].stage = stage;
	pthread_mutex_unlock(&session_lock);
}

int session_may_forward(const char *id)
{
	int may = 0;
	unsigned i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_top; i++) {
		struct session *s = &session_entries[i];

		if (s->in_use && !s->stopping && strcmp(s->id, id) == 0) {
			s->stage = STAGE_FORWARD;
			may = 1;
		}
	}
	/* who waits for the upstream needs no place here */
	if (may)
		session_place_grant();
	pthread_mutex_unlock(&session_lock);
	return may;
}

int session_may_stop(struct session *s)
{
	int may;

	pthread_mutex_lock(&session_lock);
	may = s->stage != STAGE_FORWARD;
	if (may)
		s->stopping = 1;
	pthread_mutex_unlock(&session_lock);
	return may;
}

int session_was_shed(const struct session *s)
{
	int shed;

	pthread_mutex_lock(&session_lock);
	shed = s->shed;
	pthread_mutex_unlock(&session_lock);
	return shed;
}

void session_pid(struct session *s, pid_t pid)
{
	pthread_mutex_lock(&session_lock);
	s->pid = pid;
	pthread_mutex_unlock(&session_lock);
}

void session_count(struct session *s, uint64_t in, uint64_t out)
{
	pthread_mutex_lock(&session_lock);
	s->in += in;
	s->out += out;
	pthread_mutex_unlock(&session_lock);
}

unsigned session_forwarding(void)
{
	unsigned n = 0, i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_top; i++)
		n += session_entries[i].in_use &&
		     session_entries[i].stage == STAGE_FORWARD;
	pthread_mutex_unlock(&session_lock);
	return n;
}

unsigned session_number(void)
{
	unsigned n;

	pthread_mutex_lock(&session_lock);
	n = used;
	pthread_mutex_unlock(&session_lock);
	return n;
}

/* Age in a form that people read: 7s, 12m, 3h. */
static void add_age(struct buf *out, int64_t ms)
{
	int64_t s = ms / 1000;

	if (s < 600)
		buf_addf(out, " %6" PRId64 "s", s);
	else if (s < 36000)
		buf_addf(out, " %6" PRId64 "m", s / 60);
	else
		buf_addf(out, " %6" PRId64 "h", s / 3600);
}

static void print_one(const struct session *s, int64_t now, struct buf *out)
{
	buf_addf(out, "%-16s %-16s %-24s %-6s %-8s", s->id,
		 *s->who ? s->who : *s->addr ? s->addr : "-",
		 *s->repo ? s->repo : "-", *s->operation ? s->operation : "-",
		 session_stage_name(s->stage));
	add_age(out, now - s->began);
	buf_addf(out, " %12" PRIu64 " %12" PRIu64, s->in, s->out);
	if (s->pid > 0)
		buf_addf(out, " %7d\n", (int)s->pid);
	else
		buf_addf(out, " %7s\n", "-");
}

void session_print(struct buf *out)
{
	int64_t now = clock_ms();
	unsigned i, working, waiting;
	struct session_caps most;

	pthread_mutex_lock(&session_lock);
	session_place_count(&working, &waiting, &most);
	buf_addf(out, "%u of %u sessions, %u at work, %u waiting", used,
		 size, working, waiting);
	/* known since the first request */
	if (most.all > 0)
		buf_addf(out, " (at most %u and %u)", most.all, most.waiting);
	buf_adds(out, session_hurried(NULL) ? "; stopping\n" : "\n");
	if (used > 0)
		buf_addf(out, "%-16s %-16s %-24s %-6s %-8s %7s %12s %12s %7s\n",
			 "ID", "WHO", "REPOSITORY", "OP", "STAGE", "AGE",
			 "IN bytes", "OUT bytes", "PGID");
	for (i = 0; i < session_top; i++)
		if (session_entries[i].in_use)
			print_one(&session_entries[i], now, out);
	pthread_mutex_unlock(&session_lock);
}
