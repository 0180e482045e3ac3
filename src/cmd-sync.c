/*
 * git gate sync: has the responder ask upstreams now, one name at a time, and
 * prints what came of each. Takes names as clients write them, or with --all
 * every mirror on disk that the configuration still names.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "cmd.h"
#include "config.h"
#include "control.h"
#include "log.h"
#include "mem.h"
#include "mirror-keep.h"
#include "text.h"

/* Past refreshTimeout, for the wait for others who refresh it. */
#define MARGIN_MS 10000
/* What a name can be; the responder says what is wrong with it. */
#define NAME_MAX_BYTES 4096

struct names {
	const struct config *c;
	char **list;
	size_t nr, alloc;
};

static int usage(void)
{
	fputs("usage: git-gate sync [-c FILE] --all | NAME ...\n", stderr);
	return CMD_USAGE;
}

static void add(struct names *n, const char *name)
{
	MEM_GROW(n->list, n->nr, n->alloc);
	n->list[n->nr++] = mem_strdup(name);
}

static int add_mirror(void *arg, const char *path)
{
	struct names *n = arg;
	char name[ROUTE_NAME_MAX + 1];

	if (mirror_name(n->c, path, name))
		add(n, name);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* While one is asked that may take long; gone when there is an answer. */
static void progress(const struct names *n, size_t i, const char *name)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%zu of %zu: %s ...", i + 1, n->nr,
			name);
}

static void progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* "ok NAME" or "failed CODE SENTENCE", for people. */
static int tell(const char *name, char *answer)
{
	struct buf line = BUF_INIT;
	char *code, *sentence;
	int status = CMD_REFUSED;

	answer[strcspn(answer, "\n")] = '\0';
	if (!strncmp(answer, "ok ", 3)) {
		buf_adds(&line, "ok");
		status = CMD_OK;
	} else if (!strncmp(answer, "failed ", 7)) {
		code = answer + 7;
		sentence = code + strcspn(code, " ");
		buf_addf(&line, "failed: %.*s:", (int)(sentence - code), code);
		text_clean(&line, sentence, strlen(sentence));
	} else {
		buf_adds(&line, "failed: ");
		text_clean(&line, answer, strlen(answer));
	}
	printf("%s: %s\n", name, line.data);
	fflush(stdout);
	buf_clear(&line);
	return status;
}

static int sync_one(const struct names *n, size_t i)
{
	struct buf request = BUF_INIT, answer = BUF_INIT, shown = BUF_INIT;
	const char *name = n->list[i];
	int timeout = (int)n->c->refresh_ms + MARGIN_MS;
	int status = CMD_UNKNOWN;

	buf_adds(&shown, "");
	text_clean(&shown, name, strlen(name));
	progress(n, i, shown.data);
	buf_addf(&request, "sync %s\n", name);
	if (!control_ask(n->c, request.data, timeout, 0, &answer)) {
		progress_end();
		buf_adds(&answer, "");
		status = tell(shown.data, answer.data);
	} else {
		progress_end();
	}
	buf_clear(&request);
	buf_clear(&answer);
	buf_clear(&shown);
	return status;
}

/* Where nobody answers, the others need not be tried. */
static int sync_all(const struct names *n)
{
	int status = CMD_OK, one;

	for (size_t i = 0; i < n->nr && status != CMD_UNKNOWN; i++) {
		one = sync_one(n, i);
		if (one > status)
			status = one;
	}
	return status;
}

/* One request is one line, and begins where it says. NULL: it may be one. */
static const char *no_name(const char *s)
{
	if (strpbrk(s, "*?["))
		return "patterns are not taken; use --all";
	if (!*s || strlen(s) > NAME_MAX_BYTES || strpbrk(s, "\r\n"))
		return "that is no name of a repository";
	return NULL;
}

/* The others are asked for nevertheless. Returns CMD_OK or CMD_REFUSED. */
static int add_names(struct names *n, int argc, char **argv)
{
	int status = CMD_OK;

	for (int i = 0; i < argc; i++) {
		struct buf shown = BUF_INIT;

		if (!no_name(argv[i])) {
			add(n, argv[i]);
			continue;
		}
		buf_adds(&shown, "");
		text_clean(&shown, argv[i], strnlen(argv[i], NAME_MAX_BYTES));
		printf("'%s': failed: bad-name: %s\n", shown.data,
		       no_name(argv[i]));
		buf_clear(&shown);
		status = CMD_REFUSED;
	}
	return status;
}

static int run(const char *file, int all, int argc, char **argv)
{
	struct config *c = config_load(file);
	struct names n = { .c = c };
	struct buf answer = BUF_INIT;
	int status = CMD_UNKNOWN, named;

	if (!c)
		return CMD_UNKNOWN;
	named = add_names(&n, argc, argv);
	if (all)
		mirror_each(c, add_mirror, &n);
	if (all && n.nr)
		qsort(n.list, n.nr, sizeof(*n.list), compare);
	/* with nothing to do, too, it is said that nobody is there */
	if (n.nr || !control_ask(c, "status\n", MARGIN_MS, 0, &answer))
		status = sync_all(&n);
	if (named > status)
		status = named;
	for (size_t i = 0; i < n.nr; i++)
		free(n.list[i]);
	free(n.list);
	buf_clear(&answer);
	config_free(c);
	return status;
}

int cmd_sync(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "all", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = CONFIG_DEFAULT;
	int opt, all = 0;

	while ((opt = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (opt == 'c')
			file = optarg;
		else if (opt == 'a')
			all = 1;
		else
			return usage();
	}
	if (all == (optind < argc))
		return usage();
	return run(file, all, argc - optind, argv + optind);
}
