#ifndef PREFLIGHT_H
#define PREFLIGHT_H

struct config;

/*
 * git-http-backend's absolute path, in the directory that `git --exec-path`
 * tells; the caller frees it. Returns NULL, logged.
 */
char *preflight_backend(const struct config *c);

/* Does our hook load its rules and find? Returns 0, or -1, logged. */
int preflight_hook(const struct config *c);

#endif
