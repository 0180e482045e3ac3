/*
 * The push to the upstream, from the hook: takes the updates that passed,
 * runs one bounded `git push` to a URL, relays the upstream's words line by
 * line as they come, and says whether the upstream took all of it. The leases
 * alone allow a rewind: no refspec is forced.
 */
#include "forward.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "clock.h"
#include "commands.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"
#include "mem.h"
#include "text.h"
#include "updates.h"

/* Bytes of one line, lines for the client, bytes kept for the judgement. */
#define LINE_MAX_BYTES 4000
#define LINES_MAX 5000
#define WORDS_MAX 262144
/* Of all arguments: Linux takes 2 MiB with the environment (execve(2)). */
#define ARGS_MAX 1500000

/* One `git push`. */
struct push {
	const struct config *c;
	const struct config_repo *r;
	const char *name;
	forward_say *say;
	void *arg;
	const char **argv;
	size_t argc, alloc, bytes;
	int fds[2];          /* from its stdout and stderr; -1: closed */
	struct buf lines[2]; /* begun, not ended */
	size_t said;         /* lines */
	struct buf words;
};

static void add_arg(struct push *p, const struct buf *text)
{
	MEM_GROW(p->argv, p->argc + 1, p->alloc);
	p->argv[p->argc++] = mem_strdup(text->data);
	p->argv[p->argc] = NULL;
	p->bytes += text->len + 1 + sizeof(char *);
}

static void add_argf(struct push *p, const char *before, const char *middle,
		     const char *between, const char *after)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s%s%s%s", before, middle, between, after);
	add_arg(p, &b);
	buf_clear(&b);
}

/* GIT_PUSH_OPTION_COUNT and GIT_PUSH_OPTION_n, see githooks(5). */
static void add_options(struct push *p)
{
	const char *count = getenv("GIT_PUSH_OPTION_COUNT");
	unsigned long nr = count ? strtoul(count, NULL, 10) : 0;
	struct buf name = BUF_INIT;

	for (unsigned long i = 0; i < nr && p->bytes < ARGS_MAX; i++) {
		const char *value;

		buf_reset(&name);
		buf_addf(&name, "GIT_PUSH_OPTION_%lu", i);
		value = getenv(name.data);
		if (!value)
			break;
		add_argf(p, "--push-option=", value, "", "");
	}
	buf_clear(&name);
}

/* What git push takes for "no such reference" is an empty word. */
static const char *or_empty(const char *oid)
{
	return commands_is_zero(oid) ? "" : oid;
}

/* Returns how many references there are to push. */
static size_t add_all(struct push *p, const struct updates *u, int atomic)
{
	static const char *const fixed[] = {
		"push",
		"--porcelain",
		"--no-verify",
		"--no-signed",
		"--recurse-submodules=no",
		"--no-follow-tags",
	};
	size_t nr = 0;

	add_argf(p, p->c->git, "", "", "");
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		add_argf(p, fixed[i], "", "", "");
	if (atomic)
		add_argf(p, "--atomic", "", "", "");
	add_options(p);
	for (size_t i = 0; i < u->nr; i++)
		add_argf(p, "--force-with-lease=", u->list[i].ref, ":",
			 or_empty(u->list[i].old));
	add_argf(p, "--", "", "", "");
	add_argf(p, p->r->upstream->url, p->name, p->r->upstream->suffix, "");
	for (size_t i = 0; i < u->nr; i++) {
		const struct update *up = &u->list[i];

		/* Deleting what is not there changes nothing upstream. */
		if (commands_is_zero(up->old) && commands_is_zero(up->new))
			continue;
		add_argf(p, or_empty(up->new), ":", up->ref, "");
		nr++;
	}
	return nr;
}

/* One line for the client, cleaned, without blanks at its end. */
static void say_line(struct push *p, const char *mark, const char *s, size_t n)
{
	struct buf line = BUF_INIT;

	if (p->said++ >= LINES_MAX) {
		if (p->said == LINES_MAX + 1)
			p->say(p->arg, "upstream: (more lines, not shown)");
		return;
	}
	buf_adds(&line, mark);
	text_clean(&line, s, n);
	while (line.len && line.data[line.len - 1] == ' ')
		line.data[--line.len] = '\0';
	p->say(p->arg, line.data);
	buf_clear(&line);
}

