#ifndef AUDIT_H
#define AUDIT_H

#include <stdint.h>

/*
 * One log line per decision and per session's end: "audit key=value ...",
 * values quoted where they need it. The id in a client's terminal finds it.
 */
struct audit {
	const char *id, *who, *addr, *op, *repo, *ref;
	const char *verdict; /* "allowed", "refused", "failed" */
	const char *code;    /* of the refusal, or NULL */
	const char *rule;    /* "file:line", or NULL */
	const char *detail;  /* for the operator only, or NULL */
	uint64_t in, out;    /* bytes */
	int64_t ms;
};

void audit_log(const struct audit *a);

#endif
