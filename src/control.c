/*
 * The two sockets in STATE: `control`, where requests of the operator and of
 * our helpers come in, and `notes`, where our hooks report. Both are 0600 in a
 * directory that is 0700. Takes short messages, gives text; a peer that stalls
 * is left.
 */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "config.h"
#include "local.h"
#include "log.h"
#include "mem.h"

/* A note at most; a longer one is cut by the kernel and so refused. */
#define NOTE_MAX 8192
/* How long either side waits for the other. */
#define PEER_MS 2000
/* A responder that reads its configuration anew answers after that. */
#define ASK_MS 20000
/* From one question to the next; mirror-lock.c counts on less than 200. */
#define AGAIN_MS 20

static int address(struct sockaddr_un *sa, const char *path)
{
	if (local_address(sa, path) == 0)
		return 0;
	log_error("%s: too long for a socket's name (%zu bytes at most); set "
		  "gate.state to a shorter path", path, LOCAL_PATH_MAX);
	return -1;
}

static char *join(const struct config *c, const char *name)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s/%s", c->state, name);
	return buf_take(&b);
}

/* Returns 0, or -1, logged, when another responder answers there. */
static int not_in_use(const char *path, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;
	int used = 0;

	if (fd >= 0 && address(&sa, path) == 0)
		/* EAGAIN: its queue is full */
		used = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 ||
		       errno == EAGAIN;
	if (fd >= 0)
		close(fd);
	if (used)
		log_error("%s: another git-gated runs on this state directory; "
			  "stop it or set gate.state", path);
	return used ? -1 : 0;
}

