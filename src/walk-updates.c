/*
 * What a push says of itself: which of its updates only go forward, what it
 * has to say to the upstream, and which references are none of their own.
 * Takes updates and the environment; scans nothing but an option's name.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "buf.h"
#include "log.h"
#include "match.h"
#include "mem.h"
#include "updates.h"
#include "walk-internal.h"

void walk_close_memory(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
	/* the leak check at the end would need what this forbids */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

int walk_is_symbolic(const struct walk *w, const char *ref)
{
	return history_is_symbolic(w->h, ref);
}

static int peel(struct walk *w, const char *hex, struct oid *out,
		enum odb_type *type)
{
	size_t raw_len = w->h->raw_len;

	if (strlen(hex) != 2 * raw_len || oid_parse(out, hex, raw_len))
		return -1;
	return history_peel(w->h, out, out, type);
}

/* Does new contain all of old? 1, 0, or -1: cannot be told, logged. */
static int is_forward(struct walk *w, const struct update *u)
{
	enum odb_type old_type, new_type;
	struct oid old, new;
	int ret;

	if (!strncmp(u->ref, "refs/tags/", 10))
		return 0;
	if (peel(w, u->old, &old, &old_type) ||
	    peel(w, u->new, &new, &new_type)) {
		log_error("%s: cannot read what it points to", u->ref);
		return -1;
	}
	if (old_type != ODB_COMMIT || new_type != ODB_COMMIT)
		return 0;
	ret = history_reaches(w->h, &new, &old);
	if (ret < 0)
		log_error("%s: its history cannot be read", u->ref);
	return ret;
}

int walk_classify(struct walk *w, struct updates *updates)
{
	struct update *u = updates->list, *end = u + updates->nr;
	int forward;

	for (; u < end; u++) {
		if (u->op != OP_UPDATE && u->op != OP_REWIND)
			continue;
		forward = is_forward(w, u);
		if (forward < 0)
			return -1;
		u->op = forward ? OP_UPDATE : OP_REWIND;
	}
	return 0;
}

/* How many; decimal digits and nothing else. Returns 0 or -1. */
static int read_count(const char *text, size_t *out)
{
	size_t len = strlen(text);

	if (!len || len > 3 || strspn(text, "0123456789") != len)
		return -1;
	*out = strtoul(text, NULL, 10);
	return *out <= WALK_OPTIONS_MAX ? 0 : -1;
}

int walk_options_read(struct walk_options *out)
{
	const char *count = getenv("GIT_PUSH_OPTION_COUNT");
	struct buf name = BUF_INIT;
	size_t nr = 0;
	int ret = 0;

	out->nr = 0;
	if (count && read_count(count, &nr))
		ret = -1;
	while (!ret && out->nr < nr) {
		buf_reset(&name);
		buf_addf(&name, "GIT_PUSH_OPTION_%zu", out->nr);
		out->list[out->nr] = getenv(name.data);
		if (out->list[out->nr])
			out->nr++;
		else
			ret = -1;
	}
	if (ret)
		log_error("push options: malformed, or more than %d",
			  WALK_OPTIONS_MAX);
	buf_clear(&name);
	return ret;
}

const char *walk_options_denied(const struct walk_options *o, const char *globs)
{
	char *copy, *glob, *rest;
	int allowed = 1;
	size_t i;

	for (i = 0; i < o->nr && allowed; i += !!allowed) {
		copy = mem_strdup(globs ? globs : "");
		allowed = 0;
		for (glob = strtok_r(copy, " \t", &rest); glob && !allowed;
		     glob = strtok_r(NULL, " \t", &rest))
			allowed = match_glob(glob, o->list[i]);
		free(copy);
	}
	return allowed ? NULL : o->list[i];
}

void walk_name_option(struct scanner *scanner, const char *before,
		      const char *option, struct buf *out)
{
	struct buf shown = BUF_INIT;

	scan_redact_name(scanner, option, strlen(option), &shown);
	if (shown.len && !strcmp(shown.data, option))
		buf_addf(out, "%sthe push option %s", before, option);
	else
		buf_addf(out, "%sa push option", before);
	buf_clear(&shown);
}
