/*
 * pre-receive: updates, policy for each reference, scan, then hand on to the
 * upstream or, for a hosted repository, let git keep the push. Standard error
 * goes to the client, the log to the responder (control.h). Whatever goes
 * wrong refuses the push; "could not tell" has words and a status of its own.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "clock.h"
#include "config.h"
#include "control.h"
#include "exceptions.h"
#include "findings.h"
#include "git-gate-hook-internal.h"
#include "ignore.h"
#include "log.h"
#include "mem.h"
#include "passed.h"
#include "policy.h"
#include "report.h"
#include "rules.h"
#include "scan.h"
#include "text.h"
#include "updates.h"
#include "walk.h"

static const char push_less[] = "push less at once, or tell the gate's "
				"operator the id below";
/* it is one object: less of the rest would not help */
static const char leave_out[] = "leave that out of what is pushed, or tell "
				"the gate's operator the id below";
const char hook_ask_operator[] = "tell the gate's operator the id below";

/* Seconds that a stage may take past its own bound before it is ended. */
#define MARGIN 30
/* git puts "remote: " before each line of a terminal's 80 columns. */
#define COLUMNS 72
/* For the signal handler, which can compose nothing. */
static char last_words[512];

void hook_tell(void *arg, const char *line)
{
	struct buf b = BUF_INIT;

	(void)arg;
	text_clean(&b, line, strlen(line));
	fprintf(stderr, "%s\n", b.len ? b.data : "");
	buf_clear(&b);
}

static void note(void *arg, enum log_level level, const char *line)
{
	static const char names[][8] = { "error", "warning", "info", "debug" };
	const struct hook *h = arg;

	if (h->config)
		control_note(h->config, "log %s %s %s", h->id, names[level],
			     line);
}

/* For SIGALRM and SIGTERM: a push to the upstream does not outlive us. */
static void expire(int number)
{
	ssize_t n = 0;

	/* only kill(2) in there: NOLINTNEXTLINE(*-signal-handler,cert-sig30-c) */
	child_kill_newest();
	/* it may be the reader of our words that hangs */
	fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
	if (number == SIGALRM)
		n = write(STDERR_FILENO, last_words, strlen(last_words));
	(void)n;
	_exit(HOOK_UNKNOWN);
}

/* The hook ends after this time whatever hangs. */
void hook_limit_time(const struct hook *h, int64_t ms)
{
	snprintf(last_words, sizeof(last_words),
		 "git-gate: could not tell whether this push may pass: it took"
		 " too long\ngit-gate: refused code=timeout retry=yes id=%s\n",
		 h->id);
	signal(SIGALRM, expire);
	signal(SIGTERM, expire);
	alarm((unsigned)(ms / 1000) + MARGIN);
}

static const char *variable(const char *name)
{
	return getenv(name) ? getenv(name) : "";
}

int hook_unknown(const struct hook *h, const char *code, const char *why,
		 const char *remedy)
{
	if (h->config)
		hook_audit_refs(h, "failed", code);
	report_line(stderr, COLUMNS, "git-gate: could not tell whether this "
		    "push may pass: ", why);
	report_line(stderr, COLUMNS, "git-gate: nothing was taken; ", remedy);
	report_refused(stderr, code, 0, NULL, h->id);
	return HOOK_UNKNOWN;
}

static int gate_fault(const struct hook *h, const char *why)
{
	return hook_unknown(h, "gate-fault", why, hook_ask_operator);
}

static void say_denied(const struct hook *h, const struct update *u,
		       int symbolic)
{
	struct buf line = BUF_INIT;

	buf_adds(&line, "git-gate: ");
	scan_redact_name(h->scanner, u->ref, strlen(u->ref), &line);
	if (symbolic)
		buf_adds(&line, ": it is a symbolic reference, through which "
				"nothing is pushed");
	else
		buf_addf(&line, ": %s is not allowed for %s",
			 policy_op_name(u->op),
			 *h->who ? h->who : "anonymous clients");
	hook_tell(NULL, line.data);
	buf_clear(&line);
}

static int refuse_option(const struct hook *h, const char *option)
{
	struct buf line = BUF_INIT;

	walk_name_option(h->scanner, "git-gate: ", option, &line);
	buf_adds(&line, " is not allowed; push without it");
	hook_tell(NULL, line.data);
	buf_clear(&line);
	hook_audit_refs(h, "refused", "denied");
	report_refused(stderr, "denied", 0, NULL, h->id);
	return HOOK_REFUSED;
}

