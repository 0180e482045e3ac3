/*
 * What the responder tells git-gate-pack in the environment that it makes for
 * git: where packs are kept, their bounds, and which git is to be run.
 */
#include "packs.h"
#include "packs-internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

/* A decimal number of our own making; else -1. */
static int64_t number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	int64_t n;

	if (text == NULL || *text == '\0')
		return -1;
	n = strtoimax(text, &end, 10);
	return *end == '\0' ? n : -1;
}

/* Nobody is told how far it is unless he asks; each may ask. */
static void set_arguments(struct packs *p)
{
	char **argv = p->exec;
	size_t nr = 0, n = 0, i;

	while (argv[nr] != NULL)
		nr++;
	p->argv = mem_array(nr + 1, sizeof(*p->argv));
	for (i = 0; i < nr; i++)
		if (strcmp(argv[i], "--progress") != 0)
			p->argv[n++] = argv[i];
	p->progress = n < nr;
}

int packs_take(struct packs *p)
{
	const char *dir = getenv(PACKS_ENV_DIR);
	int64_t size = number(PACKS_ENV_SIZE);

	p->git = getenv(PACKS_ENV_GIT);
	if (p->git == NULL || *p->git != '/')
		p->git = GIT_PATH;
	p->exec[0] = (char *)(uintptr_t)p->git;
	set_arguments(p);
	p->size = size > 0 ? (uint64_t)size : 0;
	p->age_ms = number(PACKS_ENV_AGE);
	p->total_ms = number(PACKS_ENV_TOTAL);
	p->responder = (int)number(PACKS_ENV_PID);
	if (dir == NULL || size <= 0 || p->age_ms < 0 || p->total_ms < 0 ||
	    p->responder <= 0)
		return -1;
	p->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return p->fd < 0 ? -1 : 0;
}

void packs_drop(struct packs *p)
{
	free(p->argv);
	p->argv = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}
