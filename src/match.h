#ifndef MATCH_H
#define MATCH_H

/*
 * Patterns for names of people, repositories and references: '*' stands for
 * any run of bytes, '/' included, and '?' for one byte; all else stands for
 * itself. Linear in pattern times text; no recursion. Returns 1 or 0.
 */
int match_glob(const char *pattern, const char *text);

/* The same with ASCII letters of both cases taken as equal. */
int match_glob_icase(const char *pattern, const char *text);

#endif
