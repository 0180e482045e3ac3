/*
 * proc-receive (githooks(5)): takes the commands of a push from receive-pack
 * and says what became of each. One that pre-receive has not let pass is
 * refused; one that the upstream has not taken gets the reason that is in the
 * note; what it has taken is so, whatever the mirror makes of it; and of a
 * hosted repository git is left to update it ("fall-through"). Its being
 * there is what makes git refuse a push whose pre-receive has vanished.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "config.h"
#include "control.h"
#include "git-gate-proc-receive-internal.h"
#include "log.h"
#include "mem.h"
#include "passed.h"
#include "updates.h"

/* Seconds: for receive-pack, which is there, and to update the mirror. */
#define BOUND 60
/* gitprotocol-common(5): the longest pkt-line, its length included. */
#define PKT_MAX 65520

struct proc {
	const char *id;
	struct config *c;
	const struct config_repo *repo;
	struct updates passed;
	const struct update **moved; /* that the mirror is to follow */
	size_t nr, alloc;
};

static void tee(void *arg, enum log_level level, const char *line)
{
	const struct proc *p = arg;

	if (p->c != NULL)
		control_note(p->c, "log %s %s %s", p->id,
			     level == LOG_ERR ? "error" : "warning", line);
}

static int read_all(char *to, size_t n)
{
	while (n > 0) {
		ssize_t got = read(STDIN_FILENO, to, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		to += got;
		n -= (size_t)got;
	}
	return 0;
}

/* One pkt-line, without its newline. Returns 1, 0 at a flush, or -1. */
static int read_pkt(struct buf *line)
{
	char head[5] = "", *end;
	unsigned long n;

	buf_reset(line);
	if (read_all(head, 4) < 0)
		return -1;
	n = strtoul(head, &end, 16);
	if (end != head + 4 || n > PKT_MAX || (n > 0 && n < 4))
		return -1;
	if (n == 0)
		return 0;
	if (read_all(buf_room(line, n - 4), n - 4) < 0)
		return -1;
	line->len = n - 4;
	line->data[line->len] = '\0';
	if (line->len > 0 && line->data[line->len - 1] == '\n')
		line->data[--line->len] = '\0';
	return 1;
}

static void add_pkt(struct buf *out, const char *a, const char *b,
		    const char *c)
{
	buf_addf(out, "%04zx%s%s%s", strlen(a) + strlen(b) + strlen(c) + 4, a,
		 b, c);
}

static int send(const struct buf *out)
{
	size_t at = 0;

	while (at < out->len) {
		ssize_t n = write(STDOUT_FILENO, out->data + at,
				  out->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		at += (size_t)n;
	}
	return 0;
}

/* "version=1", NUL and capabilities, of which we want none. */
static int greet(void)
{
	struct buf line = BUF_INIT, out = BUF_INIT;
	int rc = read_pkt(&line) == 1 && strcmp(line.data, "version=1") == 0;

	if (!rc)
		log_error("proc-receive: receive-pack does not speak version "
			  "1 of its protocol");
	else
		rc = read_pkt(&line) == 0;
	add_pkt(&out, "version=1", "\n", "");
	buf_adds(&out, "0000");
	if (rc)
		rc = send(&out) == 0;
	buf_clear(&line);
	buf_clear(&out);
	return rc ? 0 : -1;
}

/* The update "OLD NEW REF" that passed, or NULL. */
static const struct update *find_passed(const struct proc *p,
					const char *command)
{
	size_t i;

	for (i = 0; i < p->passed.nr; i++) {
		const struct update *u = &p->passed.list[i];
		size_t n = strlen(u->old);

		if (strncmp(command, u->old, n) == 0 && command[n] == ' ' &&
		    strncmp(command + n + 1, u->new, n) == 0 &&
		    command[2 * n + 1] == ' ' &&
		    strcmp(command + 2 * n + 2, u->ref) == 0)
			return u;
	}
	return NULL;
}

/*
 * A mirror follows branches and tags alone: of another reference, such as
 * refs/for/ of a review, the upstream makes what it will.
 */
static int is_kept(const char *ref)
{
	return strncmp(ref, "refs/heads/", 11) == 0 ||
	       strncmp(ref, "refs/tags/", 10) == 0;
}

static void add_answer(struct proc *p, const char *ref,
		       const struct update *u, struct buf *out)
{
	struct buf why = BUF_INIT;

	if (u == NULL) {
		log_error("a push asks for an update that pre-receive has not "
			  "let pass");
		add_pkt(out, "ng ", ref, " not scanned\n");
	} else if (u->reason != NULL) {
		buf_addf(&why, " %s\n", u->reason);
		add_pkt(out, "ng ", ref, why.data);
	} else {
		add_pkt(out, "ok ", ref, "\n");
		if (p->repo->upstream == NULL)
			add_pkt(out, "option fall-through", "\n", "");
		else if (is_kept(ref)) {
			MEM_GROW(p->moved, p->nr, p->alloc);
			p->moved[p->nr++] = u;
		}
	}
	buf_clear(&why);
}

static int judge(struct proc *p)
{
	struct buf line = BUF_INIT, out = BUF_INIT;
	int got;

	while ((got = read_pkt(&line)) == 1) {
		const char *first = strchr(line.data, ' ');
		const char *second = first ? strchr(first + 1, ' ') : NULL;

		if (second == NULL) {
			got = -1;
			break;
		}
		add_answer(p, second + 1, find_passed(p, line.data), &out);
	}
	buf_adds(&out, "0000");
	if (got == 0) {
		/* so that a read after the answer sees it without a refresh */
		proc_move_refs(p->c, p->moved, p->nr);
		got = send(&out);
	}
	buf_clear(&line);
	buf_clear(&out);
	return got;
}

int main(void)
{
	struct proc p = { .id = getenv("GIT_GATE_ID") };
	const char *file = getenv("GIT_GATE_CONFIG");
	const char *name = getenv("GIT_GATE_REPO");
	int rc = -1;

	/* with git-receive-pack gone there is nobody to answer */
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	alarm(BOUND);
	child_init();
	log_init("git-gate-proc-receive", LOG_PLAIN);
	log_set_tee(tee, &p, 1);
	if (p.id == NULL)
		p.id = "-";
	p.c = file != NULL ? config_load(file) : NULL;
	p.repo = p.c != NULL && name != NULL ? config_find(p.c, name) : NULL;
	if (p.repo != NULL && passed_take(p.c, p.id, &p.passed) == 0 &&
	    greet() == 0)
		rc = judge(&p);
	if (rc < 0)
		fprintf(stderr,
			"git-gate: could not tell whether this push may pass: "
			"its scan is not known to have run\n"
			"git-gate: fetch to see what the upstream has, and "
			"tell the gate's operator the id below\n"
			"git-gate: refused code=cannot-scan retry=no id=%s\n",
			p.id);
	free(p.moved);
	updates_clear(&p.passed);
	log_set_tee(NULL, NULL, 0);
	config_free(p.c);
	return rc < 0 ? 3 : 0;
}
