/*
 * What a scan found. Takes a finding and the text that it lies in, keeps what
 * a person needs to find it again. Never keeps the secret: its redacted form,
 * and a hash that is the same after a rebase.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <git2.h>

#include "buf.h"
#include "findings.h"
#include "mem.h"
#include "scan.h"
#include "text.h"

static char *copy(const char *s)
{
	return mem_strdup(s ? s : "");
}

/* The commit is left out, so that a rebase does not change it. */
static void fingerprint(const char *rule, const char *path, const char *secret,
			size_t len, char out[41])
{
	struct buf b = BUF_INIT;
	git_oid id;

	buf_add(&b, rule, strlen(rule) + 1);
	buf_add(&b, path, strlen(path) + 1);
	buf_add(&b, secret, len);
	memset(&id, 0, sizeof(id));
	git_odb_hash(&id, b.data, b.len, GIT_OBJECT_BLOB);
	git_oid_tostr(out, 41, &id);
	mem_wipe(b.data, b.len);
	buf_clear(&b);
}

/* Shannon's, in bits per byte, as gitleaks counts it. */
static double entropy(const char *s, size_t len)
{
	size_t count[256] = { 0 }, i;
	double sum = 0, p;

	for (i = 0; i < len; i++)
		count[(unsigned char)s[i]]++;
	for (i = 0; i < 256; i++) {
		if (!count[i])
			continue;
		p = (double)count[i] / (double)len;
		sum -= p * log2(p);
	}
	return sum;
}

/* Where the match ends: the line and column of its last byte. */
static void find_end(struct finding *to, const struct scan_finding *f,
		     const char *text)
{
	size_t i;

	to->end_line = f->line;
	to->end_column = f->column;
	for (i = f->start; i + 1 < f->end; i++) {
		to->end_column++;
		if (text[i] == '\n') {
			to->end_line++;
			to->end_column = 1;
		}
	}
}

static int known(const struct findings *fs, const char *print)
{
	size_t i;

	for (i = 0; i < fs->nr; i++)
		if (!strcmp(fs->list[i].fingerprint, print))
			return 1;
	return 0;
}

void findings_add(struct findings *fs, const struct scan_finding *f,
		  const char *text, const struct finding_place *at)
{
	const char *secret = text + f->secret_start;
	size_t len = f->secret_end - f->secret_start;
	const char *path = at->path ? at->path : "";
	struct finding *to, new = { 0 };
	struct buf shown = BUF_INIT;

	fingerprint(f->rule, path, secret, len, new.fingerprint);
	if (known(fs, new.fingerprint))
		return;
	if (fs->nr >= FINDINGS_MAX) {
		fs->more++;
		return;
	}
	MEM_GROW(fs->list, fs->nr, fs->alloc);
	to = &fs->list[fs->nr++];
	*to = new;
	to->rule = copy(f->rule);
	to->description = copy(f->description);
	if (at->commit)
		snprintf(to->commit, sizeof(to->commit), "%s", at->commit);
	to->author = copy(at->author);
	to->date = copy(at->date);
	to->message = copy(at->message);
	to->path = copy(path);
	to->line = f->line;
	to->column = f->column;
	find_end(to, f, text);
	to->entropy = entropy(secret, len);
	text_redact(&shown, secret, len);
	to->redacted = buf_take(&shown);
}

void findings_unknown(struct findings *fs, const char *fmt, ...)
{
	va_list ap;
	char *reason;

	if (fs->unknown)
		return;
	va_start(ap, fmt);
	if (vasprintf(&reason, fmt, ap) < 0)
		reason = mem_strdup("memory ran out");
	va_end(ap);
	fs->unknown = reason;
}

void findings_clear(struct findings *fs)
{
	struct finding *f;

	for (f = fs->list; f < fs->list + fs->nr; f++) {
		free(f->rule);
		free(f->description);
		free(f->author);
		free(f->date);
		free(f->message);
		free(f->path);
		free(f->redacted);
	}
	free(fs->list);
	free(fs->unknown);
	memset(fs, 0, sizeof(*fs));
}
