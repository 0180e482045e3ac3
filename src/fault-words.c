/*
 * The words of git and ssh for the log: takes all that they said, gives one
 * line that names the cause once. Without their advice, and without what
 * follows on any cause when another line has it. Pure; judges nothing.
 */
#include "fault.h"

#include <string.h>

#include "buf.h"

/* Bytes of all, about. */
#define MOST 700

struct line {
	const char *s;
	size_t n;
};

static int opens_with(struct line l, const char *const *openings, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (l.n >= strlen(openings[i]) &&
		    !memcmp(l.s, openings[i], strlen(openings[i])))
			return 1;
	return 0;
}
#define OPENS_WITH(l, list) opens_with(l, list, sizeof(list) / sizeof(*(list)))

/* Lines that say nothing of the cause. */
static int is_advice(struct line l)
{
	static const char *const openings[] = {
		"@@@@", "hint: ", "Please make sure you have the correct",
		"and the repository exists.", "IT IS POSSIBLE THAT SOMEONE",
	};

	return l.n == 0 || OPENS_WITH(l, openings);
}

/* Lines that follow whatever the cause was. */
static int is_consequence(struct line l)
{
	static const char *const openings[] = {
		"error: unable to read askpass response",
		"fatal: could not read Password for",
		"fatal: could not read Username for",
		"fatal: Could not read from remote repository",
		"error: failed to push some refs",
	};

	return OPENS_WITH(l, openings);
}

/* The programs of ours that speak among them: who reads this knows the gate. */
static struct line without_program(struct line l)
{
	static const char *const openings[] = {
		"git-gate-ssh: warning: ", "git-gate-ssh: error: ",
		"git-gate-askpass: warning: ", "git-gate-askpass: error: ",
	};

	for (size_t i = 0; i < sizeof(openings) / sizeof(*openings); i++) {
		size_t k = strlen(openings[i]);

		if (l.n >= k && !memcmp(l.s, openings[i], k))
			return (struct line){ l.s + k, l.n - k };
	}
	return l;
}

/* The next line at *at, without blanks at its end. */
static struct line next(const char *words, size_t n, size_t *at)
{
	struct line l = { words + *at, 0 };

	while (*at + l.n < n && l.s[l.n] != '\n' && l.s[l.n] != '\r')
		l.n++;
	*at += l.n + 1;
	while (l.n && (l.s[l.n - 1] == ' ' || l.s[l.n - 1] == '\t'))
		l.n--;
	return l;
}

static int has_cause(const char *words, size_t n)
{
	for (size_t at = 0; at < n;) {
		struct line l = next(words, n, &at);

		if (!is_advice(l) && !is_consequence(l))
			return 1;
	}
	return 0;
}

/* Length of what stands before " (attempt ", or 0. */
static size_t before_attempt(struct line l)
{
	static const char mark[] = " (attempt ";
	const char *p = l.n ? memmem(l.s, l.n, mark, sizeof(mark) - 1) : NULL;

	return p ? (size_t)(p - l.s) : 0;
}

/* An attempt that failed as the one before did is no more than counted. */
static void add(struct buf *out, size_t begin, struct line l, struct line last)
{
	size_t same = before_attempt(l);

	if (same && same == before_attempt(last) &&
	    !memcmp(l.s, last.s, same)) {
		buf_addc(out, ',');
		l.s += same;
		l.n -= same;
	} else if (out->len > begin) {
		buf_adds(out, "; ");
	}
	buf_add(out, l.s, l.n);
}

void fault_words(const char *words, size_t n, struct buf *out)
{
	int cause = has_cause(words, n);
	struct line last = { NULL, 0 };
	size_t begin = out->len;

	for (size_t at = 0; at < n;) {
		struct line l = next(words, n, &at);

		if (is_advice(l) || (cause && is_consequence(l)))
			continue;
		l = without_program(l);
		if (out->len - begin + l.n > MOST) {
			buf_adds(out, " ...");
			return;
		}
		add(out, begin, l, last);
		last = l;
	}
	if (out->len == begin)
		buf_adds(out, "no words");
}
