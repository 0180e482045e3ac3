#ifndef GIT_GATE_HOOK_INTERNAL_H
#define GIT_GATE_HOOK_INTERNAL_H

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
};

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
void hook_audit_findings(const struct hook *h, const struct findings *fs);

#endif
