/*
 * The push to the upstream, from the hook: takes the updates that passed, has
 * the upstream take them, and finds out what it has taken. What is cut off is
 * looked at before anything else is done, so that the answer is the upstream's
 * and not a guess. The leases alone allow a rewind: no refspec is forced.
 */
#include "forward.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "clock.h"
#include "config.h"
#include "forward-internal.h"
#include "log.h"
#include "mem.h"

/* Attempts in all, pause before the second (it doubles), and for how long
   after the first others begin. */
#define TRIES 5
#define PAUSE_MS 200
#define TRYING_MS 15000
/* What is left for another try, at least: of one that is cut nobody knows what
   became, of the one before it that was known. */
#define ONE_TRY_MS 500
/* For a look; past the deadline too, which the hook's margin allows. */
#define LOOK_MS 10000

size_t forward_count(const struct forward *f, enum forward_state state)
{
	size_t nr = 0;

	for (size_t i = 0; i < f->u->nr; i++)
		nr += f->states[i] == state;
	return nr;
}

void forward_refuse(struct forward *f, size_t i, const char *reason)
{
	f->states[i] = FORWARD_REFUSED;
	if (!f->u->list[i].reason)
		f->u->list[i].reason = mem_strdup(reason);
}

void forward_take(struct forward *f, size_t i)
{
	f->states[i] = FORWARD_TAKEN;
	free(f->u->list[i].reason);
	f->u->list[i].reason = NULL;
}

static void forget(struct forward *f, enum forward_state state)
{
	for (size_t i = 0; i < f->u->nr; i++)
		if (f->states[i] == state) {
			forward_take(f, i);
			f->states[i] = FORWARD_UNSAID;
		}
}

static int all_taken(const struct forward *f)
{
	return forward_count(f, FORWARD_TAKEN) == f->u->nr;
}

/* What the operator can do about it, where that is known here. */
static void add_remedy(const struct forward *f, enum fault_kind fault,
		       struct buf *line)
{
	const struct config_upstream *u = f->r->upstream;

	if (fault == FAULT_AUTH)
		config_offered(u, line);
	if (fault == FAULT_NOT_ATOMIC && !u->atomic_prefer)
		buf_addf(line, "; [upstream \"%s\"] (%s:%d): set atomic = "
			 "prefer to push them one by one", u->name, f->c->name,
			 config_upstream_line(u, "atomic"));
}

static void log_fault(const struct forward *f, enum fault_kind fault,
		      int quietly)
{
	struct buf line = BUF_INIT;

	buf_addf(&line, "%s: push to upstream \"%s\": %s: ", f->name,
		 f->r->upstream->name, fault_text(fault)->code);
	fault_words(f->words.len ? f->words.data : "", f->words.len, &line);
	add_remedy(f, fault, &line);
	if (quietly)
		log_info("%s", line.data);
	else
		log_warn("%s", line.data);
	buf_clear(&line);
}

/*
 * The first failure and the last one are warnings; those between are not, but
 * for an agent's, whose cause may be another each time.
 */
static void note_fault(struct forward *f)
{
	if (!f->failed++ || f->fault == FAULT_AGENT)
		log_fault(f, f->fault, 0);
	else
		f->quiet = f->fault;
}

/* What waits to be logged, as long as its words are there. */
static void log_quiet(struct forward *f, int quietly)
{
	if (f->quiet != FAULT_NONE)
		log_fault(f, f->quiet, quietly);
	f->quiet = FAULT_NONE;
}

/* Of a push that failed: is it unknown what the upstream made of it? */
static int is_cut(struct forward *f, int status)
{
	if (status < 0 || fault_is_early(f->words.data, f->words.len))
		return 0;
	/* a lease that a deletion has lost may be lost to another deletion */
	if (f->gone)
		forget(f, FORWARD_REFUSED);
	/* a failure without a refusal: even what it called taken is asked */
	if (!forward_count(f, FORWARD_REFUSED))
		forget(f, FORWARD_TAKEN);
	/* one that was cut may end late, and be why this one was refused */
	return f->was_cut || f->unknown || forward_count(f, FORWARD_UNSAID);
}

/* One git push of what is left. Sets f->cut. */
static enum fault_kind push(struct forward *f)
{
	char **argv = forward_args(f);
	enum fault_kind fault;
	int status;

	if (!argv) {
		f->say(f->arg, "too many references for one push to the "
			       "upstream; push fewer at a time");
		log_warn("%s: %zu references are too many for one push",
			 f->name, f->u->nr);
		return FAULT_LOCAL;
	}
	buf_reset(&f->words);
	f->veiled = 0;
	buf_adds(&f->words, "");
	f->unknown = f->gone = 0;
	status = forward_run(f, argv);
	forward_args_free(argv);
	fault = fault_judge(status, f->words.data, f->words.len);
	if (fault == FAULT_NONE) {
		for (size_t i = 0; i < f->u->nr; i++)
			f->states[i] = FORWARD_TAKEN;
		return fault;
	}
	f->cut = is_cut(f, status);
	f->was_cut |= f->cut;
	return fault;
}

