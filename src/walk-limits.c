/*
 * What a scan may take, from the configuration or by default: bytes, threads,
 * depths and time.
 */
#include <sched.h>

#include "config.h"
#include "walk.h"

/* As git-gate.conf(5) has them. */
#define MAX_OBJECT ((uint64_t)256 << 20)
#define MEMORY ((size_t)256 << 20)
#define ARCHIVES 3

/*
 * Of archives: files in one, and how much more they may be than it is. What
 * compresses best of what people keep, logs, comes to about 50.
 */
#define ENTRIES_MAX 100000
#define RATIO_MAX 1000

/* Processors that we may use: a container has fewer than the machine. */
static unsigned count_cores(void)
{
	cpu_set_t set;

	/* it fails where there are more than the set has room for */
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return CPU_SETSIZE;
	return (unsigned)CPU_COUNT(&set);
}

void walk_limits_set(const struct config *c, struct walk_limits *out)
{
	*out = (struct walk_limits){
		.max_object = c ? c->max_object : MAX_OBJECT,
		.memory = c ? (size_t)c->scan_memory : MEMORY,
		.threads = c && c->scan_threads ? c->scan_threads :
						  count_cores(),
		.depth = c ? c->decode_depth : SCAN_DEPTH,
		.unpack = { .depth = c ? c->archive_depth : ARCHIVES,
			    .entries = ENTRIES_MAX, .ratio = RATIO_MAX },
		.note_archives = c && c->scan_note,
	};
	/* an entry is held whole, beside the archive */
	out->unpack.bytes = out->memory / 2;
}

void walk_limits_end(struct walk_limits *l, int64_t deadline)
{
	l->deadline = l->unpack.deadline = deadline;
}
