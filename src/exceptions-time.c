/*
 * When an exception ends: takes "30d" or a date, gives seconds since 1970,
 * UTC, and back. Knows no clock.
 */
#include "exceptions.h"

#include <string.h>
#include <time.h>

#include "buf.h"

/* The last second that has four digits for its year. */
#define TIME_MAX ((int64_t)253402300799)

/* A number and s, m, h, d or w. 0, or -1. */
static int duration(const char *text, int64_t now, int64_t *out)
{
	static const struct {
		char name;
		int64_t seconds;
	} units[] = { { 's', 1 },	 { 'm', 60 },	      { 'h', 3600 },
		      { 'd', 24 * 3600 }, { 'w', 7 * 24 * 3600 } };
	int64_t n = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && n < TIME_MAX; i++)
		n = n * 10 + (text[i] - '0');
	if (!i || !text[i] || text[i + 1])
		return -1;
	for (size_t k = 0; k < sizeof(units) / sizeof(*units); k++)
		if (units[k].name == text[i])
			return __builtin_mul_overflow(n, units[k].seconds,
						      &n) ||
			       __builtin_add_overflow(n, now, out) ||
			       *out > TIME_MAX ? -1 : 0;
	return -1;
}

/* Digits of text where shape has '0', its own bytes elsewhere. */
static int fits(const char *text, const char *shape)
{
	for (; *shape; shape++, text++)
		if (*shape == '0' ? *text < '0' || *text > '9' :
				    *text != *shape)
			return 0;
	return !*text;
}

/* n of them, which are there. */
static int digits(const char *s, int n)
{
	int value = 0;

	while (n-- > 0)
		value = value * 10 + (*s++ - '0');
	return value;
}

int exceptions_time(const char *text, int64_t now, int64_t *out)
{
	struct tm tm = { .tm_hour = 23, .tm_min = 59, .tm_sec = 59 }, back;
	int whole = fits(text, "0000-00-00T00:00:00Z");
	time_t when;

	if (!whole && !fits(text, "0000-00-00"))
		return duration(text, now, out);
	tm.tm_year = digits(text, 4) - 1900;
	tm.tm_mon = digits(text + 5, 2) - 1;
	tm.tm_mday = digits(text + 8, 2);
	if (whole) {
		tm.tm_hour = digits(text + 11, 2);
		tm.tm_min = digits(text + 14, 2);
		tm.tm_sec = digits(text + 17, 2);
	}
	back = tm;
	when = timegm(&back);
	/* timegm(3) takes 31 February for a day in March */
	if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday ||
	    back.tm_hour != tm.tm_hour || back.tm_min != tm.tm_min ||
	    when <= 0)
		return -1;
	*out = when;
	return 0;
}

void exceptions_show_time(int64_t when, struct buf *out)
{
	time_t t = (time_t)when;
	struct tm tm;
	char text[32];

	if (gmtime_r(&t, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		buf_adds(out, text);
	else
		buf_adds(out, "?");
}
