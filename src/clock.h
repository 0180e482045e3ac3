#ifndef CLOCK_H
#define CLOCK_H

#include <pthread.h>
#include <stdint.h>

/* Monotonic time in milliseconds. */
int64_t clock_ms(void);

/* Milliseconds from now until deadline, 0 when past, as poll(2) takes them. */
int clock_left(int64_t deadline);

/*
 * A condition for clock_wait, for pthread_cond_destroy; and the wait, with the
 * mutex held, until it is signalled or deadline, a clock_ms() value, has come.
 * Returns 0, or -1: it has come.
 */
void clock_condition(pthread_cond_t *cond);
int clock_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline);

#endif
