#ifndef GIT_GATED_SELF_H
#define GIT_GATED_SELF_H

struct config;

/* What the responder does to its own process. */

/* No core, no environment, private files; memory that does not creep. */
void git_gated_harden(void);
/* As many descriptors as may be needed, or a warning. */
void git_gated_raise_files(const struct config *c);
/*
 * Goes on in a child, whose number all that is named by one has. The parent
 * exits with 0 when that one has started, with 1 when it ended before. Returns
 * the descriptor for git_gated_started, or -1, logged.
 */
int git_gated_background(void);
/* To be said once, when requests are served; closes the descriptor. */
void git_gated_started(int fd);

#endif
