#ifndef HINT_H
#define HINT_H

#include <stddef.h>

/*
 * What the operator may change when git ran into a limit of [backend]: by one
 * line of its standard error, and by its exit status (child_wait). For the
 * log. Pure. Each returns a sentence, or NULL: it was something else.
 */
const char *hint_of_line(const char *line, size_t n);
const char *hint_of_status(int status);

#endif
