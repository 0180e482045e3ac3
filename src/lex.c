/*
 * git-config syntax. Takes a file's text, gives an event for each section
 * header and each key. The states follow git-config(1), and where that page
 * is silent, what `git config --list -f` was seen to do; t/unit/lex.c and
 * t/10-config.t hold the two together. Never opens a file, knows no key.
 */
#include "lex.h"

#include <string.h>

#include "buf.h"
#include "log.h"

struct lex {
	const char *file;
	const char *text;
	size_t len, pos;
	int line; /* of the byte that next() returns next */
	int eof;
	struct buf name;  /* "section" or "section.subsection" */
	struct buf key;
	struct buf value;
	int in_section; /* 0: no header yet, 1: in one, -1: in a bad one */
	int errors;
	lex_fn *fn;
	void *arg;
};

/* Of the C locale whatever the process's: git's own notion of a space. */
static int is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_key_char(int c)
{
	return is_alpha(c) || (c >= '0' && c <= '9') || c == '-';
}

static char lower(int c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* The next byte; CR LF counts as LF, and so does the end of the text. */
static int next(struct lex *l)
{
	if (l->pos >= l->len) {
		l->eof = 1;
		return '\n';
	}
	int c = (unsigned char)l->text[l->pos++];
	if (c == '\r' && l->pos < l->len && l->text[l->pos] == '\n') {
		l->pos++;
		c = '\n';
	}
	if (c == '\n')
		l->line++;
	return c;
}

/* Log, and go to the end of the line unless c already was that. */
static void syntax_error(struct lex *l, int line, int c, const char *what)
{
	log_error("%s:%d: %s", l->file, line, what);
	l->errors = 1;
	while (c != '\n')
		c = next(l);
}

/*
 * The quoted part of a header, from the space on. Returns NULL, or what is
 * wrong; *c is the last byte read.
 */
static const char *read_subsection(struct lex *l, int *c)
{
	while (*c != '\n' && is_space(*c))
		*c = next(l);
	if (*c != '"')
		return "a subsection must be in double quotes, as in "
		       "[repo \"name\"]";
	buf_addc(&l->name, '.');
	for (;;) {
		*c = next(l);
		if (*c == '"')
			break;
		if (*c == '\\')
			*c = next(l);
		if (*c == '\n')
			return "the subsection's closing quote is missing";
		if (*c == 0)
			return "a NUL byte; this is a text file";
		buf_addc(&l->name, (char)*c);
	}
	*c = next(l);
	return *c == ']' ? NULL : "']' must follow the closing quote";
}

/* The same for a whole header, from behind its '['. */
static const char *read_header(struct lex *l, int *c)
{
	buf_reset(&l->name);
	for (;;) {
		*c = next(l);
		if (*c == ']' || is_space(*c))
			break;
		if (!is_key_char(*c) && *c != '.')
			return "a section's name has letters, digits, '-' and "
			       "'.' only";
		buf_addc(&l->name, lower(*c));
	}
	if (!l->name.len || l->name.data[0] == '.')
		return "a section must have a name";
	if (*c == ']')
		return NULL;
	if (*c == '\n')
		return "']' is missing at the end of the section's header";
	return read_subsection(l, c);
}

/* Hand out an event; key NULL is a header. */
static void emit(struct lex *l, int line, const char *key, const char *value)
{
	struct lex_event event = {
		.key = key, .value = value, .line = line
	};
	/*
	 * git keeps "a.b" as one string, so [a.b] and [a "b"] are the same
	 * to it; the first dot is where it would cut.
	 */
	char *dot = memchr(l->name.data, '.', l->name.len);

	event.section = l->name.data;
	if (dot) {
		*dot = '\0';
		event.subsection = dot + 1;
	}
	l->fn(l->arg, &event);
	if (dot)
		*dot = '.';
}

static void take_header(struct lex *l)
{
	int line = l->line;
	int c = '[';
	const char *what = read_header(l, &c);

	l->in_section = what ? -1 : 1;
	if (what)
		syntax_error(l, line, c, what);
	else
		emit(l, line, NULL, NULL);
}

/* The byte that an escape stands for, or -1. */
static int unescape(int c)
{
	switch (c) {
	case 't':
		return '\t';
	case 'b':
		return '\b';
	case 'n':
		return '\n';
	case '\\':
	case '"':
		return c;
	}
	return -1;
}

/* One byte of a value that is neither a space nor in a comment. */
static const char *value_byte(struct lex *l, int *c, int *quoted)
{
	if (*c == 0)
		return "a NUL byte; this is a text file";
	if (*c == '"') {
		*quoted = !*quoted;
		return NULL;
	}
	if (*c == '\\') {
		*c = next(l);
		if (*c == '\n') { /* the value goes on in the next line */
			*c = ' ';
			return NULL;
		}
		int e = unescape(*c);
		if (e < 0)
			return "unknown escape; known are \\\\ \\\" \\n \\t "
			       "and \\b";
		*c = e;
	}
	buf_addc(&l->value, (char)*c);
	/* An escaped newline must not be taken for the end of the line. */
	*c = ' ';
	return NULL;
}

/*
 * What follows '=', to the end of the line. Spaces at either end go; inside,
 * each counts as one ' ', as git up to 2.44 has it.
 */
static const char *read_value(struct lex *l, int *c)
{
	int quoted = 0, comment = 0;
	size_t spaces = 0;

	buf_reset(&l->value);
	buf_adds(&l->value, "");
	for (;;) {
		*c = next(l);
		if (*c == '\n')
			return quoted ? "the closing quote is missing" : NULL;
		if (comment)
			continue;
		if (!quoted && is_space(*c)) {
			spaces += l->value.len > 0;
			continue;
		}
		if (!quoted && (*c == ';' || *c == '#')) {
			comment = 1;
			continue;
		}
		for (; spaces; spaces--)
			buf_addc(&l->value, ' ');
		const char *what = value_byte(l, c, &quoted);
		if (what)
			return what;
	}
}

static void take_key(struct lex *l, int c)
{
	int line = l->line;
	const char *what = NULL;
	const char *value = NULL;

	buf_reset(&l->key);
	for (; is_key_char(c); c = next(l))
		buf_addc(&l->key, lower(c));
	while (c == ' ' || c == '\t')
		c = next(l);
	if (c == '=') {
		what = read_value(l, &c);
		value = l->value.data;
	} else if (c != '\n') {
		what = "'=' must follow the key's name";
	}
	if (what)
		syntax_error(l, line, c, what);
	else if (l->in_section > 0)
		emit(l, line, l->key.data, value);
	else if (!l->in_section)
		syntax_error(l, line, '\n', "a key before the first [section]");
	/* Keys under a header with an error have had their message there. */
}

/* An UTF-8 byte order mark is no part of the text. */
static void skip_mark(struct lex *l)
{
	if (l->len >= 3 && !memcmp(l->text, "\xef\xbb\xbf", 3))
		l->pos = 3;
}

int lex_config(const char *file, const char *text, size_t len, lex_fn *fn,
	       void *arg)
{
	struct lex l = { .file = file, .text = text, .len = len, .line = 1,
			 .fn = fn, .arg = arg };

	skip_mark(&l);
	for (;;) {
		int line = l.line;
		int c = next(&l);
		if (l.eof)
			break;
		if (is_space(c))
			continue;
		if (c == '#' || c == ';') {
			while (c != '\n')
				c = next(&l);
		} else if (c == '[') {
			take_header(&l);
		} else if (is_alpha(c)) {
			take_key(&l, c);
		} else {
			syntax_error(&l, line, c,
				     "no [section], key or comment");
		}
	}
	buf_clear(&l.name);
	buf_clear(&l.key);
	buf_clear(&l.value);
	return l.errors ? -1 : 0;
}
