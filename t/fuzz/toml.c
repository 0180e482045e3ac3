/*
 * The TOML reader on any bytes: it reads or refuses, and what it has read it
 * finds again under its key.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "log.h"
#include "toml.h"

static void mute(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	/* an error names the file, and is one line */
	assert(!strncmp(line, "f", 1) && !strchr(line, '\n'));
}

static void look(const struct toml *t, int depth)
{
	assert(depth <= 2 * TOML_MAX_DEPTH + 2);
	assert(t->type == TOML_TABLE || t->type == TOML_ARRAY || !t->nr);
	for (size_t i = 0; i < t->nr; i++) {
		const struct toml *v = t->items[i];

		assert(!v->key == (t->type == TOML_ARRAY));
		if (v->key && !memchr(v->key, '\0', v->key_len))
			assert(toml_get(t, v->key) == v);
		look(v, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct toml *t;

	log_set_tee(mute, NULL, 1);
	t = toml_read("f", (const char *)data, size);
	if (t)
		look(t, 0);
	toml_free(t);
	return 0;
}
