#ifndef STRAYS_H
#define STRAYS_H

struct config;

/*
 * End what an earlier responder with this state directory left running when it
 * was killed: its backends, their hooks, git and ssh. To be called when no
 * other responder has the directory (control_open) and before anything of ours
 * runs or what was left behind is removed. Returns in a few seconds, when none
 * is left or, logged, some cannot be ended.
 */
void strays_end(const struct config *c);

#endif
