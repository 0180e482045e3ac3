/*
 * Lines for the operator, on standard error. Takes formatted text, cleans it,
 * writes it with one write(2); never fails, never waits for a reader longer
 * than the descriptor does.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "text.h"

static const char *log_program = "git-gate";
static enum log_style log_style_now = LOG_PLAIN;
static enum log_level log_level_now = LOG_INFO;
static log_tee *log_tee_fn;
static void *log_tee_arg;
static int log_tee_only;
static __thread const char *log_id;

void log_init(const char *program, enum log_style style)
{
	log_program = program;
	log_style_now = style;
}

void log_set_level(enum log_level level)
{
	log_level_now = level;
}

void log_set_id(const char *id)
{
	log_id = id;
}

void log_set_tee(log_tee *fn, void *arg, int only)
{
	log_tee_fn = fn;
	log_tee_arg = arg;
	log_tee_only = only;
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_ERR:
		return "error";
	case LOG_WARN:
		return "warning";
	case LOG_INFO:
		return "info";
	case LOG_DEBUG:
		return "debug";
	}
	return "?";
}

static void add_prefix(struct buf *line, enum log_level level)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32];

	if (log_style_now == LOG_PLAIN) {
		buf_addf(line, "%s: ", log_program);
		if (level != LOG_INFO)
			buf_addf(line, "%s: ", level_name(level));
		return;
	}
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_addf(line, "%s %s ", stamp, level_name(level));
	if (log_id != NULL)
		buf_addf(line, "[%s] ", log_id);
}

/* glibc's vasprintf would do; this keeps allocation in one place */
static void format(struct buf *raw, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return;
	vsnprintf(buf_room(raw, (size_t)n), (size_t)n + 1, fmt, ap);
	raw->len += (size_t)n;
}

static void log_line(enum log_level level, const char *fmt, va_list ap)
{
	struct buf raw = BUF_INIT, line = BUF_INIT, clean = BUF_INIT;
	int saved = errno;
	ssize_t n;

	format(&raw, fmt, ap);
	text_clean(&clean, raw.data != NULL ? raw.data : "", raw.len);
	buf_room(&clean, 0);
	if (log_tee_fn != NULL)
		log_tee_fn(log_tee_arg, level, clean.data);
	if (log_tee_fn == NULL || !log_tee_only) {
		add_prefix(&line, level);
		buf_add(&line, clean.data, clean.len);
		buf_addc(&line, '\n');
		n = write(STDERR_FILENO, line.data, line.len);
		(void)n; /* there is nobody left to tell */
	}
	buf_clear(&raw);
	buf_clear(&clean);
	buf_clear(&line);
	errno = saved;
}

#define LOG_FUNCTION(name, level)                                              \
	void name(const char *fmt, ...)                                        \
	{                                                                      \
		va_list ap;                                                    \
                                                                               \
		if ((level) > log_level_now)                                   \
			return;                                                \
		va_start(ap, fmt);                                             \
		log_line((level), fmt, ap);                                    \
		va_end(ap);                                                    \
	}

LOG_FUNCTION(log_error, LOG_ERR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)
