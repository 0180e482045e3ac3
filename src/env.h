#ifndef ENV_H
#define ENV_H

#include <stddef.h>

/* An environment for a child process, built from nothing. */
struct env {
	char **list; /* "NAME=value", NULL-terminated by env_list */
	size_t nr, alloc;
	unsigned configs; /* of env_config */
};

#define ENV_INIT { 0 }

/* Add a variable; the name must not be there yet. value is copied. */
void env_set(struct env *e, const char *name, const char *value);
void env_setf(struct env *e, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Add one setting for git in GIT_CONFIG_KEY_n and GIT_CONFIG_VALUE_n
 * (git-config(1), ENVIRONMENT); env_list adds GIT_CONFIG_COUNT.
 */
void env_config(struct env *e, const char *key, const char *value);

/* The list for child.envp; e owns it. Nothing can be added afterwards. */
const char *const *env_list(struct env *e);

/* Overwrite and free. */
void env_clear(struct env *e);

#endif