/*
 * "! TAB FROM:REF TAB [remote rejected] (REASON)", see git-push(1), OUTPUT.
 * A reference's name has no tab and no colon.
 */
static void say_refusal(struct push *p, const char *s, size_t n)
{
	const char *ref = memchr(s, '\t', n), *end = s + n;
	const char *tab = ref ? memchr(ref + 1, '\t',
				       (size_t)(end - ref - 1)) : NULL;
	const char *colon, *reason;
	struct buf mark = BUF_INIT;

	if (!tab)
		return;
	colon = memchr(ref, ':', (size_t)(tab - ref));
	ref = colon ? colon + 1 : ref + 1;
	reason = memchr(tab, '(', (size_t)(end - tab));
	if (reason && end[-1] == ')')
		reason++, end--;
	else
		reason = tab + 1;
	buf_adds(&mark, "upstream refused ");
	text_clean(&mark, ref, (size_t)(tab - ref));
	buf_adds(&mark, ": ");
	say_line(p, mark.data, reason, (size_t)(end - reason));
	buf_clear(&mark);
}

/* A whole line of stdout (0) or stderr (1). */
static void take_line(struct push *p, int which, const char *s, size_t n)
{
	if (which == 0 && (n < 2 || memcmp(s, "!\t", 2) != 0))
		return;
	if (p->words.len + n < WORDS_MAX) {
		buf_add(&p->words, s, n);
		buf_addc(&p->words, '\n');
	}
	if (which == 0) {
		say_refusal(p, s, n);
	} else if (n >= 7 && !memcmp(s, "remote:", 7)) {
		size_t skip = n > 7 && s[7] == ' ' ? 8 : 7;

		say_line(p, "upstream: ", s + skip, n - skip);
	}
}

/* Bytes to lines; what a line has over the bound is dropped. */
static void take_bytes(struct push *p, int which, const char *s, size_t n)
{
	struct buf *b = &p->lines[which];

	for (size_t i = 0; i < n; i++) {
		if (s[i] != '\n' && s[i] != '\r') {
			if (b->len < LINE_MAX_BYTES)
				buf_addc(b, s[i]);
			continue;
		}
		if (b->len)
			take_line(p, which, b->data, b->len);
		buf_reset(b);
	}
}

