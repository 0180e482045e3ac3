/*
 * What can be done about findings: takes them and who reads, writes commands
 * to be copied. Names no file that a shell would take for something else.
 */
#include "report-internal.h"

#include <string.h>

#include "buf.h"
#include "findings.h"

/* Commits and fingerprints that are written out; the rest is "and so on". */
#define SHOWN_MAX 10
#define ALLOWED_MAX 3

/* Where a finding lies, and so what takes it out. */
enum place { IN_FILE, IN_COMMIT, IN_TAG, IN_NAME, LOOSE_FILE };

static enum place place_of(const struct finding *f)
{
	if (!strncmp(f->path, "tag ", 4))
		return IN_TAG;
	if (!strncmp(f->path, "ref ", 4) || !strcmp(f->path, "push option"))
		return IN_NAME;
	if (!strncmp(f->path, "commit ", 7))
		return IN_COMMIT;
	return *f->commit ? IN_FILE : LOOSE_FILE;
}

/* What is to be said: the findings shown, sorted into commits. */
struct advice {
	FILE *to;
	const struct report_style *style;
	const struct finding *list;
	size_t nr;
};

/*
 * Bytes of a path that git knows: what is in an archive is "ARCHIVE!FILE", and
 * archives have a suffix, which tells them from most names with a '!'.
 */
static size_t file_len(const char *path)
{
	const char *bang = strchr(path, '!'), *dot;

	if (!bang || !bang[1])
		return strlen(path);
	dot = memrchr(path, '.', (size_t)(bang - path));
	if (!dot || memchr(dot, '/', (size_t)(bang - dot)))
		return strlen(path);
	return (size_t)(bang - path);
}

static int is_tip(const struct report_style *s, const char *commit)
{
	for (size_t i = 0; i < s->nr_tips; i++)
		if (!strcmp(s->tips[i], commit))
			return 1;
	return 0;
}

/* Is it the first finding in its commit, of those that a commit holds? */
static int leads(const struct advice *a, size_t n)
{
	enum place p = place_of(&a->list[n]);

	if (p != IN_FILE && p != IN_COMMIT)
		return 0;
	for (size_t i = 0; i < n; i++) {
		enum place q = place_of(&a->list[i]);
		if ((q == IN_FILE || q == IN_COMMIT) &&
		    !strcmp(a->list[i].commit, a->list[n].commit))
			return 0;
	}
	return 1;
}

/* An argument for a shell; FILE where it could not be copied as it is. */
static void put_argument(FILE *to, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._/+,@%=-";
	int odd = *s == '-' || !*s;

	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		odd |= *p < 0x20 || *p >= 0x7f || *p == '\'';
	if (odd)
		fputs("FILE", to);
	else if (s[strspn(s, plain)])
		fprintf(to, "'%s'", s);
	else
		fputs(s, to);
}

static void put_file(FILE *to, const char *path)
{
	struct buf name = BUF_INIT;

	buf_add(&name, path, file_len(path));
	buf_add(&name, "", 0);
	put_argument(to, name.data);
	buf_clear(&name);
}

/* Of a finding in its name, the file. */
static const char *file_of(const struct finding *f)
{
	return f->path + (strncmp(f->path, "path name ", 10) ? 0 : 10);
}

/* Was this file named for this commit before the finding at n? */
static int is_named(const struct advice *a, size_t n)
{
	const char *path = file_of(&a->list[n]), *other;
	size_t len = file_len(path);

	for (size_t i = 0; i < n; i++) {
		other = file_of(&a->list[i]);
		if (place_of(&a->list[i]) == IN_FILE &&
		    !strcmp(a->list[i].commit, a->list[n].commit) &&
		    file_len(other) == len && !memcmp(other, path, len))
			return 1;
	}
	return 0;
}

/* The commands that change one commit, which is checked out. */
static void put_amend(const struct advice *a, const char *commit)
{
	int files = 0, message = 0;

	for (size_t i = 0; i < a->nr && files <= SHOWN_MAX; i++) {
		const struct finding *f = &a->list[i];

		if (strcmp(f->commit, commit) != 0)
			continue;
		message |= place_of(f) == IN_COMMIT;
		if (place_of(f) != IN_FILE || is_named(a, i))
			continue;
		fputs(f->path[file_len(f->path)] ? "       make anew " :
						   "       edit ", a->to);
		put_file(a->to, file_of(f));
		fputs("\n       git add ", a->to);
		put_file(a->to, file_of(f));
		fputc('\n', a->to);
		files++;
	}
	/* with its message in an editor, where that is a part of it */
	fprintf(a->to, "       git commit --amend%s\n",
		message ? "" : " --no-edit");
}

