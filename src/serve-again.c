/*
 * After a push: what the next push to the repository will be told first is
 * asked of git before anybody waits for it, and kept. Takes a push that its
 * client has the whole answer of; gives up at whatever is not as it should be,
 * for then the next request asks by itself.
 */
#include "serve.h"
#include "serve-internal.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "backend.h"
#include "cgienv.h"
#include "env.h"
#include "mem.h"
#include "mirror.h"

/* What is younger is not trusted (advert-judge.c), by a clock that may be a
   tick, 10 ms, behind. */
#define SETTLE_MS 35
/* As long as others would wait for it (advert.c). */
#define MAKE_MS 2000

/* Of the request, what the answer to the next one depends on. */
struct serve_again {
	const struct config_repo *repo;
	struct route route;
	char *git_dir, *git_protocol, *server_protocol;
};

struct serve_again *serve_again_new(const struct serve *s)
{
	struct serve_again *a;

	if (!s->pushed || s->c->adverts == 0)
		return NULL;
	a = mem_zalloc(sizeof(*a));
	a->repo = s->repo;
	a->route = s->route;
	a->route.kind = ROUTE_ADVERTISE;
	a->git_dir = mem_strdup(s->git_dir.data);
	a->git_protocol = mem_strdup(s->req.git_protocol);
	a->server_protocol = mem_strdup(s->req.server_protocol);
	return a;
}

static void again_free(struct serve_again *a)
{
	free(a->git_dir);
	free(a->git_protocol);
	free(a->server_protocol);
	free(a);
}

/* s->making is set: have git answer. */
static void make(struct serve *s)
{
	struct cgienv_command cmd = CGIENV_COMMAND_INIT;
	struct env env = ENV_INIT;
	struct backend_run run = { .env = &env, .copy = serve_advert_copy,
				   .copy_arg = s->making };

	/* whoever asks: no advertisement has the user, the address or the id */
	cgienv_fill(&env, s->c, s->repo, &s->req, "-", &s->route,
		    s->git_dir.data, 0);
	cgienv_command(&cmd, s->c, NULL, &s->req, &s->route,
		       s->git_dir.data);
	run.argv = cmd.argv;
	run.preset = cmd.preset.data;
	serve_advert_end(s, !backend_apart(s->c, &run, (size_t)s->c->adverts,
					   MAKE_MS));
	env_clear(&env);
	buf_clear(&cmd.preset);
}

static void ask(const struct serve_again *a, const struct config *c,
		const char *backend)
{
	struct serve s = { .c = c, .backend = backend, .repo = a->repo,
			   .route = a->route, .age_ms = -1 };

	s.req = (struct request){ .who = "", .addr = "",
				  .git_protocol = a->git_protocol,
				  .server_protocol = a->server_protocol };
	buf_adds(&s.git_dir, a->git_dir);
	if (a->repo->upstream)
		mirror_use(a->git_dir);
	if (serve_advert_wanted(&s))
		make(&s);
	if (a->repo->upstream)
		mirror_release(a->git_dir);
	buf_clear(&s.git_dir);
}

void serve_again(struct serve_again *a, const struct config *c,
		 const char *backend, int stop_fd)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	struct pollfd stop = { .fd = stop_fd, .events = POLLIN };

	if (a == NULL)
		return;
	/* of pushes that end together one is enough to take up a worker */
	if (stop_fd >= 0 && pthread_mutex_trylock(&one) == 0) {
		if (poll(&stop, 1, SETTLE_MS) == 0 && session_spare())
			ask(a, c, backend);
		pthread_mutex_unlock(&one);
	}
	again_free(a);
}