/* Returns 1 when there was something. */
static int drain(struct push *p, int which)
{
	char bytes[8192];
	ssize_t n = read(p->fds[which], bytes, sizeof(bytes));

	if (n > 0) {
		take_bytes(p, which, bytes, (size_t)n);
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	take_bytes(p, which, "\n", 1);
	close(p->fds[which]);
	p->fds[which] = -1;
	return 0;
}

/*
 * Relay until both pipes are closed, or git has ended (what it started may
 * still hold them). Returns 0, or -1 when the deadline has passed.
 */
static int relay(struct push *p, const struct child *child, int64_t deadline)
{
	while (p->fds[0] >= 0 || p->fds[1] >= 0) {
		struct pollfd fds[3] = {
			{ .fd = p->fds[0], .events = POLLIN },
			{ .fd = p->fds[1], .events = POLLIN },
			{ .fd = child->pidfd, .events = POLLIN },
		};
		int got = 0, left = clock_left(deadline);

		if (!left)
			return -1;
		if (poll(fds, 3, left) <= 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (fds[i].revents)
				got |= drain(p, i);
		if (fds[2].revents && !got)
			break;
	}
	return 0;
}

/*
 * What receive-pack told the hook about where the objects are. Without
 * GIT_QUARANTINE_PATH: the receive-pack of a file:// upstream would take it
 * for its own, and refuse every update. Nothing is updated here by a push.
 */
static void copy_git_env(struct env *e)
{
	static const char *const names[] = {
		"GIT_DIR",
		"GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (getenv(names[i]))
			env_set(e, names[i], getenv(names[i]));
}

/* Start git, with p->fds the other ends. Returns 0 or -1, logged. */
static int start(struct push *p, struct child *child)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, rc = -1;

	if (child_pipe(out) || child_pipe(err) ||
	    fcntl(out[0], F_SETFL, O_NONBLOCK) ||
	    fcntl(err[0], F_SETFL, O_NONBLOCK)) {
		log_error("pipe: %s", strerror(errno));
	} else {
		child->out = out[1];
		child->err = err[1];
		rc = child_start(child);
	}
	p->fds[0] = out[0];
	p->fds[1] = err[0];
	for (int i = 0; i < 2; i++) {
		if (rc && p->fds[i] >= 0)
			close(p->fds[i]);
		if (rc)
			p->fds[i] = -1;
	}
	if (out[1] >= 0)
		close(out[1]);
	if (err[1] >= 0)
		close(err[1]);
	return rc;
}

/* Returns as child_run does. */
static int run(struct push *p, int64_t deadline)
{
	struct child child = CHILD_INIT;
	struct env e = ENV_INIT;
	int status = -1;

	gitenv_base(&e, p->c);
	gitenv_upstream(&e, p->c, p->r->upstream);
	copy_git_env(&e);
	child.argv = p->argv;
	child.envp = env_list(&e);
	if (!start(p, &child)) {
		status = relay(p, &child, deadline);
		if (!status)
			status = child_wait(&child, clock_left(deadline));
		if (status < 0) {
			child_stop(&child, 2000);
			status = CHILD_TIMEOUT;
		}
	}
	for (int i = 0; i < 2; i++)
		if (p->fds[i] >= 0)
			close(p->fds[i]);
	env_clear(&e);
	return status;
}

static void log_end(const struct push *p, enum fault_kind fault)
{
	struct buf line = BUF_INIT;

	fault_words(p->words.len ? p->words.data : "", p->words.len, &line);
	if (fault != FAULT_NONE)
		log_warn("%s: push to upstream \"%s\": %s: %s", p->name,
			 p->r->upstream->name, fault_text(fault)->code,
			 line.data);
	buf_clear(&line);
}

/* *retry: the upstream takes nothing atomic, and need not. */
static enum fault_kind push_once(struct push *p, const struct updates *u,
				 int atomic, int64_t deadline, int *retry)
{
	static const char no_atomic[] = "does not support --atomic push";
	enum fault_kind fault = FAULT_NONE;
	size_t nr = add_all(p, u, atomic);

	*retry = 0;
	if (nr && p->bytes > ARGS_MAX) {
		p->say(p->arg, "too many references for one push to the "
			       "upstream; push fewer at a time");
		log_warn("%s: %zu references are too many for one push",
			 p->name, nr);
		fault = FAULT_LOCAL;
	} else if (nr) {
		int status = run(p, deadline);

		fault = fault_judge(status, p->words.len ? p->words.data : "",
				    p->words.len);
		*retry = atomic && nr == 1 && fault != FAULT_NONE &&
			 p->words.len && strstr(p->words.data, no_atomic);
		if (!*retry)
			log_end(p, fault);
	}
	return fault;
}

static void clear(struct push *p)
{
	for (size_t i = 0; i < p->argc; i++)
		free((char *)p->argv[i]);
	free(p->argv);
	buf_clear(&p->lines[0]);
	buf_clear(&p->lines[1]);
	buf_clear(&p->words);
}

int forward_push(const struct config *c, const struct config_repo *r,
		 const char *name, const struct updates *u, forward_say *say,
		 void *arg, enum fault_kind *fault)
{
	int64_t deadline = clock_ms() + c->forward_ms;
	int atomic = 1, retry;

	do {
		struct push p = { .c = c, .r = r, .name = name, .say = say,
				  .arg = arg, .fds = { -1, -1 } };

		*fault = push_once(&p, u, atomic, deadline, &retry);
		clear(&p);
		atomic = 0;
	} while (retry);
	return *fault == FAULT_NONE ? 0 : -1;
}
