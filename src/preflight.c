/*
 * What must work before the gate starts: git answers, and the hook finds a
 * made-up secret. Takes a configuration's path, loads it and leaves a private
 * copy in its state directory, for the hooks; runs the two programs that it
 * names, bounded.
 */
#include "preflight.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"
#include "mem.h"

/* A small program's answer at start. */
#define ASK_MS 10000
/* Larger than any configuration that people or programs write. */
#define CONFIG_BYTES ((size_t)16 << 20)
/* Copies: STATE/config-PID-NUMBER. */
#define COPY "config-"

/* Ask git where its programs are: the answer is http-backend's path. */
char *preflight_backend(const struct config *c)
{
	const char *argv[] = { c->git, "--exec-path", NULL };
	struct child child = CHILD_INIT;
	struct buf out = BUF_INIT;
	struct env env = ENV_INIT;
	char *path = NULL;

	gitenv_base(&env, c);
	child.argv = argv;
	child.envp = env_list(&env);
	if (child_run(&child, NULL, 4096, ASK_MS, &out, NULL) != 0 ||
	    out.len == 0 || out.data[0] != '/') {
		log_error("%s --exec-path: does not answer; is gate.git git?",
			  c->git);
	} else {
		out.data[strcspn(out.data, "\n")] = '\0';
		out.len = strlen(out.data);
		buf_adds(&out, "/git-http-backend");
		if (access(out.data, X_OK) < 0)
			log_error("%s: %s; on Debian it is in the package git",
				  out.data, strerror(errno));
		else
			path = buf_take(&out);
	}
	buf_clear(&out);
	env_clear(&env);
	return path;
}

/* The hook loads the rules and finds a made-up secret, or nothing starts. */
int preflight_hook(const struct config *c)
{
	struct buf path = BUF_INIT, err = BUF_INIT;
	struct child child = CHILD_INIT;
	const char *argv[4] = { NULL, "--check", c->file, NULL };
	int status;

	buf_addf(&path, "%s/pre-receive", c->hooks);
	argv[0] = path.data;
	child.argv = argv;
	status = child_run(&child, NULL, 65536, ASK_MS, NULL, &err);
	if (err.len > 0 && err.data[err.len - 1] == '\n')
		err.data[--err.len] = '\0';
	if (status != 0)
		log_error("%s: the scanner does not work: %s", path.data,
			  err.len > 0 ? err.data : "no answer");
	buf_clear(&path);
	buf_clear(&err);
	return status == 0 ? 0 : -1;
}

/* The file's bytes of this moment, at a path of ours. */
static char *copy_of(const struct config *c)
{
	static unsigned number;
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc;

	buf_addf(&path, "%s/" COPY "%d-%u", c->state, (int)getpid(), number++);
	unlink(path.data); /* of a process that had our number */
	buf_adds(&text, "");
	rc = buf_read_file(&text, c->file, CONFIG_BYTES);
	if (rc < 0) {
		log_error("%s: %s", c->file, strerror(errno));
	} else {
		rc = buf_write_new(&text, path.data);
		if (rc < 0)
			log_error("%s: cannot be written: %s", path.data,
				  strerror(errno));
	}
	buf_clear(&text);
	if (rc == 0)
		return buf_take(&path);
	buf_clear(&path);
	return NULL;
}

/* The copy is what is loaded, so what is judged here and there is one text. */
static struct config *load_copy(const struct config *c)
{
	char *path = copy_of(c);
	struct config *copy = path != NULL ? config_load(path) : NULL;

	if (copy != NULL) {
		copy->is_copy = 1;
		free(copy->name);
		copy->name = mem_strdup(c->name);
	} else if (path != NULL) {
		unlink(path);
	}
	free(path);
	return copy;
}

/* Processors that we may use: a container has fewer than the machine. */
static unsigned count_cores(void)
{
	cpu_set_t set;

	/* it fails where there are more than the set has room for */
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return CPU_SETSIZE;
	return (unsigned)CPU_COUNT(&set);
}

struct config *preflight_load(const char *file, int make)
{
	struct config *c = config_load(file), *copy = NULL;

	if (c == NULL)
		return NULL;
	if (config_check_paths(c, make) < 0 || preflight_hook(c) < 0) {
		config_free(c);
		return NULL;
	}
	if (!make)
		return c;
	copy = load_copy(c);
	config_free(c);
	if (copy != NULL)
		copy->cores = count_cores();
	return copy;
}

void preflight_clean(const struct config *c)
{
	struct dirent *entry;
	DIR *dir = opendir(c->state);

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		pid_t pid;

		if (strncmp(name, COPY, strlen(COPY)) != 0)
			continue;
		pid = (pid_t)strtol(name + strlen(COPY), NULL, 10);
		if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH)
			unlinkat(dirfd(dir), name, 0);
	}
	if (dir != NULL)
		closedir(dir);
}
