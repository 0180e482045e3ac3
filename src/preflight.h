#ifndef PREFLIGHT_H
#define PREFLIGHT_H

struct config;

/*
 * git-http-backend's absolute path, in the directory that `git --exec-path`
 * tells; the caller frees it. Returns NULL, logged.
 */
char *preflight_backend(const struct config *c);

/*
 * Load the configuration and make a private copy of it in its state directory,
 * which children read: so they decide by what was loaded, not by an edit under
 * way. With make as config_check_paths. Everything that is wrong is logged.
 * Returns a configuration for config_free, which removes the copy, or NULL.
 */
struct config *preflight_load(const char *file, int make);

/* Remove the copies that dead processes left in c's state directory. */
void preflight_clean(const struct config *c);

/* Does our hook load its rules and find? Returns 0, or -1, logged. */
int preflight_hook(const struct config *c);

#endif
