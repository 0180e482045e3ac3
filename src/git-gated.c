/*
 * git-gated, the FastCGI responder: options, start, signals, end. Takes a
 * configuration and a socket, gives a pool of workers; nothing of our own
 * environment but LISTEN_FDS is looked at.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "advert.h"
#include "buf.h"
#include "child.h"
#include "clock.h"
#include "config.h"
#include "control.h"
#include "desk.h"
#include "git-gated-self.h"
#include "keeper.h"
#include "listen.h"
#include "log.h"
#include "mem.h"
#include "mirror.h"
#include "packs.h"
#include "passed.h"
#include "preflight.h"
#include "session.h"
#include "share.h"
#include "strays.h"
#include "witness.h"
#include "workers.h"

/* What is cut at the end of stopTimeout gets this long to unwind. */
#define UNWIND_MS 8000
/* From one look at packs that nobody has asked for to the next. */
#define TIDY_MS 60000

struct options {
	const char *config;
	const char *socket;
	int check_only, foreground;
};

struct gated {
	struct options options;
	struct config *c; /* the workers', once they are there; const then */
	unsigned workers_wanted;
	int64_t stop_ms;
	char *backend;
	struct control control;
	struct workers *workers;
	struct desk *desk;
	struct keeper *keeper;
	int signal_fd, wake_fd;
	int started_fd; /* where to tell that we have, or -1 */
};

static int usage(void)
{
	fprintf(stderr,
		"usage: git-gated [-ft] [-c CONFIG] [-s PATH | ADDRESS:PORT]\n"
		"  -c CONFIG  the configuration, by default %s\n"
		"  -s SOCKET  listen there; else the socket handed over as\n"
		"             descriptor 0 or by systemd is used\n"
		"  -f         stay in the foreground\n"
		"  -t         check the configuration and exit\n",
		CONFIG_DEFAULT);
	return 2;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int opt;

	o->config = CONFIG_DEFAULT;
	while ((opt = getopt(argc, argv, "c:fs:t")) != -1) {
		switch (opt) {
		case 'c':
			o->config = optarg;
			break;
		case 'f':
			o->foreground = 1;
			break;
		case 's':
			o->socket = optarg;
			break;
		case 't':
			o->check_only = 1;
			break;
		default:
			return -1;
		}
	}
	return optind == argc ? 0 : -1;
}

