/*
 * A reader of JSON: takes text, gives events. Strict, without recursion that
 * the text could deepen at will, and without numbers' values, which nobody
 * here asks for.
 */
#include "json.h"

#include <string.h>

#include "buf.h"
#include "log.h"
#include "text.h"

struct reader {
	const char *file;
	const char *at, *end;
	int line;
	json_fn *fn;
	void *arg;
	int ret; /* of fn, when it ended the reading */
	struct buf key, value;
};

static int wrong(const struct reader *r, const char *what)
{
	log_error("%s:%d: %s", r->file, r->line, what);
	return -1;
}

static void skip(struct reader *r)
{
	for (; r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at; r->at++)
		r->line += *r->at == '\n';
}

/* The next byte, blanks passed over; or 0 at the end. */
static char peek(struct reader *r)
{
	skip(r);
	return r->at < r->end ? *r->at : '\0';
}

static int emit(struct reader *r, enum json_type type, unsigned depth,
		const char *key, const struct buf *text)
{
	struct json_event e = { .type = type, .depth = depth, .key = key,
				.line = r->line };

	if (text) {
		e.text = text->data;
		e.len = text->len;
	}
	r->ret = r->fn(r->arg, &e);
	return r->ret ? -1 : 0;
}

/* Four hexadecimal digits behind \u. Returns them, or -1. */
static int hex4(struct reader *r)
{
	int n = 0, digit;

	if (r->end - r->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		digit = text_hex(*r->at++);
		if (digit < 0)
			return -1;
		n = n << 4 | digit;
	}
	return n;
}

static void add_utf8(struct buf *out, unsigned c)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	unsigned n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	buf_addc(out, (char)(lead[n] | c >> (6 * (n - 1))));
	while (--n > 0)
		buf_addc(out, (char)(0x80 | (c >> (6 * (n - 1)) & 0x3f)));
}

/* Behind \u; a surrogate without its other half is U+FFFD. 0 or -1. */
static int unicode(struct reader *r, struct buf *out)
{
	int c = hex4(r), low;

	if (c < 0)
		return -1;
	if (c >= 0xd800 && c < 0xdc00 && r->end - r->at >= 2 &&
	    r->at[0] == '\\' && r->at[1] == 'u') {
		r->at += 2;
		low = hex4(r);
		if (low < 0)
			return -1;
		c = low >= 0xdc00 && low < 0xe000 ?
			    0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) :
			    0xfffd;
	} else if (c >= 0xd800 && c < 0xe000) {
		c = 0xfffd;
	}
	add_utf8(out, (unsigned)c);
	return 0;
}

static int escape(struct reader *r, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = r->at < r->end ? *r->at++ : '\0';
	const char *p = c ? strchr(from, c) : NULL;

	if (c == 'u')
		return unicode(r, out);
	if (!p)
		return -1;
	buf_addc(out, to[p - from]);
	return 0;
}

/* From its opening quote. 0, or -1, logged. */
static int string(struct reader *r, struct buf *out)
{
	buf_reset(out);
	buf_add(out, "", 0);
	for (r->at++; r->at < r->end && *r->at != '"'; ) {
		if ((unsigned char)*r->at < 0x20)
			return wrong(r, "a control character in a string");
		if (*r->at != '\\')
			buf_addc(out, *r->at++);
		else if (r->at++, escape(r, out))
			return wrong(r, "an escape that is none");
	}
	if (r->at == r->end)
		return wrong(r, "a string without its closing quote");
	r->at++;
	return 0;
}

static size_t digits(struct reader *r)
{
	const char *start = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return (size_t)(r->at - start);
}

/* Is the next byte one of these? It is passed over. */
static int take(struct reader *r, const char *set)
{
	if (r->at == r->end || !*r->at || !strchr(set, *r->at))
		return 0;
	r->at++;
	return 1;
}

