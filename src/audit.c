/*
 * One line per decision, for the operator's log. Takes strings of any
 * content, gives "audit key=value ..."; quoting keeps a foreign value from
 * looking like another key.
 */
#include "audit.h"

#include <inttypes.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "text.h"

/* Values of these bytes alone stand without quotes. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789._/:@+,~^-";

static void add(struct buf *line, const char *key, const char *value)
{
	const char *s;

	if (value == NULL || *value == '\0')
		return;
	buf_addf(line, " %s=", key);
	if (value[strspn(value, plain)] == '\0') {
		buf_adds(line, value);
		return;
	}
	buf_addc(line, '"');
	for (s = value; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(line, '\\');
		buf_addc(line, *s);
	}
	buf_addc(line, '"');
}

/* A client chose it: what looks like a token must not get into a log. */
static void add_masked(struct buf *line, const char *key, const char *value)
{
	struct buf masked = BUF_INIT;

	if (value != NULL)
		text_mask(&masked, value);
	add(line, key, masked.data);
	buf_clear(&masked);
}

void audit_log(const struct audit *a)
{
	struct buf line = BUF_INIT;

	buf_adds(&line, "audit");
	add(&line, "verdict", a->verdict);
	add(&line, "code", a->code);
	add(&line, "op", a->op);
	add_masked(&line, "repo", a->repo);
	add_masked(&line, "ref", a->ref);
	add(&line, "who", a->who != NULL && *a->who != '\0' ? a->who : "-");
	add(&line, "addr", a->addr);
	add(&line, "rule", a->rule);
	add(&line, "detail", a->detail);
	buf_addf(&line, " in=%" PRIu64 " out=%" PRIu64 " ms=%" PRId64, a->in,
		 a->out, a->ms);
	add(&line, "id", a->id);
	log_info("%s", line.data);
	buf_clear(&line);
}
