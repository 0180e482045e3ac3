/*
 * JSON of any bytes: it is read or refused, its events are nested as their
 * depths say, and text in them that is written anew is read as the same. Then
 * the same bytes as an earlier report.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "baseline.h"
#include "buf.h"
#include "json.h"
#include "log.h"

static void mute(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	/* an error names the file, and is one line */
	assert((!strncmp(line, "f:", 2) || !strncmp(line, "/proc/", 6)) &&
	       !strchr(line, '\n'));
}

/* What is open, and all of it written anew. */
struct look {
	enum json_type open[JSON_MAX_DEPTH];
	unsigned depth;
	int line, first;
	size_t nr;
	struct buf again;
};

static void add_string(struct buf *out, const char *text, size_t len)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == '"' || c == '\\')
			buf_addf(out, "\\u%04x", c);
		else
			buf_addc(out, text[i]);
	}
	buf_addc(out, '"');
}

static void add_value(struct look *l, const struct json_event *e)
{
	static const char begin[] = { [JSON_OBJECT] = '{',
				      [JSON_ARRAY] = '[' };

	if (!l->first)
		buf_addc(&l->again, ',');
	if (e->key) {
		add_string(&l->again, e->key, strlen(e->key));
		buf_addc(&l->again, ':');
	}
	if (e->type == JSON_STRING)
		add_string(&l->again, e->text, e->len);
	else if (e->text)
		buf_adds(&l->again, e->text);
	else
		buf_addc(&l->again, begin[e->type]);
}

static int look(void *arg, const struct json_event *e)
{
	struct look *l = arg;
	int opens = e->type == JSON_OBJECT || e->type == JSON_ARRAY;

	assert(e->line >= l->line);
	l->line = e->line;
	l->nr++;
	if (e->type == JSON_END) {
		assert(l->depth > 0 && e->depth == --l->depth);
		assert(!e->key && !e->text);
		buf_addc(&l->again, l->open[l->depth] == JSON_OBJECT ? '}'
								     : ']');
		l->first = 0;
		return 0;
	}
	assert(e->depth == l->depth && l->depth <= JSON_MAX_DEPTH);
	assert((e->key == NULL) ==
	       (!l->depth || l->open[l->depth - 1] == JSON_ARRAY));
	assert((e->text == NULL) == opens);
	assert(opens || e->text[e->len] == '\0');
	assert(opens || e->type == JSON_STRING ||
	       (e->len && strlen(e->text) == e->len));
	add_value(l, e);
	l->first = opens;
	if (opens)
		l->open[l->depth++] = e->type;
	return 0;
}

/* The events of text, as text; NULL: it is none. The caller's to free. */
static char *read_all(const char *text, size_t len, size_t *again_len)
{
	struct look l = { .line = 1, .first = 1 };
	int rc = json_read("f", text, len, look, &l);

	assert(rc == 0 || rc == -1);
	assert(rc || (!l.depth && l.nr));
	*again_len = l.again.len;
	if (!rc)
		return buf_take(&l.again);
	buf_clear(&l.again);
	return NULL;
}

static int stop(void *arg, const struct json_event *e)
{
	int *left = arg;

	(void)e;
	return --*left < 0 ? 7 : 0;
}

/* Who asks for no more gets no more. */
static void stop_early(const char *text, size_t len)
{
	int left = (int)(len % 5);

	json_read("f", text, len, stop, &left);
	assert(left >= -1);
}

static void as_baseline(const char *text, size_t len)
{
	static int fd = -1;
	struct baseline *b;
	char path[64];

	if (fd < 0)
		fd = memfd_create("baseline", 0);
	if (fd < 0 || ftruncate(fd, 0) ||
	    pwrite(fd, text, len, 0) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	b = baseline_load(path);
	if (b)
		assert(baseline_count(b) <= len);
	baseline_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* of its own, so that a byte too far is seen */
	char *text = malloc(size ? size : 1), *one, *two;
	size_t len, two_len;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	log_set_tee(mute, NULL, 1);
	one = read_all(text, size, &len);
	if (one) {
		two = read_all(one, len, &two_len);
		assert(two && two_len == len && !memcmp(one, two, len));
		free(two);
		stop_early(text, size);
	}
	as_baseline(text, size);
	free(one);
	free(text);
	return 0;
}
