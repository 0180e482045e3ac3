#ifndef SPAN_H
#define SPAN_H

#include <stddef.h>

/* Bytes start..end of a text, end not included. */
struct span {
	size_t start, end;
};

#endif
