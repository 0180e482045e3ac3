#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include "config.h"

/*
 * What the files config*.c share while a file is read; nobody else includes
 * this.
 */

enum section {
	SECTION_UNKNOWN = 0, /* its keys are passed over: one error is enough */
	SECTION_GATE,
	SECTION_SESSION,
	SECTION_BACKEND,
	SECTION_PUSH,
	SECTION_MAINTENANCE,
	SECTION_SCAN,
	SECTION_UPSTREAM,
	SECTION_REPO,
	SECTION_ACCESS,
};

/* What a value is; config-value.c has a function for each. */
enum kind {
	KIND_WORD,     /* letters, digits, '.', '_', '-', '/'; may be empty */
	KIND_NAME,     /* a user's name: no colon */
	KIND_PATH,     /* absolute */
	KIND_SOCKET,   /* absolute, and short enough for sun_path */
	KIND_TIME,     /* int64_t, milliseconds */
	KIND_SIZE,     /* uint64_t, bytes */
	KIND_COUNT,    /* unsigned */
	KIND_BOOL,     /* int */
	KIND_URL,
	KIND_PROXY,
	KIND_UPSTREAM, /* name of an [upstream] */
	KIND_FRESH,
	KIND_ATOMIC,   /* "require" or "prefer": int */
	KIND_NOTE,     /* "refuse" or "note": int */
	KIND_GLOBS,    /* words with blanks between, at least one */
	KIND_RULE,
	KIND_NR
};

/* The schemes of upstream URLs, as bits. */
enum scheme {
	SCHEME_SSH = 1 << 0,
	SCHEME_HTTPS = 1 << 1,
	SCHEME_HTTP = 1 << 2,
	SCHEME_GIT = 1 << 3,
	SCHEME_FILE = 1 << 4,
};
#define SCHEME_WEB (SCHEME_HTTPS | SCHEME_HTTP)

struct key {
	enum section section;
	const char *name;
	enum kind kind;
	size_t offset;      /* in the section's struct */
	uint64_t min, max;  /* of numbers */
	unsigned schemes;   /* of the upstreams it is for; 0: all */
};

/* What a key that is not given means: git-gate.conf(5). */
extern const struct config config_defaults;
extern const struct key config_keys[];
extern const size_t config_nr_keys;

struct buf;

/* A file that is being read. */
struct load {
	struct config *c;
	const char *file;
	const struct buf *text; /* all of it */
	int errors;

	/* the section that the lexer is in */
	enum section section;
	const char *section_name; /* "repo" */
	int section_line;
	int unknown;             /* it has had a key that is none */
	void *object;            /* where offsets count from */
	int seen[CONFIG_KEYS_MAX]; /* line of each key; 0: not yet */

	size_t alloc_upstreams, alloc_repos, alloc_rules;
	/* [repo] name their upstream before all of those are known */
	struct wanted {
		char *upstream; /* NULL: hosted, or an error */
		int line;
	} *wanted;
	size_t alloc_wanted;
};

/* Log "FILE:LINE: ..." and count it. */
void config_error(struct load *l, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The section's number, or SECTION_UNKNOWN. */
enum section config_section(const char *name);
/* Does this section take a subsection? */
int config_section_named(enum section s);
/* The key's index, or -1. name is compared without regard to case. */
int config_key(enum section s, const char *name);
/* The keys of a section, for a message: "a, b, c". */
void config_key_list(enum section s, struct buf *out);
/* Log a key that is none, and which one may be meant. name is lower-cased. */
void config_unknown_key(struct load *l, const char *section, const char *name,
			int line);
/* The line of a key of the current section; 0 when it was not given. */
int config_seen(const struct load *l, const char *name);
/* Which key has set what this one sets: itself, or its other name; or -1. */
int config_key_set(const struct load *l, int i);

/* Judge the value and store it in the current section's struct. */
void config_value(struct load *l, const struct key *k, const char *value,
		  int line);

/* One line of [access]. */
void config_rule_add(struct load *l, const struct key *k, const char *value,
		     int line);

/* The scheme's bit, or 0. *rest is set behind "://". */
unsigned config_scheme(const char *url, const char **rest);
const char *config_scheme_name(unsigned scheme);
/* Check a URL of an upstream; errors are logged with its line. */
int config_url(struct load *l, const char *url, int line);
/* Is the host of an http URL this machine itself? */
int config_url_is_local(const char *url);
/* Is the host of a URL this one, or one below it? */
int config_url_is_at(const char *url, const char *host);

/* The end of an [upstream]: check the keys that belong together. */
void config_end_upstream(struct load *l, struct config_upstream *u);

/* A connection that is shared has a socket, with a longer name than others:
   check gate.state for it. */
void config_check_shared(struct load *l);
/* config-own.c: are git-gate's own programs there? 0, or -1, each logged. */
int config_check_own(const struct config *c);
/* config-warn.c: logs what is in order and cannot be meant. */
void config_warn(const struct config *c);
/* The line of gate.state, or the first. */
int config_state_line(const struct load *l);

/* Longest path of a unix socket: sun_path of unix(7), less its NUL. */
#define CONFIG_SOCKET_MAX 107

#endif
