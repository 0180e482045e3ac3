/*
 * scan: of any text and any version made from it by copying, scan_probe never
 * says "clean" where scan_text finds something, nor does it miss what is packed;
 * where scan_minds says that nothing can be found under a path, nothing is;
 * findings lie in the text; and to scan twice is to find the same. The input is
 * a programme: what the edits are, and then a word of the text for each byte.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "mem.h"
#include "rules.h"
#include "scan.h"

static const char rules_text[] =
	"[[rules]]\nid='edge'\nregex='\\bkey_([a-z0-9]{8})\\b'\n"
	"[[rules.allowlists]]\npaths=['^q','^p']\n"
	"[[rules]]\nid='lazy'\nregex='(?i)[\\w.-]{0,50}?(?:tok|pass)[ \\t\\w.-]"
	"{0,20}[=:]{1,2} ?([a-z0-9]{6,40}?)(?:[;\\s]|$)'\nentropy=2.2\n"
	"keywords=['tok','pass']\n"
	"[[rules.allowlists]]\nstopwords=['abc','dd']\n"
	"[[rules.allowlists]]\npaths=['^q']\n"
	"[[rules]]\nid='greedy'\nregex='a[b-d]{2,90}e?[b-f]{1,60}(?:g|$)'\n"
	"entropy=1.6\n"
	"[[rules]]\nid='pem'\nregex='-----BEGIN[A-Z ]{1,20}-----[\\s\\S]{20,}?"
	"-----END'\n"
	"[[rules]]\nid='lines'\nregex='user=\\w+\\n(?:.*\\n)?pw=\\w{4,}'\n"
	"[[rules.allowlists]]\ncondition='AND'\npaths=['^q']\nregexes=['bob']\n"
	"[[rules]]\nid='lead'\npath='^[qr]'\nregex='[a-z]{3,}\\.zz[0-9]+'\n"
	"[[rules]]\nid='far'\nregex='(?s)open.*?close[0-9]{2}'\n"
	"[[rules]]\nid='nowhere'\nregex='[0-9]{12}'\nkeywords=['account']\n"
	"[[rules]]\nid='end'\nregex='^top|end[0-9]{3}$'\n"
	"[[rules]]\nid='shift'\nregex='x[xy]{5}'\nentropy=0.8\n"
	"[[rules]]\nid='generic'\nregex='=([a-z0-9]{8,20})'\nentropy=2.9\n"
	"[[rules.required]]\nid='edge'\nwithinLines=2\n";

static const char *const words[] = {
	"key_abcd1234", "key_", "abcd", "1234", "tok", "pass", "=", ": ",
	"abcdef123;", "aaaaaa;", "a", "bcdbcd", "e", "ff", "g", "bbbb",
	"-----BEGIN RSA KEY-----", "-----END", "QUJDREVGRw==\n", "x", "xx",
	"y", "user=bob\n", "pw=hunter\n", "foo\n", "abc.zz", "9", "open",
	"close", "12", "account", "123456789", "top", "end456", "zz", "{};",
	"a2V5X2FiY2QxMjM0IGtleV9hYmNkMTIzNCA=", "%6b%65y_", "&#107;ey_",
	"\\u006bey_", "6b65795f6162636431323334", "\r\n", " ", "\n",
	"YTJWNVgyRmlZMlF4TWpNMElHdGxlVjloWW1Oa01USXpOQ0E9",
	"H4sIAAAAAAAAA0vOzy0oSi0uTk1RKEvNSSwpLU5VKMlIVSjJSFUoLs7ILEoBAHKm",
	"1f8b0800000000000003cb4bcc4d55c84d2c2e2e49", "%48%34sIAAAAAAAAA",
	"From: a\n", "Content-Transfer-Encoding: quoted-printable\n", "=\n",
	"=3Dkey_", "=61",
};
#define NR_WORDS (sizeof(words) / sizeof(*words))
#define EDITS 4

static struct rules *load(void)
{
	char path[] = "/tmp/fuzz-scan.XXXXXX";
	int fd = mkstemp(path);
	struct rules *r;

	assert(fd >= 0);
	assert(write(fd, rules_text, strlen(rules_text)) ==
	       (ssize_t)strlen(rules_text));
	close(fd);
	r = rules_load(path);
	unlink(path);
	assert(r);
	return r;
}

static void add_words(struct buf *out, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (data[i] < NR_WORDS)
			buf_adds(out, words[data[i]]);
		else
			buf_addc(out, (char)data[i]);
	}
}

struct sum {
	uint64_t hash;
	size_t len, nr;
};

static void add(void *arg, const struct scan_finding *f)
{
	struct sum *sum = arg;

	assert(f->start <= f->end && f->end <= sum->len);
	assert(f->line && f->column && f->end_line >= f->line);
	assert(f->secret >= f->match &&
	       f->secret + f->secret_len <= f->match + f->match_len);
	sum->hash = sum->hash * 31 + f->start * 7 + f->end +
		    (unsigned char)f->rule[0];
	sum->nr++;
}

/* What is packed in the text is what the probe met, or in a hot span. */
static void check_packed(struct scan_packed_list *all,
			 struct scan_packed_list *met, struct scan_trace *trace)
{
	for (size_t i = 0; i < met->nr; i++)
		scan_trace_packed(trace, &met->list[i]);
	for (size_t i = 0; i < all->nr; i++) {
		const struct span at = all->list[i].place;
		size_t k = 0;

		while (k < trace->nr && (trace->hot[k].start > at.start ||
					 trace->hot[k].end < at.end))
			k++;
		assert(k < trace->nr);
	}
	scan_packed_clear(all);
	scan_packed_clear(met);
}

