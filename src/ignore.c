/*
 * Fingerprints that the operator put into a file as gitleaks has it: takes
 * its path, says whether a finding is one of them.
 */
#include "ignore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "findings.h"
#include "log.h"
#include "mem.h"
#include "trust.h"

/* Bytes; a hundred thousand fingerprints fit. */
#define IGNORE_MAX ((size_t)16 << 20)
/* Lines that are warned of one by one; the hook does so at each push. */
#define WARNED_MAX 10

struct entry {
	char *text;
	int line;
};

struct ignore {
	struct entry *list; /* sorted */
	size_t nr, alloc;
};

/* Where it decides what passes a gate, nobody else may have written it. */
static int read_file(const char *file, int decides, struct buf *text)
{
	int ret = decides ? trust_read(file, "fingerprints", IGNORE_MAX, text) :
			    buf_read_file(text, file, IGNORE_MAX);

	if (ret > 0)
		errno = ENOENT;
	if (ret > 0 || (ret && !decides))
		log_error("%s: cannot be read: %s; name a file of "
			  "fingerprints, such as a .gitleaksignore", file,
			  strerror(errno));
	return ret ? -1 : 0;
}

static int is_hex(const char *s, size_t n)
{
	return (n == 40 || n == 64) && strspn(s, "0123456789abcdef") >= n;
}

/* PATH:RULE:LINE, or one of the two others. */
static int is_fingerprint(const char *s)
{
	const char *line = strrchr(s, ':');
	size_t n = strlen(s);

	if (!line)
		return n == 40 && is_hex(s, n);
	if (!line[1] || strspn(line + 1, "0123456789") != strlen(line + 1))
		return 0;
	/* a rule's id has no colon, a path may */
	for (n = (size_t)(line - s); n && s[n - 1] != ':'; n--)
		;
	return n > 1 && n < (size_t)(line - s);
}

/* Blanks around it go, and what Windows writes becomes what git does. */
static char *tidy(char *line)
{
	size_t n;

	line += strspn(line, " \t");
	for (n = strlen(line); n && strchr(" \t\r", line[n - 1]); n--)
		line[n - 1] = '\0';
	for (char *p = line; *p; p++)
		if (*p == '\\')
			*p = '/';
	return line;
}

static int by_text(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static void warn(const char *file, int line)
{
	log_warn("%s:%d: not a fingerprint: it ignores nothing; write "
		 "COMMIT:PATH:RULE:LINE, PATH:RULE:LINE, or the 40 digits of a "
		 "report", file, line);
}

static void parse(struct ignore *g, const char *file, char *text)
{
	char *rest, *line;
	int nr = 0, bad = 0;

	for (; text; text = rest) {
		rest = strchr(text, '\n');
		if (rest)
			*rest++ = '\0';
		nr++;
		line = tidy(text);
		if (!*line || *line == '#')
			continue;
		if (!is_fingerprint(line)) {
			if (bad++ < WARNED_MAX)
				warn(file, nr);
			continue;
		}
		MEM_GROW(g->list, g->nr, g->alloc);
		g->list[g->nr++] = (struct entry){ mem_strdup(line), nr };
	}
	if (bad > WARNED_MAX)
		log_warn("%s: %d more lines are no fingerprints", file,
			 bad - WARNED_MAX);
	if (g->nr)
		qsort(g->list, g->nr, sizeof(*g->list), by_text);
}

struct ignore *ignore_load(const char *file, int decides)
{
	struct buf text = BUF_INIT;
	struct ignore *g = NULL;

	if (!read_file(file, decides, &text)) {
		buf_add(&text, "", 0);
		g = mem_zalloc(sizeof(*g));
		parse(g, file, text.data);
	}
	buf_clear(&text);
	return g;
}

void ignore_free(struct ignore *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->nr; i++)
		free(g->list[i].text);
	free(g->list);
	free(g);
}

size_t ignore_count(const struct ignore *g)
{
	return g->nr;
}

/* The line of it, or 0. */
static int line_of(const struct ignore *g, char *print)
{
	const struct entry wanted = { .text = print };
	const struct entry *e =
		g->nr ? bsearch(&wanted, g->list, g->nr, sizeof(*g->list),
				by_text) : NULL;

	return e ? e->line : 0;
}

int ignore_has(const struct ignore *g, const struct finding *f)
{
	char own[sizeof(f->fingerprint)];
	struct buf b = BUF_INIT;
	int line;

	memcpy(own, f->fingerprint, sizeof(own));
	buf_addf(&b, "%s:%s:%s:%u", f->commit, f->path, f->rule, f->line);
	/* without a commit it begins with the colon */
	line = line_of(g, own);
	if (!line && *f->commit)
		line = line_of(g, b.data);
	if (!line)
		line = line_of(g, strchr(b.data, ':') + 1);
	buf_clear(&b);
	return line;
}
