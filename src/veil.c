/*
 * Tokens kept out of what people read: takes an upstream's words, gives them
 * without the tokens that it was given, which this room knows by length and
 * hash alone. Never holds a token but in the program that gives it to git.
 */
#include "veil.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "config.h"
#include "control.h"
#include "log.h"
#include "mem.h"

/* Shorter ones would be found in words that have nothing to do with them. */
#define SHORTEST 6
#define ANSWER_MS 2000
/* What stands in a token's place. */
#define SHOWN "[token]"

/* Any odd number whose bits look random: here, of the golden ratio. */
#define FACTOR UINT64_C(0x9E3779B97F4A7C15)

static uint64_t hash_of(const char *s, size_t n)
{
	uint64_t h = 0;

	for (size_t i = 0; i < n; i++)
		h = h * FACTOR + (unsigned char)s[i] + 1;
	return h;
}

/* What a byte has become in the hash when n more have followed it. */
static uint64_t weight(size_t n)
{
	uint64_t w = 1;

	while (n--)
		w *= FACTOR;
	return w;
}

/* --- marks -------------------------------------------------------------- */

static void add_mark(struct buf *out, const char *s, size_t n)
{
	if (n >= SHORTEST)
		buf_addf(out, "%s%zu:%016" PRIx64, out->len ? " " : "", n,
			 hash_of(s, n));
}

/* RFC 4648, without the padding, which may be another's. */
static void add_base64(struct buf *out, const char *s, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned long group = 0;

		for (size_t k = 0; k < 3; k++)
			group = group << 8 |
				(i + k < n ? (unsigned char)s[i + k] : 0);
		for (size_t k = 0; k < 4 && i + k <= n; k++)
			buf_addc(out, digits[group >> (18 - 6 * k) & 63]);
	}
}

void veil_text(const char *user, const char *token, size_t n, struct buf *out)
{
	struct buf basic = BUF_INIT, coded = BUF_INIT;

	/* room for all at once: growing would leave copies behind */
	buf_room(&basic, strlen(user) + n + 2);
	buf_room(&coded, (strlen(user) + n + 4) / 3 * 4 + 4);
	buf_addf(&basic, "%s:", user);
	buf_add(&basic, token, n);
	add_base64(&coded, basic.data, basic.len);
	add_mark(out, token, n);
	add_mark(out, coded.data, coded.len);
	mem_wipe(basic.data, basic.alloc);
	mem_wipe(coded.data, coded.alloc);
	buf_clear(&basic);
	buf_clear(&coded);
}

void veil_read(struct veil *v, const char *text)
{
	v->nr = 0;
	while (v->nr < VEIL_MARKS) {
		char *end = NULL;
		uintmax_t n = strtoumax(text, &end, 10), hash;

		if (end == text || *end != ':' || n < SHORTEST ||
		    n > SIZE_MAX / 2)
			return;
		text = end + 1;
		hash = strtoumax(text, &end, 16);
		if (end == text)
			return;
		v->marks[v->nr].n = (size_t)n;
		v->marks[v->nr++].hash = (uint64_t)hash;
		text = end;
	}
}

/* --- at the responder --------------------------------------------------- */

/* "WORD NAME[ REST]"; bytes that could end the name are written as %XX. */
static int tell(const struct config *c, const struct config_upstream *u,
		const char *word, const char *rest, struct buf *answer)
{
	struct buf line = BUF_INIT;
	int rc;

	buf_addf(&line, "%s ", word);
	for (const char *s = u->name; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == '%' || *s == 0x7f)
			buf_addf(&line, "%%%02X", (unsigned char)*s);
		else
			buf_addc(&line, *s);
	buf_addf(&line, "%s%s\n", *rest ? " " : "", rest);
	rc = control_ask(c, line.data, ANSWER_MS, 1, answer);
	buf_clear(&line);
	return rc;
}

void veil_fetch(const struct config *c, const struct config_upstream *u,
		struct veil *v)
{
	struct buf answer = BUF_INIT;

	v->nr = 0;
	if ((u->token_file || u->token_command) &&
	    !tell(c, u, "marks", "", &answer) && answer.len)
		veil_read(v, answer.data);
	buf_clear(&answer);
}

void veil_leave(const struct config *c, const struct config_upstream *u,
		const char *user, const char *token, size_t n)
{
	struct buf marks = BUF_INIT, answer = BUF_INIT;

	veil_text(user, token, n, &marks);
	if (marks.len && tell(c, u, "mark", marks.data, &answer))
		log_debug("no responder keeps marks");
	buf_clear(&marks);
	buf_clear(&answer);
}

/* --- words -------------------------------------------------------------- */

/* Where text with this mark begins, or n. */
static size_t find(const char *s, size_t n, size_t len, uint64_t hash)
{
	uint64_t h, w;

	if (len > n)
		return n;
	h = hash_of(s, len);
	w = weight(len);
	for (size_t i = 0;; i++) {
		if (h == hash)
			return i;
		if (i + len == n)
			return n;
		h = h * FACTOR + (unsigned char)s[i + len] + 1 -
		    w * ((uint64_t)(unsigned char)s[i] + 1);
	}
}

void veil_words(const struct veil *v, const char *s, size_t n, struct buf *out)
{
	while (n) {
		size_t at = n, len = 0;

		for (size_t i = 0; i < v->nr; i++) {
			size_t k = find(s, n, v->marks[i].n, v->marks[i].hash);

			if (k < at) {
				at = k;
				len = v->marks[i].n;
			}
		}
		buf_add(out, s, at);
		if (at < n)
			buf_adds(out, SHOWN);
		s += at + len;
		n -= at + len;
	}
}

void veil_all(const struct config *c, const struct config_upstream *u,
	      struct buf *words)
{
	struct buf veiled = BUF_INIT;
	struct veil v;

	if (!words->len)
		return;
	veil_fetch(c, u, &v);
	if (!v.nr)
		return;
	veil_words(&v, words->data, words->len, &veiled);
	mem_wipe(words->data, words->alloc);
	buf_clear(words);
	*words = veiled;
}
