/*
 * What a scan found. Takes a finding and the place that it lies in, keeps what
 * a person needs to find it again. Never keeps the secret: its redacted form,
 * and a hash that is the same after a rebase.
 */
#include <sha1.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "findings.h"
#include "mem.h"
#include "scan.h"
#include "text.h"

static char *copy(const char *s)
{
	return mem_strdup(s ? s : "");
}

/*
 * Bytes that are kept of a path, and of what a commit says of itself: a tree
 * and a commit may have any length, and each of FINDINGS_MAX has a copy. Linux
 * has no longer path (PATH_MAX); a reader needs no more of the others.
 */
#define PATH_KEPT 4096
#define WORDS_KEPT 512

/* The beginning of s, up to the end of a character (of UTF-8). */
static char *copy_some(const char *s, size_t max)
{
	size_t n = s ? strnlen(s, max + 1) : 0;

	if (n > max)
		for (n = max; n && ((unsigned char)s[n] & 0xc0) == 0x80;)
			n--;
	return mem_strndup(s ? s : "", n);
}

/* Fingerprints that are told apart beyond FINDINGS_MAX: bounds memory. */
#define SEEN_MAX 200000

/* git's id of a blob: "blob LENGTH" NUL and the bytes. */
static void hash(const char *rule, const char *path, const char *secret,
		 size_t len, struct oid *out)
{
	size_t rule_len = strlen(rule) + 1, path_len = strlen(path) + 1;
	char header[32];
	int n = snprintf(header, sizeof(header), "blob %zu",
			 rule_len + path_len + len);
	SHA1_CTX ctx;

	memset(out, 0, sizeof(*out));
	SHA1Init(&ctx);
	SHA1Update(&ctx, (const uint8_t *)header, (size_t)n + 1);
	/* the commit is left out, so that a rebase does not change it */
	SHA1Update(&ctx, (const uint8_t *)rule, rule_len);
	SHA1Update(&ctx, (const uint8_t *)path, path_len);
	SHA1Update(&ctx, (const uint8_t *)secret, len);
	SHA1Final(out->raw, &ctx);
	mem_wipe(&ctx, sizeof(ctx));
}

/* Without the lines in what walk-inside.c names: "(base64 in line 7)". */
static void without_lines(const char *path, struct buf *out)
{
	static const char words[] = " in line ";
	const char *p;

	while ((p = strstr(path, words))) {
		const char *number = p + sizeof(words) - 1;
		const char *end = number + strspn(number, "0123456789");

		if (end == number || *end != ')')
			p = end;
		buf_add(out, path, (size_t)(p - path));
		path = end;
	}
	buf_adds(out, path);
}

void findings_fingerprint(const char *rule, const char *path,
			  const char *secret, size_t len, char out[41])
{
	char hex[OID_HEX_MAX + 1];
	struct buf stable = BUF_INIT;
	struct oid id;

	without_lines(path, &stable);
	buf_addc(&stable, '\0');
	hash(rule, stable.data, secret, len, &id);
	buf_clear(&stable);
	snprintf(out, 41, "%s", oid_hex(&id, OID_SHA1, hex));
}

static void clear_one(struct finding *f)
{
	free(f->rule);
	free(f->description);
	free(f->author);
	free(f->date);
	free(f->message);
	free(f->path);
	free(f->encodings);
	free(f->redacted);
}

static struct finding describe(const struct scan_finding *f,
			       const struct finding_place *at)
{
	struct finding new = {
		.rule = copy(f->rule),
		.description = copy(f->description),
		.author = copy_some(at->author, WORDS_KEPT),
		.date = copy(at->date),
		.message = copy_some(at->message, WORDS_KEPT),
		.path = copy_some(at->path, PATH_KEPT),
		.encodings = copy(f->encodings),
		.line = f->line,
		.column = f->column,
		.end_line = f->end_line,
		.end_column = f->end_column,
		.entropy = f->entropy,
	};
	struct buf shown = BUF_INIT;

	snprintf(new.commit, sizeof(new.commit), "%s",
		 at->commit ? at->commit : "");
	text_redact(&shown, f->secret, f->secret_len);
	new.redacted = buf_take(&shown);
	findings_fingerprint(new.rule, at->path ? at->path : "", f->secret,
			     f->secret_len, new.fingerprint);
	return new;
}

/* Is it the first with its fingerprint? */
static int is_new(struct findings *fs, const struct finding *f)
{
	struct oid id = { { 0 } };
	int added = 0;

	oid_parse(&id, f->fingerprint, OID_SHA1);
	if (fs->seen.nr < SEEN_MAX)
		oids_put(&fs->seen, &id, &added);
	else
		added = oids_find(&fs->seen, &id) < 0;
	return added;
}

void findings_add(struct findings *fs, const struct scan_finding *f,
		  const struct finding_place *at)
{
	struct finding new = describe(f, at);

	if (!(fs->judge && fs->judge(fs->judge_arg, &new, f->secret,
				     f->secret_len)) &&
	    is_new(fs, &new)) {
		if (fs->nr < FINDINGS_MAX) {
			MEM_GROW(fs->list, fs->nr, fs->alloc);
			fs->list[fs->nr++] = new;
			return;
		}
		fs->more++;
	}
	clear_one(&new);
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

void findings_too_much(struct findings *fs, const char *why)
{
	if (!fs->unknown)
		fs->too_much = 1;
	findings_unknown(fs, "%s", why);
}

void findings_clear(struct findings *fs)
{
	for (size_t i = 0; i < fs->nr; i++)
		clear_one(&fs->list[i]);
	free(fs->list);
	free(fs->unknown);
	oids_clear(&fs->seen);
	memset(fs, 0, sizeof(*fs));
}
