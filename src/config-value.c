/*
 * Values of the configuration: text to numbers, times, paths. Takes one value
 * and its key's table entry, stores what it means or logs what is wrong with
 * it. Touches no file.
 */
#include "config-internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"

typedef void value_fn(struct load *l, const struct key *k, const char *value,
		      int line);

static void *field(const struct load *l, const struct key *k)
{
	return (char *)l->object + k->offset;
}

static void store(struct load *l, const struct key *k, const char *value)
{
	char **at = field(l, k);

	free(*at); /* a duplicate: refused already, but not to be leaked */
	*at = mem_strdup(value);
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "ms", 1 },	      { "s", 1000 },	   { "m", 60000 },
	{ "h", 60 * 60000 },  { "d", 24 * 60 * 60000 }, { NULL, 0 },
};

static const struct unit size_units[] = {
	{ "", 1 },	{ "k", 1 << 10 }, { "m", 1 << 20 },
	{ "g", 1 << 30 }, { NULL, 0 },
};

static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

/* Digits, then one of the units. Nothing is logged. */
enum number { GOOD = 0, MALFORMED, TOO_SMALL, TOO_LARGE };

static enum number number(const char *s, const struct unit *u,
			  const struct key *k, uint64_t *out)
{
	uint64_t n = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return TOO_LARGE;
	if (p == s)
		return MALFORMED;
	/* nothing is nothing in any unit */
	if (!n && !*p)
		p = u->name;
	while (u->name && strcasecmp(u->name, p))
		u++;
	if (!u->name)
		return MALFORMED;
	if (__builtin_mul_overflow(n, u->factor, &n) || n > k->max)
		return TOO_LARGE;
	if (n < k->min)
		return TOO_SMALL;
	*out = n;
	return GOOD;
}

static void value_time(struct load *l, const struct key *k, const char *value,
		       int line)
{
	uint64_t n = 0;

	switch (number(value, time_units, k, &n)) {
	case GOOD:
		*(int64_t *)field(l, k) = (int64_t)n;
		break;
	case MALFORMED:
		config_error(l, line, "%s = %s: not a time; write a number and "
			     "a unit, as in 30s; units are ms s m h d",
			     k->name, value);
		break;
	case TOO_SMALL:
		config_error(l, line, "%s = %s: too short; the least is %ums",
			     k->name, value, (unsigned)k->min);
		break;
	case TOO_LARGE:
		config_error(l, line, "%s = %s: too long; the most is %ud",
			     k->name, value,
			     (unsigned)(k->max / time_units[4].factor));
		break;
	}
}

static void value_size(struct load *l, const struct key *k, const char *value,
		       int line)
{
	uint64_t n = 0;

	switch (number(value, size_units, k, &n)) {
	case GOOD:
		*(uint64_t *)field(l, k) = n;
		break;
	case MALFORMED:
		config_error(l, line, "%s = %s: not a size; write a number of "
			     "bytes, or one with k, m or g", k->name, value);
		break;
	case TOO_SMALL:
		config_error(l, line, "%s = %s: too small; the least is "
			     "%" PRIu64 " bytes", k->name, value, k->min);
		break;
	case TOO_LARGE:
		config_error(l, line, "%s = %s: too large; nothing has so many "
			     "bytes", k->name, value);
		break;
	}
}

static void value_count(struct load *l, const struct key *k, const char *value,
			int line)
{
	uint64_t n;

	if (number(value, no_units, k, &n))
		config_error(l, line, "%s = %s: write a number from %u to %u",
			     k->name, value, (unsigned)k->min,
			     (unsigned)k->max);
	else
		*(unsigned *)field(l, k) = (unsigned)n;
}

/* The words of git-config(1) for a boolean. */
static void value_bool(struct load *l, const struct key *k, const char *value,
		       int line)
{
	static const char *const words[] = { "false", "true", "no", "yes",
					     "off",   "on",   "0",  "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcasecmp(words[i], value)) {
			*(int *)field(l, k) = i & 1;
			return;
		}
	}
	config_error(l, line, "%s = %s: write true or false", k->name, value);
}

static void value_word(struct load *l, const struct key *k, const char *value,
		       int line)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";

	if (value[strspn(value, good)])
		config_error(l, line, "%s = %s: only letters, digits and "
			     ". _ - / can be in it", k->name, value);
	else
		store(l, k, value);
}

/* HTTP's basic authentication ends the name at the first colon. */
static void value_name(struct load *l, const struct key *k, const char *value,
		       int line)
{
	if (strchr(value, ':'))
		config_error(l, line, "%s: a user's name has no ':'; if a "
			     "password follows it, put that into a tokenFile",
			     k->name);
	else
		store(l, k, value);
}

static void value_path(struct load *l, const struct key *k, const char *value,
		       int line)
{
	size_t len = strlen(value);
	char *path;

	if (*value != '/') {
		config_error(l, line, "%s = %s: not an absolute path; begin it "
			     "with '/'", k->name, value);
		return;
	}
	while (len > 1 && value[len - 1] == '/')
		len--;
	path = mem_strndup(value, len);
	store(l, k, path);
	free(path);
}