/* Under a path that the rules which the trace names do not mind. */
static void check_minds(struct scanner *s, const struct buf *text,
			const struct scan_trace *trace)
{
	static const char *const paths[] = { NULL, "p", "q", "r" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		const struct scan_input in = { .text = text->data,
					       .len = text->len,
					       .path = paths[i] };

		assert(scan_minds(s, &trace->who, paths[i], NULL) ||
		       scan_text(s, &in, NULL, NULL, NULL) == SCAN_CLEAN);
	}
}

/* Scan and probe a version; the promise. */
static void check(struct scanner *s, const struct buf *text,
		  const struct span *fresh, size_t nr, struct scan_trace *trace)
{
	const struct scan_input in = { .text = text->data, .len = text->len };
	struct sum one = { 1, text->len, 0 }, two = one;
	enum scan_result found = scan_text(s, &in, add, &one, NULL), probe;
	struct scan_packed_list all, met;

	scan_take_packed(s, &all);
	probe = scan_probe(s, text->data, text->len, fresh, nr, trace, NULL);
	scan_take_packed(s, &met);
	if (probe == SCAN_UNKNOWN)
		scan_packed_clear(&all);
	check_packed(&all, &met, trace);
	assert(probe != SCAN_CLEAN || found == SCAN_CLEAN);
	assert(found != SCAN_CLEAN || !one.nr);
	assert(scan_text(s, &in, add, &two, NULL) == found);
	assert(one.hash == two.hash);
	if (probe != SCAN_UNKNOWN)
		check_minds(s, text, trace);
	for (size_t i = 0; i < trace->nr; i++)
		assert(trace->hot[i].start <= trace->hot[i].end);
}

static void put(struct span *fresh, size_t *nr, size_t start, size_t end)
{
	if (*nr && fresh[*nr - 1].end >= start)
		fresh[*nr - 1].end = end;
	else
		fresh[(*nr)++] = (struct span){ start, end };
}

/* The version that up to EDITS copies and inserts make of base. */
static size_t make(struct scanner *s, const struct buf *base,
		   const struct scan_trace *trace, const uint8_t *edits,
		   struct buf *out, struct scan_trace *to, struct span *fresh)
{
	size_t nr = 0, last = 0;

	for (int i = 0; i < EDITS; i++, edits += 4) {
		size_t from = base->len ? (edits[0] | (size_t)edits[1] << 8) %
					  (base->len + 1) : 0;
		size_t n = base->len - from, at = out->len;

		if (edits[2] < 255 && n)
			n = (edits[2] * n) / 254;
		if (edits[3] & 1) {
			add_words(out, edits + 3, 1);
			put(fresh, &nr, at, out->len);
			at = out->len;
		}
		if (!n)
			continue;
		if (last != from || (nr && fresh[nr - 1].end == at))
			put(fresh, &nr, at, at);
		buf_add(out, base->data + from, n);
		scan_trace_copy(s, trace, from, at, n, to);
		last = from + n;
	}
	if (last != base->len)
		put(fresh, &nr, out->len, out->len);
	return nr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rules *rules;
	static struct scanner *s;
	struct buf text[2] = { BUF_INIT, BUF_INIT };
	struct scan_trace trace[2] = { SCAN_TRACE_INIT, SCAN_TRACE_INIT };
	struct span fresh[2 * EDITS + 2];
	size_t nr;

	if (!rules) {
		rules = load();
		s = scan_new(rules, 2);
		assert(s);
	}
	if (size < 4 * EDITS)
		return 0;
	buf_room(&text[0], 1);
	buf_room(&text[1], 1);
	add_words(&text[0], data + 4 * EDITS, size - 4 * EDITS);
	fresh[0] = (struct span){ 0, text[0].len };
	check(s, &text[0], fresh, 1, &trace[0]);
	nr = make(s, &text[0], &trace[0], data, &text[1], &trace[1], fresh);
	check(s, &text[1], fresh, nr, &trace[1]);
	for (int i = 0; i < 2; i++) {
		buf_clear(&text[i]);
		scan_trace_clear(&trace[i]);
	}
	return 0;
}
