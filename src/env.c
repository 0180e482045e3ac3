/*
 * Environments for children, built from nothing. Takes names and values,
 * gives the array that execve(2) takes; never looks at our own environment.
 */
#include "env.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"

void env_set(struct env *e, const char *name, const char *value)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s=%s", name, value);
	MEM_GROW(e->list, e->nr, e->alloc);
	e->list[e->nr++] = buf_take(&b);
}

void env_setf(struct env *e, const char *name, const char *fmt, ...)
{
	char small[256], *value = small;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(small)) {
		value = mem_zalloc((size_t)n + 1);
		va_start(ap, fmt);
		vsnprintf(value, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	env_set(e, name, value);
	if (value != small)
		free(value);
}

void env_config(struct env *e, const char *key, const char *value)
{
	char name[40];

	snprintf(name, sizeof(name), "GIT_CONFIG_KEY_%u", e->configs);
	env_set(e, name, key);
	snprintf(name, sizeof(name), "GIT_CONFIG_VALUE_%u", e->configs);
	env_set(e, name, value);
	e->configs++;
}

const char *const *env_list(struct env *e)
{
	if (e->nr == 0 || e->list[e->nr - 1] != NULL) {
		env_setf(e, "GIT_CONFIG_COUNT", "%u", e->configs);
		MEM_GROW(e->list, e->nr, e->alloc);
		e->list[e->nr++] = NULL;
	}
	return (const char *const *)e->list;
}

void env_clear(struct env *e)
{
	size_t i;

	for (i = 0; i < e->nr; i++) {
		if (e->list[i] != NULL)
			mem_wipe(e->list[i], strlen(e->list[i]));
		free(e->list[i]);
	}
	free(e->list);
	*e = (struct env)ENV_INIT;
}