/* All references are judged, so that the client hears of all at once. */
static int decide(const struct hook *h)
{
	const char *option = walk_options_denied(&h->options,
						 h->repo->push_options);
	const struct update *u = h->updates.list;
	size_t i, denied = 0;
	struct decision d;
	int allowed;

	if (option)
		return refuse_option(h, option);
	for (i = 0; i < h->updates.nr; i++, u++) {
		d = policy_decide(h->config, h->who, u->op, h->name, u->ref);
		allowed = d.verdict == VERDICT_ALLOW;
		if (allowed && !walk_is_symbolic(h->walk, u->ref))
			continue;
		if (denied++ < HOOK_AUDIT_MAX) {
			say_denied(h, u, allowed);
			hook_audit_ref(h, u, "refused", "denied");
		}
	}
	if (!denied)
		return HOOK_DONE;
	hook_tell(NULL, "git-gate: nothing was taken; push to a reference that "
			"is allowed, or ask the gate's operator");
	report_refused(stderr, "denied", 0, NULL, h->id);
	return HOOK_REFUSED;
}

static void report(const struct hook *h, const struct findings *fs)
{
	struct report_style style = { .max = h->config->report,
				      .width = COLUMNS,
				      .is_pusher = 1 };
	const char **tips = mem_array(h->updates.nr + 1, sizeof(*tips));

	for (size_t i = 0; i < h->updates.nr; i++)
		tips[i] = h->updates.list[i].new;
	style.tips = tips;
	style.nr_tips = h->updates.nr;
	report_text(stderr, fs, &style);
	free(tips);
}

static int refuse_secrets(const struct hook *h, const struct findings *fs)
{
	char extra[64];

	hook_tell(NULL, "git-gate: this push is refused: it brings what looks "
			"like secrets");
	report(h, fs);
	hook_audit_refs(h, "refused", "secret-found");
	hook_audit_findings(h, fs);
	snprintf(extra, sizeof(extra), "findings=%zu", fs->nr + fs->more);
	report_refused(stderr, "secret-found", 0, extra, h->id);
	return HOOK_REFUSED;
}

static int scan(struct hook *h)
{
	struct findings fs = FINDINGS_INIT;
	int status = HOOK_UNKNOWN;
	struct walk_limits limits;
	enum scan_result result;

	walk_limits_set(h->config, &limits);
	walk_limits_end(&limits, clock_ms() + h->config->scan_ms);
	limits.scanner = h->scanner;
	fs.judge = accept_judge;
	fs.judge_arg = &h->accept;
	control_note(h->config, "stage %s scan", h->id);
	result = walk_push(h->walk, h->rules, &h->updates, &h->options,
			   &limits, &fs);
	h->objects = fs.objects;
	hook_audit_uses(h);
	switch (result) {
	case SCAN_CLEAN:
		status = HOOK_DONE;
		break;
	case SCAN_FOUND:
		status = refuse_secrets(h, &fs);
		break;
	case SCAN_UNKNOWN:
		log_error("cannot scan: %s", fs.unknown);
		status = hook_unknown(h, "cannot-scan", fs.unknown,
				      fs.too_much ? push_less : leave_out);
		break;
	}
	findings_clear(&fs);
	return status;
}

/* What the operator has accepted. A file that does not load is no answer. */
static int prepare_accept(struct hook *h)
{
	const struct config *c = h->config;

	h->accept.repo = h->name;
	h->accept.now = time(NULL);
	if (c->exceptions)
		h->accept.exceptions = exceptions_load(c->exceptions);
	if (h->accept.exceptions)
		h->accept.exceptions->icase = h->repo && h->repo->upstream &&
					      h->repo->upstream->ignore_case;
	if (c->ignore)
		h->accept.ignore = ignore_load(c->ignore, 1);
	return (c->exceptions && !h->accept.exceptions) ||
	       (c->ignore && !h->accept.ignore) ? -1 : 0;
}

/*
 * The gate's own rules, or at least a scanner by which names are redacted in
 * what is logged of a push that cannot be judged.
 */
