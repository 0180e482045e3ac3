/*
 * Which bytes an escape or a class of a regex stands for, and what of it Go's
 * RE2 refuses. Takes the regex's text, gives sets of bytes; where unsure, a
 * set that is too large.
 */
#include <ctype.h>
#include <string.h>

#include "rules-shape-internal.h"
#include "text.h"

static int fail(const char **why, const char *what)
{
	if (!*why)
		*why = what;
	return -1;
}

static void add_range(struct rules_set *s, int from, int to)
{
	for (int c = from; c <= to; c++)
		shape_set_add(s, c);
}

/* The named classes, in ASCII as PCRE2 has them without UCP. */
static const struct named {
	const char *name;
	const char *ranges; /* pairs of first and last */
} named[] = {
	{ "d", "09" }, { "digit", "09" },
	{ "w", "azAZ09__" }, { "word", "azAZ09__" },
	{ "s", "\t\r  " }, { "space", "\t\r  " },
	{ "alnum", "azAZ09" }, { "alpha", "azAZ" }, { "ascii", "\001\177" },
	{ "blank", "\t\t  " }, { "cntrl", "\001\037\177\177" },
	{ "graph", "!~" }, { "lower", "az" }, { "print", " ~" },
	{ "punct", "!/:@[`{~" }, { "upper", "AZ" }, { "xdigit", "09afAF" },
};

/* Returns 0, or -1: no such name. */
static int add_named(struct rules_set *s, const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		const char *r = named[i].ranges;

		if (strlen(named[i].name) != n ||
		    strncmp(named[i].name, name, n) != 0)
			continue;
		for (; *r; r += 2)
			add_range(s, r[0], r[1]);
		if (!strncmp(name, "ascii", n) || !strncmp(name, "cntrl", n))
			shape_set_add(s, 0);
		return 0;
	}
	return -1;
}

/* After "\x": two digits, or any in braces. The byte, or -1: any. */
static int hex_escape(const char **p)
{
	int value = 0, digits = 0, braces = **p == '{';

	*p += braces;
	while ((braces || digits < 2) && text_hex(**p) >= 0 && digits < 8) {
		value = value < 256 ? value * 16 + text_hex(**p) : 256;
		digits++;
		(*p)++;
	}
	if (braces && **p == '}')
		(*p)++;
	return value < 256 ? value : -1;
}

static int octal_escape(const char **p)
{
	int value = 0;

	for (int i = 0; i < 2 && **p >= '0' && **p <= '7'; i++)
		value = value * 8 + *(*p)++ - '0';
	return value;
}

/* One of "dDwWsS", taken off. */
static void class_escape(int c, struct rules_set *out)
{
	char name = (char)tolower(c);

	add_named(out, &name, 1);
	if (isupper(c))
		shape_set_invert(out);
}

/* "\pL", "\p{Name}": bytes of any kind. */
static int property(const char **p, struct rules_set *out, const char **why)
{
	const char *end = **p == '{' ? strchr(*p, '}') : *p;

	if (!end || !**p)
		return fail(why, "has a \\p that does not end");
	*p = end + 1;
	shape_set_invert(out);
	return 0;
}

/* A letter that stands for one byte, or a sign for itself; -1: refused. */
static int plain_escape(int c, const char **why)
{
	static const char from[] = "aftnrv", to[] = "\a\f\t\n\r\v";
	const char *at = strchr(from, c);

	if (at)
		return (unsigned char)to[at - from];
	if ((c >= '1' && c <= '9') || c == 'k' || c == 'g')
		return fail(why, "has a back-reference, which RE2 does not "
				 "know");
	if (c < 0x80 && isalpha(c))
		return fail(why, "has an escape that RE2 does not know");
	return c;
}

int shape_escape(const char **p, int in_class, struct rules_set *out,
		 const char **why)
{
	int c = (unsigned char)**p, one = -1;

	if (!c)
		return fail(why, "ends in a backslash");
	++*p;
	*out = (struct rules_set){ { 0 } };
	if (!in_class && strchr("bBAz", c))
		return c == 'b' ? 2 : 1;
	if (strchr("dDwWsS", c)) {
		class_escape(c, out);
	} else if (c == 'p' || c == 'P') {
		if (property(p, out, why))
			return -1;
	} else {
		one = c == 'x' ? hex_escape(p) : c == '0' ? octal_escape(p) :
		      plain_escape(c, why);
		if (*why)
			return -1;
		if (one < 0)
			shape_set_invert(out);
		else
			shape_set_add(out, one);
	}
	return 0;
}

/* "[:alpha:]" inside a class; 1 when it was one, -1: unknown to us. */
static int posix_class(const char **p, struct rules_set *set)
{
	const char *end, *name = *p + 2;
	struct rules_set one = { { 0 } };
	int negated;

	if ((*p)[0] != '[' || (*p)[1] != ':')
		return 0;
	end = strstr(name, ":]");
	if (!end)
		return 0;
	*p = end + 2;
	negated = *name == '^';
	name += negated;
	if (add_named(&one, name, (size_t)(end - name)))
		memset(&one, 0xff, sizeof(one));
	else if (negated)
		shape_set_invert(&one);
	shape_set_join(set, &one);
	return 1;
}

/* One member: its set, and the byte where it is a single one, or -1. */
static int member(const char **p, struct rules_set *set, int *single,
		  const char **why)
{
	struct rules_set one;

	*single = -1;
	if (!**p)
		return fail(why, "has a class that does not end");
	if (posix_class(p, set))
		return 0;
	if (**p != '\\') {
		*single = (unsigned char)*(*p)++;
		shape_set_add(set, *single);
		return 0;
	}
	++*p;
	if (**p == 'Q')
		return fail(why, "has \\Q in a class");
	if (shape_escape(p, 1, &one, why))
		return -1;
	for (int c = 0; c < 256 && shape_set_count(&one) == 1; c++)
		if (rules_set_has(&one, c))
			*single = c;
	shape_set_join(set, &one);
	return 0;
}

int shape_class(const char **p, struct rules_set *out, const char **why)
{
	int negated = **p == '^', first = 1;

	*out = (struct rules_set){ { 0 } };
	*p += negated;
	for (; first || **p != ']'; first = 0) {
		int from, to;

		if (member(p, out, &from, why))
			return -1;
		if (from < 0 || **p != '-' || (*p)[1] == ']' || !(*p)[1])
			continue;
		++*p;
		if (member(p, out, &to, why))
			return -1;
		if (to < 0)
			shape_set_add(out, '-');
		else
			add_range(out, from, to);
	}
	++*p;
	if (negated)
		shape_set_invert(out);
	return 0;
}