static void value_socket(struct load *l, const struct key *k,
			 const char *value, int line)
{
	size_t len = strlen(value);

	if (len > CONFIG_SOCKET_MAX)
		config_error(l, line, "%s = %s: %zu bytes long; the path of a "
			     "unix socket has at most %d", k->name, value, len,
			     CONFIG_SOCKET_MAX);
	else
		value_path(l, k, value, line);
}

/* Names are completed with SUFFIX behind a slash: make sure of the slash. */
static void value_url(struct load *l, const struct key *k, const char *value,
		      int line)
{
	size_t len = strlen(value);
	char *url;

	if (config_url(l, value, line))
		return;
	url = mem_zalloc(len + 2);
	memcpy(url, value, len);
	if (url[len - 1] != '/')
		url[len] = '/';
	store(l, k, url);
	free(url);
}

static void value_proxy(struct load *l, const struct key *k, const char *value,
			int line)
{
	static const char *const schemes[] = { "http://", "https://",
					       "socks5://", "socks5h://" };
	int known = 0;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		known |= !strncmp(value, schemes[i], strlen(schemes[i]));
	/* The value is not shown: it may have a password in it. */
	if (strchr(value, '@'))
		config_error(l, line, "%s: a proxy with a user's name or "
			     "password is not supported; remove what precedes "
			     "the '@'", k->name);
	else if (!known)
		config_error(l, line, "%s = %s: not a proxy; write "
			     "http://HOST:PORT, or https, socks5 or socks5h",
			     k->name, value);
	else
		store(l, k, value);
}

static void value_upstream(struct load *l, const struct key *k,
			   const char *value, int line)
{
	struct wanted *w = &l->wanted[l->c->nr_repos - 1];

	(void)k;
	free(w->upstream);
	w->upstream = mem_strdup(value);
	w->line = line;
}

static void value_fresh(struct load *l, const struct key *k, const char *value,
			int line)
{
	struct config_repo *r = l->object;
	uint64_t n;

	if (!strcmp(value, "strict")) {
		r->fresh = FRESH_STRICT;
	} else if (!strcmp(value, "offline-ok")) {
		r->fresh = FRESH_OFFLINE;
	} else if (!number(value, time_units, k, &n)) {
		r->fresh = FRESH_BOUND;
		r->fresh_ms = (int64_t)n;
	} else {
		config_error(l, line, "%s = %s: write strict, offline-ok or a "
			     "time such as 30s, at most 365d", k->name, value);
	}
}

static void value_atomic(struct load *l, const struct key *k,
			 const char *value, int line)
{
	if (strcmp(value, "require") != 0 && strcmp(value, "prefer") != 0)
		config_error(l, line, "%s = %s: write require or prefer",
			     k->name, value);
	else
		*(int *)field(l, k) = *value == 'p';
}

static void value_note(struct load *l, const struct key *k, const char *value,
		       int line)
{
	if (strcmp(value, "refuse") != 0 && strcmp(value, "note") != 0)
		config_error(l, line, "%s = %s: write refuse or note",
			     k->name, value);
	else
		*(int *)field(l, k) = *value == 'n';
}

/* None at all would read as if none were needed, or as if all matched. */
static void value_globs(struct load *l, const struct key *k, const char *value,
			int line)
{
	if (!value[strspn(value, " ")])
		config_error(l, line, "%s is empty; write patterns with "
			     "blanks between, or remove the line", k->name);
	else
		store(l, k, value);
}

static value_fn *const by_kind[KIND_NR] = {
	[KIND_WORD] = value_word,
	[KIND_NAME] = value_name,
	[KIND_PATH] = value_path,
	[KIND_SOCKET] = value_socket,
	[KIND_TIME] = value_time,
	[KIND_SIZE] = value_size,
	[KIND_COUNT] = value_count,
	[KIND_BOOL] = value_bool,
	[KIND_URL] = value_url,
	[KIND_PROXY] = value_proxy,
	[KIND_UPSTREAM] = value_upstream,
	[KIND_FRESH] = value_fresh,
	[KIND_ATOMIC] = value_atomic,
	[KIND_NOTE] = value_note,
	[KIND_GLOBS] = value_globs,
	[KIND_RULE] = config_rule_add,
};

/*
 * Values end up in arguments, environments and messages; a control byte has
 * no meaning in any of them.
 */
static int has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return 1;
	return 0;
}

void config_value(struct load *l, const struct key *k, const char *value,
		  int line)
{
	if (!value && k->kind == KIND_BOOL)
		value = "true"; /* as git has it */
	if (!value)
		config_error(l, line, "%s has no value; write %s = VALUE",
			     k->name, k->name);
	else if (!*value && k->kind != KIND_WORD)
		config_error(l, line, "%s is empty; give it a value, or remove "
			     "the line", k->name);
	else if (has_control(value))
		config_error(l, line, "%s has a control character in it; "
			     "remove that", k->name);
	else
		by_kind[k->kind](l, k, value, line);
}
