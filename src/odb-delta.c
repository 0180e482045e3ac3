/*
 * Deltas: takes instructions and a base, makes the version, and tells which
 * bytes of it were copied from where (gitformat-pack(5), "Deltified
 * representation"). Pure. Every length and offset of an instruction is checked.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "odb-internal.h"

#define INSERT_MAX 127

/* A number, 7 bits a byte, the lowest first. The next byte, or NULL. */
static const unsigned char *get_size(const unsigned char *at,
				     const unsigned char *end, size_t *out)
{
	unsigned shift = 0;
	size_t n = 0;
	unsigned char c;

	do {
		if (at >= end || shift > 56)
			return NULL;
		c = *at++;
		n |= (size_t)(c & 0x7f) << shift;
		shift += 7;
	} while (c & 0x80);
	*out = n;
	return at;
}

int odb_delta_head(struct odb_delta *d, const unsigned char *text, size_t len)
{
	size_t most;

	d->end = text + len;
	d->at = get_size(text, d->end, &d->base_len);
	if (d->at)
		d->at = get_size(d->at, d->end, &d->len);
	if (!d->at)
		return -1;
	/* so much each byte can bring: all of the base, or an insertion */
	most = d->base_len > INSERT_MAX ? d->base_len : INSERT_MAX;
	return d->len / most <= (size_t)(d->end - d->at) ? 0 : -1;
}

/*
 * Offset and length of a copy, from the bytes that op says are there; up to
 * seven, which can be read beyond the end too. The next instruction, or NULL.
 */
static inline const unsigned char *get_copy(const unsigned char *at,
					    const unsigned char *end,
					    unsigned op, size_t *from,
					    size_t *len)
{
	uint32_t offset = 0, n = 0;

	if (op & 0x01)
		offset = *at++;
	if (op & 0x02)
		offset |= (uint32_t)*at++ << 8;
	if (op & 0x04)
		offset |= (uint32_t)*at++ << 16;
	if (op & 0x08)
		offset |= (uint32_t)*at++ << 24;
	if (op & 0x10)
		n = *at++;
	if (op & 0x20)
		n |= (uint32_t)*at++ << 8;
	if (op & 0x40)
		n |= (uint32_t)*at++ << 16;
	*from = offset;
	*len = n ? n : 0x10000;
	return at <= end ? at : NULL;
}

/* Fresh bytes; right after others they are one span with them. */
static void mark_fresh(struct odb_marks *m, size_t start, size_t end)
{
	if (m->nr_fresh && m->fresh[m->nr_fresh - 1].end == start) {
		m->fresh[m->nr_fresh - 1].end = end;
		return;
	}
	MEM_GROW(m->fresh, m->nr_fresh, m->alloc_fresh);
	m->fresh[m->nr_fresh++] = (struct span){ start, end };
}

/* A copy; one with the last if both are neighbours in the base too. */
static void mark_copy(struct odb_marks *m, size_t to, size_t from, size_t len)
{
	struct odb_copy *last = m->nr_copies ? &m->copies[m->nr_copies - 1] :
					       NULL;
	size_t last_end = last ? last->to + last->len : 0;

	if (last && last_end == to && last->from + last->len == from) {
		last->len += len;
		return;
	}
	/* what was before it in the base is not before it here */
	if (last ? last_end == to : !to && from)
		mark_fresh(m, to, to);
	MEM_GROW(m->copies, m->nr_copies, m->alloc_copies);
	m->copies[m->nr_copies++] = (struct odb_copy){ to, from, len };
}

/* The end is a seam too, where the base went on. */
static void mark_end(struct odb_marks *m, const struct odb_delta *d)
{
	const struct odb_copy *last;

	if (!m->nr_copies) {
		odb_marks_whole(m, d->len);
		return;
	}
	last = &m->copies[m->nr_copies - 1];
	if (last->to + last->len == d->len &&
	    last->from + last->len != d->base_len)
		mark_fresh(m, d->len, d->len);
}

/* Both sides have ODB_SLACK bytes more: short ones take two moves. */
static inline void copy(char *to, const void *from, size_t n)
{
	if (n <= ODB_SLACK)
		memcpy(to, from, ODB_SLACK);
	else
		memcpy(to, from, n);
}

int odb_delta_apply(const struct odb_delta *d, const char *base, char *out,
		    struct odb_marks *marks)
{
	const unsigned char *at = d->at;
	size_t done = 0, from, n;
	unsigned op;

	if (marks)
		marks->nr_copies = marks->nr_fresh = 0;
	while (at < d->end) {
		op = *at++;
		if (op & 0x80) {
			at = get_copy(at, d->end, op, &from, &n);
			if (!at || n > d->len - done || from > d->base_len ||
			    n > d->base_len - from)
				return -1;
			copy(out + done, base + from, n);
			if (marks)
				mark_copy(marks, done, from, n);
		} else {
			n = op; /* 0 is reserved */
			if (!n || n > (size_t)(d->end - at) ||
			    n > d->len - done)
				return -1;
			copy(out + done, at, n);
			at += n;
			if (marks)
				mark_fresh(marks, done, done + n);
		}
		done += n;
	}
	if (done != d->len)
		return -1;
	memset(out + done, 0, ODB_SLACK);
	if (marks)
		mark_end(marks, d);
	return 0;
}

void odb_marks_whole(struct odb_marks *m, size_t len)
{
	m->nr_copies = m->nr_fresh = 0;
	mark_fresh(m, 0, len);
}

void odb_marks_clear(struct odb_marks *m)
{
	free(m->copies);
	free(m->fresh);
	memset(m, 0, sizeof(*m));
}
