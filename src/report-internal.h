#ifndef REPORT_INTERNAL_H
#define REPORT_INTERNAL_H

#include <stdio.h>

#include "report.h"

/* What the files report*.c share; nobody else includes this. */

/* Twelve digits of an id name an object in any repository we know. */
#define REPORT_SHORT_ID 12

/* Foreign text, cleaned of control characters. */
void report_clean(FILE *to, const char *s);

/* Words in lines that fit, behind first; other lines have the indent. */
void report_words(FILE *to, const struct report_style *style,
		  const char *first, unsigned indent, const char *words);

/* What the pusher or operator can do about these findings. */
void report_advice(FILE *to, const struct findings *fs, size_t shown,
		   const struct report_style *style);

/* A JSON string, RFC 8259, in its quotes; cleaned too. */
void report_string(FILE *to, const char *s);

#endif
