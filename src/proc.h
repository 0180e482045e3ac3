#ifndef PROC_H
#define PROC_H

#include <sys/types.h>

/*
 * Processes of our own user, as /proc shows them (proc(5)). Where it shows
 * nothing (another user's, or one that hides its memory) the answer is no.
 */
struct proc {
	pid_t pid, parent, group, session;
	char state; /* 'R', 'S', 'T', 'Z', ... */
};

/*
 * Fill in the rest for p->pid. dir is a descriptor of /proc. Returns 0, or -1:
 * it is not there.
 */
int proc_stat(int dir, struct proc *p);

/*
 * Is it of our user, running, and has it in its environment a variable that
 * begins with text, "NAME=VALUE" (whole: that is all of it)? Fills in *p as
 * above; all is of one process, and it still ran when this returned.
 */
int proc_marked(int dir, struct proc *p, const char *text, int whole);

/*
 * Call fn for each process there is, until it returns other than 0; returns
 * that, or 0. Returns -1 with errno set when /proc cannot be read.
 */
int proc_each(int (*fn)(void *arg, int dir, pid_t pid), void *arg);

#endif
