/*
 * git gate up: the responder and a web server in the foreground, as whoever
 * runs it, from files in a private directory. Ends both on SIGINT, SIGTERM or
 * SIGHUP, and when one of them dies. Nothing is left running, and nothing on
 * disk unless a directory was named.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "buf.h"
#include "child.h"
#include "clock.h"
#include "cmd.h"
#include "config.h"
#include "log.h"
#include "up-address.h"
#include "up-conf.h"
#include "up-files.h"

/* Until the first answer; both start in well under a second. */
#define START_MS 10000
/* A web server holds nothing that must be finished. */
#define WEB_STOP_MS 2000
/* After stopTimeout the responder takes up to 5 s to unwind what is left. */
#define GATE_STOP_EXTRA_MS 10000
/* Of the log of a program that died. */
#define TAIL_BYTES 2048
/* Of a program's command line, with what start() puts before it. */
#define ARGS_MAX 16

/* One of the two programs. */
struct part {
	const char *name; /* its log is NAME.log */
	struct child child;
};

struct up {
	const struct up_server *server;
	struct up_address address;
	char *state;
	int lock;
	int remove; /* the directory is ours to remove */
	char *conf; /* the configuration's file */
	struct config *config;
	int signals; /* a signalfd */
	struct part gate, web;
};

/* The configuration: the operator's, or one that we write. */
static int configure(struct up *up, const struct up_wish *w)
{
	char *hook, *slash;
	int ret = 0;

	if (w->config) {
		up->conf = realpath(w->config, NULL);
		if (!up->conf)
			log_error("%s: %s", w->config, strerror(errno));
	} else {
		up->conf = up_files_path(up->state, "git-gate.conf");
		hook = cmd_sibling("git-gate-hook", LIBEXECDIR);
		slash = strrchr(hook, '/'); /* an absolute path has one */
		*slash = '\0';
		ret = up_conf_write(w, up->state, hook, up->conf);
		free(hook);
	}
	if (!up->conf || ret)
		return -1;
	up->config = config_load(up->conf);
	return up->config && !config_check_paths(up->config, 1) ? 0 : -1;
}

/* What is asked for, checked; files written; nothing runs yet. */
static int prepare(struct up *up, const struct up_wish *w)
{
	if (up_address_parse(w->listen ? w->listen : "127.0.0.1:8080",
			     &up->address))
		return -1;
	/* what we write allows everybody: that must stay on this machine */
	if (!w->config && !up->address.loopback) {
		log_error("--listen: %s is no loopback address, and without "
			  "--config everybody who reaches it may use the gate",
			  up->address.host);
		return -1;
	}
	up->server = up_files_server(w->server ? w->server : "lighttpd");
	if (!up->server || up_address_claim(&up->address))
		return -1;
	up->state = up_files_state(w->state, &up->lock);
	if (!up->state)
		return -1;
	up->remove = !w->state;
	if (configure(up, w))
		return -1;
	return up_files_web(up->server, up->state, &up->address);
}

/* From here on signals are read, in turn with the ends of children. */
static int catch_signals(struct up *up)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (!sigprocmask(SIG_BLOCK, &set, NULL))
		up->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (up->signals >= 0)
		return 0;
	log_error("cannot take signals: %s", strerror(errno));
	return -1;
}

static char *log_path(const struct up *up, const char *name)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s/%s.log", up->state, name);
	return buf_take(&b);
}

/*
 * `git gate up --part PID PROGRAM ...`, which start() runs: become the program,
 * which the kernel ends when PID, its parent, dies, were it by SIGKILL.
 */
static int become_part(char **argv)
{
	char *const env[] = { NULL };

	/* both would outlive the exec (child_init) */
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0)) {
		log_error("prctl: %s", strerror(errno));
		return CMD_REFUSED;
	}
	/* it may have died before we asked to be told */
	if (getppid() != strtol(argv[0], NULL, 10))
		return CMD_REFUSED;
	execve(argv[1], argv + 1, env);
	log_error("%s: cannot be run: %s", argv[1], strerror(errno));
	return CMD_REFUSED;
}

static int start(struct up *up, struct part *part, const char *const *argv)
{
	char self[16];
	const char *all[ARGS_MAX + 1] = { "/proc/self/exe", "up", "--part",
					  self };
	char *path = log_path(up, part->name);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int ret = -1;

	if (fd < 0) {
		log_error("%s: cannot write it: %s", path, strerror(errno));
	} else {
		snprintf(self, sizeof(self), "%d", (int)getpid());
		for (size_t i = 4; i < ARGS_MAX && *argv; i++)
			all[i] = *argv++;
		part->child.argv = all;
		part->child.out = part->child.err = fd;
		ret = child_start(&part->child);
		close(fd);
	}
	free(path);
	return ret;
}

static int start_both(struct up *up)
{
	char *gated = cmd_sibling("git-gated", SBINDIR);
	char *socket = up_files_path(up->state, "fcgi.sock");
	char *web_log = log_path(up, up->server->name);
	struct buf web_conf = BUF_INIT;
	int ret;

	buf_addf(&web_conf, "%s/%s.conf", up->state, up->server->name);
	unlink(socket); /* of an earlier run; the lock says it has ended */
	{
		const char *gate[] = { gated, "-f", "-c", up->conf, "-s",
				       socket, NULL };
		const char *lighttpd[] = { up->server->program, "-D", "-f",
					   web_conf.data, NULL };
		/* -e: else it begins by opening a log that is root's */
		const char *nginx[] = { up->server->program, "-e", web_log,
					"-p", up->state, "-c", web_conf.data,
					NULL };
		int is_nginx = !strcmp(up->server->name, "nginx");

		ret = start(up, &up->gate, gate);
		if (!ret)
			ret = start(up, &up->web, is_nginx ? nginx : lighttpd);
	}
	buf_clear(&web_conf);
	free(web_log);
	free(socket);
	free(gated);
	return ret;
}

