#ifndef CMD_RULES_INTERNAL_H
#define CMD_RULES_INTERNAL_H

/* What the files of cmd-rules share; nobody else includes this. */

struct rules;

/*
 * cmd-rules-test.c: each example of the file, or of the built-in rules where
 * file is NULL, by these rules. Returns the exit status.
 */
int cmd_rules_test(const struct rules *r, const char *file);

#endif
