/*
 * What two looks at a file say, and what a file's text says of others: takes
 * what stat(2) gave and bytes, never looks by itself. In doubt the answer is
 * that something may have changed.
 */
#include "advert-internal.h"

#include <string.h>
#include <strings.h>

#define MS ((int64_t)1000000)
#define SECOND (1000 * MS)
/*
 * The kernel stamps files with the time of its last tick; ticks are 1 to 10 ms
 * apart (CONFIG_HZ), and two changes between them get the same time. Ours is of
 * the same clock, so a change after it is stamped with no less; twice a tick is
 * for what does not come from this clock, such as a file system's own rounding.
 */
#define GRAIN (20 * MS)
/* Where a time has no fraction the file system may keep seconds, FAT two. */
#define COARSE_GRAIN (2 * SECOND + GRAIN)

static int64_t stamp(const struct timespec *t)
{
	return (int64_t)t->tv_sec * SECOND + t->tv_nsec;
}

void advert_judge_fill(struct state_seen *seen, const struct stat *st)
{
	seen->dev = st->st_dev;
	seen->ino = st->st_ino;
	seen->size = (uint64_t)st->st_size;
	seen->mtime = stamp(&st->st_mtim);
	seen->ctime = stamp(&st->st_ctim);
	seen->mode = st->st_mode;
	seen->uid = st->st_uid;
	seen->gid = st->st_gid;
}

int advert_judge_same(const struct state_seen *a, const struct state_seen *b,
		      int now)
{
	if (a->mode != b->mode)
		return 0;
	if (a->mode == 0) /* neither is there */
		return 1;
	if (a->dev != b->dev || a->ino != b->ino || a->uid != b->uid ||
	    a->gid != b->gid)
		return 0;
	if (a->how == HOW_WHICH || (a->how == HOW_WHILE && !now))
		return 1;
	return a->size == b->size && a->mtime == b->mtime &&
	       a->ctime == b->ctime;
}

int advert_judge_settled(const struct state_seen *seen, int64_t at)
{
	int64_t grain = seen->ctime % SECOND == 0 ? COARSE_GRAIN : GRAIN;

	if (seen->mode == 0 || seen->how == HOW_WHICH)
		return 1;
	/*
	 * Each change sets ctime, which nobody can set to what it was. One in
	 * the future says nothing of the order of changes.
	 */
	return seen->ctime <= at - grain;
}

/* [include] and [includeIf "..."] name files that we do not look at. */
int advert_judge_config(const char *text, size_t n)
{
	static const char word[] = "include";
	size_t len = strlen(word), i;

	for (i = 0; i + len <= n; i++)
		if (strncasecmp(text + i, word, len) == 0)
			return 1;
	return 0;
}

/*
 * A symbolic reference may point to one that is no file below refs/, such as
 * FETCH_HEAD; git writes one blank behind the colon, and takes any.
 */
int advert_judge_ref(const char *text, size_t n)
{
	size_t at = strlen("ref:"), len = strlen("refs/");

	if (n < at || memcmp(text, "ref:", at) != 0)
		return 0;
	while (at < n && strchr(" \t\n\r\v\f", text[at]) != NULL &&
	       text[at] != '\0')
		at++;
	return n - at < len || memcmp(text + at, "refs/", len) != 0 ||
	       memmem(text + at, n - at, "..", 2) != NULL;
}
