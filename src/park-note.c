/*
 * ID.push, the note beside a bundle: takes a parked push, gives "key value"
 * lines, and back. A foreign value that would not stay on its line is refused
 * when written, and whatever is not understood when read.
 */
#include "park-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "log.h"
#include "mem.h"
#include "policy.h"

/* As updates.c bounds the lines of updates, and some for the head. */
#define NOTE_MAX ((size_t)COMMANDS_MAX * 512 + (1 << 20))

static const char magic[] = "git-gate push 1";

static const enum op writing[] = { OP_CREATE, OP_UPDATE, OP_REWIND, OP_DELETE };
#define NR_WRITING (sizeof(writing) / sizeof(*writing))

/* Returns 0, or -1: it has a control character. */
static int add(struct buf *out, const char *key, const char *value)
{
	for (const char *s = value; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return -1;
	buf_addf(out, "%s %s\n", key, value);
	return 0;
}

static int add_updates(const struct updates *u, struct buf *out)
{
	struct buf line = BUF_INIT;
	int bad = 0;

	for (size_t i = 0; i < u->nr && !bad; i++) {
		buf_reset(&line);
		buf_addf(&line, "%s %s %s", u->list[i].old, u->list[i].new,
			 u->list[i].ref);
		bad = add(out, policy_op_name(u->list[i].op), line.data);
	}
	buf_clear(&line);
	return bad;
}

int park_note_write(const struct park *p, struct buf *out)
{
	time_t when = (time_t)p->time;
	char text[32];
	struct tm tm;
	int bad;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ",
		 gmtime_r(&when, &tm));
	buf_addf(out, "%s\n", magic);
	bad = add(out, "id", p->id) | add(out, "time", text) |
	      add(out, "who", *p->who ? p->who : "-") |
	      add(out, "repository", p->name) |
	      add(out, "upstream", p->upstream);
	buf_addf(out, "bundle %" PRIu64 "\n", p->bundle);
	for (size_t i = 0; i < p->nr_options; i++)
		bad |= add(out, "option", p->options[i]);
	if (add_updates(&p->updates, out))
		bad = -1;
	if (bad)
		log_error("%s: push %s: a value in it has control characters; "
			  "it is not kept", p->name, p->id);
	return bad ? -1 : 0;
}

static int read_time(const char *value, int64_t *out)
{
	struct tm tm = { 0 };
	const char *end = strptime(value, "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (!end || *end)
		return -1;
	*out = timegm(&tm);
	return 0;
}

static int read_number(const char *value, uint64_t *out)
{
	char *end;

	if (!*value || strspn(value, "0123456789") != strlen(value))
		return -1;
	errno = 0;
	*out = strtoull(value, &end, 10);
	return errno ? -1 : 0;
}

/* "OLD NEW REF", as the operation says it is. */
static int read_update(enum op op, char *value, struct updates *out)
{
	char *new = strchr(value, ' ');
	char *ref = new ? strchr(new + 1, ' ') : NULL;
	struct update u = { .op = op };
	size_t n = new ? (size_t)(new - value) : 0;

	if (!ref || (n != 40 && n != 64) || (size_t)(ref - new) - 1 != n ||
	    strspn(value, "0123456789abcdef") != n ||
	    strspn(new + 1, "0123456789abcdef") != n ||
	    !commands_ref_ok(ref + 1) || out->nr >= COMMANDS_MAX)
		return -1;
	memcpy(u.old, value, n);
	memcpy(u.new, new + 1, n);
	if (commands_is_zero(u.new) != (op == OP_DELETE) ||
	    (op != OP_DELETE && commands_is_zero(u.old) != (op == OP_CREATE)))
		return -1;
	u.ref = mem_strdup(ref + 1);
	MEM_GROW(out->list, out->nr, out->alloc);
	out->list[out->nr++] = u;
	return 0;
}

static int read_id(struct park *p, const char *value)
{
	if (!park_dir_id_ok(value))
		return -1;
	memcpy(p->id, value, sizeof(p->id));
	return 0;
}

static int set(char **to, const char *value)
{
	if (*to || !*value)
		return -1;
	*to = mem_strdup(value);
	return 0;
}

static int read_line(struct park *p, const char *key, char *value)
{
	if (!strcmp(key, "id"))
		return read_id(p, value);
	if (!strcmp(key, "time"))
		return read_time(value, &p->time);
	if (!strcmp(key, "who"))
		return set(&p->who, value);
	if (!strcmp(key, "repository"))
		return set(&p->name, value);
	if (!strcmp(key, "upstream"))
		return set(&p->upstream, value);
	if (!strcmp(key, "bundle"))
		return read_number(value, &p->bundle);
	if (!strcmp(key, "option")) {
		MEM_GROW(p->options, p->nr_options, p->alloc_options);
		p->options[p->nr_options++] = mem_strdup(value);
		return 0;
	}
	for (size_t i = 0; i < NR_WRITING; i++)
		if (!strcmp(key, policy_op_name(writing[i])))
			return read_update(writing[i], value, &p->updates);
	return -1;
}

/* Returns 0, or -1: not all of it is ours, or something lacks. */
static int read_lines(struct buf *text, struct park *p)
{
	char *line = text->data, *end, *value;

	if (!text->len || strlen(line) != text->len ||
	    line[text->len - 1] != '\n')
		return -1;
	for (int nr = 0; *line; line = end + 1, nr++) {
		end = strchr(line, '\n');
		*end = '\0';
		value = strchr(line, ' ');
		if (!nr && strcmp(line, magic) != 0)
			return -1;
		if (!nr)
			continue;
		if (!value)
			return -1;
		*value++ = '\0';
		if (read_line(p, line, value))
			return -1;
	}
	if (p->who && !strcmp(p->who, "-"))
		*p->who = '\0';
	return *p->id && p->who && p->name && p->upstream && p->updates.nr
		       ? 0 : -1;
}

int park_note_read(const char *path, struct park *p)
{
	struct buf text = BUF_INIT;
	int rc = -1;

	memset(p, 0, sizeof(*p));
	if (!buf_read_file(&text, path, NOTE_MAX))
		rc = read_lines(&text, p);
	p->bytes = text.len + p->bundle;
	if (rc)
		park_note_clear(p);
	buf_clear(&text);
	return rc;
}

void park_note_clear(struct park *p)
{
	for (size_t i = 0; i < p->nr_options; i++)
		free(p->options[i]);
	free(p->options);
	free(p->who);
	free(p->name);
	free(p->upstream);
	updates_clear(&p->updates);
	memset(p, 0, sizeof(*p));
}
