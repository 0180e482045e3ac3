/*
 * What a scan may take, from the configuration or by default: bytes, threads,
 * depths and time; and bytes that it has no more.
 */
#include <malloc.h>
#include <sched.h>
#include <unistd.h>

#include "config.h"
#include "walk.h"

/* As git-gate.conf(5) has them. */
#define MAX_OBJECT ((uint64_t)256 << 20)
#define MEMORY ((size_t)256 << 20)
#define ARCHIVES 3
/* Bytes for each object of a whole history: with half as many the walk has to
 * wait for the sweep where there are 1.2 million of them. */
#define OBJECT 512

/*
 * Of archives: files in one, and how much more they may be than it is. What
 * compresses best of what people keep, logs, comes to about 50.
 */
#define ENTRIES_MAX 100000
#define RATIO_MAX 1000

/* Bytes from which on memory is the system's again at once. */
#define GIVEN_BACK (2 << 20)

/*
 * By default the allocator raises what it keeps for later to twice the largest
 * piece it has seen, and that for each thread.
 */
void walk_free_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, GIVEN_BACK);
	mallopt(M_TRIM_THRESHOLD, GIVEN_BACK);
}

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

void walk_limits_suit(struct walk_limits *l, uint64_t objects)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t half = pages > 0 && size > 0 ?
			(uint64_t)pages / 2 * (uint64_t)size : 0;
	uint64_t want = objects < half / OBJECT ? objects * OBJECT : half;

	if (want > l->memory)
		l->memory = (size_t)want;
}

void walk_limits_end(struct walk_limits *l, int64_t deadline)
{
	l->deadline = l->unpack.deadline = deadline;
}
