#ifndef LOG_H
#define LOG_H

/*
 * Lines for the operator, on standard error, each written by one write(2).
 * Text is cleaned (text.h), so that callers may pass foreign strings. Whoever
 * detects a failure logs it, once, with subject and cause.
 */

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum log_style {
	LOG_PLAIN, /* "git-gate: error: ...", for people at a terminal */
	LOG_STAMP, /* "2026-01-31T12:00:00Z error [id] ...", for daemons */
};

/* program is kept, not copied. Lines below the level are dropped. */
void log_init(const char *program, enum log_style style);
void log_set_level(enum log_level level);

/* The session that this thread works for (kept, not copied), or NULL. */
void log_set_id(const char *id);

/*
 * Lines also go to this function when it is set, without stamp or newline:
 * the hook sends them to the responder (control.h), `git gate check` counts.
 */
typedef void log_tee(void *arg, enum log_level level, const char *line);
void log_set_tee(log_tee *fn, void *arg, int only);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
