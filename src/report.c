/*
 * Findings for people, and in the form that gitleaks gives to programs. Takes
 * findings, which hold no secret; writes text whose foreign parts have been
 * cleaned of control characters.
 */
#include <string.h>

#include "buf.h"
#include "findings.h"
#include "report.h"
#include "text.h"

/* Twelve digits of an id name an object in any repository we know. */
#define SHORT_ID 12

static void clean(FILE *to, const char *s)
{
	struct buf b = BUF_INIT;

	text_clean(&b, s, strlen(s));
	if (b.len)
		fwrite(b.data, 1, b.len, to);
	buf_clear(&b);
}

static void one(FILE *to, const struct finding *f)
{
	fputs("  ", to);
	clean(to, f->path);
	fprintf(to, ":%u:%u", f->line, f->column);
	if (*f->commit)
		fprintf(to, "  in %.*s", SHORT_ID, f->commit);
	if (*f->author) {
		fputs(" by ", to);
		clean(to, f->author);
	}
	fputs("\n    ", to);
	clean(to, f->rule);
	fputs(": ", to);
	clean(to, f->redacted);
	if (*f->description) {
		fputs("  ", to);
		clean(to, f->description);
	}
	fprintf(to, "\n    fingerprint %s\n", f->fingerprint);
}

static void advise(FILE *to)
{
	fputs("What to do:\n"
	      "  - Take the secret out of every commit named above: git commit"
	      " --amend for\n"
	      "    the last one, git rebase -i for earlier ones. A later commit"
	      " that deletes\n"
	      "    it does not help: it stays in the history.\n"
	      "  - Revoke a real secret and make a new one: it has left the"
	      " place where it\n"
	      "    was kept.\n"
	      "  - If it is none, whoever runs the gate can allow it in the"
	      " rules, see\n"
	      "    git-gate-rules(5).\n",
	      to);
}

void report_text(FILE *to, const struct findings *fs, unsigned max)
{
	size_t shown = fs->nr < max ? fs->nr : max, i;
	size_t rest = fs->nr - shown + fs->more;

	if (fs->nr)
		fprintf(to, "%zu %s found:\n", fs->nr + fs->more,
			fs->nr + fs->more == 1 ? "secret" : "secrets");
	for (i = 0; i < shown; i++)
		one(to, &fs->list[i]);
	if (rest)
		fprintf(to, "  and %zu more\n", rest);
	if (fs->unknown) {
		fputs("Not everything could be scanned: ", to);
		clean(to, fs->unknown);
		fputc('\n', to);
	}
	if (fs->nr)
		advise(to);
}

/* A JSON string (RFC 8259); text_clean has left only valid UTF-8. */
static void string(FILE *to, const char *key, const char *s)
{
	struct buf b = BUF_INIT;
	size_t i;

	text_clean(&b, s, strlen(s));
	fprintf(to, "  \"%s\": \"", key);
	for (i = 0; i < b.len; i++) {
		if (b.data[i] == '"' || b.data[i] == '\\')
			fputc('\\', to);
		fputc(b.data[i], to);
	}
	fputs("\",\n", to);
	buf_clear(&b);
}

static void json_one(FILE *to, const struct finding *f)
{
	/* author is "Name <mail>" */
	const char *mail = strrchr(f->author, '<');
	struct buf name = BUF_INIT, email = BUF_INIT;
	size_t n = mail ? (size_t)(mail - f->author) : strlen(f->author);

	buf_add(&name, f->author, n && mail ? n - 1 : n);
	buf_add(&email, mail ? mail + 1 : "", mail ? strlen(mail + 1) : 0);
	if (email.len && email.data[email.len - 1] == '>')
		email.data[email.len - 1] = '\0';
	fputs(" {\n", to);
	string(to, "RuleID", f->rule);
	string(to, "Description", f->description);
	fprintf(to,
		"  \"StartLine\": %u,\n  \"EndLine\": %u,\n"
		"  \"StartColumn\": %u,\n  \"EndColumn\": %u,\n",
		f->line, f->end_line, f->column, f->end_column);
	string(to, "Match", f->redacted);
	string(to, "Secret", f->redacted);
	string(to, "File", f->path);
	string(to, "SymlinkFile", "");
	string(to, "Commit", f->commit);
	fprintf(to, "  \"Entropy\": %.6f,\n", f->entropy);
	string(to, "Author", name.data);
	string(to, "Email", email.data);
	string(to, "Date", f->date);
	string(to, "Message", f->message);
	fprintf(to, "  \"Tags\": [],\n  \"Fingerprint\": \"%s\"\n }",
		f->fingerprint);
	buf_clear(&name);
	buf_clear(&email);
}

void report_json(FILE *to, const struct findings *fs)
{
	size_t i;

	fputc('[', to);
	for (i = 0; i < fs->nr; i++) {
		fputs(i ? ",\n" : "\n", to);
		json_one(to, &fs->list[i]);
	}
	fputs(fs->nr ? "\n]\n" : "]\n", to);
}

void report_refused(FILE *to, const char *code, int retry, const char *extra,
		    const char *id)
{
	fprintf(to, "git-gate: refused code=%s retry=%s%s", code,
		retry ? "yes" : "no", extra && *extra ? " " : "");
	/* a caller may have begun extra with the space */
	if (extra)
		clean(to, extra + (*extra == ' '));
	fputs(" id=", to);
	clean(to, id);
	fputc('\n', to);
}