/* Commits at the end of a branch, and those that may be. */
static size_t put_tips(const struct advice *a)
{
	size_t nr = 0;

	for (size_t i = 0; i < a->nr; i++) {
		const char *commit = a->list[i].commit;

		if (!leads(a, i) || !is_tip(a->style, commit))
			continue;
		if (nr++ >= SHOWN_MAX)
			continue;
		fprintf(a->to, "     %.*s, the last commit of its branch:\n",
			REPORT_SHORT_ID, commit);
		put_amend(a, commit);
	}
	return nr;
}

/* A paragraph below a number. */
static void say(const struct advice *a, const char *words)
{
	report_words(a->to, a->style, "     ", 5, words);
}

/* Older ones: one rebase stops at each. Findings come oldest first. */
static void put_older(const struct advice *a)
{
	const char *first = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < a->nr; i++) {
		const char *commit = a->list[i].commit;

		if (!leads(a, i) || is_tip(a->style, commit))
			continue;
		if (!first) {
			first = commit;
			fprintf(a->to, "     git rebase -i %.*s^\n",
				REPORT_SHORT_ID, first);
			say(a, "(with --root in place of it if that is the "
			       "first commit, with --rebase-merges if a merge "
			       "is among those after it); write \"edit\" before these "
			       "lines, and at each stop:");
		}
		if (nr++ >= SHOWN_MAX)
			continue;
		fprintf(a->to, "     %.*s:\n", REPORT_SHORT_ID, commit);
		put_amend(a, commit);
		fputs("       git rebase --continue\n", a->to);
	}
	if (nr > SHOWN_MAX)
		fprintf(a->to, "     and %zu more commits in the same way\n",
			nr - SHOWN_MAX);
}

static int has(const struct advice *a, enum place p)
{
	for (size_t i = 0; i < a->nr; i++)
		if (place_of(&a->list[i]) == p)
			return 1;
	return 0;
}

static void put_removal(const struct advice *a)
{
	if (has(a, IN_FILE) || has(a, IN_COMMIT)) {
		report_words(a->to, a->style, "  2. ", 5,
			     "Take it out of every commit that brings it. A "
			     "later commit that deletes it does not help: the "
			     "history keeps it.");
		put_tips(a);
		put_older(a);
	} else {
		fputs("  2. Take it out:\n", a->to);
	}
	if (has(a, IN_TAG))
		say(a, "a tag: make it anew with git tag -f -a NAME");
	if (has(a, IN_NAME))
		say(a, "a name or an option: push with another one");
	if (has(a, LOOSE_FILE) && a->style->is_staged)
		say(a, "what is staged: edit the file and git add it again, or "
		       "git restore --staged FILE");
	else if (has(a, LOOSE_FILE))
		say(a, "a file: keep the secret elsewhere, and have it read "
		       "from there");
}

/* A word of a command line, whatever is in it. */
static void put_quoted(FILE *to, const char *s)
{
	fputc('\'', to);
	for (; *s; s++) {
		char one[2] = { *s, '\0' };
		report_clean(to, *s == '\'' ? "'\\''" : one);
	}
	fputc('\'', to);
}

static void put_allowance(const struct advice *a)
{
	size_t i;

	report_words(a->to, a->style, "  3. ", 5, a->style->is_pusher ?
		     "If it is no secret, ask the gate's operator, who can "
		     "allow it with" :
		     "If it is no secret, the operator of a gate can allow it "
		     "with");
	for (i = 0; i < a->nr && i < ALLOWED_MAX; i++) {
		/* behind git's "remote: " there is room for no more */
		fprintf(a->to, "%*sgit-gate allow %s --reason TEXT",
			a->style->is_pusher ? 3 : 7, "",
			a->list[i].fingerprint);
		if (a->style->config) {
			fputs(" \\\n         -c ", a->to);
			put_quoted(a->to, a->style->config);
		}
		fputc('\n', a->to);
	}
	if (i < a->nr)
		say(a, "and so on for the others");
	if (!a->style->is_pusher)
		say(a, "and a scan leaves out what is in a file named with "
		       "--ignore, or in an earlier report named with "
		       "--baseline.");
}

void report_advice(FILE *to, const struct findings *fs, size_t shown,
		   const struct report_style *style)
{
	struct advice a = { .to = to, .style = style, .list = fs->list,
			    .nr = shown };

	fputs("What to do:\n", to);
	report_words(to, style, "  1. ", 5,
		     "Revoke a real secret where it was made, and make a new "
		     "one: it has left the place where it was kept.");
	put_removal(&a);
	if (shown < fs->nr || fs->more)
		say(&a, style->is_pusher ?
		    "and those not shown above in the same way: git gate scan "
		    "OLD..NEW lists all of them, before the next push" :
		    "and those not shown above in the same way: without -c, "
		    "all are shown");
	put_allowance(&a);
}