static int prepare_scanner(struct hook *h)
{
	h->rules = h->config->rules ? rules_load_trusted(h->config->rules)
				    : rules_builtin();
	h->scanner = h->rules ? scan_new(h->rules, h->config->decode_depth) : NULL;
	if (h->scanner && !scan_self_test(h->scanner))
		return 0;
	scan_free(h->scanner);
	h->scanner = scan_new(rules_builtin(), h->config->decode_depth);
	return -1;
}

/* Rules come early: what is said and logged must show no secret either. */
static int prepare(struct hook *h)
{
	if (updates_read(STDIN_FILENO, &h->updates))
		updates_clear(&h->updates);
	if (prepare_scanner(h))
		return hook_unknown(h, "cannot-scan", "the scanner cannot run",
				    hook_ask_operator);
	if (prepare_accept(h))
		return hook_unknown(h, "cannot-scan", "the gate's list of "
				    "accepted findings cannot be read",
				    hook_ask_operator);
	if (!h->updates.nr)
		return gate_fault(h, "the push's updates cannot be read");
	if (walk_options_read(&h->options))
		return hook_unknown(h, "bad-request",
				    "it has too many push options",
				    "push with fewer");
	/* the quarantine of a push, git-receive-pack(1) */
	h->walk = walk_open(".", getenv("GIT_QUARANTINE_PATH")
					 ? getenv("GIT_OBJECT_DIRECTORY")
					 : NULL,
			    h->updates.nr ? strlen(h->updates.list->new) : 0);
	if (!h->walk || walk_classify(h->walk, &h->updates))
		return hook_unknown(h, "cannot-scan",
				    "the objects of the push cannot be read",
				    hook_ask_operator);
	return HOOK_DONE;
}

static int run(struct hook *h)
{
	int status;

	hook_limit_time(h, h->config->scan_ms);
	if ((status = prepare(h)) || (status = decide(h)) ||
	    (status = scan(h)) || (status = hook_wait_whole(h)))
		return status;
	if (passed_write(h->config, h->id, &h->updates))
		status = gate_fault(h, "its result cannot be noted");
	if (!status && h->repo->upstream)
		return hook_forward(h);
	if (!status)
		hook_audit_refs(h, "allowed", NULL);
	return status;
}

static int start(struct hook *h)
{
	const char *file = variable("GIT_GATE_CONFIG");

	h->id = variable("GIT_GATE_ID");
	h->who = variable("GIT_GATE_WHO");
	h->name = mem_strdup(variable("GIT_GATE_REPO"));
	if (!*h->id)
		h->id = "-";
	h->config = *file ? config_load(file) : NULL;
	if (!h->config)
		return gate_fault(h, "the gate's configuration cannot be read");
	/* what was read may be the responder's copy: its source is shown */
	if (*variable("GIT_GATE_CONFIG_NAME")) {
		free(h->config->name);
		h->config->name = mem_strdup(variable("GIT_GATE_CONFIG_NAME"));
	}
	h->repo = config_repo(h->config, h->name);
	if (h->repo)
		return run(h);
	log_error("no [repo] has the name %s", h->name);
	return gate_fault(h, "the repository is not configured");
}

/* `pre-receive --check CONFIG`, of the responder: could this hook scan? */
static int check(const char *file)
{
	struct config *c = config_load(file);
	int good = c && scan_check(c->rules);
	struct hook h = { .config = c };

	if (good)
		good = !prepare_accept(&h);
	exceptions_free(h.accept.exceptions);
	ignore_free(h.accept.ignore);
	config_free(c);
	return good ? HOOK_DONE : HOOK_UNKNOWN;
}

int main(int argc, char **argv)
{
	struct hook h = { 0 };
	int status;

	walk_close_memory();
	walk_free_memory();
	/* with git-receive-pack gone there is nobody to answer */
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	/* and a client that left does not end a push half-way */
	child_init();
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	log_init("git-gate-hook", LOG_PLAIN);
	if (argc == 3 && !strcmp(argv[1], "--check"))
		return check(argv[2]);
	log_set_tee(note, &h, 1);
	status = start(&h);
	scan_free(h.scanner);
	exceptions_free(h.accept.exceptions);
	ignore_free(h.accept.ignore);
	accept_clear(&h.accept);
	walk_close(h.walk);
	rules_free(h.rules);
	updates_clear(&h.updates);
	free(h.name);
	log_set_tee(NULL, NULL, 0);
	config_free(h.config);
	return status;
}
