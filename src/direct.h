#ifndef DIRECT_H
#define DIRECT_H

#include <stdint.h>

/*
 * Would git http-backend, asked to fetch from the repository at git_dir with a
 * body of this many bytes, do nothing but start git upload-pack? Returns 1, or
 * 0: ask it. For each request anew: what it looks at may have changed.
 */
int direct_may(const char *git_dir, uint64_t body);

#endif
