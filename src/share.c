/*
 * Shared connections to ssh upstreams: where a master's control socket is,
 * whether it can be used, and who may make one. Takes an upstream of the
 * configuration, gives a connection to its master. Starts no process, and
 * waits for no master that does not answer.
 */
#include "share.h"
#include "share-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "config.h"
#include "log.h"
#include "mem.h"

/*
 * However busy, a connection is made anew after that: keys are revoked and
 * certificates end, which only a new one meets. Seconds.
 */
#define AGE_MAX_S 3600
/* Another makes a connection: as long as ssh's ConnectTimeout, and a little. */
#define TURN_MS 12000
#define TURN_AGAIN_MS 10

/* FNV-1a, 64 bits: tells configurations apart; nobody gains by a collision. */
static void hash_add(uint64_t *hash, const char *s)
{
	/* "none" and "empty" differ, and each string has an end */
	for (const char *p = s ? s : "\1"; ; p++) {
		*hash = (*hash ^ (unsigned char)*p) * 0x100000001b3;
		if (!*p)
			break;
	}
}

static uint64_t hash_all(const struct config *c,
			 const struct config_upstream *u)
{
	uint64_t hash = 0xcbf29ce484222325;

	/* user, host and port are in the URL */
	hash_add(&hash, u->url);
	hash_add(&hash, u->identity_file);
	hash_add(&hash, u->certificate_file);
	hash_add(&hash, u->agent_socket);
	hash_add(&hash, u->known_hosts);
	hash_add(&hash, c->ssh);
	for (int i = 0; i < 64; i += 8)
		hash = (hash ^ ((uint64_t)u->persist_ms >> i & 0xff)) *
		       0x100000001b3;
	return hash;
}

/*
 * The directory is ours alone, or there is no sharing. Who is not the user of
 * the responder, as root with a subcommand, makes none and shares nothing.
 */
static int prepare_dir(const char *state, const char *dir)
{
	struct stat st;

	if (stat(state, &st) < 0 || st.st_uid != geteuid())
		return -1;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		log_warn("%s: %s; connections are not shared", dir,
			 strerror(errno));
		return -1;
	}
	if (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid() && !(st.st_mode & 077))
		return 0;
	log_warn("%s: not a directory of this user alone (mode 0700); "
		 "connections are not shared", dir);
	return -1;
}

int share_open(struct share *s, const struct config *c,
	       const struct config_upstream *u)
{
	struct buf path = BUF_INIT;
	int rc;

	s->u = u;
	if (!u->persist_ms)
		return -1;
	buf_addf(&path, "%s" CONFIG_SHARE_DIR, c->state);
	rc = prepare_dir(c->state, path.data);
	if (rc == 0) {
		buf_addf(&path, "/%016" PRIx64, hash_all(c, u));
		s->path = mem_strdup(path.data);
		buf_adds(&path, ".begin");
		s->begin = mem_strdup(path.data);
	}
	buf_clear(&path);
	return rc;
}

/* Is the file of a later time than that? A file that cannot be seen is not:
   who makes the next connection will say so. */
static int is_later(const char *file, const struct timespec *than)
{
	struct stat st;

	if (!file || stat(file, &st) < 0)
		return 0;
	/* the change of a name counts too, so not st_mtim */
	return st.st_ctim.tv_sec > than->tv_sec ||
	       (st.st_ctim.tv_sec == than->tv_sec &&
		st.st_ctim.tv_nsec >= than->tv_nsec);
}

static int is_old(const struct share *s)
{
	const struct config_upstream *u = s->u;
	struct stat st;

	/* its time is that of the last beginning, before a file was read */
	if (stat(s->begin, &st) < 0)
		return 1;
	return time(NULL) - st.st_mtim.tv_sec > AGE_MAX_S ||
	       time(NULL) < st.st_mtim.tv_sec ||
	       is_later(u->identity_file, &st.st_mtim) ||
	       is_later(u->certificate_file, &st.st_mtim) ||
	       is_later(u->known_hosts, &st.st_mtim);
}

/*
 * It has the limits of the push that it was made for ([backend] cpu), which
 * cannot be raised: with half of its time gone it is replaced.
 */
static int is_tired(pid_t pid)
{
	struct rlimit limit;
	struct timespec used;
	clockid_t clock;

	return prlimit(pid, RLIMIT_CPU, NULL, &limit) == 0 &&
	       limit.rlim_cur != RLIM_INFINITY &&
	       clock_getcpuclockid(pid, &clock) == 0 &&
	       clock_gettime(clock, &used) == 0 &&
	       (rlim_t)used.tv_sec >= (limit.rlim_cur + 1) / 2;
}

int share_retire(const char *path, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int fd = share_mux_open(path, deadline), rc = -1;

	if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
		return 0;
	if (fd >= 0) {
		rc = share_mux_order(fd, MUX_C_STOP_LISTENING, deadline);
		close(fd);
	}
	if (rc < 0 && share_kill_stopped(path))
		rc = 0;
	return rc;
}

int share_take(struct share *s)
{
	int64_t deadline = clock_ms() + SHARE_ANSWER_MS;
	int old = is_old(s);

	if (s->fd >= 0)
		close(s->fd);
	s->fd = share_mux_open(s->path, deadline);
	if (s->fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
		return 0;
	s->master = s->fd >= 0 ? share_mux_alive(s->fd, deadline) : -1;
	if (s->master > 0 && !old && !is_tired(s->master))
		return 1;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	/* one that is merely slow keeps the sessions that it has */
	if (s->master <= 0)
		log_warn("%s: the shared connection's process does not answer; "
			 "it is replaced", s->path);
	if (s->master > 0 || !share_kill_stopped(s->path))
		share_retire(s->path, SHARE_ANSWER_MS);
	return 0;
}

/* Returns 1; 0: it was not to be had, or not at once. */
static int lock(const struct share *s)
{
	int64_t deadline = clock_ms() + TURN_MS;
	int waited = 0;

	while (flock(s->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || clock_left(deadline) == 0)
			return 0;
		waited = 1;
		poll(NULL, 0, TURN_AGAIN_MS);
	}
	return !waited;
}

int share_begin(struct share *s)
{
	s->lock = open(s->begin, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		       0600);
	if (s->lock < 0) {
		log_warn("%s: %s; connections are not shared", s->begin,
			 strerror(errno));
		return 0;
	}
	/* between our look and our turn another may have made one */
	if (!lock(s) || share_take(s)) {
		share_begun(s);
		return 0;
	}
	unlink(s->path);
	futimens(s->lock, NULL);
	return 1;
}

void share_begun(struct share *s)
{
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
}

void share_close(struct share *s)
{
	share_begun(s);
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	free(s->begin);
	*s = (struct share)SHARE_INIT;
}
