/*
 * Memory that is there, or the process ends. Takes sizes that callers have
 * bounded, gives zeroed memory; never returns NULL.
 */
#include "mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static void *must(void *p)
{
	if (p == NULL) {
		log_error("out of memory");
		abort();
	}
	return p;
}

void *mem_zalloc(size_t n)
{
	return must(calloc(1, n > 0 ? n : 1));
}

void *mem_array(size_t count, size_t size)
{
	return must(calloc(count > 0 ? count : 1, size));
}

void *mem_resize(void *p, size_t count, size_t size)
{
	return must(reallocarray(p, count > 0 ? count : 1, size));
}

char *mem_strdup(const char *s)
{
	return must(strdup(s));
}

char *mem_strndup(const char *s, size_t n)
{
	return must(strndup(s, n));
}

void mem_wipe(void *p, size_t n)
{
	if (p != NULL)
		explicit_bzero(p, n);
}
