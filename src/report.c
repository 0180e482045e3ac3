/*
 * Findings for people. Takes findings, which hold no secret; writes lines
 * that fit the reader's columns, whose foreign parts have been cleaned of
 * control characters.
 */
#include "report.h"
#include "report-internal.h"

#include <string.h>

#include "buf.h"
#include "findings.h"
#include "text.h"

#define RED "31"
#define BOLD "1"

void report_clean(FILE *to, const char *s)
{
	struct buf b = BUF_INIT;

	text_clean(&b, s, strlen(s));
	if (b.len)
		fwrite(b.data, 1, b.len, to);
	buf_clear(&b);
}

/* Words in lines of a width. */
struct line {
	FILE *to;
	const struct report_style *style;
	unsigned indent, at;
};

/* Columns of clean UTF-8, each character taken for one. */
static unsigned columns(const struct buf *b)
{
	unsigned n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += ((unsigned char)b->data[i] & 0xc0) != 0x80;
	return n;
}

static void begin(struct line *l, unsigned indent)
{
	fprintf(l->to, "%*s", (int)indent, "");
	l->at = indent;
	l->indent = indent + 2;
}

/* s in this line, or where it does not fit, at the beginning of another. */
static void put(struct line *l, const char *gap, const char *s,
		const char *colour)
{
	struct buf b = BUF_INIT;
	unsigned n;

	text_clean(&b, s, strlen(s));
	buf_adds(&b, "");
	n = columns(&b);
	if (l->at > l->indent && l->at + strlen(gap) + n > l->style->width) {
		fprintf(l->to, "\n%*s", (int)l->indent, "");
		l->at = l->indent;
		gap = "";
	}
	fputs(gap, l->to);
	if (colour && l->style->colour)
		fprintf(l->to, "\033[%sm%s\033[m", colour, b.data);
	else
		fputs(b.data, l->to);
	l->at += (unsigned)strlen(gap) + n;
	buf_clear(&b);
}

/* Each word where it fits. */
static void put_words(struct line *l, const char *gap, const char *s)
{
	struct buf word = BUF_INIT;

	while (*s) {
		size_t n = strcspn(s, " ");
		buf_reset(&word);
		buf_add(&word, s, n);
		if (n) {
			put(l, gap, word.data, NULL);
			gap = " ";
		}
		s += n + strspn(s + n, " ");
	}
	buf_clear(&word);
}

void report_words(FILE *to, const struct report_style *style,
		  const char *first, unsigned indent, const char *words)
{
	struct line l = { .to = to, .style = style, .indent = indent,
			  .at = (unsigned)strlen(first) };

	fputs(first, to);
	put_words(&l, "", words);
	fputc('\n', to);
}

void report_line(FILE *to, unsigned width, const char *first,
		 const char *words)
{
	const struct report_style style = { .width = width };

	report_words(to, &style, first, 2, words);
}

static void put_place(struct line *l, const struct finding *f)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s:%u:%u", f->path, f->line, f->column);
	put(l, "", b.data, BOLD);
	if (*f->commit) {
		buf_reset(&b);
		buf_addf(&b, "in %.*s", REPORT_SHORT_ID, f->commit);
		put(l, "  ", b.data, NULL);
	}
	if (*f->author) {
		buf_reset(&b);
		buf_addf(&b, "by %s", f->author);
		put(l, " ", b.data, NULL);
	}
	if (strlen(f->date) >= 10) {
		buf_reset(&b);
		buf_addf(&b, "%.10s", f->date);
		put(l, " ", b.data, NULL);
	}
	buf_clear(&b);
}

static void one(FILE *to, const struct finding *f,
		const struct report_style *style)
{
	struct line l = { .to = to, .style = style };
	struct buf b = BUF_INIT;

	begin(&l, 2);
	put_place(&l, f);
	fputc('\n', to);
	begin(&l, 4);
	buf_addf(&b, "%s:", f->rule);
	put(&l, "", b.data, RED);
	put(&l, " ", f->redacted, NULL);
	if (*f->encodings) {
		buf_reset(&b);
		buf_addf(&b, "in %s", f->encodings);
		put(&l, " ", b.data, NULL);
	}
	put_words(&l, "  ", f->description);
	fprintf(to, "\n    fingerprint %s\n", f->fingerprint);
	buf_clear(&b);
}

void report_text(FILE *to, const struct findings *fs,
		 const struct report_style *style)
{
	size_t shown = fs->nr < style->max ? fs->nr : style->max, i;
	size_t rest = fs->nr - shown + fs->more;

	if (fs->nr)
		fprintf(to, "%zu %s found:\n", fs->nr + fs->more,
			fs->nr + fs->more == 1 ? "secret" : "secrets");
	for (i = 0; i < shown; i++)
		one(to, &fs->list[i], style);
	if (rest)
		fprintf(to, "  and %zu more\n", rest);
	if (fs->unknown)
		report_words(to, style, "Not everything could be scanned: ", 2,
			     fs->unknown);
	if (fs->nr)
		report_advice(to, fs, shown, style);
}

void report_refused(FILE *to, const char *code, int retry, const char *extra,
		    const char *id)
{
	fprintf(to, "git-gate: refused code=%s retry=%s%s", code,
		retry ? "yes" : "no", extra && *extra ? " " : "");
	/* a caller may have begun extra with the space */
	if (extra)
		report_clean(to, extra + (*extra == ' '));
	fputs(" id=", to);
	report_clean(to, id);
	fputc('\n', to);
}
