#ifndef MEM_H
#define MEM_H

#include <stddef.h>

/*
 * Memory that is there, or the process ends: every caller bounds what it asks
 * for, so running out is a fault of the machine, not an answer to a client.
 * Each function logs and aborts (no core is written) when memory runs out.
 */

/* n bytes, zeroed; the caller frees them with free(3). */
void *mem_zalloc(size_t n);
/* An array of count elements of size bytes, zeroed; overflow aborts. */
void *mem_array(size_t count, size_t size);
/* Resize to count elements of size bytes; new bytes are not zeroed. */
void *mem_resize(void *p, size_t count, size_t size);
/* A copy of s, or of its first n bytes and a NUL. */
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);
/* Overwrite n bytes in a way the compiler keeps; for secrets. */
void mem_wipe(void *p, size_t n);

/*
 * Room for one more element in the array *p of *alloc elements, of which nr
 * are used: grows by half when full.
 */
#define MEM_GROW(p, nr, alloc)                                                 \
	do {                                                                   \
		if ((nr) >= (alloc)) {                                         \
			(alloc) = (alloc) + (alloc) / 2 + 8;                   \
			(p) = mem_resize((p), (alloc), sizeof(*(p)));          \
		}                                                              \
	} while (0)

#endif
