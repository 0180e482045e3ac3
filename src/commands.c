/*
 * The head of a push. Takes bytes as they come from a client, gives the
 * commands and the chosen capabilities as git-receive-pack will read them, or
 * refuses; where git is lenient, this is not. Pure but for memory, which is
 * bounded. Reads neither push options nor the pack.
 */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

/* gitprotocol-common(5): the longest pkt-line, its length included. */
#define LINE_MAX_BYTES 65520
#define HEAD_BYTES 4

static int bad(struct commands *c, const char *error)
{
	c->state = COMMANDS_BAD;
	c->error = error;
	return -1;
}

/*
 * An object id at *p, in small letters to out, which has COMMANDS_OID_MAX
 * bytes. Moves *p behind it. Returns its length, 40 or 64, or 0.
 */
static size_t take_oid(const char **p, char *out)
{
	size_t n = 0;
	const char *s = *p;

	for (; n < COMMANDS_OID_MAX && text_hex(s[n]) >= 0; n++)
		out[n] = "0123456789abcdef"[text_hex(s[n])];
	if (n != 40 && n != 64)
		return 0;
	out[n] = '\0';
	*p += n;
	return n;
}

int commands_is_zero(const char *oid)
{
	return *oid && !oid[strspn(oid, "0")];
}

/* git-check-ref-format(1), rules 4, 5 and 10: what no component may have. */
static int ref_byte(unsigned char c)
{
	return c > 0x20 && c != 0x7f && !strchr("~^:?*[\\", c);
}

/* Rules 1, 3, 6 and 8, for the n bytes between two slashes. */
static int ref_component(const char *s, size_t n)
{
	if (!n || *s == '.')
		return 0;
	if (n >= 5 && !strncmp(s + n - 5, ".lock", 5))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!ref_byte((unsigned char)s[i]))
			return 0;
		if (i && s[i - 1] == '.' && s[i] == '.')
			return 0;
		if (i && s[i - 1] == '@' && s[i] == '{')
			return 0;
	}
	return 1;
}

int commands_ref_ok(const char *ref)
{
	if (strncmp(ref, "refs/", 5) != 0)
		return 0;
	for (;;) {
		size_t n = strcspn(ref, "/");
		if (!ref_component(ref, n))
			return 0;
		if (!ref[n]) /* rule 7: the last byte of all */
			return ref[n - 1] != '.';
		ref += n + 1;
	}
}

/* "OLD NEW REF", NUL-terminated. */
static int take_command(struct commands *c, const char *line)
{
	struct command cmd = { .ref = NULL };
	const char *p = line;
	size_t old = take_oid(&p, cmd.old);
	size_t new = 0;

	if (old && *p == ' ') {
		p++;
		new = take_oid(&p, cmd.new);
	}
	if (!old || new != old || *p != ' ')
		return bad(c, "a command is not two object ids and a "
			      "reference");
	p++;
	if (c->nr && strlen(c->list[0].old) != old)
		return bad(c, "object ids of different lengths");
	if (!commands_ref_ok(p))
		return bad(c, "a reference's name is missing or malformed");
	if (c->nr >= COMMANDS_MAX)
		return bad(c, "too many references in one push");
	cmd.ref = mem_strdup(p);
	MEM_GROW(c->list, c->nr, c->alloc);
	c->list[c->nr++] = cmd;
	return 0;
}

/* Words divided by spaces; what we do not know is not our business. */
static void take_capabilities(struct commands *c, const char *s)
{
	static const struct {
		const char *name;
		size_t field;
		int value;
	} known[] = {
		{ "report-status", offsetof(struct commands, report_status),
		  1 },
		{ "report-status-v2", offsetof(struct commands, report_status),
		  1 },
		{ "side-band", offsetof(struct commands, side_band), 1 },
		{ "side-band-64k", offsetof(struct commands, side_band), 2 },
		{ "push-options", offsetof(struct commands, push_options), 1 },
	};

	while (*s) {
		size_t n = strcspn(s, " \n");
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
			int *at = (int *)((char *)c + known[i].field);
			if (strlen(known[i].name) == n &&
			    !strncmp(known[i].name, s, n) &&
			    *at < known[i].value)
				*at = known[i].value;
		}
		s += n;
		s += *s != '\0';
	}
}

/*
 * The commands inside a certificate: from the empty line to the signature, as
 * receive-pack cuts it out (queue_commands_from_cert).
 */
static int take_cert(struct commands *c)
{
	char *line, *end;

	if (!c->cert.len)
		return 0;
	line = strstr(c->cert.data, "\n\n");
	if (!line)
		return bad(c, "a push certificate without commands");
	for (line += 2; *line; line = end) {
		if (!strncmp(line, "-----BEGIN ", 11))
			return 0;
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		if (take_command(c, line))
			return -1;
	}
	return 0;
}

