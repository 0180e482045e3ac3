/*
 * A git whose answer no client waits for: takes what backend_run takes, gives
 * the same bytes to its copy alone, or nothing. Whatever could make the answer
 * another one than a client would get, makes it none.
 */
#include "backend.h"
#include "backend-internal.h"

#include "child.h"
#include "config.h"
#include "env.h"

struct child_limits backend_limits(const struct config *c)
{
	return (struct child_limits){
		.memory = c->memory, .file_size = c->file_size,
		.cpu_s = (unsigned)((c->cpu_ms + 999) / 1000),
		.processes = c->processes, .files = c->files
	};
}

/* Header and body to the copy, as they would have gone out. */
static int give(const struct backend_run *run, const struct buf *body)
{
	struct buf head = BUF_INIT, header = BUF_INIT;
	size_t end;
	int rc;

	buf_adds(&head, run->preset);
	end = backend_head_end(&head);
	rc = end > 0 ? backend_head_make(&head, end, "", &header) : -1;
	if (rc == 0) {
		buf_add(&header, head.data + end, head.len - end);
		run->copy(run->copy_arg, header.data, header.len);
		run->copy(run->copy_arg, body->data, body->len);
	}
	buf_clear(&head);
	buf_clear(&header);
	return rc;
}

int backend_apart(const struct config *c, const struct backend_run *run,
		  size_t max, int timeout_ms)
{
	const struct child_limits limits = backend_limits(c);
	struct buf out = BUF_INIT, err = BUF_INIT;
	struct child child = CHILD_INIT;
	int rc;

	child.argv = run->argv;
	child.envp = env_list(run->env);
	child.dir = "/";
	child.limits = &limits;
	rc = child_run(&child, NULL, max, timeout_ms, &out, &err);
	rc = rc == 0 && err.len == 0 && out.len > 0 ? give(run, &out) : -1;
	buf_clear(&out);
	buf_clear(&err);
	return rc;
}
