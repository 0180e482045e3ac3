#ifndef OID_H
#define OID_H

#include <stddef.h>
#include <string.h>

/*
 * Names of git's objects: 20 bytes of SHA-1 or 32 of SHA-256. Which of the
 * two a repository has is told beside it, as raw_len (gitformat-pack(5)).
 */
#define OID_SHA1 20
#define OID_SHA256 32
#define OID_HEX_MAX 64

struct oid {
	unsigned char raw[OID_SHA256]; /* of SHA-1, the rest is zero */
};

/* The first 2 * raw_len bytes at hex, all of them hexadecimal digits, of lower
 * case or upper; what follows is not looked at. 0 or -1. */
int oid_parse(struct oid *out, const char *hex, size_t raw_len);
/* Returns out, which is ended by a NUL. */
char *oid_hex(const struct oid *id, size_t raw_len, char out[OID_HEX_MAX + 1]);
/* Sets of millions ask it: in place, it is two comparisons of a processor. */
static inline int oid_equal(const struct oid *a, const struct oid *b)
{
	return !memcmp(a->raw, b->raw, sizeof(a->raw));
}

#endif
