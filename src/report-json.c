/*
 * Findings in the form that gitleaks gives to programs: the same keys, with
 * our own fingerprint. Takes findings, which hold no secret.
 */
#include "report.h"
#include "report-internal.h"

#include <string.h>

#include "buf.h"
#include "findings.h"
#include "rules.h"
#include "text.h"

/* text_clean has left only valid UTF-8 without control characters. */
void report_string(FILE *to, const char *s)
{
	struct buf b = BUF_INIT;
	size_t i;

	text_clean(&b, s, strlen(s));
	fputc('"', to);
	for (i = 0; i < b.len; i++) {
		if (b.data[i] == '"' || b.data[i] == '\\')
			fputc('\\', to);
		fputc(b.data[i], to);
	}
	fputc('"', to);
	buf_clear(&b);
}

static void member(FILE *to, const char *key, const char *s)
{
	fprintf(to, "  \"%s\": ", key);
	report_string(to, s);
	fputs(",\n", to);
}

/* "Name <mail>" */
static void author(FILE *to, const char *s)
{
	const char *mail = strrchr(s, '<');
	size_t n = mail ? (size_t)(mail - s) : strlen(s);
	struct buf name = BUF_INIT, email = BUF_INIT;

	buf_add(&name, s, n && mail ? n - 1 : n);
	buf_add(&email, mail ? mail + 1 : "", mail ? strlen(mail + 1) : 0);
	if (email.len && email.data[email.len - 1] == '>')
		email.data[email.len - 1] = '\0';
	member(to, "Author", name.data);
	member(to, "Email", email.data);
	buf_clear(&name);
	buf_clear(&email);
}

/* A word of a list in an array that begins or goes on. */
static void element(FILE *to, int *first, const char *before, const char *s,
		    size_t n)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s%.*s", before, (int)n, s);
	fputs(*first ? "" : ", ", to);
	report_string(to, b.data);
	*first = 0;
	buf_clear(&b);
}

/* The rule's, and as gitleaks has it "decoded:base64" and "decode-depth:1". */
static void tags(FILE *to, const struct finding *f, const struct rules *r)
{
	ptrdiff_t place = rules_place(r, f->rule);
	struct rules_info info;
	char depth[32];
	int first = 1, nr = 0;
	const char *s;
	size_t n;

	fputs("  \"Tags\": [", to);
	if (place >= 0)
		rules_info(r, (size_t)place, &info);
	for (n = 0; place >= 0 && n < info.nr_tags; n++)
		element(to, &first, "", info.tags[n], strlen(info.tags[n]));
	for (s = f->encodings; *s; s += n + (s[n] == ',')) {
		n = strcspn(s, ",");
		element(to, &first, "decoded:", s, n);
		nr++;
	}
	snprintf(depth, sizeof(depth), "%d", nr);
	if (nr)
		element(to, &first, "decode-depth:", depth, strlen(depth));
	fputs("],\n", to);
}

static void one(FILE *to, const struct finding *f, const struct rules *r)
{
	fputs(" {\n", to);
	member(to, "RuleID", f->rule);
	member(to, "Description", f->description);
	fprintf(to,
		"  \"StartLine\": %u,\n  \"EndLine\": %u,\n"
		"  \"StartColumn\": %u,\n  \"EndColumn\": %u,\n",
		f->line, f->end_line, f->column, f->end_column);
	member(to, "Match", f->redacted);
	member(to, "Secret", f->redacted);
	member(to, "File", f->path);
	member(to, "SymlinkFile", "");
	member(to, "Commit", f->commit);
	member(to, "Link", "");
	fprintf(to, "  \"Entropy\": %.6f,\n", f->entropy);
	author(to, f->author);
	member(to, "Date", f->date);
	member(to, "Message", f->message);
	tags(to, f, r);
	fputs("  \"Fingerprint\": ", to);
	report_string(to, f->fingerprint);
	fputs("\n }", to);
}

void report_json(FILE *to, const struct findings *fs, const struct rules *r)
{
	size_t i;

	fputc('[', to);
	for (i = 0; i < fs->nr; i++) {
		fputs(i ? ",\n" : "\n", to);
		one(to, &fs->list[i], r);
	}
	fputs(fs->nr ? "\n]\n" : "]\n", to);
}
