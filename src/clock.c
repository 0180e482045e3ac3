/*
 * Monotonic time, and waiting on it: takes deadlines, gives milliseconds; never
 * goes back, and no change of the date makes a wait longer.
 */
#include "clock.h"

#include <limits.h>
#include <time.h>

int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int clock_left(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

void clock_condition(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

int clock_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline)
{
	const struct timespec until = { .tv_sec = deadline / 1000,
					.tv_nsec = deadline % 1000 * 1000000 };

	return pthread_cond_timedwait(cond, mutex, &until) ? -1 : 0;
}
