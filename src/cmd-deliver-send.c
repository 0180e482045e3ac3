/*
 * One parked push, sent: takes it, asks the configuration of now, has the
 * upstream take it in a repository made for it, and removes it once it is
 * there. What the upstream does not take stays, with its reason said.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "buf.h"
#include "clock.h"
#include "cmd-deliver-internal.h"
#include "cmd.h"
#include "config.h"
#include "control.h"
#include "forward.h"
#include "mem.h"
#include "mirror.h"
#include "policy.h"

/* References of one push that are recorded; as many as the hook does. */
#define AUDIT_MAX 100

static void audit(const struct deliver *d, const struct park *p,
		  const struct update *u, const char *verdict,
		  const char *code, int64_t ms)
{
	struct decision decision =
		policy_decide(d->c, p->who, u->op, p->name, u->ref);
	struct buf rule = BUF_INIT, detail = BUF_INIT;
	struct audit a = { .id = p->id, .who = p->who, .repo = p->name,
			   .ref = u->ref, .op = policy_op_name(u->op),
			   .verdict = verdict, .code = code, .ms = ms };

	buf_addf(&detail, "parked %s..%s", u->old, u->new);
	if (decision.rule)
		buf_addf(&rule, "%s:%d", d->c->name, decision.rule->line);
	a.rule = rule.data;
	a.detail = detail.data;
	a.out = p->bundle;
	audit_log(&a);
	buf_clear(&rule);
	buf_clear(&detail);
}

void cmd_deliver_audit(const struct deliver *d, const struct park *p,
		       const char *verdict, const char *code)
{
	for (size_t i = 0; i < p->updates.nr && i < AUDIT_MAX; i++)
		audit(d, p, &p->updates.list[i], verdict, code, 0);
}

/*
 * For forward_push. Its words to a client are none for the operator, who gets
 * a line for each reference and a verdict; the upstream's own are.
 */
static void tell(void *arg, const char *line)
{
	const struct park *p = arg;

	if (strncmp(line, "git-gate: ", 10) != 0 &&
	    strncmp(line, "upstream refused ", 17) != 0)
		cmd_deliver_tell(p, "%s", line);
}

static void tell_denied(const struct deliver *d, const struct park *p,
			const struct update *u, const struct config_rule *rule)
{
	struct buf by = BUF_INIT;

	if (rule)
		buf_addf(&by, "%s:%d: %s", d->c->name, rule->line, rule->text);
	else
		buf_adds(&by, "no rule");
	cmd_deliver_tell(p, "refused: %s of %s is not allowed for %s any more "
			 "(%s); it stays parked", policy_op_name(u->op),
			 u->ref, cmd_deliver_who(p), by.data);
	buf_clear(&by);
}

/* May it still go there? Returns its [repo]; NULL: no, which is said. */
static const struct config_repo *permitted(struct deliver *d,
					   const struct park *p)
{
	const struct config_repo *r = config_find(d->c, p->name);
	const struct update *u = p->updates.list;
	int allowed = 1;

	if (!r || !r->upstream) {
		cmd_deliver_tell(p, "refused: %s is not configured any more%s; "
				 "it stays parked", p->name,
				 r ? " with an upstream" : "");
		return NULL;
	}
	if (strcmp(r->upstream->name, p->upstream) != 0) {
		cmd_deliver_tell(p, "refused: it was for the upstream \"%s\", "
				 "and the repository's is \"%s\" now; it stays "
				 "parked", p->upstream, r->upstream->name);
		return NULL;
	}
	for (; u < p->updates.list + p->updates.nr; u++) {
		struct decision by = policy_decide(d->c, p->who, u->op,
						   p->name, u->ref);

		if (by.verdict == VERDICT_ALLOW)
			continue;
		tell_denied(d, p, u, by.rule);
		allowed = 0;
	}
	return allowed ? r : NULL;
}

static int is_silent(const struct deliver *d, const char *upstream)
{
	for (size_t i = 0; i < d->nr_silent; i++)
		if (!strcmp(d->silent[i], upstream))
			return 1;
	return 0;
}

/* What git and ssh said, of the warning that the log has; "" for nothing. */
static const char *cause(const struct deliver *d, const char *code)
{
	const char *at = d->warning ? strstr(d->warning, code) : NULL;

	return at ? at + strlen(code) : "";
}

static void say_stays(struct deliver *d, const struct park *p,
		      enum fault_kind fault)
{
	const struct fault_text *text = fault_text(fault);

	d->not_delivered++;
	if (fault == FAULT_STALE)
		cmd_deliver_tell(p, "not delivered: %s (%s); tell %s to fetch "
				 "and push again, or drop it with `git-gate "
				 "deliver --drop %s'", text->sentence,
				 text->code, *p->who ? p->who :
				 "whoever pushed it", p->id);
	else
		cmd_deliver_tell(p, "not delivered: %s (%s%s); it stays parked",
				 text->sentence, text->code,
				 cause(d, text->code));
	cmd_deliver_worse(d, fault == FAULT_LOCAL ? CMD_UNKNOWN : CMD_REFUSED);
	/* each attempt may take a long time; the next run asks again */
	if (fault == FAULT_UNREACHABLE || fault == FAULT_TIMEOUT ||
	    fault == FAULT_AGENT || fault == FAULT_TOKEN ||
	    fault == FAULT_AUTH ||
	    fault == FAULT_HOST_KEY) {
		MEM_GROW(d->silent, d->nr_silent, d->alloc_silent);
		d->silent[d->nr_silent++] = p->upstream;
	}
}

