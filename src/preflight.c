/*
 * What must work before the gate starts: git answers, and the hook finds a
 * made-up secret. Takes a loaded configuration, runs the two programs that it
 * names, bounded; changes nothing.
 */
#include "preflight.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"

/* A small program's answer at start. */
#define ASK_MS 10000

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
	if (status != 0)
		log_error("%s: the scanner does not work: %s", path.data,
			  err.len > 0 ? err.data : "no answer");
	buf_clear(&path);
	buf_clear(&err);
	return status == 0 ? 0 : -1;
}