/* Why it died stands in its log, which may be about to be removed. */
static void tell_end(const struct up *up, const struct part *part, int status)
{
	struct buf text = BUF_INIT;
	char *path = log_path(up, part->name), *line, *next, *from;

	log_error("%s ended with status %d; its last words:", part->name,
		  status);
	/* 64 MiB: far above what a log of one run may be */
	if (!buf_read_file(&text, path, 64 << 20) && text.len) {
		from = text.data;
		if (text.len > TAIL_BYTES)
			from += text.len - TAIL_BYTES;
		for (line = strtok_r(from, "\n", &next); line;
		     line = strtok_r(NULL, "\n", &next))
			log_error("  %s", line);
	} else {
		log_error("  (none in %s)", path);
	}
	buf_clear(&text);
	free(path);
}

enum event { EVENT_NONE, EVENT_SIGNAL, EVENT_DEATH };

/* Wait for a signal or a death, which is told; timeout_ms -1: no bound. */
static enum event wait_event(struct up *up, int timeout_ms)
{
	struct part *const parts[] = { &up->gate, &up->web };
	struct pollfd fds[] = {
		{ .fd = up->signals, .events = POLLIN },
		{ .fd = up->gate.child.pidfd, .events = POLLIN },
		{ .fd = up->web.child.pidfd, .events = POLLIN },
	};
	int status;

	if (poll(fds, 3, timeout_ms) <= 0)
		return EVENT_NONE;
	if (fds[0].revents)
		return EVENT_SIGNAL;
	for (int i = 0; i < 2; i++) {
		if (!fds[i + 1].revents)
			continue;
		status = child_wait(&parts[i]->child, 0);
		if (status >= 0)
			tell_end(up, parts[i], status);
		return EVENT_DEATH;
	}
	return EVENT_NONE;
}

/* Until the gate answers through the web server. */
static enum event wait_answer(struct up *up)
{
	int64_t deadline = clock_ms() + START_MS;
	enum event event;

	while (!up_address_answers(&up->address, 1000)) {
		event = wait_event(up, 50);
		if (event != EVENT_NONE)
			return event;
		if (!clock_left(deadline)) {
			log_error("no answer from %s:%u within %d seconds; "
				  "see the logs in %s", up->address.host,
				  up->address.port, START_MS / 1000, up->state);
			up->remove = 0;
			return EVENT_DEATH;
		}
	}
	return wait_event(up, 0);
}

/* A name that can be cloned as it is; else NAME where a word is missing. */
static void print_clone(const struct up *up, const char *pattern)
{
	size_t n;

	printf("git clone http://%s:%u/", up->address.host, up->address.port);
	while (*pattern) {
		n = strspn(pattern, "*?");
		if (n)
			fputs("NAME", stdout);
		else
			putchar(*pattern);
		pattern += n ? n : 1;
	}
	putchar('\n');
}

static void print_serving(const struct up *up)
{
	printf("git-gate: serving http://%s:%u/ with %s; configuration %s, "
	       "logs in %s; Ctrl-C ends it\n", up->address.host,
	       up->address.port, up->server->name, up->conf, up->state);
	for (size_t i = 0; i < up->config->nr_repos; i++)
		print_clone(up, up->config->repos[i].pattern);
	fflush(stdout);
}

static int run(struct up *up)
{
	enum event event;

	if (catch_signals(up) || start_both(up))
		return CMD_REFUSED;
	event = wait_answer(up);
	if (event == EVENT_NONE) {
		print_serving(up);
		/* the one wait without a bound: for the operator */
		while (event == EVENT_NONE)
			event = wait_event(up, -1);
	}
	return event == EVENT_SIGNAL ? CMD_OK : CMD_REFUSED;
}

/* The gate first, so that what runs can still answer through the server. */
static void end(struct up *up)
{
	if (up->config)
		child_stop(&up->gate.child,
			   (int)up->config->stop_ms + GATE_STOP_EXTRA_MS);
	child_stop(&up->web.child, WEB_STOP_MS);
	if (up->signals >= 0)
		close(up->signals);
	if (up->state && up->remove)
		up_files_remove(up->state);
	if (up->lock >= 0)
		close(up->lock);
	config_free(up->config);
	free(up->conf);
	free(up->state);
}

int cmd_up(int argc, char **argv)
{
	struct up_wish w = { 0 };
	struct up up = { .lock = -1, .signals = -1,
			 .gate = { "git-gated", CHILD_INIT },
			 .web = { NULL, CHILD_INIT } };
	int status = CMD_REFUSED;

	if (argc > 3 && !strcmp(argv[1], "--part"))
		return become_part(argv + 2);
	switch (up_wish_parse(argc, argv, &w)) {
	case UP_WISH_OK:
		break;
	case UP_WISH_HELP:
		up_wish_usage(stdout);
		return CMD_OK;
	case UP_WISH_BAD:
		up_wish_usage(stderr);
		return CMD_USAGE;
	}
	if (!prepare(&up, &w)) {
		up.web.name = up.server->name;
		status = run(&up);
	}
	end(&up);
	return status;
}
