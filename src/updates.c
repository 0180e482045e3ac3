/*
 * What a push asks for: the lines that git gives to pre-receive, or those of a
 * note. Takes a descriptor, gives an array. Never looks into the repository:
 * whether an update is a rewind is found out by walk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "commands.h"
#include "log.h"
#include "mem.h"
#include "updates.h"

/* COMMANDS_MAX lines of two ids and a reference name of usual length. */
#define INPUT_MAX ((size_t)COMMANDS_MAX * 512)
/* With a reason each. */
#define NOTE_MAX ((size_t)COMMANDS_MAX * 768)

/* Copy an id of SHA-1 or SHA-256 that ends at end. Returns 0 or -1. */
static int read_id(char out[COMMANDS_OID_MAX], const char *id, const char *end)
{
	size_t n = (size_t)(end - id);

	if ((n != 40 && n != 64) || strspn(id, "0123456789abcdef") != n)
		return -1;
	memcpy(out, id, n);
	out[n] = '\0';
	return 0;
}

static enum op operation(const struct update *u)
{
	if (commands_is_zero(u->new))
		return OP_DELETE;
	return commands_is_zero(u->old) ? OP_CREATE : OP_UPDATE;
}

/* Cut the line behind the reference's name, which has no blank. */
static char *cut_reason(char *ref)
{
	static const char mark[] = " refused ";
	char *at = strstr(ref, mark);

	if (!at)
		return NULL;
	*at = '\0';
	return at + strlen(mark);
}

/* One line, without its newline. Returns NULL, or what is wrong. */
static const char *read_line(char *line, int is_note, struct updates *out)
{
	char *second = strchr(line, ' ');
	char *ref = second ? strchr(second + 1, ' ') : NULL;
	const char *reason = ref && is_note ? cut_reason(ref + 1) : NULL;
	struct update u = { 0 };

	if (!ref || read_id(u.old, line, second) ||
	    read_id(u.new, second + 1, ref))
		return "is not \"OLD NEW REF\"";
	/* both zero: the deletion of what is not there, which git allows */
	if (strlen(u.old) != strlen(u.new))
		return "has object ids that do not go together";
	if (!commands_ref_ok(ref + 1))
		return "has a malformed reference name";
	if (out->nr >= COMMANDS_MAX)
		return "is one too many";
	u.ref = mem_strdup(ref + 1);
	u.op = operation(&u);
	u.reason = reason ? mem_strdup(reason) : NULL;
	MEM_GROW(out->list, out->nr, out->alloc);
	out->list[out->nr++] = u;
	return NULL;
}

static int read_lines(struct buf *in, int is_note, struct updates *out)
{
	char *line = in->data, *end;
	const char *wrong;

	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		wrong = "has no end, or holds a NUL";
		if (end) {
			*end = '\0';
			wrong = read_line(line, is_note, out);
		}
		if (wrong) {
			/* the line itself is not shown: it is foreign */
			log_error("the push's update %zu %s", out->nr + 1,
				  wrong);
			return -1;
		}
	}
	return line == in->data + in->len ? 0 : -1;
}

static int read_all(int fd, int is_note, struct updates *out)
{
	struct buf in = BUF_INIT;
	int ret = -1;

	if (buf_read_fd(&in, fd, is_note ? NOTE_MAX : INPUT_MAX))
		log_error("cannot read the push's updates: %s",
			  strerror(errno));
	else if (!in.len)
		log_error("the push has no updates");
	else if (memchr(in.data, '\0', in.len))
		log_error("the push's updates hold a NUL");
	else
		ret = read_lines(&in, is_note, out);
	buf_clear(&in);
	return ret;
}

int updates_read(int fd, struct updates *out)
{
	return read_all(fd, 0, out);
}

int updates_read_note(int fd, struct updates *out)
{
	return read_all(fd, 1, out);
}

void updates_clear(struct updates *u)
{
	size_t i;

	for (i = 0; i < u->nr; i++) {
		free(u->list[i].ref);
		free(u->list[i].reason);
	}
	free(u->list);
	memset(u, 0, sizeof(*u));
}
