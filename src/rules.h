#ifndef RULES_H
#define RULES_H

#include <stddef.h>

/*
 * Secret-scanning rules in gitleaks' TOML format: loaded once, const after
 * and shared by threads. Regexes are compiled where they are first needed
 * (scan.h), so that a hook starts fast; one that does not compile there makes
 * the scan "could not tell". rules_compile_all tells beforehand.
 */
struct rules;

/* The rules built into the program. Returns NULL, logged, on a fault. */
struct rules *rules_builtin(void);

/*
 * Rules from a file. Every error is logged with file:line; an unknown key, a
 * regex that Go's RE2 would refuse, or zero rules is an error. Returns NULL
 * on any error.
 */
struct rules *rules_load(const char *file);

/*
 * Compile every regex and look for traps. Returns 0, or -1 when one does not
 * compile; errors and traps (warnings) are logged with file:line.
 */
int rules_compile_all(const struct rules *r);

void rules_free(struct rules *r);

size_t rules_count(const struct rules *r);

#endif
