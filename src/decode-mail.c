/*
 * Mail in quoted-printable (RFC 2045, 6.7), alone or in a row as in an mbox:
 * "=3D" for "=", and lines that go on after a "=" at their end. Taken for that
 * only in what begins like mail, and after a header that says so: in code the
 * same bytes are something else.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "decode-internal.h"
#include "mem.h"

/* A piece ends at an empty line after so much, at any after twice that. */
#define PIECE ((size_t)4 << 20)
/* Spans in a piece; those nearer each other are taken together. */
#define SPANS_MAX ((size_t)1 << 16)

/* What mail begins with, case aside: of an mbox, of headers. */
static const char *const beginnings[] = {
	"From ", "From:", "To:", "Cc:", "Date:", "Subject:", "Sender:",
	"Reply-To:", "Received:", "Return-Path:", "Delivered-To:", "Message-ID:",
	"MIME-Version:", "Content-Type:", "Content-Transfer-Encoding:", "X-",
	"DKIM-Signature:", "Authentication-Results:", "ARC-Seal:", "List-",
	"In-Reply-To:", "References:", "User-Agent:", "Envelope-To:",
};

/* The letters that those begin with, as bits: A is the second one. */
#define LETTER(c) (1U << ((c) & 31))
#define INITIALS (LETTER('F') | LETTER('T') | LETTER('C') | LETTER('D') | \
		  LETTER('S') | LETTER('R') | LETTER('M') | LETTER('X') | \
		  LETTER('A') | LETTER('L') | LETTER('I') | LETTER('U') | \
		  LETTER('E'))

static int is_mail(const char *text, size_t len)
{
	/* nearly all texts begin with something else */
	if (!len || !(*text & 0x40) || !(LETTER(*text) & INITIALS))
		return 0;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		size_t n = strlen(beginnings[i]);

		if (len > n && !strncasecmp(text, beginnings[i], n))
			return 1;
	}
	return 0;
}

/* Where the first header ends that says so, or len. */
static size_t body_of(const char *text, size_t len)
{
	static const char header[] = "Content-Transfer-Encoding:";
	static const char value[] = "quoted-printable";
	size_t n = sizeof(header) - 1, m = sizeof(value) - 1;
	const char *p = text, *end = text + len, *line;

	for (; p; p = line ? line + 1 : NULL) {
		size_t left = (size_t)(end - p);

		line = memchr(p, '\n', left);
		if (left < n + m || strncasecmp(p, header, n))
			continue;
		for (p += n; p < end && (*p == ' ' || *p == '\t');)
			p++;
		if ((size_t)(end - p) >= m && !strncasecmp(p, value, m))
			return (size_t)(p - text) + m;
	}
	return len;
}

struct mail {
	const char *text;
	size_t end;
	struct buf out;
	struct span *decoded, *from;
	size_t nr, alloc, least;
};

static void add_span(struct mail *m, struct span from, struct span decoded)
{
	const struct span *last = m->nr ? &m->from[m->nr - 1] : NULL;

	if (last && last->end - last->start < m->least) {
		m->from[m->nr - 1].end = from.end;
		m->decoded[m->nr - 1].end = decoded.end;
		return;
	}
	if (!m->from || m->nr == m->alloc) {
		m->alloc += m->alloc / 2 + 64;
		m->from = mem_resize(m->from, m->alloc, sizeof(*m->from));
		m->decoded =
			mem_resize(m->decoded, m->alloc, sizeof(*m->decoded));
	}
	m->from[m->nr] = from;
	m->decoded[m->nr++] = decoded;
}

/* Bytes of what begins with the = at `at`, and what it stands for: *c, or -1
 * for nothing. 0: it is no escape. */
static size_t escape_at(const struct mail *m, size_t at, int *c)
{
	const char *p = m->text + at;
	size_t left = m->end - at, n = 1;
	unsigned high, low;

	if (left < 2 || *p != '=')
		return 0;
	*c = -1;
	/* blanks at the end of a line were added on the way */
	while (n < left && (p[n] == ' ' || p[n] == '\t'))
		n++;
	if (n < left && p[n] == '\r')
		n++;
	if (n < left && p[n] == '\n')
		return n + 1;
	if (left < 3)
		return 0;
	high = decode_digit(p[1]);
	low = decode_digit(p[2]);
	*c = (int)(high << 4 | low);
	if (high > 15 || low > 15 || (*c < 0x20 && *c != '\t' && *c != '\n' &&
				      *c != '\r') || *c == 0x7f)
		return 0;
	return 3;
}

/* Those side by side from `at`, n bytes long the first. Returns where they
 * end. */
static size_t take(struct mail *m, size_t at, size_t n, int c)
{
	struct span from = { at, at }, decoded = { m->out.len, m->out.len };
	int letters = 0;

	do {
		if (c >= 0)
			buf_addc(&m->out, (char)c);
		letters |= c >= 0;
		from.end += n;
	} while (from.end < m->end && (n = escape_at(m, from.end, &c)));
	if (letters && from.end < m->end)
		buf_addc(&m->out, m->text[from.end++]);
	decoded.end = m->out.len;
	add_span(m, from, decoded);
	return from.end;
}

/* One piece, start..m->end. */
static int give(struct mail *m, size_t start, decode_fn *fn, void *arg)
{
	struct decode_piece p = { .stretch = { start, m->end },
				  .encoding = "quoted-printable" };
	size_t at = start;

	buf_reset(&m->out);
	m->nr = 0;
	m->least = (m->end - start) / SPANS_MAX;
	while (at < m->end) {
		const char *equals = memchr(m->text + at, '=', m->end - at);
		size_t i = equals ? (size_t)(equals - m->text) : m->end, n;
		int c;

		buf_add(&m->out, m->text + at, i - at);
		at = i;
		if (!equals)
			break;
		n = escape_at(m, i, &c);
		if (n)
			at = take(m, i, n, c);
		else
			buf_addc(&m->out, m->text[at++]);
	}
	p.data = m->out.data;
	p.len = m->out.len;
	p.decoded = m->decoded;
	p.from = m->from;
	p.nr = m->nr;
	return m->nr ? fn(arg, &p) : 0;
}

/* Does the line that ends at `at` go on in the next one? */
static int goes_on(const char *text, size_t at)
{
	while (at && (text[at - 1] == '\r' || text[at - 1] == ' ' ||
		      text[at - 1] == '\t'))
		at--;
	return at && text[at - 1] == '=';
}

/* Where a piece ends that begins at start. */
static size_t end_of(const char *text, size_t len, size_t start)
{
	const char *p = text + start + PIECE, *end = text + len;

	if (len - start <= 2 * PIECE)
		return len;
	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		size_t at = (size_t)(++p - text);

		if (p == end)
			break;
		if (*p == '\n' || *p == '\r' ||
		    (at - start > 2 * PIECE && !goes_on(text, at - 1)))
			return at;
	}
	return len;
}

int decode_mail(const char *text, size_t len, decode_fn *fn, void *arg)
{
	struct mail m = { .text = text, .out = BUF_INIT };
	size_t at = is_mail(text, len) ? body_of(text, len) : len;
	int ret = 0;

	for (; at < len && !ret; at = m.end) {
		m.end = end_of(text, len, at);
		ret = give(&m, at, fn, arg);
	}
	buf_clear(&m.out);
	free(m.decoded);
	free(m.from);
	return ret;
}
