#ifndef VEIL_H
#define VEIL_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct config;
struct config_upstream;

/*
 * An upstream's words on their way to people, without the token that it was
 * given: a server's error page may show the request, a hook its environment.
 * Whoever gives a token to git leaves its marks at the responder: of the token
 * itself and of its Basic credentials (RFC 7617) a length and a hash, of which
 * nothing can be made again; whoever hands words on looks for text with such a
 * mark. A token that the upstream disguises otherwise is not found.
 */
#define VEIL_MARKS 16 /* the last eight tokens of an upstream */

struct veil {
	struct {
		size_t n;
		uint64_t hash;
	} marks[VEIL_MARKS];
	size_t nr;
};
#define VEIL_INIT { .nr = 0 }

/*
 * The marks of the tokens that this upstream's gits were given. None when the
 * upstream has no token, or no responder runs; then nothing is veiled.
 */
void veil_fetch(const struct config *c, const struct config_upstream *u,
		struct veil *v);

/* Append n bytes to out, what has one of the marks being replaced. */
void veil_words(const struct veil *v, const char *s, size_t n, struct buf *out);

/* Both, in place, for all that a git has said. */
void veil_all(const struct config *c, const struct config_upstream *u,
	      struct buf *words);

/* From git-gate-askpass, before git gets it. May fail; then nothing is left. */
void veil_leave(const struct config *c, const struct config_upstream *u,
		const char *user, const char *token, size_t n);

/* The marks as text, a line of "N:HASH" words; for the room and its test. */
void veil_text(const char *user, const char *token, size_t n, struct buf *out);
void veil_read(struct veil *v, const char *text);

#endif
