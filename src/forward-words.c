/*
 * What git push says, line by line: takes its porcelain lines and the
 * upstream's words, gives what became of each reference, and cleaned lines
 * for the client. A refusal stands, whatever other line speaks of the same
 * reference.
 */
#include "forward-internal.h"

#include <string.h>

#include "commands.h"
#include "text.h"

/* Lines for the client, bytes kept for the judgement, bytes of a reason. */
#define LINES_MAX 5000
#define WORDS_MAX 262144
#define REASON_MAX 200

const char forward_moved[] = "it has moved on the upstream; fetch first";
const char forward_another[] = "another reference of this push was refused";

/* git's own reasons (transport.c, print_one_push_report), in our words. */
static const struct {
	const char *said;
	const char *meant;
} reasons[] = {
	{ "stale info", forward_moved },
	{ "fetch first", forward_moved },
	{ "non-fast-forward", forward_moved },
	{ "already exists", forward_moved },
	{ "atomic push failed", forward_another },
	/* receive-pack's for those beside the one that it could not update */
	{ "atomic push failure", forward_another },
};

/* One line for the client, cleaned, without blanks at its end. */
static void say_line(struct forward *f, const char *mark, const char *s,
		     size_t n)
{
	struct buf line = BUF_INIT;

	if (f->said++ >= LINES_MAX) {
		if (f->said == LINES_MAX + 1)
			f->say(f->arg, "upstream: (more lines, not shown)");
		return;
	}
	buf_adds(&line, mark);
	text_clean(&line, s, n);
	while (line.len && line.data[line.len - 1] == ' ')
		line.data[--line.len] = '\0';
	f->say(f->arg, line.data);
	buf_clear(&line);
}

/* The update of this reference, or u->nr. git keeps their order mostly. */
static size_t find(struct forward *f, const char *ref, size_t n)
{
	for (size_t k = 0; k < f->u->nr; k++) {
		size_t i = (f->next + k) % f->u->nr;

		if (!strncmp(f->u->list[i].ref, ref, n) &&
		    f->u->list[i].ref[n] == '\0') {
			f->next = i + 1;
			return i;
		}
	}
	return f->u->nr;
}

/*
 * A line may name what the upstream made of a reference, such as the pull
 * request of refs/for/main: then the object's id says whose it is.
 */
static size_t find_new(struct forward *f, const char *id, size_t n)
{
	for (size_t i = 0; n && i < f->u->nr; i++)
		if (f->states[i] == FORWARD_UNSAID &&
		    strlen(f->u->list[i].new) == n &&
		    !memcmp(f->u->list[i].new, id, n))
			return i;
	return f->u->nr;
}

/* "[remote rejected] (REASON)": what is said of it, for people. */
static const char *reason_of(const char *s, size_t n, int local,
			     struct buf *out)
{
	const char *open = memchr(s, '(', n);

	if (open && s[n - 1] == ')') {
		n -= (size_t)(open + 1 - s) + 1;
		s = open + 1;
	}
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if ((local || reasons[i].meant == forward_another) &&
		    strlen(reasons[i].said) == n &&
		    !memcmp(reasons[i].said, s, n))
			return reasons[i].meant;
	text_clean(out, s, n < REASON_MAX ? n : REASON_MAX);
	return out->len ? out->data : "refused without a reason";
}

static int begins(const char *s, size_t n, const char *with)
{
	return n >= strlen(with) && !memcmp(s, with, strlen(with));
}

static void take_refusal(struct forward *f, size_t i, const char *s, size_t n)
{
	struct buf reason = BUF_INIT;
	const char *why;

	if (begins(s, n, "[remote failure]")) {
		/* cut off before its report: nothing is known of any */
		f->unknown = 1;
		return;
	}
	why = reason_of(s, n, begins(s, n, "[rejected]"), &reason);
	forward_refuse(f, i, why);
	f->gone |= why == forward_moved &&
		   commands_is_zero(f->u->list[i].new);
	buf_clear(&reason);
}

void forward_say_refusals(struct forward *f)
{
	struct buf mark = BUF_INIT;

	for (size_t i = 0; i < f->u->nr; i++) {
		const struct update *u = &f->u->list[i];

		if (f->states[i] != FORWARD_REFUSED)
			continue;
		buf_reset(&mark);
		buf_adds(&mark, "git-gate: upstream refused ");
		text_clean(&mark, u->ref, strlen(u->ref));
		buf_adds(&mark, ": ");
		say_line(f, mark.data, u->reason, strlen(u->reason));
	}
	buf_clear(&mark);
}

/*
 * "FLAG TAB FROM:TO TAB SUMMARY [(REASON)]", see git-push(1), OUTPUT; FROM is
 * the object's id or nothing, since we push no names. A reference's name has
 * no tab and no colon.
 */
static void take_status(struct forward *f, const char *s, size_t n)
{
	const char *from = s + 2, *end = s + n;
	const char *tab = n > 2 ? memchr(from, '\t', n - 2) : NULL;
	const char *colon = tab ? memchr(from, ':', (size_t)(tab - from))
				: NULL;
	size_t i;

	if (!colon || s[1] != '\t' || tab + 1 == end)
		return;
	i = find(f, colon + 1, (size_t)(tab - colon - 1));
	if (strchr(" +-*=", s[0])) {
		if (i == f->u->nr)
			i = find_new(f, from, (size_t)(colon - from));
		if (i < f->u->nr && f->states[i] == FORWARD_UNSAID)
			f->states[i] = FORWARD_TAKEN;
	} else if (s[0] == '!' && i < f->u->nr) {
		take_refusal(f, i, tab + 1, (size_t)(end - tab - 1));
	}
}

static void take_words(struct forward *f, int which, const char *s, size_t n)
{
	/* whatever it says, there is room for why git itself failed */
	size_t most = begins(s, n, "remote:") ? WORDS_MAX / 2 : WORDS_MAX;

	/* of the lines of status only refusals explain a failure */
	if ((which == 1 || begins(s, n, "!\t")) && f->words.len + n < most) {
		buf_add(&f->words, s, n);
		buf_addc(&f->words, '\n');
	}
	if (which == 0) {
		take_status(f, s, n);
	} else if (begins(s, n, "remote:")) {
		size_t skip = n > 7 && s[7] == ' ' ? 8 : 7;

		say_line(f, "upstream: ", s + skip, n - skip);
	}
}

/*
 * A hook or an error page of the upstream may show what it was sent. git has
 * its token before the upstream says a word, so its marks are there by then.
 */
void forward_words(struct forward *f, int which, const char *s, size_t n)
{
	struct buf line = BUF_INIT;

	if (!f->veiled && (begins(s, n, "remote:") || begins(s, n, "!\t"))) {
		veil_fetch(f->c, f->r->upstream, &f->veil);
		f->veiled = 1;
	}
	veil_words(&f->veil, s, n, &line);
	if (line.len)
		take_words(f, which, line.data, line.len);
	buf_clear(&line);
}
