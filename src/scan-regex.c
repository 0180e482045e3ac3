/*
 * Regexes at work: compiled when first needed, run with limits on steps,
 * depth and memory. Takes a pattern and a text, gives where it matches, or
 * says that it could not tell; never "no match" for a limit.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"
#include "scan-internal.h"

/* Steps from one starting byte; the set of gitleaks stays below 1 %. */
#define MATCH_LIMIT 5000000
#define DEPTH_LIMIT 100000
#define HEAP_LIMIT_KB (64 * 1024)
/* Stack of compiled code, bytes: at first, and at most. */
#define STACK_START ((size_t)32 << 10)
#define STACK_MAX ((size_t)4 << 20)
/* Groups that are kept of a match. */
#define GROUPS 64

/*
 * Runs after which machine code is made: it takes as long as some tens of
 * runs without. A text of so many bytes is reason enough.
 */
#define JIT_RUNS 24
#define JIT_BYTES 16384

struct compiled {
	pcre2_code *code;
	unsigned runs;
	int jit; /* 1 made, -1 cannot be */
};

struct scan_regex {
	struct compiled *list;
	size_t nr;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	pcre2_match_data *data;
	int groups;
	char why[400];
};

struct scan_regex *scan_regex_new(size_t nr_patterns)
{
	struct scan_regex *x = mem_zalloc(sizeof(*x));

	x->nr = nr_patterns;
	x->list = mem_array(nr_patterns + 1, sizeof(*x->list));
	x->context = pcre2_match_context_create(NULL);
	x->data = pcre2_match_data_create(GROUPS, NULL);
	x->stack = pcre2_jit_stack_create(STACK_START, STACK_MAX, NULL);
	if (!x->context || !x->data) {
		scan_regex_free(x);
		return NULL;
	}
	pcre2_set_match_limit(x->context, MATCH_LIMIT);
	pcre2_set_depth_limit(x->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(x->context, HEAP_LIMIT_KB);
	if (x->stack)
		pcre2_jit_stack_assign(x->context, NULL, x->stack);
	return x;
}

void scan_regex_free(struct scan_regex *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->nr; i++)
		pcre2_code_free(x->list[i].code);
	pcre2_match_context_free(x->context);
	pcre2_match_data_free(x->data);
	pcre2_jit_stack_free(x->stack);
	free(x->list);
	free(x);
}

const char *scan_regex_why(const struct scan_regex *x)
{
	return x->why;
}

static struct compiled *code_of(struct scan_regex *x,
				const struct rules_pattern *p)
{
	struct compiled *c = &x->list[p->number];
	char why[200];

	if (c->code)
		return c;
	c->code = rules_compile(p, 0, why, sizeof(why));
	if (c->code)
		return c;
	snprintf(x->why, sizeof(x->why), "%s: regex does not compile: %s",
		 p->owner, why);
	return NULL;
}

/* Without machine code (a kernel may forbid it) matching is only slower. */
static void want_jit(struct compiled *c, size_t bytes)
{
	if (c->jit || (c->runs++ < JIT_RUNS && bytes < JIT_BYTES))
		return;
	c->jit = pcre2_jit_compile(c->code, PCRE2_JIT_COMPLETE) ? -1 : 1;
}

static int failed(struct scan_regex *x, const struct rules_pattern *p,
		  int error)
{
	PCRE2_UCHAR message[160];

	pcre2_get_error_message(error, message, sizeof(message));
	snprintf(x->why, sizeof(x->why), "%s: %s", p->owner, (char *)message);
	return -1;
}

static int match(struct scan_regex *x, const struct rules_pattern *p,
		 const struct compiled *c, const char *text, size_t len,
		 size_t lo)
{
	int n = PCRE2_ERROR_JIT_STACKLIMIT;

	/* machine code takes no options, and checks none of its arguments */
	if (c->jit > 0)
		n = pcre2_jit_match(c->code, (PCRE2_SPTR)text, len, lo, 0,
				    x->data, x->context);
	/* the interpreter has a heap where machine code has a stack */
	if (n == PCRE2_ERROR_JIT_STACKLIMIT)
		n = pcre2_match(c->code, (PCRE2_SPTR)text, len, lo,
				PCRE2_NO_JIT, x->data, x->context);
	if (n == PCRE2_ERROR_NOMATCH)
		return 0;
	if (n < 0)
		return failed(x, p, n);
	x->groups = n ? n : GROUPS;
	return 1;
}

int scan_regex_find(struct scan_regex *x, const struct rules_pattern *p,
		    const char *text, size_t len, size_t lo, size_t hi,
		    struct span *out)
{
	struct compiled *c = code_of(x, p);
	int n;

	if (!c)
		return -1;
	if (lo > len)
		return 0;
	want_jit(c, (hi < len ? hi : len) - (lo < hi ? lo : hi));
	pcre2_set_offset_limit(x->context, hi);
	n = match(x, p, c, text ? text : "", len, lo);
	if (n == 1)
		*out = scan_regex_group(x, 0);
	return n;
}

int scan_regex_try(struct scan_regex *x, const struct rules_pattern *p)
{
	static const char text[] = "key = \"value\"\n\0\xff";
	struct span at;
	size_t len = sizeof(text) - 1;

	return scan_regex_find(x, p, text, len, 0, len, &at) < 0 ? -1 : 0;
}

size_t scan_regex_groups(const struct scan_regex *x)
{
	return (size_t)x->groups;
}

struct span scan_regex_group(const struct scan_regex *x, size_t n)
{
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(x->data);
	struct span span = { SCAN_NOWHERE, SCAN_NOWHERE };

	if (n < (size_t)x->groups && v[2 * n] != PCRE2_UNSET) {
		span.start = v[2 * n];
		span.end = v[2 * n + 1];
	}
	return span;
}
