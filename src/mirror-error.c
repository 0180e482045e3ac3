/*
 * Why a mirror's last refresh failed, kept until one succeeds: in a file
 * inside the mirror, or in memory where there is none, since the upstream has
 * never answered. Takes a fault and git's words, gives its code and age.
 */
#include "mirror-internal.h"
#include "mirror-keep.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "text.h"

/* The code, and a line of git's words, for an operator who looks. */
#define ERROR "git-gate-error"
#define ERROR_MAX 4096
/* Names that anybody may make up cost no more than this. */
#define KEPT 100
/* What was asked for once and is no mirror is told of for so long. */
#define KEPT_MS (60 * 60 * 1000)

static struct kept {
	char *path;
	const char *code; /* of fault.c */
	char *words;      /* git's, cleaned */
	int64_t when;     /* clock_ms() */
} kept[KEPT];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* The path's own place, or a free one, or the oldest; mutex is held. */
static struct kept *place_of(const char *path)
{
	struct kept *k, *best = &kept[0];

	for (k = kept; k < kept + KEPT; k++) {
		if (k->path && !strcmp(k->path, path))
			return k;
		if (best->path && (!k->path || k->when < best->when))
			best = k;
	}
	return best;
}

static void drop(struct kept *k)
{
	free(k->path);
	free(k->words);
	k->path = k->words = NULL;
}

static void keep(const char *path, const char *code, const char *words)
{
	struct kept *k;

	pthread_mutex_lock(&mutex);
	k = place_of(path);
	drop(k);
	k->path = mem_strdup(path);
	k->words = mem_strdup(words);
	k->code = code;
	k->when = clock_ms();
	pthread_mutex_unlock(&mutex);
}

static void forget(const char *path)
{
	struct kept *k;

	pthread_mutex_lock(&mutex);
	k = place_of(path);
	if (k->path && !strcmp(k->path, path))
		drop(k);
	pthread_mutex_unlock(&mutex);
}

static int file_of(const char *path, const char *end, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/" ERROR "%s", path, end) < PATH_MAX
		       ? 0 : -1;
}

void mirror_error_set(const struct mirror_job *j, enum fault_kind fault)
{
	const char *code = fault_text(fault)->code;
	struct buf text = BUF_INIT, words = BUF_INIT;
	char file[PATH_MAX], new[PATH_MAX];

	buf_adds(&text, "");
	fault_words(j->words.len ? j->words.data : "", j->words.len, &words);
	text_clean(&text, words.len ? words.data : "", words.len);
	if (!mirror_path_is_bare(j->path) || file_of(j->path, "", file) ||
	    file_of(j->path, ".new", new)) {
		keep(j->path, code, text.data);
	} else {
		buf_reset(&words);
		buf_addf(&words, "%s\n%s\n", code, text.data);
		/* of a process that was killed over it */
		unlink(new);
		if (buf_write_new(&words, new) || rename(new, file))
			log_warn("%s: %s", file, strerror(errno));
	}
	buf_clear(&text);
	buf_clear(&words);
}

void mirror_error_clear(const char *path)
{
	char file[PATH_MAX];

	forget(path);
	if (!file_of(path, "", file) && unlink(file) && errno != ENOENT)
		log_warn("%s: %s", file, strerror(errno));
}

int mirror_error_get(const char *path, struct buf *code, int64_t *ago_ms)
{
	struct buf text = BUF_INIT;
	char file[PATH_MAX];
	struct stat st;
	int found = 0;

	*ago_ms = -1;
	if (!file_of(path, "", file) && !stat(file, &st) &&
	    !buf_read_file(&text, file, ERROR_MAX) && text.len) {
		int64_t s = time(NULL) - st.st_mtime;

		text_clean(code, text.data, strcspn(text.data, "\n"));
		*ago_ms = s > 0 ? s * 1000 : 0;
		found = 1;
	}
	buf_clear(&text);
	return found;
}

static int is_code(const char *text, const char *code)
{
	size_t n = strcspn(text, "\n");

	return strlen(code) == n && !memcmp(text, code, n);
}

void mirror_error_words(const char *path, const char *code, struct buf *out)
{
	struct buf text = BUF_INIT;
	char file[PATH_MAX];
	struct kept *k;
	int in_file = 0;

	if (!file_of(path, "", file) &&
	    !buf_read_file(&text, file, ERROR_MAX) && text.len) {
		const char *words = strchr(text.data, '\n');

		if (words++ && is_code(text.data, code))
			text_clean(out, words, strcspn(words, "\n"));
		in_file = 1;
	}
	buf_clear(&text);
	pthread_mutex_lock(&mutex);
	k = place_of(path);
	if (!in_file && k->path && !strcmp(k->path, path) &&
	    is_code(k->code, code))
		buf_adds(out, k->words);
	pthread_mutex_unlock(&mutex);
}

void mirror_error_each(void (*fn)(void *arg, const char *path, const char *code,
				  int64_t ago_ms), void *arg)
{
	int64_t now = clock_ms();
	struct kept *k;

	pthread_mutex_lock(&mutex);
	for (k = kept; k < kept + KEPT; k++) {
		if (k->path && now - k->when > KEPT_MS)
			drop(k);
		if (k->path)
			fn(arg, k->path, k->code, now - k->when);
	}
	pthread_mutex_unlock(&mutex);
}