/* Those that the upstream has taken need not go again. */
static void keep_rest(struct updates *u)
{
	size_t nr = 0;

	for (size_t i = 0; i < u->nr; i++) {
		if (u->list[i].reason)
			u->list[nr++] = u->list[i];
		else
			free(u->list[i].ref);
	}
	u->nr = nr;
}

/* Why it was not taken, as far as that is not what all have in common. */
static void say_one(const struct park *p, const struct update *u,
		    const struct fault_text *text)
{
	/* what follows is for its client */
	size_t n = u->reason ? strcspn(u->reason, ";") : 0;

	if (!u->reason)
		cmd_deliver_tell(p, "%s %s: delivered", policy_op_name(u->op),
				 u->ref);
	else if (strcmp(u->reason, text->sentence) != 0)
		cmd_deliver_tell(p, "%s %s: %.*s", policy_op_name(u->op),
				 u->ref, (int)n, u->reason);
}

static void remove_it(struct deliver *d, const struct park *p)
{
	d->delivered++;
	if (park_remove(d->c, p->id))
		cmd_deliver_worse(d, CMD_UNKNOWN);
}

/* What the gate shows is to have it, and its last error to be over. */
static void refresh(const struct deliver *d, const struct park *p,
		    const char *mirror)
{
	struct buf request = BUF_INIT, answer = BUF_INIT;

	buf_addf(&request, "sync %s\n", p->name);
	if (mirror && !access(mirror, F_OK))
		control_ask(d->c, request.data, (int)d->c->refresh_ms, 1,
			    &answer);
	buf_clear(&request);
	buf_clear(&answer);
}

static void finish(struct deliver *d, struct park *p, enum forward_end end,
		   enum fault_kind fault, int64_t ms)
{
	const struct fault_text *text = fault_text(fault);

	for (size_t i = 0; i < p->updates.nr && i < AUDIT_MAX; i++) {
		const struct update *u = &p->updates.list[i];

		audit(d, p, u, u->reason ? "failed" : "allowed",
		      u->reason ? text->code : "delivered", ms);
		say_one(p, u, text);
	}
	if (p->updates.nr > AUDIT_MAX)
		cmd_deliver_tell(p, "and %zu more references",
				 p->updates.nr - AUDIT_MAX);
	if (end == FORWARD_ALL) {
		cmd_deliver_tell(p, "delivered");
		remove_it(d, p);
		return;
	}
	say_stays(d, p, fault);
	if (end == FORWARD_SOME) {
		keep_rest(&p->updates);
		if (park_save(d->c, p))
			cmd_deliver_worse(d, CMD_UNKNOWN);
	}
}

/* With a repository made for it; git takes the working directory for it. */
static void send_from(struct deliver *d, struct park *p,
		      const struct config_repo *r, const char *dir)
{
	int64_t start = clock_ms();
	enum fault_kind fault = FAULT_LOCAL;
	enum forward_end end;

	if (chdir(dir)) {
		cmd_deliver_tell(p, "not delivered: %s cannot be entered; it "
				 "stays parked", dir);
		cmd_deliver_worse(d, CMD_UNKNOWN);
		d->not_delivered++;
		return;
	}
	end = forward_push(d->c, r, p->name, &p->updates, 0, tell, p, NULL,
			   &fault);
	/* where no repository is, and nothing that is to be removed */
	if (chdir("/"))
		cmd_deliver_worse(d, CMD_UNKNOWN);
	finish(d, p, end, fault, clock_ms() - start);
}

static void send_one(struct deliver *d, struct park *p,
		     const struct config_repo *r)
{
	struct buf mirror = BUF_INIT, dir = BUF_INIT, why = BUF_INIT;
	unsigned delivered = d->delivered;
	const char *path = mirror_path(d->c, r, p->name, &mirror) ? NULL
								  : mirror.data;

	if (park_repo_make(d->c, p, r->upstream, path, &dir, &why)) {
		cmd_deliver_tell(p, "not delivered: %s; it stays parked",
				 why.data);
		cmd_deliver_worse(d, CMD_UNKNOWN);
		d->not_delivered++;
	} else if (park_repo_has(d->c, p, r->upstream, dir.data)) {
		cmd_deliver_audit(d, p, "allowed", "delivered");
		cmd_deliver_tell(p, "already upstream; removed");
		remove_it(d, p);
	} else {
		send_from(d, p, r, dir.data);
	}
	park_repo_remove(d->c);
	if (d->delivered > delivered)
		refresh(d, p, path);
	buf_clear(&mirror);
	buf_clear(&dir);
	buf_clear(&why);
}

void cmd_deliver_send(struct deliver *d, struct park *p)
{
	const struct config_repo *r;
	char age[24];

	cmd_deliver_tell(p, "%s, %zu reference%s by %s, %" PRIu64 " bytes, "
			 "parked %s ago", p->name, p->updates.nr,
			 p->updates.nr == 1 ? "" : "s", cmd_deliver_who(p),
			 p->bytes, cmd_deliver_age(p, age));
	free(d->warning);
	d->warning = NULL;
	r = permitted(d, p);
	if (!r) {
		cmd_deliver_audit(d, p, "refused", "denied");
		cmd_deliver_worse(d, CMD_REFUSED);
		d->not_delivered++;
	} else if (is_silent(d, p->upstream)) {
		cmd_deliver_tell(p, "not tried: the upstream \"%s\" did not "
				 "answer; it stays parked", p->upstream);
		cmd_deliver_worse(d, CMD_REFUSED);
		d->not_tried++;
	} else {
		send_one(d, p, r);
	}
}
