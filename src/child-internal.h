#ifndef CHILD_INTERNAL_H
#define CHILD_INTERNAL_H

/* What the files of child share; nobody else includes this. */

struct child;

/*
 * Start the program as child.h says, and set c->pid. The caller sees to it
 * that one thread at a time is in here. Returns 0, or the errno of what
 * failed, execve(2) included; then nothing runs. Nothing is logged.
 */
int child_spawn(struct child *c);

#endif
