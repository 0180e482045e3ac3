/*
 * What a tokenFile or tokenCommand gave: takes text, gives the token's length
 * and the time at which it expires. Believes nothing that is not exactly in
 * the form that git-gate.conf(5) describes. Pure; copies no token.
 */
#include "token.h"

#include <string.h>

/* Between a token's last use and its end: a push may take a while to begin,
   and clocks differ. */
#define MARGIN_S 60

/* Bytes of a time that is shown; those in a row that give a token away; and so
   many letters and digits in a row that they look like one. */
#define TIME_SHOWN 40
#define WINDOW 4
#define OPAQUE 20

/* The last second of the year 9999, which RFC 3339 can still write. */
#define LATEST INT64_C(253402300799)

/* A basic-auth password has no control characters (RFC 7617), and git reads
   a line. */
static int is_clean(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return 0;
	return 1;
}

/* A number of exactly n digits, or -1. */
static int digits(const char *s, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
	}
	return value;
}

static int is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to that day, or -1: there is none such. */
static int64_t days_to(int year, int month, int day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181,
				      212, 243, 273, 304, 334, 365 };
	int64_t y = year - 1;
	int length;

	if (year < 1970 || month < 1 || month > 12)
		return -1;
	length = before[month] - before[month - 1] +
		 (month == 2 && is_leap(year));
	if (day < 1 || day > length)
		return -1;
	/* 719162 days from 0001-01-01 to 1970-01-01 */
	return y * 365 + y / 4 - y / 100 + y / 400 - 719162 +
	       before[month - 1] + (month > 2 && is_leap(year)) + day - 1;
}

/* The end of an RFC 3339 time: a fraction of a second, which does not count,
   and UTC. */
static int is_utc(const char *s, size_t n)
{
	if (n && *s == '.') {
		size_t k = 1;

		while (k < n && s[k] >= '0' && s[k] <= '9')
			k++;
		if (k == 1)
			return 0;
		s += k;
		n -= k;
	}
	return (n == 1 && (*s == 'Z' || *s == 'z')) ||
	       (n == 6 && !memcmp(s, "+00:00", 6));
}

/* 2026-01-31T12:00:00Z, or -1. */
static int64_t rfc3339(const char *s, size_t n)
{
	int hour, minute, second;
	int64_t days;

	if (n < 20 || s[4] != '-' || s[7] != '-' ||
	    (s[10] != 'T' && s[10] != 't') || s[13] != ':' || s[16] != ':' ||
	    !is_utc(s + 19, n - 19))
		return -1;
	days = days_to(digits(s, 4), digits(s + 5, 2), digits(s + 8, 2));
	hour = digits(s + 11, 2);
	minute = digits(s + 14, 2);
	second = digits(s + 17, 2);
	/* 60: a leap second */
	if (days < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
	    second < 0 || second > 60)
		return -1;
	return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

/* UNIX seconds in decimal, or -1. */
static int64_t unix_seconds(const char *s, size_t n)
{
	int64_t value = 0;

	if (n < 1 || n > 12)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
	}
	return value;
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Letters and digits mixed, of a length that no word has. */
static int is_opaque(const char *s, size_t n)
{
	size_t letters = 0, digits = 0, others = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] >= '0' && s[i] <= '9')
			digits++;
		else if ((s[i] >= 'a' && s[i] <= 'z') ||
			 (s[i] >= 'A' && s[i] <= 'Z'))
			letters++;
		else if (s[i] && strchr("+=_-~", s[i]))
			others++;
		else
			letters = digits = others = 0;
		if (letters && digits && letters + digits + others >= OPAQUE)
			return 1;
	}
	return 0;
}

int token_may_show(const char *words, size_t len, const char *secret, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t k = 0;

		while (i + k < n && k < WINDOW && !is_blank(secret[i + k]))
			k++;
		/* less than a window counts when it is a whole word */
		if (k && (k == WINDOW || !i || is_blank(secret[i - 1])) &&
		    memmem(words, len, secret + i, k))
			return 0;
		i++;
	}
	return !is_opaque(words, len);
}

/* What other programs' helpers print, whose token would be all of it. */
static const char *judge_form(const char *s, size_t n)
{
	static const char *const names[] = { "username=", "password=",
					     "protocol=", "host=" };

	while (n && is_blank(*s)) {
		s++;
		n--;
	}
	if (n && *s == '{')
		return "gives JSON; its first line must be the token alone";
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (n >= strlen(names[i]) &&
		    !memcmp(s, names[i], strlen(names[i])))
			return "gives credential lines; its first line must be "
			       "the token alone";
	return NULL;
}

/* Returns NULL, or what is wrong with the line. */
static const char *take_line(const char *line, size_t n, struct token *out)
{
	static const char *const names[] = { "expires=",
					     "password_expiry_utc=" };
	int64_t when;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t k = strlen(names[i]);

		if (n < k || memcmp(line, names[i], k) != 0)
			continue;
		when = unix_seconds(line + k, n - k);
		if (when < 0)
			when = rfc3339(line + k, n - k);
		if (when <= 0 || when > LATEST) {
			out->bad = line + k;
			out->bad_len = n - k;
			return "when it expires is neither UNIX seconds nor a "
			       "time in UTC as RFC 3339 has it";
		}
		if (out->expires && out->expires != when)
			return "it says two times at which it expires";
		out->expires = when;
	}
	return NULL;
}

/* Length of the line at s, without its end. */
static size_t line_length(const char *s, size_t n)
{
	const char *end = memchr(s, '\n', n);
	size_t len = end ? (size_t)(end - s) : n;

	return len && s[len - 1] == '\r' ? len - 1 : len;
}

const char *token_read(const char *text, size_t n, struct token *out)
{
	const char *wrong = NULL;

	*out = (struct token){ .len = n ? line_length(text, n) : 0 };
	if (!out->len)
		return "no token in its first line";
	if (out->len > TOKEN_MAX)
		return "its first line is too long for a token";
	if (!is_clean(text, out->len))
		return "control characters in its first line";
	wrong = judge_form(text, out->len);
	for (size_t at = 0; at < n && !wrong;) {
		const char *end = memchr(text + at, '\n', n - at);

		if (at)
			wrong = take_line(text + at,
					  line_length(text + at, n - at), out);
		at = end ? (size_t)(end - text) + 1 : n;
	}
	if (out->bad && (out->bad_len > TIME_SHOWN ||
			 !is_clean(out->bad, out->bad_len) ||
			 !token_may_show(out->bad, out->bad_len, text,
					 out->len)))
		out->bad = NULL;
	return wrong;
}

int64_t token_until(int64_t now, int64_t expires)
{
	int64_t life = expires - now;

	if (life < 2)
		return 0;
	return expires - (life < 2 * MARGIN_S ? life / 2 : MARGIN_S);
}
