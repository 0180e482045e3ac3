#ifndef GIT_GATE_HOOK_INTERNAL_H
#define GIT_GATE_HOOK_INTERNAL_H

#include <stdint.h>

#include "accept.h"
#include "updates.h"
#include "walk.h"

struct config;
struct config_repo;
struct findings;
struct rules;
struct scanner;

/* One push, on its way through the hook. */
struct hook {
	const char *id;
	const char *who;
	char *name; /* of the repository */
	struct config *config;
	const struct config_repo *repo;
	struct rules *rules;
	struct scanner *scanner;
	struct walk *walk;
	struct updates updates;
	struct walk_options options;
	size_t objects; /* that it brings, once scanned */
	struct accept accept; /* findings that do not count */
};

/* Exit statuses. */
enum { HOOK_DONE = 0, HOOK_REFUSED = 1, HOOK_UNKNOWN = 3 };

/* A line for the client, cleaned; as forward_say. */
void hook_tell(void *arg, const char *line);
/* The hook ends so long from now, and a margin, whatever hangs. */
void hook_limit_time(const struct hook *h, int64_t ms);
/* It could not be told whether the push may pass. Returns HOOK_UNKNOWN. */
int hook_unknown(const struct hook *h, const char *code, const char *why,
		 const char *remedy);
extern const char hook_ask_operator[]; /* a remedy */

/*
 * git-gate-hook-forward.c: git may have been started before all of the request
 * was there, and what has no end is no push, however much of it git has. And
 * the rest of a push that passed.
 */
int hook_wait_whole(const struct hook *h);
int hook_forward(struct hook *h);
/* git-gate-hook-quarantine.c: 0, or -1, logged. */
int hook_quarantine_empty(void);
/*
 * What git does when all have let the push pass, a directory of the repository
 * for each of the quarantine, done before: at the worst empty ones are left.
 */
void hook_quarantine_prepare(void);

/* One line for the log each; a push of more references is cut there. */
#define HOOK_AUDIT_MAX 100

/*
 * The push's audit records, one for each reference: verdict, code (may be
 * NULL), the deciding rule; for findings, which rules found and fingerprints.
 */
void hook_audit_ref(const struct hook *h, const struct update *u,
		    const char *verdict, const char *code);
void hook_audit_refs(const struct hook *h, const char *verdict,
		     const char *code);
/* Of what was taken: "allowed"; of the rest: "failed" and the code. */
void hook_audit_forward(const struct hook *h, const char *code);
void hook_audit_findings(const struct hook *h, const struct findings *fs);
/*
 * One for each exception or ignored line that was used; a warning for each that
 * is over.
 */
void hook_audit_uses(const struct hook *h);

#endif
