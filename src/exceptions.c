/*
 * The file of accepted findings, read: takes its path, gives exceptions, and
 * says which of them holds for a finding. What is wrong in it makes all of it
 * void: whoever asked cannot tell. Changes nothing.
 */
#include "exceptions.h"
#include "exceptions-internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "lex.h"
#include "log.h"
#include "match.h"
#include "mem.h"
#include "trust.h"

struct load {
	struct exceptions *x;
	struct exception *at; /* the section under way, or NULL */
	int errors;
};

static void error(struct load *l, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void error(struct load *l, int line, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s:%d: %s", l->x->file, line, text);
	l->errors = 1;
}

int exceptions_is_fingerprint(const char *s)
{
	return strlen(s) == 40 && strspn(s, "0123456789abcdef") == 40;
}

/* Each section has a reason: who reads the file later needs it. */
static void end_section(struct load *l)
{
	if (l->at && !l->at->reason)
		error(l, l->at->line, "[exception \"%s\"] has no reason; add "
		      "one", l->at->fingerprint);
	l->at = NULL;
}

static void begin_section(struct load *l, const struct lex_event *e)
{
	struct exceptions *x = l->x;

	end_section(l);
	if (strcmp(e->section, "exception") != 0) {
		error(l, e->line, "unknown section [%s]; write "
		      "[exception \"FINGERPRINT\"]", e->section);
	} else if (!e->subsection ||
		   !exceptions_is_fingerprint(e->subsection)) {
		error(l, e->line, "[exception \"%s\"]: not a fingerprint; a "
		      "report shows it as 40 digits of 0-9 a-f",
		      e->subsection ? e->subsection : "");
	} else {
		MEM_GROW(x->list, x->nr, x->alloc);
		l->at = &x->list[x->nr++];
		*l->at = (struct exception){ .line = e->line };
		memcpy(l->at->fingerprint, e->subsection, 41);
	}
}

static void take_text(struct load *l, const struct lex_event *e, char **at)
{
	const unsigned char *s = (const unsigned char *)e->value;

	for (; *s; s++)
		if (*s < 0x20 || *s == 0x7f) {
			error(l, e->line, "%s has a control character in it; "
			      "remove that", e->key);
			return;
		}
	if (strlen(e->value) > EXCEPTIONS_REASON_MAX)
		error(l, e->line, "%s is longer than %d bytes; shorten it",
		      e->key, EXCEPTIONS_REASON_MAX);
	else if (*at)
		error(l, e->line, "%s is there twice; remove one of the two",
		      e->key);
	else
		*at = mem_strdup(e->value);
}

/* A time that goes by is no error, only what is no time. */
static void take_time(struct load *l, const struct lex_event *e, int64_t *at)
{
	if (*at)
		error(l, e->line, "%s is there twice; remove one of the two",
		      e->key);
	/* "30d" would count from each reading anew */
	else if (strlen(e->value) < 10 || exceptions_time(e->value, 0, at))
		error(l, e->line, "%s = %s: not a date; write it as "
		      "2027-01-31", e->key, e->value);
}

static void take_key(struct load *l, const struct lex_event *e)
{
	struct exception *to = l->at;

	if (!to)
		return; /* one error is enough */
	if (!e->value || !*e->value)
		error(l, e->line, "%s is empty; give it a value, or remove "
		      "the line", e->key);
	else if (!strcmp(e->key, "reason"))
		take_text(l, e, &to->reason);
	else if (!strcmp(e->key, "repo"))
		take_text(l, e, &to->repo);
	else if (!strcmp(e->key, "by"))
		take_text(l, e, &to->by);
	else if (!strcmp(e->key, "date"))
		take_time(l, e, &to->date);
	else if (!strcmp(e->key, "expires"))
		take_time(l, e, &to->expires);
	else
		error(l, e->line, "unknown key %s; known are reason, repo, "
		      "expires, by and date", e->key);
}

static void take_event(void *arg, const struct lex_event *e)
{
	struct load *l = arg;

	if (e->key)
		take_key(l, e);
	else
		begin_section(l, e);
}

int exceptions_parse(struct exceptions *x, const struct buf *text)
{
	struct load l = { .x = x };

	if (lex_config(x->file, text->data, text->len, take_event, &l))
		l.errors = 1;
	end_section(&l);
	return l.errors ? -1 : 0;
}

int exceptions_read(struct exceptions *x, struct buf *text)
{
	/* who can write it decides what passes */
	int ret = trust_read(x->file, "exceptions", EXCEPTIONS_MAX, text);

	x->missing = ret > 0;
	buf_add(text, "", 0);
	return ret < 0 ? -1 : exceptions_parse(x, text);
}

struct exceptions *exceptions_load(const char *file)
{
	struct exceptions *x = mem_zalloc(sizeof(*x));
	struct buf text = BUF_INIT;

	x->file = mem_strdup(file);
	if (exceptions_read(x, &text)) {
		exceptions_free(x);
		x = NULL;
	}
	buf_clear(&text);
	return x;
}

void exceptions_free(struct exceptions *x)
{
	if (x)
		exceptions_clear(x);
	free(x);
}

void exceptions_clear(struct exceptions *x)
{
	for (size_t i = 0; i < x->nr; i++) {
		free(x->list[i].reason);
		free(x->list[i].repo);
		free(x->list[i].by);
	}
	free(x->list);
	free(x->file);
	memset(x, 0, sizeof(*x));
}

enum exception_state exceptions_state(const struct exception *e, int64_t now)
{
	if (!e->expires || e->expires - now > EXCEPTIONS_SOON)
		return EXCEPTION_ACTIVE;
	return e->expires < now ? EXCEPTION_EXPIRED : EXCEPTION_SOON;
}

static int is_for(const struct exceptions *x, const struct exception *e,
		  const char *repo)
{
	if (!e->repo || !repo)
		return !e->repo;
	return x->icase ? match_glob_icase(e->repo, repo) :
			  match_glob(e->repo, repo);
}

const struct exception *exceptions_find(const struct exceptions *x,
					const char *fingerprint,
					const char *repo, int64_t now)
{
	const struct exception *over = NULL, *e = x->list;

	for (size_t i = 0; i < x->nr; i++, e++) {
		if (strcmp(e->fingerprint, fingerprint) != 0 ||
		    !is_for(x, e, repo))
			continue;
		if (exceptions_state(e, now) != EXCEPTION_EXPIRED)
			return e;
		over = e;
	}
	return over;
}

static int same_repo(const struct exception *a, const struct exception *b)
{
	return a->repo && b->repo ? !strcmp(a->repo, b->repo) :
				    a->repo == b->repo;
}

int exceptions_is_over(const struct exceptions *x, const struct exception *e,
		       int64_t now)
{
	if (exceptions_state(e, now) != EXCEPTION_EXPIRED)
		return 0;
	for (size_t i = 0; i < x->nr; i++)
		if (!strcmp(x->list[i].fingerprint, e->fingerprint) &&
		    same_repo(&x->list[i], e) &&
		    exceptions_state(&x->list[i], now) != EXCEPTION_EXPIRED)
			return 0;
	return 1;
}

void exceptions_warn(const struct exceptions *x, int64_t now)
{
	struct buf when = BUF_INIT;

	for (size_t i = 0; i < x->nr; i++) {
		const struct exception *e = &x->list[i];
		int over = exceptions_is_over(x, e, now);

		if (!over && exceptions_state(e, now) != EXCEPTION_SOON)
			continue;
		buf_reset(&when);
		exceptions_show_time(e->expires, &when);
		log_warn("%s:%d: the exception for %s %s at %s; remove the "
			 "lines, or allow it again", x->file, e->line,
			 e->fingerprint, over ? "expired" : "expires",
			 when.data);
	}
	buf_clear(&when);
}
