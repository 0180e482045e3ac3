#ifndef LEX_H
#define LEX_H

#include <stddef.h>

/*
 * git-config syntax, as git-config(1) describes it under SYNTAX: sections,
 * "quoted subsections", key = value, quoting, escapes, continuation lines,
 * comments. Agrees with `git config --list -f` on every file that both take;
 * includes are not followed, they are ordinary keys here. Takes text, gives
 * events, knows no key.
 */
struct lex_event {
	const char *section;    /* lower-cased */
	const char *subsection; /* as written, or NULL */
	const char *key;        /* lower-cased; NULL for a section's header */
	const char *value;      /* NULL for a key without '=' */
	int line;               /* of the key, or of the header */
};

/* Called for each event; strings live until it returns. */
typedef void lex_fn(void *arg, const struct lex_event *event);

/*
 * Read all of text. Every syntax error is logged as "file:line: what" and
 * reading goes on at the next line. Returns 0, or -1 if there was any error.
 */
int lex_config(const char *file, const char *text, size_t len, lex_fn *fn,
	       void *arg);

#endif
