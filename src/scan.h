#ifndef SCAN_H
#define SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "span.h"

struct buf;
struct rules;

/*
 * Text in, findings out; pure but for memory. Says "could not tell" rather
 * than "clean" whenever a limit was met.
 */
enum scan_result {
	SCAN_UNKNOWN = 0, /* could not tell: never taken for clean */
	SCAN_CLEAN,
	SCAN_FOUND,
};

struct scan_finding {
	const char *rule;        /* rule id; lives as long as the rules */
	const char *description; /* of the rule, likewise */
	size_t start, end;       /* the match, bytes from the text's start; of
				    an encoded one, the bytes that it is in */
	unsigned line, column;   /* of start, from 1 */
	unsigned end_line, end_column; /* of its last byte */
	/* decoded where it was encoded; both live until fn returns */
	const char *match, *secret;
	size_t match_len, secret_len;
	double entropy;          /* of the secret, bits a byte */
	const char *encodings;   /* "", or "base64,percent": outermost first */
};

/* One thread's scratch memory for scanning with one set of rules. */
struct scanner;

/* depth: encodings taken off one within the other, 0 for none. */
#define SCAN_DEPTH 3
struct scanner *scan_new(const struct rules *r, unsigned depth);
void scan_free(struct scanner *s);
/* A clock_ms() value, 0 for none: later, all is "could not tell". */
void scan_set_deadline(struct scanner *s, int64_t deadline_ms);

struct scan_input {
	const char *text;
	size_t len;
	const char *path;   /* for rules and allow-lists; NULL: none */
	const char *commit; /* hexadecimal, for allow-lists; NULL: none */
};

/*
 * Find the secrets in a text. fn is called once per finding, in order of
 * rule. On SCAN_UNKNOWN, *why (if why is not NULL) is a sentence part that
 * names the rule and limit and lives until the next call.
 */
typedef void scan_fn(void *arg, const struct scan_finding *f);
enum scan_result scan_text(struct scanner *s, const struct scan_input *in,
			   scan_fn *fn, void *arg, const char **why);

/*
 * What was encoded in a text and is compressed, or an archive: its bytes, which
 * nobody has looked into.
 */
struct scan_packed {
	char *data;
	size_t len;
	struct span place; /* of the text: what it is in */
	unsigned line;     /* of the place, from 1; of a probe 0 */
	char *encodings;   /* "base64": outermost first */
};
struct scan_packed_list {
	struct scan_packed *list; /* in order of the place, mostly */
	size_t nr, alloc, bytes;
	int more;          /* there was too much: not all are here */
};
#define SCAN_PACKED_LIST_INIT { 0 }

/*
 * What the last scan_text or scan_probe met of that. It is the caller's, who
 * clears it. Not more than 65,536 are kept, and 64 MiB in all.
 */
void scan_take_packed(struct scanner *s, struct scan_packed_list *out);
/* Is there any of it? */
int scan_has_packed(const struct scanner *s);
void scan_packed_clear(struct scan_packed_list *l);

/*
 * Does any rule find something by the path alone? Then each path of a new
 * file wants scan_text.
 */
int scan_minds_path(const struct scanner *s);

/* A word that wakes rules, and where it is. */
struct scan_mark {
	uint32_t at, word; /* and SCAN_MARK_LONG: for rules of long reach */
};
#define SCAN_MARK_LONG 0x80000000u

/* Which rules could find something: these, or any. */
#define SCAN_WHO_MAX 8
struct scan_who {
	uint16_t rules[SCAN_WHO_MAX];
	uint8_t nr, any;
};
#define SCAN_WHO_ANY { .any = 1 }
void scan_who_add(struct scan_who *who, const struct scan_who *more);

/*
 * What a probe learned of one version of an object, for the versions that are
 * made from it by copying.
 */
