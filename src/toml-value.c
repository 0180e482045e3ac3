/*
 * Numbers, dates and booleans of TOML 1.0, checked to the letter. Takes the
 * reader's place, gives one value, moves the place past it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"
#include "toml-internal.h"

static int is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* Digits of a base with single underscores between them; 0 if there are none
 * or an underscore stands wrongly, else how many bytes. */
static size_t digits(const char *s, int base)
{
	size_t i = 0;

	for (;;) {
		int h = text_hex((unsigned char)s[i]);

		if (h < 0 || h >= base)
			return 0;
		i++;
		if (s[i] == '_')
			i++;
		else if (text_hex((unsigned char)s[i]) < 0 ||
			 text_hex((unsigned char)s[i]) >= base)
			return i;
	}
}

/* strtoll and strtod know no underscores. */
static void without_underscores(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (*s != '_')
			*to++ = *s;
	*to = '\0';
}

static int set_integer(struct toml_reader *r, struct toml *v, const char *s,
		       int base)
{
	char *plain = mem_strdup(s);

	without_underscores(plain);
	errno = 0;
	v->type = TOML_INTEGER;
	v->integer = strtoll(plain, NULL, base);
	v->real = (double)v->integer;
	free(plain);
	return errno ? toml_error(r, "number is out of range") : 0;
}

/* "0x..", "0o..", "0b..": 1 when it was one, 0 when not, -1 on error. */
static int prefixed_integer(struct toml_reader *r, struct toml *v)
{
	const char *s = v->text;
	int base = s[0] != '0' ? 0 : s[1] == 'x' ? 16 : s[1] == 'o' ? 8 :
		   s[1] == 'b' ? 2 : 0;

	if (!base)
		return 0;
	if (!digits(s + 2, base) || s[2 + digits(s + 2, base)])
		return toml_error(r, "'%s' is not a number", s);
	return set_integer(r, v, s + 2, base) ? -1 : 1;
}

/* The fraction and exponent that make a number a float; 0 when malformed. */
static int float_tail(const char *s)
{
	size_t n;

	if (*s == '.') {
		if (!(n = digits(s + 1, 10)))
			return 0;
		s += 1 + n;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		if (!(n = digits(s, 10)))
			return 0;
		s += n;
	}
	return !*s;
}

static int number(struct toml_reader *r, struct toml *v)
{
	const char *s = v->text + (v->text[0] == '+' || v->text[0] == '-');
	size_t n = digits(s, 10);
	int special = !strcmp(s, "inf") || !strcmp(s, "nan");
	int prefixed = prefixed_integer(r, v);
	char *plain;

	if (prefixed)
		return prefixed < 0 ? -1 : 0;
	if (!special && (!n || (n > 1 && s[0] == '0')))
		return toml_error(r, "'%s' is not a value", v->text);
	if (!special && !s[n])
		return set_integer(r, v, v->text, 10);
	if (!special && !float_tail(s + n))
		return toml_error(r, "'%s' is not a number", v->text);
	plain = mem_strdup(v->text);
	without_underscores(plain);
	v->type = TOML_FLOAT;
	v->real = strtod(plain, NULL);
	free(plain);
	return 0;
}

/* Exactly n digits from *s on, value in lo..hi; moves *s. */
static int field(const char **s, int n, int lo, int hi, int *out)
{
	*out = 0;
	for (; n > 0; n--, (*s)++) {
		if (!is_digit((unsigned char)**s))
			return -1;
		*out = *out * 10 + (**s - '0');
	}
	return *out >= lo && *out <= hi ? 0 : -1;
}

static int expect(const char **s, char c)
{
	return *(*s)++ == c ? 0 : -1;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30,
				    31, 31, 30, 31, 30, 31 };
	int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* HH:MM:SS and a fraction; a second may be 60 (RFC 3339). */
static int time_part(const char **s)
{
	int n;

	if (field(s, 2, 0, 23, &n) || expect(s, ':') ||
	    field(s, 2, 0, 59, &n) || expect(s, ':') ||
	    field(s, 2, 0, 60, &n))
		return -1;
	if (**s != '.')
		return 0;
	(*s)++;
	if (!is_digit((unsigned char)**s))
		return -1;
	while (is_digit((unsigned char)**s))
		(*s)++;
	return 0;
}

static int date_text(const char *s)
{
	int year, month, n;

	if (s[2] == ':')
		return time_part(&s) || *s ? -1 : 0;
	if (field(&s, 4, 0, 9999, &year) || expect(&s, '-') ||
	    field(&s, 2, 1, 12, &month) || expect(&s, '-') ||
	    field(&s, 2, 1, days_in(year, month), &n))
		return -1;
	if (!*s)
		return 0;
	if (!strchr("Tt ", *s++) || time_part(&s))
		return -1;
	if (*s == 'Z' || *s == 'z')
		return s[1] ? -1 : 0;
	if (!*s)
		return 0;
	if (*s != '+' && *s != '-')
		return -1;
	s++;
	return field(&s, 2, 0, 23, &n) || expect(&s, ':') ||
	       field(&s, 2, 0, 59, &n) || *s ? -1 : 0;
}

static size_t word_len(const struct toml_reader *r, size_t from)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._:";
	size_t n = from;

	while (toml_peek(r, n) > 0 && strchr(set, toml_peek(r, n)))
		n++;
	return n;
}

static int is_date(const char *s, size_t n)
{
	return (n >= 5 && is_digit(s[0]) && is_digit(s[3]) && s[4] == '-') ||
	       (n >= 3 && is_digit(s[0]) && is_digit(s[1]) && s[2] == ':');
}

int toml_scalar(struct toml_reader *r, struct toml *v)
{
	size_t n = word_len(r, 0);

	if (!n)
		return toml_error(r, "a value is missing");
	/* a date and its time may be parted by one space */
	if (n == 10 && is_date(r->p, n) && toml_peek(r, 10) == ' ' &&
	    is_digit(toml_peek(r, 11)))
		n = word_len(r, 11);
	if (n > 200)
		return toml_error(r, "a number is too long");
	v->text = mem_strndup(r->p, n);
	v->len = n;
	if (!strcmp(v->text, "true") || !strcmp(v->text, "false")) {
		v->type = TOML_BOOLEAN;
		v->integer = v->text[0] == 't';
	} else if (is_date(v->text, n)) {
		v->type = TOML_DATE;
		if (date_text(v->text))
			return toml_error(r, "'%s' is not a date or time",
					  v->text);
	} else if (number(r, v)) {
		return -1;
	}
	r->p += n;
	return 0;
}