static int by_ref(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Two commands for one reference would be two answers to one question. */
static int check_twice(struct commands *c)
{
	const char **refs;
	int twice = 0;

	if (c->nr < 2)
		return 0;
	refs = mem_array(c->nr, sizeof(*refs));
	for (size_t i = 0; i < c->nr; i++)
		refs[i] = c->list[i].ref;
	qsort(refs, c->nr, sizeof(*refs), by_ref);
	for (size_t i = 1; i < c->nr; i++)
		twice |= !strcmp(refs[i - 1], refs[i]);
	free(refs);
	return twice ? bad(c, "a reference is named twice") : 0;
}

/* The flush ends the commands, inside a certificate too. */
static int take_flush(struct commands *c)
{
	if (take_cert(c) || check_twice(c))
		return -1;
	c->state = COMMANDS_DONE;
	return 0;
}

static int take_cert_line(struct commands *c, const char *s, size_t len)
{
	/* Kept by receive-pack up to a NUL only: then it is another text. */
	if (memchr(s, '\0', len))
		return bad(c, "a NUL byte in a push certificate");
	if (!strcmp(s, "push-cert-end\n"))
		c->in_cert = 0;
	else
		buf_add(&c->cert, s, len);
	return 0;
}

static int take_shallow(struct commands *c, const char *p)
{
	char oid[COMMANDS_OID_MAX];

	if (!take_oid(&p, oid) || *p)
		return bad(c, "a shallow line without an object id");
	return 0;
}

/* One whole line, len bytes and a NUL. */
static int take_line(struct commands *c, char *s, size_t len)
{
	size_t text;

	if (c->in_cert)
		return take_cert_line(c, s, len);
	if (len && s[len - 1] == '\n')
		s[--len] = '\0';
	text = strlen(s);
	if (!strncmp(s, "shallow ", 8)) {
		/* receive-pack looks at no capabilities here. */
		if (text != len)
			return bad(c, "a NUL byte in a shallow line");
		return take_shallow(c, s + 8);
	}
	if (text < len) {
		if (strlen(s + text + 1) != len - text - 1)
			return bad(c, "a second NUL byte in a line");
		take_capabilities(c, s + text + 1);
	}
	if (!strcmp(s, "push-cert")) {
		if (c->cert.len)
			return bad(c, "a second push certificate");
		c->in_cert = 1;
		return 0;
	}
	return take_command(c, s);
}

/* The four digits are here: a line of that length, or a flush. */
static int take_head(struct commands *c)
{
	size_t n = 0;

	c->head_have = 0;
	for (size_t i = 0; i < HEAD_BYTES; i++) {
		int digit = text_hex(c->head[i]);
		if (digit < 0)
			return bad(c, "a line's length is not hexadecimal");
		n = n << 4 | (size_t)digit;
	}
	if (!n)
		return take_flush(c);
	/* 1 to 3 are protocol v2's; 4 is a line with nothing in it. */
	if (n <= HEAD_BYTES)
		return bad(c, "a line of an impossible length");
	if (n > LINE_MAX_BYTES)
		return bad(c, "a line is too long");
	c->total += n;
	if (c->total > COMMANDS_BYTES_MAX)
		return bad(c, "the commands are too long");
	c->want = n - HEAD_BYTES;
	buf_reset(&c->line);
	return 0;
}

/* Take some of the n bytes. Returns how many. */
static size_t feed_some(struct commands *c, const char *p, size_t n)
{
	if (!c->want) {
		c->head[c->head_have++] = *p;
		if (c->head_have == HEAD_BYTES)
			take_head(c);
		return 1;
	}
	if (n > c->want)
		n = c->want;
	buf_add(&c->line, p, n);
	c->want -= n;
	if (!c->want)
		take_line(c, c->line.data, c->line.len);
	return n;
}

void commands_init(struct commands *c)
{
	*c = (struct commands){ .state = COMMANDS_MORE };
}

enum commands_state commands_feed(struct commands *c, const void *data,
				  size_t n)
{
	const char *p = data;

	while (n && c->state == COMMANDS_MORE) {
		size_t taken = feed_some(c, p, n);
		p += taken;
		n -= taken;
	}
	return c->state;
}

void commands_clear(struct commands *c)
{
	for (size_t i = 0; i < c->nr; i++)
		free(c->list[i].ref);
	free(c->list);
	buf_clear(&c->line);
	buf_clear(&c->cert);
	*c = (struct commands){ .state = COMMANDS_MORE };
}
