/*
 * Why a text that a rule matches is reported or not: takes what the scanner
 * and those after it decided, keeps it without the secrets, and prints it for
 * people when the scan is done.
 */
#include "cmd-scan-internal.h"

#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "buf.h"
#include "exceptions.h"
#include "findings.h"
#include "log.h"
#include "mem.h"
#include "rules.h"
#include "text.h"

/* More are counted only: each costs memory until the scan is done. */
#define EVENTS_MAX 20000

static void put(FILE *to, const char *s)
{
	struct buf b = BUF_INIT;

	text_clean(&b, s, strlen(s));
	if (b.len)
		fwrite(b.data, 1, b.len, to);
	buf_clear(&b);
}

static void add_line(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "    %-12s", name);
	text_clean(out, value, strlen(value));
	buf_addc(out, '\n');
}

static void add_rule(struct buf *out, const struct rules *r, const char *id)
{
	ptrdiff_t place = rules_place(r, id);
	struct buf b = BUF_INIT;
	struct rules_info info;

	buf_adds(&b, id);
	if (place >= 0) {
		rules_info(r, (size_t)place, &info);
		buf_addf(&b, ", %s:%d", info.file, info.line);
	}
	add_line(out, "rule", b.data);
	buf_clear(&b);
}

static void add_entropy(struct buf *out, const struct scan_event *e)
{
	if (e->wanted_entropy > 0)
		buf_addf(out, "    entropy     %.2f bits a byte; the rule wants "
			 "more than %g\n", e->finding.entropy,
			 e->wanted_entropy);
	else
		buf_addf(out, "    entropy     %.2f bits a byte; the rule does "
			 "not ask\n", e->finding.entropy);
}

/* NULL when it was kept: what became of it is known at the end. */
static const char *verdict(const struct scan_event *e)
{
	switch (e->verdict) {
	case SCAN_KEPT:
		break;
	case SCAN_LOW_ENTROPY:
		return "not reported: its entropy is too low";
	case SCAN_ALLOWED:
		return "not reported: an allow-list has it";
	case SCAN_GENERIC:
		return "not reported: a more particular rule has it";
	case SCAN_ALONE:
		return "not reported: what the rule requires nearby is not "
		       "there";
	case SCAN_PATH:
		return "not reported: the rule does not look at this path";
	}
	return NULL;
}

static void describe(const struct scan_explain *x, const char *path,
		     const struct scan_event *e, struct buf *out)
{
	const struct scan_finding *f = &e->finding;
	struct buf b = BUF_INIT;

	/* the lines of a message are counted elsewhere, from its beginning */
	if (!strncmp(path, "commit ", 7) || !strncmp(path, "tag ", 4))
		buf_adds(&b, path);
	else
		buf_addf(&b, "%s:%u:%u", path, f->line, f->column);
	text_clean(out, b.data, b.len);
	buf_addc(out, '\n');
	buf_reset(&b);
	buf_adds(&b, "");
	if (f->secret)
		text_redact(&b, f->secret, f->secret_len);
	if (*f->encodings)
		buf_addf(&b, " in %s", f->encodings);
	add_line(out, "secret", b.data);
	add_rule(out, x->rules, f->rule);
	add_line(out, "keyword", *e->keyword ? e->keyword : "(none)");
	add_entropy(out, e);
	if (e->allow_file && *e->allow_file) {
		buf_reset(&b);
		buf_addf(&b, "%s, %s:%d", e->allow_what, e->allow_file,
			 e->allow_line);
		add_line(out, "allowed", b.data);
	}
	buf_clear(&b);
}

/* The same match is met again in other versions of its file. */
static int is_new(struct scan_explain *x, const char *text, size_t len)
{
	char hex[41];
	struct oid id = { { 0 } };
	int added = 0;

	findings_fingerprint("", "", text, len, hex);
	oid_parse(&id, hex, OID_SHA1);
	oids_put(&x->seen, &id, &added);
	return added;
}

void cmd_scan_explain(void *arg, const char *path, const struct scan_event *e)
{
	const struct scan_finding *f = &e->finding;
	struct scan_explain *x = arg;
	struct scan_explained one = { .verdict = verdict(e) };
	struct buf text = BUF_INIT;

	findings_fingerprint(f->rule, path, f->secret ? f->secret : "",
			     f->secret ? f->secret_len : 0, one.fingerprint);
	if (x->wanted && strcmp(x->wanted, one.fingerprint) != 0)
		return;
	describe(x, path, e, &text);
	buf_addf(&text, "    %-12s%s\n", "fingerprint", one.fingerprint);
	if (x->nr >= EVENTS_MAX) {
		x->more++;
	} else if (is_new(x, text.data, text.len)) {
		one.text = buf_take(&text);
		MEM_GROW(x->list, x->nr, x->alloc);
		x->list[x->nr++] = one;
	}
	buf_clear(&text);
}

static int has(const struct oids *set, const char *fingerprint)
{
	struct oid id = { { 0 } };

	oid_parse(&id, fingerprint, OID_SHA1);
	return oids_find(set, &id) >= 0;
}

/* What became of one that the scanner kept. */
static void put_end(FILE *to, const struct findings *fs,
		    const struct accept *a, const char *print)
{
	if (has(&fs->seen, print)) {
		fputs("reported", to);
	} else if (has(&a->ignored, print)) {
		fputs("left out: its fingerprint is in the file to ignore",
		      to);
	} else if (has(&a->known, print)) {
		fputs("left out: it is in the baseline", to);
	} else if (has(&a->excepted, print)) {
		const struct exception *e = exceptions_find(
			a->exceptions, print, a->repo, a->now);
		fprintf(to, "left out: by the exception at %s:%d: ",
			a->exceptions->file, e ? e->line : 0);
		put(to, e ? e->reason : "");
	} else {
		fputs("not reported: the version before has it too", to);
	}
}

int cmd_scan_explain_show(FILE *to, const struct scan_explain *x,
			  const struct findings *fs, const struct accept *a)
{
	for (size_t i = 0; i < x->nr; i++) {
		const struct scan_explained *e = &x->list[i];

		fputs(e->text, to);
		fprintf(to, "    %-12s", "so");
		if (e->verdict)
			fputs(e->verdict, to);
		else
			put_end(to, fs, a, e->fingerprint);
		fputc('\n', to);
	}
	if (x->more)
		fprintf(to, "and %zu more matches\n", x->more);
	if (!x->nr && x->wanted) {
		log_error("--explain %s: nothing with this fingerprint is "
			  "matched here; scan what its report was of, with "
			  "the same rules", x->wanted);
		return -1;
	}
	if (!x->nr)
		fputs("no rule matches anything here\n", to);
	return 0;
}

void cmd_scan_explain_clear(struct scan_explain *x)
{
	for (size_t i = 0; i < x->nr; i++)
		free(x->list[i].text);
	free(x->list);
	oids_clear(&x->seen);
	memset(x, 0, sizeof(*x));
}
