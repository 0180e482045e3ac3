/*
 * How git shows that it ran into a limit of [backend]. Takes its words, which
 * are English (gitenv.c), or its exit status; gives the key that set it.
 */
#include "hint.h"

#include <signal.h>
#include <string.h>

static const char memory[] =
	"backend.memory may be too small, or the machine is short of memory";
static const char cpu[] =
	"backend.cpu is used up; raise it if this was no endless loop";
static const char file_size[] =
	"backend.fileSize, or session.maxBody, is less than this push needs";
static const char files[] = "backend.files may be too small";
static const char threads[] =
	"backend.processes or backend.memory may be too small, or a limit of "
	"the system: TasksMax, ulimit -u";

/* The first that is found counts. Of git, libc and the dynamic loader. */
static const struct {
	const char *words, *means;
} table[] = {
	{ "cannot create async thread", threads },
	{ "unable to create thread", threads },
	{ "cannot fork", threads },
	{ "unable to fork", threads },
	{ "ut of memory", memory }, /* with "O" and "o" */
	{ "cannot be mapped", memory },
	{ "mmap failed", memory },
	{ "failed to map segment", memory },
	{ "annot allocate memory", memory },
	{ "died of signal 24", cpu }, /* SIGXCPU of run-command.c */
	{ "died of signal 25", file_size },
	{ "File too large", file_size },
	{ "maximum allowed size", file_size },
	{ "Too many open files", files },
	{ "Resource temporarily unavailable", threads },
};

const char *hint_of_line(const char *line, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (memmem(line, n, table[i].words, strlen(table[i].words)))
			return table[i].means;
	return NULL;
}

const char *hint_of_status(int status)
{
	if (status == 128 + SIGXCPU)
		return cpu;
	/* git ignores it (child.h); what it runs may not */
	if (status == 128 + SIGXFSZ)
		return file_size;
	return NULL;
}
