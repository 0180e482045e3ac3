#ifndef GIT_GATED_SELF_H
#define GIT_GATED_SELF_H

struct config;

/* What the responder does to its own process. */

/* No core, no environment, private files; memory that does not creep. */
void git_gated_harden(void);
/* As many descriptors as may be needed, or a warning. */
void git_gated_raise_files(const struct config *c);
/* The parent exits with 0. Returns 0 in the child, or -1, logged. */
int git_gated_background(void);

#endif
