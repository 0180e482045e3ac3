/*
 * The table of sessions under way. Takes what workers say of themselves,
 * gives it to `status` and to the watchdog, which ends the connection of a
 * session past its deadline: its worker then sees a client that left.
 */
#include "session.h"
#include "session-internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
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

/* From a deadline to the end of a connection whose stage did not end. */
#define LATE_MS 3000
/*
 * To the end that a reader is made to see. It sees its deadline by itself, but
 * for one that came nearer meanwhile; and a web server that cannot write any
 * more gives its client an error of its own in place of our answer.
 */
#define READ_MS 1000

pthread_mutex_t session_lock = PTHREAD_MUTEX_INITIALIZER;
struct session *session_entries;
unsigned session_size;
static unsigned used;
static int wake_fd = -1;
static int64_t hurry; /* clock_ms() of everybody's deadline; 0: none */
static int64_t watched = INT64_MAX; /* clock_ms() of the next look at all */

static const char *stage_name(enum session_stage stage)
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

void session_table(unsigned n, int fd)
{
	session_entries = mem_array(n, sizeof(*session_entries));
	session_size = n;
	wake_fd = fd;
}

/* When a session with this deadline is to be looked at, whatever its stage. */
static int64_t first_look(int64_t deadline)
{
	return deadline + (READ_MS < LATE_MS ? READ_MS : LATE_MS);
}

/* The watchdog sleeps until its next look: is that too late for this one? */
static void watch(int64_t deadline)
{
	uint64_t one = 1;

	if (first_look(deadline) >= watched)
		return;
	watched = first_look(deadline);
	if (write(wake_fd, &one, sizeof(one)) < 0)
		log_warn("eventfd: %s", strerror(errno));
}

void session_table_free(void)
{
	free(session_entries);
	session_entries = NULL;
	session_size = 0;
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

struct session *session_begin(int fd, int64_t total_ms)
{
	struct session *s = NULL;
	unsigned i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_size && s == NULL; i++)
		if (!session_entries[i].in_use)
			s = &session_entries[i];
	if (s != NULL) {
		memset(s, 0, sizeof(*s));
		make_id(s->id);
		s->in_use = 1;
		s->fd = fd;
		s->wake_fd = -1;
		s->began = clock_ms();
		s->deadline = s->began + total_ms;
		if (hurry != 0 && s->deadline > hurry)
			s->deadline = hurry;
		used++;
		watch(s->deadline);
	}
	pthread_mutex_unlock(&session_lock);
	return s;
}

void session_end(struct session *s)
{
	pthread_mutex_lock(&session_lock);
	s->in_use = 0;
	used--;
	if (s->place != PLACE_NONE) {
		s->place = PLACE_NONE;
		session_place_grant();
	}
	pthread_mutex_unlock(&session_lock);
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
		watch(s->deadline);
	}
	s->stage = stage;
	pthread_mutex_unlock(&session_lock);
}

void session_stage_of(const char *id, enum session_stage stage)
{
	unsigned i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_size; i++)
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
	for (i = 0; i < session_size; i++) {
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
	for (i = 0; i < session_size; i++)
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

int session_left(const struct session *s)
{
	int left;

	pthread_mutex_lock(&session_lock);
	left = clock_left(s->deadline);
	pthread_mutex_unlock(&session_lock);
	return left;
}

int session_watch(void)
{
	int64_t now = clock_ms(), next = -1;
	unsigned i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_size; i++) {
		struct session *s = &session_entries[i];
		int reads = s->stage == STAGE_BODY || s->stage == STAGE_DRAIN;
		int64_t at = s->deadline +
			     (reads && !s->ended ? READ_MS : LATE_MS);

		/* one that forwards is left to finish; that has a bound too */
		if (!s->in_use || s->shut || s->stage == STAGE_FORWARD)
			continue;
		if (at <= now && reads && !s->ended) {
			/* it may read under a bound of before: it sees an end,
			   and can still answer */
			shutdown(s->fd, SHUT_RD);
			s->ended = 1;
			at = s->deadline + LATE_MS;
		}
		if (at <= now) {
			log_warn("session %s on %s: past its time, in stage %s",
				 s->id, s->repo, stage_name(s->stage));
			shutdown(s->fd, SHUT_RDWR);
			s->shut = 1;
		} else {
			/* its stage may be another by then */
			if (first_look(s->deadline) > now)
				at = first_look(s->deadline);
			if (next < 0 || at < next)
				next = at;
		}
	}
	watched = next < 0 ? INT64_MAX : next;
	pthread_mutex_unlock(&session_lock);
	return next < 0 ? -1 : clock_left(next) + 1;
}

void session_limit(struct session *s, int64_t left_ms)
{
	int64_t deadline = clock_ms() + left_ms;

	pthread_mutex_lock(&session_lock);
	if (s->deadline > deadline) {
		s->deadline = deadline;
		watch(deadline);
	}
	pthread_mutex_unlock(&session_lock);
}

void session_hurry(int64_t left_ms)
{
	unsigned i;

	pthread_mutex_lock(&session_lock);
	hurry = clock_ms() + left_ms;
	for (i = 0; i < session_size; i++)
		if (session_entries[i].in_use &&
		    session_entries[i].deadline > hurry)
			session_entries[i].deadline = hurry;
	pthread_mutex_unlock(&session_lock);
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
		 stage_name(s->stage));
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
		 session_size, working, waiting);
	/* known since the first request */
	if (most.all > 0)
		buf_addf(out, " (at most %u and %u)", most.all, most.waiting);
	buf_adds(out, hurry != 0 ? "; stopping\n" : "\n");
	if (used > 0)
		buf_addf(out, "%-16s %-16s %-24s %-6s %-8s %7s %12s %12s %7s\n",
			 "ID", "WHO", "REPOSITORY", "OP", "STAGE", "AGE",
			 "IN bytes", "OUT bytes", "PGID");
	for (i = 0; i < session_size; i++)
		if (session_entries[i].in_use)
			print_one(&session_entries[i], now, out);
	pthread_mutex_unlock(&session_lock);
}