static void reload(struct gated *g)
{
	struct config *c = preflight_load(g->options.config, 1);

	if (c == NULL) {
		log_error("%s: not taken; the configuration of before stays",
			  g->options.config);
		return;
	}
	if (strcmp(c->state, g->c->state) != 0 ||
	    c->workers != g->workers_wanted) {
		log_error("%s: gate.state and gate.workers need a restart; the "
			  "configuration of before stays", g->options.config);
		config_free(c);
		return;
	}
	g->c = c;
	g->stop_ms = c->stop_ms;
	workers_reload(g->workers, c);
	keeper_reload();
	log_info("%s: read anew", g->options.config);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	/* blocked before the first thread, so that none of them gets one */
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Returns -1 when it is time to stop. */
static int take_signals(struct gated *g)
{
	struct signalfd_siginfo info;

	while (read(g->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			child_reap_orphans();
		else if (info.ssi_signo == SIGHUP)
			reload(g);
		else
			return -1;
	}
	return 0;
}

/* The hook has one stage to tell of; of forwarding it asks. */
static void set_stage(const char *id, const char *stage)
{
	if (strcmp(stage, "scan") == 0)
		session_stage_of(id, STAGE_SCAN);
}

/* Not before its mirror is free for it, and not when it is being ended. */
static int may_forward(const char *id)
{
	int rc = mirror_push_forward(id);

	return rc > 0 && !session_may_forward(id) ? -1 : rc;
}

/* One turn of the main loop; returns -1 when it is time to stop. */
static int turn(struct gated *g, int timeout_ms)
{
	struct pollfd p[4] = {
		{ .fd = g->signal_fd, .events = POLLIN },
		{ .fd = g->wake_fd, .events = POLLIN },
		{ .fd = g->control.stream_fd, .events = POLLIN },
		{ .fd = g->control.notes_fd, .events = POLLIN },
	};
	static const struct control_listener listener = {
		.stage = set_stage, .may_forward = may_forward,
		.is_whole = session_is_whole
	};
	uint64_t count;
	int fd;

	if (poll(p, 4, timeout_ms) < 0)
		return 0;
	if (p[1].revents != 0 &&
	    read(g->wake_fd, &count, sizeof(count)) < 0)
		log_debug("eventfd: %s", strerror(errno));
	if (p[3].revents != 0)
		control_take_notes(&g->control, &listener);
	if (p[2].revents != 0 && (fd = control_accept(&g->control)) >= 0)
		desk_take(g->desk, fd);
	return p[0].revents != 0 ? take_signals(g) : 0;
}

/*
 * What runs may finish, bounded; a client that is cut sees it. Who forwards
 * has a bound of his own and is waited for.
 */
static void stop(struct gated *g)
{
	int64_t deadline = clock_ms() + g->stop_ms + UNWIND_MS;
	int64_t forward = deadline + g->c->forward_ms;

	log_info("stopping; %u sessions run", session_number());
	keeper_stop();
	/* one that was handed over may be served by our successor */
	workers_stop(g->workers, g->options.socket != NULL);
	session_hurry(g->stop_ms);
	while (workers_join(g->workers, 0) < 0 &&
	       (clock_left(deadline) > 0 ||
		(session_forwarding() > 0 && clock_left(forward) > 0))) {
		session_watch();
		turn(g, 20);
	}
	if (session_number() > 0)
		log_warn("%u sessions were cut off", session_number());
}

/* The nearer of two times to wait; below 0: for ever. */
static int nearer(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/*
 * Sessions may begin while we sleep: the first one wakes us. Packs may be left
 * behind by them; when none is, nothing wakes us.
 */
static int run(struct gated *g)
{
	int64_t tidy = clock_ms() + TIDY_MS;
	int next;

	do {
		next = session_watch();
		if (tidy == 0)
			tidy = clock_ms() + TIDY_MS;
		if (clock_left(tidy) == 0)
			tidy = packs_tidy(g->c) || next >= 0
				       ? clock_ms() + TIDY_MS : 0;
	} while (turn(g, nearer(next, tidy ? clock_left(tidy) : -1)) == 0);
	stop(g);
	packs_end(g->c);
	log_info("stopped");
	return 0;
}

static int open_socket(const struct options *o, const char *fds,
		       const char *pid)
{
	return o->socket != NULL ? listen_open(o->socket)
				 : listen_inherited(fds, pid);
}

static int start(struct gated *g, const char *fds, const char *pid)
{
	int listen_fd = open_socket(&g->options, fds, pid);

	if (listen_fd < 0)
		return -1;
	if (control_open(&g->control, g->c) < 0)
		return -1;
	if (g->control.was_left)
		strays_end(g->c);
	share_end_all(g->c);
	mirror_clean(g->c);
	passed_clean(g->c);
	packs_open(g->c);
	preflight_clean(g->c);
	g->signal_fd = open_signals();
	g->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->signal_fd < 0 || g->wake_fd < 0) {
		log_error("cannot start: %s", strerror(errno));
		return -1;
	}
	g->workers_wanted = g->c->workers;
	g->stop_ms = g->c->stop_ms;
	g->workers = workers_start(g->c->workers, listen_fd, g->wake_fd, g->c,
				   g->backend);
	if (g->workers == NULL)
		return -1;
	g->desk = desk_open(g->workers);
	g->keeper = keeper_start(g->workers);
	if (g->keeper == NULL)
		return -1;
	log_info("ready: %zu repositories' rules, %zu upstreams, %u requests at "
		 "once",
		 g->c->nr_repos, g->c->nr_upstreams, g->c->workers);
	return 0;
}

static char *keep(const char *value)
{
	return value ? mem_strdup(value) : NULL;
}

static int gated(struct gated *g, const char *fds, const char *pid)
{
	g->c = preflight_load(g->options.config,
			      !g->options.check_only);
	if (g->c == NULL)
		return 1;
	g->backend = preflight_backend(g->c);
	if (g->backend == NULL)
		return 1;
	if (g->options.check_only) {
		printf("%s: good\n", g->options.config);
		return 0;
	}
	log_init("git-gated", LOG_STAMP);
	git_gated_raise_files(g->c);
	if (start(g, fds, pid) < 0)
		return 1;
	if (g->started_fd >= 0)
		git_gated_started(g->started_fd);
	return run(g);
}

/* What a worker that was cut off still uses stays; so does the control socket's
   name, by which the next one knows that we left something. */
static void clear(struct gated *g)
{
	if (g->workers != NULL && workers_join(g->workers, 0) < 0)
		return;
	if (g->desk != NULL && desk_close(g->desk, UNWIND_MS) < 0)
		return;
	if (g->keeper != NULL && keeper_join(g->keeper, UNWIND_MS) < 0)
		return;
	/* when nobody is left who could make another */
	if (g->keeper != NULL)
		share_end_all(g->c);
	control_close(&g->control);
	if (g->signal_fd >= 0)
		close(g->signal_fd);
	if (g->wake_fd >= 0)
		close(g->wake_fd);
	advert_clear();
	if (g->workers != NULL)
		workers_free(g->workers);
	else
		config_free(g->c);
	free(g->backend);
}

/* A socket that was handed over comes from one who watches us. */
static int in_background(const struct options *o)
{
	return o->socket != NULL && !o->foreground && !o->check_only;
}

int main(int argc, char **argv)
{
	struct gated g = { .control = CONTROL_INIT, .signal_fd = -1,
			   .wake_fd = -1, .started_fd = -1 };
	char *fds = keep(getenv("LISTEN_FDS"));
	char *pid = keep(getenv("LISTEN_PID"));
	int status;

	log_init("git-gated", LOG_PLAIN);
	if (parse_options(argc, argv, &g.options) < 0)
		return usage();
	git_gated_harden();
	/* before it could be an orphan of ours, or keep anything open */
	if (!g.options.check_only)
		witness_start(argv);
	if (in_background(&g.options)) {
		g.started_fd = git_gated_background();
		if (g.started_fd < 0)
			return 1;
	}
	child_init();
	status = gated(&g, fds, pid);
	clear(&g);
	free(fds);
	free(pid);
	return status;
}