static int listen_at(const char *path, int type)
{
	struct sockaddr_un sa;
	int fd, rc;

	if (address(&sa, path) < 0)
		return -1;
	unlink(path);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	if (rc == 0)
		rc = chmod(path, 0600);
	if (rc == 0 && type == SOCK_STREAM)
		rc = listen(fd, 128);
	if (rc < 0) {
		log_error("%s: cannot listen: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

int control_open(struct control *ctl, const struct config *c)
{
	ctl->stream_path = join(c, "control");
	ctl->notes_path = join(c, "notes");
	/* both, before anything of another's is removed */
	if (not_in_use(ctl->stream_path, SOCK_STREAM) < 0 ||
	    not_in_use(ctl->notes_path, SOCK_DGRAM) < 0)
		return -1;
	ctl->was_left = access(ctl->stream_path, F_OK) == 0;
	ctl->stream_fd = listen_at(ctl->stream_path, SOCK_STREAM);
	if (ctl->stream_fd >= 0)
		ctl->notes_fd = listen_at(ctl->notes_path, SOCK_DGRAM);
	return ctl->stream_fd >= 0 && ctl->notes_fd >= 0 ? 0 : -1;
}

void control_close(struct control *ctl)
{
	/* a socket that is not ours to listen on is not ours to remove */
	if (ctl->stream_fd >= 0) {
		close(ctl->stream_fd);
		unlink(ctl->stream_path);
	}
	if (ctl->notes_fd >= 0) {
		close(ctl->notes_fd);
		unlink(ctl->notes_path);
	}
	free(ctl->stream_path);
	free(ctl->notes_path);
	*ctl = (struct control)CONTROL_INIT;
}

int control_accept(struct control *ctl)
{
	return accept4(ctl->stream_fd, NULL, NULL, SOCK_CLOEXEC);
}

static enum log_level level_of(const char *word, size_t n)
{
	if (n == 5 && memcmp(word, "error", 5) == 0)
		return LOG_ERR;
	if (n == 7 && memcmp(word, "warning", 7) == 0)
		return LOG_WARN;
	return LOG_INFO;
}

static void log_at(enum log_level level, const char *text)
{
	switch (level) {
	case LOG_ERR:
		log_error("hook: %s", text);
		break;
	case LOG_WARN:
		log_warn("hook: %s", text);
		break;
	case LOG_INFO:
	case LOG_DEBUG:
		log_info("hook: %s", text);
		break;
	}
}

/* "ask ID", "whole ID": the answer goes to whoever asked. */
static void answer_ask(struct control *ctl, int answer,
		       const struct sockaddr_un *from, socklen_t len)
{
	const char *word = answer > 0 ? "yes" : answer == 0 ? "wait" : "no";

	if (sendto(ctl->notes_fd, word, strlen(word), MSG_DONTWAIT |
		   MSG_NOSIGNAL, (const struct sockaddr *)from, len) < 0)
		log_warn("a hook that asked has gone: %s", strerror(errno));
}

/* "stage ID scan", "log ID LEVEL text". */
static void take_note(char *note, const struct control_listener *listener)
{
	char *id = strchr(note, ' ');
	char *word = id != NULL ? strchr(id + 1, ' ') : NULL;

	if (word == NULL)
		return;
	*id++ = '\0';
	*word++ = '\0';
	if (strcmp(note, "stage") == 0) {
		listener->stage(id, word);
	} else if (strcmp(note, "log") == 0) {
		size_t n = strcspn(word, " ");

		log_set_id(id);
		log_at(level_of(word, n), word[n] == ' ' ? word + n + 1 : "");
		log_set_id(NULL);
	}
}

void control_take_notes(struct control *ctl,
			const struct control_listener *listener)
{
	struct sockaddr_un from;
	char note[NOTE_MAX + 1];
	socklen_t len;
	ssize_t n;
	int i;

	/* bounded, so that a flood of notes starves nothing else */
	for (i = 0; i < 100; i++) {
		len = sizeof(from);
		n = recvfrom(ctl->notes_fd, note, NOTE_MAX, MSG_DONTWAIT,
			     (struct sockaddr *)&from, &len);
		if (n < 0)
			return;
		note[n] = '\0';
		if (strncmp(note, "ask ", 4) == 0)
			answer_ask(ctl, listener->may_forward(note + 4), &from,
				   len);
		else if (strncmp(note, "whole ", 6) == 0)
			answer_ask(ctl, listener->is_whole(note + 6), &from,
				   len);
		else
			take_note(note, listener);
	}
}

static int connect_to(const char *path, int type)
{
	struct timeval bound = { .tv_sec = PEER_MS / 1000 };
	struct sockaddr_un sa;
	int fd;

	if (address(&sa, path) < 0)
		return -1;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	close(fd);
	return -1;
}

int control_ask(const struct config *c, const char *request, int timeout_ms,
		int quiet, struct buf *out)
{
	struct timeval bound = { .tv_sec = timeout_ms / 1000 + 1 };
	char *path = join(c, "control");
	int fd = connect_to(path, SOCK_STREAM);
	size_t n = strlen(request);
	int rc = -1;

	if (fd >= 0 &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound)) &&
	    send(fd, request, n, MSG_NOSIGNAL) == (ssize_t)n)
		rc = buf_read_fd(out, fd, 1 << 20);
	if (rc < 0 && !quiet && fd < 0)
		log_error("no git-gated is running for %s (its socket %s: "
			  "%s); start it", c->name, path, strerror(errno));
	else if (rc < 0 && !quiet)
		log_error("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

/* One question and its answer: as control_may_forward. */
static int ask(int fd, const char *what, const char *id)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char note[32], answer[8];
	ssize_t n = snprintf(note, sizeof(note), "%s %s", what, id);

	if (send(fd, note, (size_t)n, MSG_NOSIGNAL) != n)
		return -1;
	if (poll(&p, 1, ASK_MS) <= 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
	if (n == 3 && memcmp(answer, "yes", 3) == 0)
		return 1;
	if (n == 4 && memcmp(answer, "wait", 4) == 0)
		return 0;
	errno = ESRCH; /* the session */
	return -1;
}

static int ask_until(int fd, const char *what, const char *id, int64_t until)
{
	int rc;

	while ((rc = ask(fd, what, id)) == 0 && clock_left(until) > 0)
		poll(NULL, 0, AGAIN_MS);
	return rc;
}

static int question(const struct config *c, const char *what, const char *id,
		    int64_t timeout_ms)
{
	struct sockaddr_un none = { .sun_family = AF_UNIX };
	char *path = join(c, "notes");
	/* connected: nobody but the responder can answer */
	int fd = connect_to(path, SOCK_DGRAM), rc = -1;

	/* an address that the answer can go to, of the kernel's choice */
	if (fd >= 0 && bind(fd, (struct sockaddr *)&none,
			    sizeof(sa_family_t)) == 0)
		rc = ask_until(fd, what, id, clock_ms() + timeout_ms);
	if (rc < 0)
		log_error("%s: git-gated does not let this push go on: %s",
			  path, errno == ESRCH ? "its session has ended"
					       : strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

int control_may_forward(const struct config *c, const char *id,
			int64_t timeout_ms)
{
	return question(c, "ask", id, timeout_ms);
}

int control_is_whole(const struct config *c, const char *id, int64_t timeout_ms)
{
	return question(c, "whole", id, timeout_ms);
}

int control_note(const struct config *c, const char *fmt, ...)
{
	char note[NOTE_MAX];
	char *path;
	va_list ap;
	int fd, n, rc = -1;

	va_start(ap, fmt);
	n = vsnprintf(note, sizeof(note), fmt, ap);
	va_end(ap);
	if (n < 0)
		return -1;
	if (n >= NOTE_MAX)
		n = NOTE_MAX - 1;
	path = join(c, "notes");
	fd = connect_to(path, SOCK_DGRAM);
	if (fd >= 0) {
		/* with nobody there the note is lost: nothing depends on it */
		rc = send(fd, note, (size_t)n, MSG_NOSIGNAL) == n ? 0 : -1;
		close(fd);
	}
	free(path);
	return rc;
}
