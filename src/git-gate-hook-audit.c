/*
 * The hook's audit records. Takes a push and what became of it, gives log
 * lines; what the client chose is redacted by the scanner first.
 */
#include "git-gate-hook-internal.h"

#include <string.h>

#include "audit.h"
#include "buf.h"
#include "config.h"
#include "exceptions.h"
#include "findings.h"
#include "log.h"
#include "policy.h"
#include "walk.h"

static struct audit record(const struct hook *h, const char *verdict,
			   const char *code)
{
	return (struct audit){ .id = h->id, .who = h->who, .repo = h->name,
			       .verdict = verdict, .code = code };
}

void hook_audit_ref(const struct hook *h, const struct update *u,
		    const char *verdict, const char *code)
{
	struct decision d =
		policy_decide(h->config, h->who, u->op, h->name, u->ref);
	struct buf ref = BUF_INIT, rule = BUF_INIT, detail = BUF_INIT;
	struct audit a = record(h, verdict, code);

	if (h->scanner)
		scan_redact_name(h->scanner, u->ref, strlen(u->ref), &ref);
	else
		buf_adds(&ref, "(not shown)");
	buf_addf(&detail, "%s..%s", u->old, u->new);
	if (d.rule)
		buf_addf(&rule, "%s:%d", h->config->name, d.rule->line);
	a.op = policy_op_name(u->op);
	a.ref = ref.data;
	a.rule = rule.data;
	a.detail = detail.data;
	audit_log(&a);
	buf_clear(&ref);
	buf_clear(&rule);
	buf_clear(&detail);
}

void hook_audit_refs(const struct hook *h, const char *verdict,
		     const char *code)
{
	struct audit a = record(h, verdict, code);
	size_t i;

	/* one that failed before it was known what it asks for */
	if (!h->updates.nr)
		audit_log(&a);
	for (i = 0; i < h->updates.nr && i < HOOK_AUDIT_MAX; i++)
		hook_audit_ref(h, &h->updates.list[i], verdict, code);
	if (i < h->updates.nr)
		log_info("audit: %zu more references of this push, %s",
			 h->updates.nr - i, verdict);
}

void hook_audit_forward(const struct hook *h, const char *code)
{
	size_t i, taken = 0, left = 0;

	for (i = 0; i < h->updates.nr; i++) {
		const struct update *u = &h->updates.list[i];

		if (i < HOOK_AUDIT_MAX)
			hook_audit_ref(h, u, u->reason ? "failed" : "allowed",
				       u->reason ? code : NULL);
		else if (u->reason)
			left++;
		else
			taken++;
	}
	if (taken || left)
		log_info("audit: %zu more references of this push allowed, "
			 "%zu failed", taken, left);
}

void hook_audit_findings(const struct hook *h, const struct findings *fs)
{
	struct audit a = record(h, "refused", "secret-found");
	const struct finding *f = fs->list;
	struct buf detail = BUF_INIT;
	size_t i;

	a.op = "scan";
	for (i = 0; i < fs->nr && i < HOOK_AUDIT_MAX; i++, f++) {
		buf_reset(&detail);
		buf_addf(&detail, "%s fingerprint=%s commit=%s path=%s",
			 f->rule, f->fingerprint, f->commit, f->path);
		a.detail = detail.data;
		audit_log(&a);
	}
	buf_clear(&detail);
}

/* Bytes of a reason that a record shows, cut at a blank. */
#define REASON_SHOWN 60

static void add_reason(struct buf *out, const char *reason)
{
	size_t n = strlen(reason);

	buf_adds(out, " reason=");
	if (n > REASON_SHOWN) {
		for (n = REASON_SHOWN; n && reason[n] != ' '; n--)
			;
		if (!n)
			n = REASON_SHOWN;
	}
	buf_add(out, reason, n);
}

static void audit_use(const struct hook *h, const struct accept_use *u)
{
	struct audit a = record(h, "allowed",
				u->exception ? "exception" : "ignore");
	struct buf place = BUF_INIT, detail = BUF_INIT;

	buf_addf(&place, "%s:%d", u->exception ? h->accept.exceptions->file :
						 h->config->ignore, u->line);
	if (u->over && u->exception) {
		exceptions_show_time(u->exception->expires, &detail);
		log_warn("%s: the exception for %s expired at %s, so that the "
			 "finding counts; remove the lines, or allow it again",
			 place.data, u->exception->fingerprint, detail.data);
	} else {
		buf_addf(&detail, "%s fingerprint=%s", u->rule,
			 u->fingerprint);
		if (u->exception)
			add_reason(&detail, u->exception->reason);
		a.op = "scan";
		a.rule = place.data;
		a.detail = detail.data;
		audit_log(&a);
	}
	buf_clear(&place);
	buf_clear(&detail);
}

void hook_audit_uses(const struct hook *h)
{
	for (size_t i = 0; i < h->accept.nr_uses && i < HOOK_AUDIT_MAX; i++)
		audit_use(h, &h->accept.uses[i]);
	if (h->accept.nr_uses > HOOK_AUDIT_MAX)
		log_info("audit: %zu more uses of exceptions and "
			 "ignored fingerprints",
			 h->accept.nr_uses - HOOK_AUDIT_MAX);
}