/* Several references to an upstream that cannot take them as one. */
static int not_atomic(struct forward *f, enum fault_kind fault)
{
	if (fault != FAULT_NOT_ATOMIC || !f->atomic ||
	    !f->r->upstream->atomic_prefer)
		return 0;
	f->atomic = 0;
	return 1;
}

/* After a push whose end is not known. Returns 0; or -1: it still is not. */
static int look(struct forward *f)
{
	if (forward_look(f, LOOK_MS))
		return -1;
	f->cut = 0;
	if (all_taken(f)) {
		f->say(f->arg, f->gone ? "git-gate: the upstream is so already"
				       : "git-gate: the upstream's answer was "
					 "lost, but it has what was pushed");
		log_info("%s: upstream \"%s\" did not answer a push so, but "
			 "has it", f->name, f->r->upstream->name);
		f->fault = FAULT_NONE;
	}
	return 0;
}

/* Push, or look again at what the last push has done. */
static enum fault_kind attempt(struct forward *f)
{
	if (!f->cut) {
		log_quiet(f, 1);
		do
			f->fault = push(f);
		while (not_atomic(f, f->fault));
		if (f->fault != FAULT_NONE)
			note_fault(f);
	}
	return f->cut && look(f) ? FAULT_UNKNOWN : f->fault;
}

static int is_transient(struct forward *f, enum fault_kind fault)
{
	if (fault == FAULT_AUTH && f->r->upstream->token_command &&
	    f->new_token == FORWARD_TOKEN_OLD) {
		f->new_token = FORWARD_TOKEN_WANTED;
		return 1;
	}
	return fault == FAULT_UNREACHABLE || fault == FAULT_AGENT ||
	       fault == FAULT_TOKEN || fault == FAULT_UNKNOWN;
}

/* Wait before the next attempt, if there is to be one. */
static int again(struct forward *f, enum fault_kind fault, int try,
		 int64_t until)
{
	int pause = PAUSE_MS << (try - 1);
	struct buf line = BUF_INIT;

	if (!is_transient(f, fault) || try >= TRIES ||
	    clock_ms() + pause + ONE_TRY_MS > until)
		return 0;
	buf_addf(&line, "git-gate: %s; trying again (%d of %d)",
		 fault_text(fault)->sentence, try + 1, TRIES);
	f->say(f->arg, line.data);
	buf_clear(&line);
	poll(NULL, 0, pause);
	return 1;
}

/*
 * Push until it is known what became of it, or nothing more is to be tried.
 * A deletion of what is gone already fails all of the push: a look finds that
 * the upstream has it so, and the rest is pushed alone. Likewise when a push
 * was killed while it told its pack-objects what to pack: that sends a whole
 * pack without them, and receive-pack drops the updates which lack objects
 * and keeps the rest, --atomic or not.
 */
static enum fault_kind deliver(struct forward *f)
{
	enum fault_kind fault;
	int64_t until = 0;
	size_t taken;
	int try = 0;

	do {
		taken = forward_count(f, FORWARD_TAKEN);
		fault = attempt(f);
		if (!until)
			until = clock_ms() + TRYING_MS;
		if (until > f->deadline)
			until = f->deadline;
		if (fault == FAULT_NONE || forward_count(f, FORWARD_REFUSED))
			break;
		try++;
	} while (((fault == FAULT_STALE || f->was_cut) && try < TRIES &&
		  clock_left(f->deadline) > 0 &&
		  forward_count(f, FORWARD_TAKEN) > taken) ||
		 again(f, fault, try, until));
	log_quiet(f, fault == FAULT_NONE);
	return fault;
}

/* A reason for each that was not taken; how it ended. */
static enum forward_end finish(struct forward *f, enum fault_kind fault)
{
	size_t taken = forward_count(f, FORWARD_TAKEN);
	const char *reason = fault_text(fault)->sentence;

	forward_say_refusals(f);
	if (forward_count(f, FORWARD_REFUSED) && fault != FAULT_UNKNOWN)
		reason = forward_another;
	else if (fault == FAULT_STALE)
		reason = forward_moved;
	for (size_t i = 0; i < f->u->nr; i++)
		if (f->states[i] == FORWARD_UNSAID)
			forward_refuse(f, i, reason);
	if (taken == f->u->nr)
		return FORWARD_ALL;
	return taken ? FORWARD_SOME : FORWARD_NONE;
}

enum forward_end forward_push(const struct config *c,
			      const struct config_repo *r, const char *name,
			      struct updates *u, size_t objects,
			      forward_say *say, void *arg,
			      forward_meanwhile *meanwhile,
			      enum fault_kind *fault)
{
	struct forward f = { .c = c, .r = r, .name = name, .u = u,
			     .objects = objects, .say = say,
			     .arg = arg, .meanwhile = meanwhile, .atomic = 1,
			     .deadline = clock_ms() + c->forward_ms };
	enum forward_end end;

	f.states = mem_array(u->nr, sizeof(*f.states));
	*fault = deliver(&f);
	end = finish(&f, *fault);
	if (end == FORWARD_ALL)
		*fault = FAULT_NONE;
	free(f.states);
	buf_clear(&f.words);
	return end;
}
