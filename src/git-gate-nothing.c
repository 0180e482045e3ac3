/*
 * What git runs in place of listing references that need no listing
 * (core.alternateRefsCommand): takes nothing, says nothing, ends well. Each
 * push waits for it, and to start is all it does: where it can be linked so,
 * it begins without the C library's own start and its loader's.
 */
#include <unistd.h>

#ifdef BARE_START
void begin(void);

/* The entry: there is nothing to return to. */
void begin(void)
{
	_exit(0);
}
#else
int main(void)
{
	_exit(0);
}
#endif
