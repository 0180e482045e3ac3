#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* Monotonic time in milliseconds. */
int64_t clock_ms(void);

/* Milliseconds from now until deadline, 0 when past, as poll(2) takes them. */
int clock_left(int64_t deadline);

#endif
