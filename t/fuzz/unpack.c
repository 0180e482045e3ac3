/*
 * unpack: whatever the bytes are, limits hold, names are bounded, and the
 * same bytes give the same entries. The first byte chooses the limits.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "unpack.h"

#define NAME_MAX_ALL (8 * 1100) /* names of levels, joined */

struct told {
	const struct unpack_limits *limits;
	uint64_t bytes, hash;
	size_t calls;
};

/* What look_inner gives is told as it is, and as large. */
static int is_ours(const char *name)
{
	size_t len = strlen(name);

	return (len >= 4 && !strcmp(name + len - 4, "(in)")) ||
	       !strcmp(name, "(beside)");
}

static int take(void *arg, const char *name, const char *data, size_t len)
{
	struct told *t = arg;

	assert(name && *name && strlen(name) < NAME_MAX_ALL);
	assert(data && len);
	/* what was not unpacked, a rest of the outermost, is no larger */
	assert(len <= t->limits->bytes || strstr(name, "(trailing)") ||
	       strstr(name, "(headers)") || is_ours(name));
	for (size_t i = 0; i < len; i++)
		t->hash = (t->hash ^ (uint8_t)data[i]) *
			  UINT64_C(0x100000001b3);
	t->bytes += len;
	t->calls++;
	return 0;
}

struct inner {
	struct told told;
	struct unpack *u;
	const char *data;
	size_t len;
};

/* Within each entry the same once more, as if that were encoded in it. */
static int take_inner(void *arg, const char *name, const char *data, size_t len)
{
	struct inner *in = arg;

	take(&in->told, name, data, len);
	unpack_inner(in->u, "(in)", in->data, in->len);
	return 0;
}

/* It ends, within the limits. */
static void look_inner(const struct unpack_limits *limits, const char *data,
		       size_t len)
{
	struct inner in = { .told = { .limits = limits }, .data = data,
			    .len = len };
	const char *why = NULL;

	in.u = unpack_begin(limits, NULL, take_inner, &in);
	unpack_object(in.u, data, len);
	unpack_inner(in.u, "(beside)", data, len);
	if (unpack_end(in.u, &why) == UNPACK_UNKNOWN)
		assert(why && *why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unpack_limits limits = {
		.entries = 20, .bytes = 1 << 20, .ratio = 100,
	};
	struct told one = { .limits = &limits }, two = one;
	const char *why = NULL, *again = NULL;
	const char *text = (const char *)data + 1;
	enum unpack_result r;

	if (!size)
		return 0;
	limits.depth = 1 + data[0] % 4;
	if (data[0] & 64)
		limits.bytes = 1 << 10;
	r = unpack_each(text, size - 1, &limits, take, &one, &why);
	if (!unpack_wants(text, size - 1))
		assert(r == UNPACK_NONE && !one.calls);
	if (r == UNPACK_UNKNOWN)
		assert(why && *why);
	assert(unpack_each(text, size - 1, &limits, take, &two, &again) == r);
	assert(one.hash == two.hash && one.calls == two.calls);
	look_inner(&limits, text, size - 1);
	return 0;
}
