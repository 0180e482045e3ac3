#ifndef AGENT_H
#define AGENT_H

/*
 * Dial the ssh agent at this path and ask it for its keys, within 2 seconds.
 * Returns a descriptor, or -1 with errno set: ENOKEY when it has none, and
 * needs_key.
 */
int agent_dial(const char *path, int needs_key);

#endif
