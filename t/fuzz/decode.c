/*
 * decode: whatever the text is, the pieces hold what the contract says, and
 * decoding only near what an edit brought misses no piece that the edit
 * changed: each one left out is a piece of the text before, byte for byte.
 * The input is a programme: each byte stands for a word of the text.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "decode.h"
#include "mem.h"

struct kept {
	size_t len, start, end;
	uint64_t hash;
};
struct pieces {
	const char *text;
	size_t len;
	struct kept *all;
	size_t nr, alloc;
};

static uint64_t hash(uint64_t h, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* Check one piece, and keep what it was. */
static int keep(void *arg, const struct decode_piece *p)
{
	struct pieces *k = arg;
	size_t at = p->stretch.start, out = 0;
	uint64_t h = hash(UINT64_C(0xcbf29ce484222325), p->data, p->len);

	assert(p->nr && p->encoding && *p->encoding);
	assert(!p->packed || p->nr == 1);
	assert(p->stretch.end <= k->len && at <= p->stretch.end);
	for (size_t i = 0; i < p->nr; i++) {
		struct span from = p->from[i], decoded = p->decoded[i];
		struct span rel = { from.start - p->stretch.start,
				    from.end - p->stretch.start };

		assert(from.start >= at && from.end > from.start);
		assert(from.end <= p->stretch.end);
		assert(decoded.end >= decoded.start && decoded.end <= p->len);
		assert(decoded.start - out == from.start - at);
		assert(!memcmp(p->data + out, k->text + at, from.start - at));
		at = from.end;
		out = decoded.end;
		h = hash(hash(h, &rel, sizeof(rel)), &decoded, sizeof(decoded));
	}
	assert(p->len - out == p->stretch.end - at);
	assert(!memcmp(p->data + out, k->text + at, p->len - out));
	MEM_GROW(k->all, k->nr, k->alloc);
	k->all[k->nr++] = (struct kept){ p->len, p->stretch.start,
					 p->stretch.end, h };
	return 0;
}

static int same(const struct kept *a, const struct kept *b)
{
	return a->len == b->len && a->hash == b->hash;
}

static void pieces_of(struct decoder *d, const struct buf *text,
		      const struct span *where, size_t nr, struct pieces *out)
{
	*out = (struct pieces){ .text = text->data, .len = text->len };
	decode_each(d, text->data, text->len, where, nr, keep, out);
}

/* Of a text that is decoded as a whole nothing stays as it is. */
static int keep_whole(void *arg, const struct decode_piece *p)
{
	const struct pieces *k = arg;

	assert(p->nr && !p->stretch.start && p->stretch.end + 4 > k->len);
	assert(p->from[0].start == 0 && p->decoded[0].start == 0);
	assert(p->from[p->nr - 1].end == p->stretch.end);
	assert(p->decoded[p->nr - 1].end == p->len);
	return 0;
}

static const char *const words[] = {
	"\n", " ", "    ", "\t", "=", "==", "\"", "\\n", "\\", "\\\n", "\r\n",
	"%3D", "%5d", "%41", "%C3%A9", "%", "\\u003d", "\\u", "\\x41",
	"\\101", "&amp;", "&#65;", "&#x3d;", "&", ";", "\\u{41}", "\\ud83d",
	"cGFzc3dvcmQgPSAi", "aHVudGVyMiBpcyBub3QgYSBzZWNyZXQ",
	"TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVyIGFkaXBp",
	"c2NpbmcgZWxpdCwgc2VkIGRvIGVpdXNtb2QgdGVtcG9yIGluY2lkaWR1bnQg",
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKiss",
	"70617373776f72643d68756e7465723270617373776f7264",
	"da39a3ee5e6b4b0d3255bfef95601890afd80709", "0x", "name_of_something",
	"cABhAHMAcwB3AG8AcgBkACAAPQAgACIA", "a", "Z", "/path/to/some/file/in",
	"prose that is not encoded at all, for once. ", ".", "{", "}", "#",
	/* what is packed: its first digits, and lines to go on with */
	"H4sIAAAAAAAAA0vOzy0oSi0uTk1RKEvNSSwpLU5VKMlIVSjJSFUoLs7ILEoBAHKm",
	"UEsDBBQAAAAIAAAAIQBsZ2U4HgAAACAAAAAI", "KLUv_SQpSQEAa2V5ID0gdmFs",
	"1f8b0800000000000003cb4bcc4d55c84d2c2e2e49", "H4sIAAAAAAAAAw==",
	"From: a\n", "Content-Transfer-Encoding: quoted-printable\n", "=\n",
	"= \r\n", "=3D", "=E2", "=0D=0A",
};
/* Words with NULs, for bytes of the programme from WIDE_FROM on. */
static const char wide[][16] = {
	"\0a\0b\0c\0d\0e\0f\0g", "a\0b\0c\0d\0e\0f\0g\0", "\0",
	"\0\0\0", "a\0\0\0b\0\0\0", "\0\0\xfe\xff", "\xff\xfe\0\0",
};
#define NR_WIDE (sizeof(wide) / sizeof(*wide))
static const uint8_t wide_len[] = { 14, 14, 1, 3, 8, 4, 4 };
#define WIDE_FROM 0xc0
#define NR_WORDS (sizeof(words) / sizeof(*words))

