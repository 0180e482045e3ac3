/*
 * The table of sessions under way. Takes what workers say of themselves,
 * gives it to `status` and to the watchdog, which ends the connection of a
 * session past its deadline: its worker then sees a client that left.
 */
#include "session.h"

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

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct session *table;
static unsigned table_size, table_used;
static int wake_fd = -1;

static const char *stage_name(enum session_stage stage)
{
	switch (stage) {
	case STAGE_HEAD:
		return "head";
	case STAGE_MIRROR:
		return "mirror";
	case STAGE_BODY:
		return "body";
	case STAGE_BACKEND:
		return "backend";
	case STAGE_SCAN:
		return "scan";
	case STAGE_FORWARD:
		return "forward";
	case STAGE_REPLY:
		return "reply";
	}
	return "?";
}

void session_table(unsigned n, int fd)
{
	table = mem_array(n, sizeof(*table));
	table_size = n;
	wake_fd = fd;
}

static void wake(void)
{
	uint64_t one = 1;

	if (write(wake_fd, &one, sizeof(one)) < 0)
		log_warn("eventfd: %s", strerror(errno));
}

void session_table_free(void)
{
	free(table);
	table = NULL;
	table_size = 0;
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

	pthread_mutex_lock(&lock);
	for (i = 0; i < table_size && s == NULL; i++)
		if (!table[i].in_use)
			s = &table[i];
	if (s != NULL) {
		memset(s, 0, sizeof(*s));
		make_id(s->id);
		s->in_use = 1;
		s->fd = fd;
		s->began = clock_ms();
		s->deadline = s->began + total_ms;
		if (table_used++ == 0)
			wake(); /* the watchdog slept without a deadline */
	}
	pthread_mutex_unlock(&lock);
	return s;
}

void session_end(struct session *s)
{
	pthread_mutex_lock(&lock);
	s->in_use = 0;
	table_used--;
	pthread_mutex_unlock(&lock);
}

void session_name(struct session *s, const char *who, const char *addr,
		  const char *repo, const char *operation)
{
	pthread_mutex_lock(&lock);
	text_clean_to(s->who, sizeof(s->who), who);
	text_clean_to(s->addr, sizeof(s->addr), addr);
	text_clean_to(s->repo, sizeof(s->repo), repo);
	snprintf(s->operation, sizeof(s->operation), "%s", operation);
	pthread_mutex_unlock(&lock);
}

void session_stage(struct session *s, enum session_stage stage)
{
	pthread_mutex_lock(&lock);
	s->stage = stage;
	pthread_mutex_unlock(&lock);
}

enum session_stage session_stage_now(const struct session *s)
{
	enum session_stage stage;

	pthread_mutex_lock(&lock);
	stage = s->stage;
	pthread_mutex_unlock(&lock);
	return stage;
}

void session_stage_of(const char *id, enum session_stage stage)
{
	unsigned i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < table_size; i++)
		if (table[i].in_use && strcmp(table[i].id, id) == 0)
			table[i].stage = stage;
	pthread_mutex_unlock(&lock);
}

void session_pid(struct session *s, pid_t pid)
{
	pthread_mutex_lock(&lock);
	s->pid = pid;
	pthread_mutex_unlock(&lock);
}

void session_count(struct session *s, uint64_t in, uint64_t out)
{
	pthread_mutex_lock(&lock);
	s->in += in;
	s->out += out;
	pthread_mutex_unlock(&lock);
}

unsigned session_number(void)
{
	unsigned n;

	pthread_mutex_lock(&lock);
	n = table_used;
	pthread_mutex_unlock(&lock);
	return n;
}

int session_watch(void)
{
	int64_t now = clock_ms(), next = -1;
	unsigned i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < table_size; i++) {
		struct session *s = &table[i];

		if (!s->in_use)
			continue;
		/* one that forwards is left to finish; that has a bound too */
		if (s->deadline <= now && s->stage != STAGE_FORWARD) {
			log_warn("session %s on %s: past its time, in stage %s",
				 s->id, s->repo, stage_name(s->stage));
			shutdown(s->fd, SHUT_RDWR);
			s->deadline = now + 10000;
		}
		if (next < 0 || s->deadline < next)
			next = s->deadline;
	}
	pthread_mutex_unlock(&lock);
	return next < 0 ? -1 : clock_left(next) + 1;
}

void session_limit(struct session *s, int64_t left_ms)
{
	int64_t deadline = clock_ms() + left_ms;

	pthread_mutex_lock(&lock);
	if (s->deadline > deadline) {
		s->deadline = deadline;
		wake();
	}
	pthread_mutex_unlock(&lock);
}

void session_hurry(int64_t left_ms)
{
	int64_t deadline = clock_ms() + left_ms;
	unsigned i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < table_size; i++)
		if (table[i].in_use && table[i].deadline > deadline)
			table[i].deadline = deadline;
	pthread_mutex_unlock(&lock);
}

void session_print(struct buf *out)
{
	int64_t now = clock_ms();
	unsigned i;

	pthread_mutex_lock(&lock);
	buf_addf(out, "%u of %u sessions\n", table_used, table_size);
	if (table_used > 0)
		buf_addf(out, "%-16s %-16s %-24s %-6s %-8s %7s %12s %12s %7s\n",
			 "ID", "WHO", "REPOSITORY", "OP", "STAGE", "AGE s",
			 "IN bytes", "OUT bytes", "PID");
	for (i = 0; i < table_size; i++) {
		const struct session *s = &table[i];

		if (s->in_use)
			buf_addf(out,
				 "%-16s %-16s %-24s %-6s %-8s %7" PRId64
				 " %12" PRIu64 " %12" PRIu64 " %7d\n",
				 s->id, *s->who ? s->who : "-", s->repo,
				 s->operation, stage_name(s->stage),
				 (now - s->began) / 1000, s->in, s->out,
				 (int)s->pid);
	}
	pthread_mutex_unlock(&lock);
}
