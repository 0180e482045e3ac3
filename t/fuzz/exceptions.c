/*
 * The file of accepted findings, of any bytes: it is read or refused, what is
 * read holds for its finding, and one more can be added to it that is read
 * with it and changes nothing of the others.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "exceptions-internal.h"
#include "exceptions.h"
#include "log.h"

/* 2026-11-22T10:00:00Z */
#define NOW ((int64_t)1795341600)
/* Bytes of the input that are what is added. */
#define ADDED 16

static char name[] = "f";

static void mute(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	/* what is logged names the file, and is one line */
	assert(!strncmp(line, "f:", 2) && !strchr(line, '\n'));
}

static int same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void equal(const struct exception *a, const struct exception *b)
{
	assert(!strcmp(a->fingerprint, b->fingerprint));
	assert(same(a->reason, b->reason) && same(a->repo, b->repo) &&
	       same(a->by, b->by));
	assert(a->date == b->date && a->expires == b->expires);
}

static void time_again(int64_t when)
{
	struct buf text = BUF_INIT;
	int64_t back = 0;

	exceptions_show_time(when, &text);
	assert(!exceptions_time(text.data, 0, &back) && back == when);
	buf_clear(&text);
}

static void look(const struct exceptions *x)
{
	for (size_t i = 0; i < x->nr; i++) {
		const struct exception *e = &x->list[i], *found;

		assert(exceptions_is_fingerprint(e->fingerprint));
		assert(e->reason && *e->reason && e->line > 0);
		assert(strlen(e->reason) <= EXCEPTIONS_REASON_MAX);
		if (e->expires)
			time_again(e->expires);
		if (e->date)
			time_again(e->date);
		found = exceptions_find(x, e->fingerprint,
					e->repo ? "acme/web" : NULL, NOW);
		if (!e->repo)
			assert(found && !strcmp(found->fingerprint,
						e->fingerprint));
	}
	exceptions_warn(x, NOW);
}

/* A value that exceptions_append may be given: no control characters. */
static void value(const uint8_t *data, size_t n, char *out)
{
	size_t i;

	for (i = 0; i < n && data[i]; i++)
		out[i] = (char)(data[i] < 0x20 || data[i] == 0x7f ? 'x'
								   : data[i]);
	out[i] = '\0';
}

static void add(const struct exceptions *x, struct buf *text,
		const uint8_t *data)
{
	static const char print[] = "0123456789abcdef0123456789abcdef01234567";
	char reason[ADDED + 1], repo[ADDED + 1];
	struct exceptions more = { .file = strdup(name) };
	struct exception e = { .reason = reason, .date = NOW };

	memcpy(e.fingerprint, print, sizeof(print));
	value(data, ADDED / 2, reason);
	value(data + ADDED / 2, ADDED / 2, repo);
	if (!*reason)
		strcpy(reason, "why");
	if (*repo)
		e.repo = repo;
	if (data[0] & 1)
		e.expires = NOW + data[1];
	exceptions_append(text, &e);
	assert(!exceptions_parse(&more, text));
	assert(more.nr == x->nr + 1);
	for (size_t i = 0; i < x->nr; i++)
		equal(&more.list[i], &x->list[i]);
	equal(&more.list[x->nr], &e);
	exceptions_clear(&more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exceptions x = { .file = strdup(name) };
	struct buf text = BUF_INIT;

	log_set_tee(mute, NULL, 1);
	if (size >= ADDED) {
		buf_add(&text, data + ADDED, size - ADDED);
		if (!exceptions_parse(&x, &text)) {
			look(&x);
			add(&x, &text, data);
		}
	}
	buf_clear(&text);
	exceptions_clear(&x);
	return 0;
}