struct scan_trace {
	struct span *hot; /* where scan_text could find something; in order */
	size_t nr, alloc;
	struct scan_who who; /* in all of them */
	struct scan_mark *marks; /* the words in it, in order */
	size_t nr_marks, alloc_marks;
	size_t past;      /* marks of the base that the last copy left behind */
	uint64_t *far;    /* bits: rules that nothing locates, and are awake */
	int whole;        /* those made from it want to be probed whole */
};

#define SCAN_TRACE_INIT { 0 }

void scan_trace_clear(struct scan_trace *t);
/* Bytes of memory that it holds. */
size_t scan_trace_size(const struct scanner *s, const struct scan_trace *t);
/*
 * Into the trace `to` of a new version: what it has of base, by this copy.
 * Copies come in the order of `at`; they may be of several bases, which are
 * versions that were probed.
 */
void scan_trace_copy(const struct scanner *s, const struct scan_trace *base,
		     size_t from, size_t at, size_t len,
		     struct scan_trace *to);
/*
 * Could scan_text find anything in this version, under whatever path and
 * commit? The bytes outside the fresh spans (in order, apart; an empty span is
 * a seam, and so is either end of the text unless it is that of the base) were
 * copied from versions that were probed, and *trace holds what
 * scan_trace_copy made of that; the version's own is added. SCAN_CLEAN: it
 * could not, and that is certain. SCAN_FOUND: perhaps. SCAN_UNKNOWN: a limit
 * was met, as with scan_text.
 */
enum scan_result scan_probe(struct scanner *s, const char *text, size_t len,
			    const struct span *fresh, size_t nr_fresh,
			    struct scan_trace *trace, const char **why);
/*
 * Could scan_text find anything under this path, in this commit (may be NULL),
 * when only these rules could under any? 0: it could not, and that is certain.
 * The text has nothing packed in it.
 */
int scan_minds(struct scanner *s, const struct scan_who *who, const char *path,
	       const char *commit);
/*
 * What scan_take_packed gives is not among that: of each that is not clean
 * this is to be said, before anything is copied from the version.
 */
void scan_trace_packed(struct scan_trace *t, const struct scan_packed *p);

/*
 * Why a candidate became a finding or did not: told for each one while set.
 * Nothing in it is to be shown but through text_redact.
 */
enum scan_verdict {
	SCAN_KEPT = 0,
	SCAN_LOW_ENTROPY,   /* not above the rule's */
	SCAN_ALLOWED,       /* by an allow-list: allow_file, allow_line */
	SCAN_GENERIC,       /* a particular rule has the same secret there */
	SCAN_ALONE,         /* a rule that must match nearby does not */
	SCAN_PATH,          /* the rule does not look at this path */
};
struct scan_event {
	enum scan_verdict verdict;
	struct scan_finding finding; /* as far as it is known */
	const char *keyword;         /* that woke the rule, or "" */
	double wanted_entropy;       /* the rule's, 0 for none */
	const char *allow_file, *allow_what;
	int allow_line;
};
typedef void scan_event_fn(void *arg, const struct scan_event *e);
void scan_explain(struct scanner *s, scan_event_fn *fn, void *arg);

/*
 * Text for people without the secrets in it; "(not shown)" when it cannot be
 * told. Not cleaned of control characters.
 */
void scan_redact(struct scanner *s, const char *text, size_t len,
		 struct buf *out);
/*
 * The same of a path, a reference or an entry of an archive ("a.zip!dir/b"):
 * each part alone too, as a rule may want nothing before what it finds.
 */
void scan_redact_name(struct scanner *s, const char *name, size_t len,
		      struct buf *out);

/*
 * Does this scanner find anything at all? Scans a made-up token that a rule
 * of the set must match (for a foreign rule set: that every regex runs).
 * Returns 0, or -1, logged.
 */
int scan_self_test(struct scanner *s);

/*
 * Would a scan with this rule file (NULL: the built-in rules) work? Loads it,
 * compiles all of it and runs the self-test. Returns how many rules there
 * are, or 0, logged.
 */
size_t scan_check(const char *rules_file);

#endif
