/*
 * What was encoded in a text and is compressed, or an archive: kept in copies,
 * as no text is unpacked while another is scanned, nor in this layer. Whoever
 * had the text scanned takes them.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "scan-internal.h"

/* As scan.h has them. */
#define BYTES_MAX ((size_t)64 << 20)
#define NR_MAX ((size_t)1 << 16)

void scan_packed_clear(struct scan_packed_list *l)
{
	for (size_t i = 0; i < l->nr; i++) {
		free(l->list[i].data);
		free(l->list[i].encodings);
	}
	free(l->list);
	*l = (struct scan_packed_list)SCAN_PACKED_LIST_INIT;
}

void scan_take_packed(struct scanner *s, struct scan_packed_list *out)
{
	*out = s->packed;
	s->packed = (struct scan_packed_list)SCAN_PACKED_LIST_INIT;
}

int scan_has_packed(const struct scanner *s)
{
	return s->packed.nr || s->packed.more;
}

void scan_packed_add(struct scanner *s, const struct scan_view *outer,
		     const struct decode_piece *p, int lines)
{
	struct scan_packed_list *l = &s->packed;
	struct buf encodings = BUF_INIT;
	struct scan_packed *to;
	size_t line;

	struct span place;

	/* what was not encoded in a piece is the text's, and is given with it */
	if (!scan_piece_touches(outer, p->stretch, &place))
		return;
	if (l->nr == NR_MAX || p->len > BYTES_MAX - l->bytes) {
		l->more = 1;
		return;
	}
	MEM_GROW(l->list, l->nr, l->alloc);
	to = &l->list[l->nr++];
	l->bytes += p->len;
	to->data = mem_array(p->len, 1);
	memcpy(to->data, p->data, p->len);
	to->len = p->len;
	to->place = place;
	to->line = lines ? scan_lines_at(&s->lines, to->place.start, &line) : 0;
	if (*outer->encodings)
		buf_addf(&encodings, "%s,", outer->encodings);
	buf_adds(&encodings, p->encoding);
	to->encodings = buf_take(&encodings);
}

void scan_trace_packed(struct scan_trace *t, const struct scan_packed *p)
{
	scan_trace_heat(t, p->place.start, p->place.end);
	t->who.any = 1;
}