static int number(struct reader *r, struct buf *out)
{
	const char *start = r->at;
	int good;

	take(r, "-");
	good = take(r, "0") || digits(r);
	if (good && take(r, "."))
		good = digits(r) > 0;
	if (good && take(r, "eE")) {
		take(r, "+-");
		good = digits(r) > 0;
	}
	if (!good)
		return wrong(r, "not a value");
	buf_reset(out);
	buf_add(out, start, (size_t)(r->at - start));
	return 0;
}

static int word(struct reader *r, struct buf *out)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);
		if ((size_t)(r->end - r->at) < n || memcmp(r->at, words[i], n))
			continue;
		buf_reset(out);
		buf_add(out, words[i], n);
		r->at += n;
		return 0;
	}
	return wrong(r, "not a value");
}

static int scalar(struct reader *r, unsigned depth, const char *key)
{
	enum json_type type = JSON_WORD;
	char c = peek(r);
	int bad;

	if (c == '"') {
		type = JSON_STRING;
		bad = string(r, &r->value);
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		type = JSON_NUMBER;
		bad = number(r, &r->value);
	} else {
		bad = word(r, &r->value);
	}
	return bad || emit(r, type, depth, key, &r->value) ? -1 : 0;
}

/* A member's key and its colon. 0, or -1, logged. */
static int member(struct reader *r)
{
	if (peek(r) != '"')
		return wrong(r, "an object's member has no key");
	if (string(r, &r->key))
		return -1;
	if (strlen(r->key.data) != r->key.len)
		return wrong(r, "a key with a NUL in it");
	if (peek(r) != ':')
		return wrong(r, "no ':' behind a key");
	r->at++;
	return 0;
}

/* Brackets that are open: which byte closes each. */
struct nest {
	char close[JSON_MAX_DEPTH];
	unsigned depth;
	int first; /* nothing stands in the innermost yet */
};

/* A value, or the beginning of one. 0, or -1, logged. */
static int value(struct reader *r, struct nest *n, const char *key)
{
	char c = peek(r);

	n->first = 0;
	if (c != '{' && c != '[')
		return scalar(r, n->depth, key);
	if (n->depth == JSON_MAX_DEPTH)
		return wrong(r, "brackets in brackets, too deep");
	if (emit(r, c == '{' ? JSON_OBJECT : JSON_ARRAY, n->depth, key, NULL))
		return -1;
	n->close[n->depth++] = c == '{' ? '}' : ']';
	n->first = 1;
	r->at++;
	return 0;
}

/* In a bracket: its end, or one more value. 0, or -1, logged. */
static int next(struct reader *r, struct nest *n)
{
	char c = peek(r), close = n->close[n->depth - 1];

	if (c == close) {
		r->at++;
		n->first = 0;
		return emit(r, JSON_END, --n->depth, NULL, NULL);
	}
	if (!n->first && c != ',')
		return wrong(r, "no ',' or closing bracket behind a value");
	if (!n->first)
		r->at++;
	if (close == ']')
		return value(r, n, NULL);
	return member(r) ? -1 : value(r, n, r->key.data);
}

/* All values, one within another, without recursion. */
static int values(struct reader *r)
{
	struct nest n = { .first = 1 };
	int bad = value(r, &n, NULL);

	while (!bad && n.depth)
		bad = next(r, &n);
	return bad;
}

int json_read(const char *file, const char *text, size_t len, json_fn *fn,
	      void *arg)
{
	struct reader r = { .file = file, .at = text, .end = text + len,
			    .line = 1, .fn = fn, .arg = arg };
	int ret;

	/* as some programs put a byte order mark there */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		r.at += 3;
	ret = values(&r);
	if (!ret && peek(&r))
		ret = wrong(&r, "more text behind the value");
	if (!ret && r.at != r.end)
		ret = wrong(&r, "more text behind the value");
	buf_clear(&r.key);
	buf_clear(&r.value);
	return r.ret ? r.ret : ret;
}