/* One byte of the programme: a word, or a stretch without any encoding. */
static void add_word(struct buf *out, uint8_t c)
{
	if (c < NR_WORDS) {
		buf_adds(out, words[c]);
	} else if (c >= WIDE_FROM && c < WIDE_FROM + NR_WIDE) {
		buf_add(out, wide[c - WIDE_FROM], wide_len[c - WIDE_FROM]);
	} else if (c >= 0xe0) {
		for (unsigned i = 0; i < (c - 0xdfu) * 3; i++)
			buf_adds(out, c & 1 ? "no code, " : "none.\n");
	} else {
		buf_addc(out, (char)c);
	}
}

static int none(void *arg, const struct decode_piece *p)
{
	(void)arg;
	(void)p;
	return 0;
}

static int is_utf16(struct decoder *d, const struct buf *text)
{
	int ret;

	return decode_utf16(d, text->data, text->len, none, NULL, &ret);
}

/* Everything that decoding near the new bytes left out was there before. */
static void check(const struct pieces *old, const struct pieces *all,
		  const struct pieces *some)
{
	size_t n = 0;

	for (size_t i = 0; i < all->nr; i++) {
		size_t k = 0;

		if (n < some->nr && some->all[n].start == all->all[i].start &&
		    same(&some->all[n], &all->all[i])) {
			n++;
			continue;
		}
		while (k < old->nr && !same(&old->all[k], &all->all[i]))
			k++;
		assert(k < old->nr);
	}
	assert(n == some->nr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct span all = { 0, 0 }, fresh[2];
	struct pieces old, whole, some;
	struct decoder *d = decode_new();
	size_t cut[4], nr = 0;
	int ret;

	if (size < 8)
		goto out;
	/* up to two edits, each from cut[i] to cut[i + 1] of the programme */
	for (size_t i = 0; i < 4; i++)
		cut[i] = 8 + (data[i] | (size_t)data[4 + i] << 8) % (size - 7);
	buf_room(&before, 1);
	buf_room(&after, 1);
	for (size_t i = 8; i < size; i++) {
		int in = (i >= cut[0] && i < cut[0] + cut[1] % 5) ||
			 (i >= cut[2] && i < cut[2] + cut[3] % 5);
		size_t at = after.len;

		if (!in || data[3] & 1)
			add_word(&before, in ? data[i] ^ 1 : data[i]);
		if (in && data[2] & 1)
			add_word(&after, data[i]);
		else if (!in)
			add_word(&after, data[i]);
		if (!in)
			continue;
		if (nr && fresh[nr - 1].end == at)
			fresh[nr - 1].end = after.len;
		else if (nr < 2)
			fresh[nr++] = (struct span){ at, after.len };
		else
			goto out;
	}
	all.end = before.len;
	pieces_of(d, &before, &all, 1, &old);
	all.end = after.len;
	pieces_of(d, &after, &all, 1, &whole);
	pieces_of(d, &after, fresh, nr, &some);
	/* of one that is UTF-16 strings in it are not given */
	if (!is_utf16(d, &before))
		check(&old, &whole, &some);
	decode_utf16(d, after.data, after.len, keep, &some, &ret);
	decode_utf32(d, after.data, after.len, keep_whole, &some, &ret);
	decode_mail(after.data, after.len, keep, &some);
	free(old.all);
	free(whole.all);
	free(some.all);
out:
	buf_clear(&before);
	buf_clear(&after);
	decode_free(d);
	return 0;
}
