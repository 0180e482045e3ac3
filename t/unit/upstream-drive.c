/*
 * Calls the rooms of the upstream's side directly, for t/50-upstream.t:
 *
 *   upstream-drive CONFIG path NAME
 *   upstream-drive CONFIG refresh NAME [MS]
 *   upstream-drive CONFIG many NAME THREADS
 *   upstream-drive CONFIG exclude NAME MS
 *   upstream-drive CONFIG begin NAME
 *   upstream-drive CONFIG push NAME      (as a pre-receive hook)
 *   upstream-drive CONFIG clean -
 *
 * Prints one line of results: "rc=0 fault=none age=0".
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "child.h"
#include "clock.h"
#include "commands.h"
#include "config.h"
#include "forward.h"
#include "log.h"
#include "mirror.h"
#include "updates.h"

static struct config *conf;
static const struct config_repo *repo;
static const char *name;
static atomic_int good;

static int refresh(void)
{
	enum fault_kind fault;
	int64_t age;
	int rc = mirror_refresh(conf, repo, name, -1, 600000, &age, &fault);

	printf("rc=%d fault=%s age=%s\n", rc, fault_text(fault)->code,
	       age ? "some" : "0");
	return rc;
}

static void *refresh_thread(void *arg)
{
	enum fault_kind fault;
	int64_t age;

	(void)arg;
	if (!mirror_refresh(conf, repo, name, -1, 600000, &age, &fault))
		atomic_fetch_add(&good, 1);
	return NULL;
}

static int many(int threads)
{
	pthread_t list[64];

	for (int i = 0; i < threads && i < 64; i++)
		pthread_create(&list[i], NULL, refresh_thread, NULL);
	for (int i = 0; i < threads && i < 64; i++)
		pthread_join(list[i], NULL);
	printf("good=%d\n", atomic_load(&good));
	return atomic_load(&good) != threads;
}

/* The commands of a push of so many branches of long names, at most 300. */
static const struct commands *push_of(struct commands *c, size_t nr)
{
	static struct command list[300];
	static char names[300][8100];

	*c = (struct commands){ .list = list, .nr = nr };
	for (size_t i = 0; i < nr; i++) {
		snprintf(names[i], sizeof(names[i]), "refs/heads/%08000zu",
			 i);
		list[i].ref = names[i];
	}
	return c;
}

/*
 * A push keeps nobody waiting; one whose references have 2 MiB of names does,
 * but for other pushes, once it is forwarded.
 */
static int exclude(int ms)
{
	struct commands c1, c2;
	const struct commands *one = push_of(&c1, 1);
	const struct commands *many = push_of(&c2, 300);
	pthread_t thread;
	int64_t began = clock_ms();
	struct buf where = BUF_INIT;
	int first, second, asked;

	if (mirror_path(conf, repo, name, &where))
		return -1;
	first = mirror_push_begin(conf, repo, name, "1", one, -1, 1);
	second = mirror_push_begin(conf, repo, name, "2", many, -1, 1);
	printf("push=%d push=%d none=%d forward=%d scanned: ", first, second,
	       mirror_push_forward("3"), mirror_push_forward("1"));
	refresh();
	printf("forward=%d while: ", mirror_push_forward("2"));
	mirror_push_end(where.data, "1", 0);
	conf->queue_ms = ms;
	refresh();
	printf("waited=%d\n", clock_ms() - began >= ms);
	/* a refresh that waits is next: no more forwards before it */
	conf->queue_ms = 60000;
	mirror_push_begin(conf, repo, name, "4", many, -1, 1);
	pthread_create(&thread, NULL, refresh_thread, NULL);
	do {
		poll(NULL, 0, 5);
		asked = mirror_push_forward("4");
	} while (asked > 0 && clock_ms() - began < 20000);
	mirror_push_end(where.data, "2", 0);
	mirror_push_end(where.data, "4", 0);
	pthread_join(thread, NULL);
	printf("asked=%d after: good=%d\n", asked, atomic_load(&good));
	buf_clear(&where);
	return 0;
}

/* As a push does that is forwarded. */
static int begin(void)
{
	struct commands c;

	if (mirror_push_begin(conf, repo, name, "1", push_of(&c, 1), -1, 1))
		return -1;
	return mirror_push_forward("1") == 1 ? 0 : -1;
}

static void say(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static int push(void)
{
	static const char *const ends[] = { "none", "some", "all" };
	struct updates u = UPDATES_INIT;
	enum fault_kind fault = FAULT_LOCAL;
	enum forward_end end = FORWARD_NONE;

	if (!updates_read(0, &u))
		end = forward_push(conf, repo, name, &u, 0, say, NULL,
				   NULL, &fault);
	for (size_t i = 0; i < u.nr; i++)
		fprintf(stderr, "%s: %s\n", u.list[i].ref,
			u.list[i].reason ? u.list[i].reason : "taken");
	updates_clear(&u);
	fprintf(stderr, "took=%s rc=%d fault=%s\n", ends[end],
		end == FORWARD_ALL ? 0 : -1, fault_text(fault)->code);
	return end != FORWARD_ALL;
}

static int path(void)
{
	struct buf b = BUF_INIT;
	int rc = mirror_path(conf, repo, name, &b);

	printf("rc=%d %s\n", rc, rc ? "" : b.data);
	buf_clear(&b);
	return rc;
}

int main(int argc, char **argv)
{
	struct config *c;
	char *copy;
	int rc = 2;

	log_init("upstream-drive", LOG_PLAIN);
	child_init();
	if (argc < 4 || !(c = config_load(argv[1])))
		return 2;
	conf = c;
	copy = strdup(argv[3]);
	name = copy;
	repo = config_repo(c, copy);
	if (!strcmp(argv[2], "clean"))
		mirror_clean(c), rc = 0;
	else if (!repo)
		fprintf(stderr, "no [repo] for %s\n", name);
	else if (!strcmp(argv[2], "path"))
		rc = path();
	else if (!strcmp(argv[2], "refresh")) {
		if (argc > 4)
			conf->refresh_ms = atoi(argv[4]);
		rc = refresh();
	} else if (!strcmp(argv[2], "many"))
		rc = many(atoi(argv[4]));
	else if (!strcmp(argv[2], "exclude"))
		rc = exclude(atoi(argv[4]));
	else if (!strcmp(argv[2], "begin"))
		rc = begin();
	else if (!strcmp(argv[2], "push"))
		rc = push();
	free(copy);
	config_free(c);
	return rc < 0 ? 1 : rc;
}
