/*
 * Findings that do not count, by the operator's word: takes a finding, asks
 * the exceptions, the fingerprints to be ignored and the baseline, and
 * remembers which of the first two were used. What the pushing side sends has
 * no part in it.
 */
#include "accept.h"

#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "exceptions.h"
#include "findings.h"
#include "ignore.h"
#include "mem.h"

/* More are left out all the same, but not told apart: bounds memory. */
#define COUNT_MAX 200000

static void count(struct oids *set, const struct finding *f)
{
	struct oid id = { { 0 } };

	if (set->nr < COUNT_MAX && !oid_parse(&id, f->fingerprint, OID_SHA1))
		oids_put(set, &id, NULL);
}

/* e is NULL for a line of the fingerprints that are ignored. */
static void note_use(struct accept *a, const struct exception *e, int line,
		     int over, const struct finding *f)
{
	struct accept_use *u;

	for (size_t i = 0; i < a->nr_uses; i++)
		if (a->uses[i].exception == e && a->uses[i].line == line)
			return;
	MEM_GROW(a->uses, a->nr_uses, a->alloc_uses);
	u = &a->uses[a->nr_uses++];
	*u = (struct accept_use){ .exception = e, .line = line, .over = over,
				  .rule = mem_strdup(f->rule) };
	memcpy(u->fingerprint, f->fingerprint, sizeof(u->fingerprint));
}

static int is_excepted(struct accept *a, const struct finding *f)
{
	const struct exception *e;
	int over;

	e = a->exceptions ? exceptions_find(a->exceptions, f->fingerprint,
					    a->repo, a->now) : NULL;
	if (!e)
		return 0;
	over = exceptions_state(e, a->now) == EXCEPTION_EXPIRED;
	note_use(a, e, e->line, over, f);
	return !over;
}

static int is_ignored(struct accept *a, const struct finding *f)
{
	int line = a->ignore ? ignore_has(a->ignore, f) : 0;

	if (line)
		note_use(a, NULL, line, 0, f);
	return line > 0;
}

int accept_judge(void *arg, const struct finding *f, const char *secret,
		 size_t len)
{
	struct accept *a = arg;

	if (is_excepted(a, f))
		count(&a->excepted, f);
	else if (is_ignored(a, f))
		count(&a->ignored, f);
	else if (a->baseline && baseline_has(a->baseline, f, secret, len))
		count(&a->known, f);
	else
		return 0;
	return 1;
}

void accept_clear(struct accept *a)
{
	for (size_t i = 0; i < a->nr_uses; i++)
		free(a->uses[i].rule);
	free(a->uses);
	oids_clear(&a->excepted);
	oids_clear(&a->ignored);
	oids_clear(&a->known);
	memset(a, 0, sizeof(*a));
}
