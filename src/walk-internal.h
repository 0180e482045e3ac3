#ifndef WALK_INTERNAL_H
#define WALK_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "findings.h"
#include "history.h"
#include "oids.h"
#include "scan.h"
#include "sweep.h"
#include "walk.h"

/*
 * What the files of this room share. walk.c knows the order; walk-updates.c
 * judges what a push says of itself; walk-sweep.c finds what must be looked at,
 * walk-later.c keeps what is met meanwhile; walk-commit.c compares trees,
 * walk-blob.c judges a file's version, walk-rename.c by other paths too,
 * walk-object.c scans all else; walk-names.c names; walk-look.c scans one text,
 * walk-inside.c what is packed in it, walk-note.c notes what was found;
 * walk-places.c remembers.
 */
/* What was found in one text. Copies, wiped by walk_hits_clear. */
struct walk_hit {
	struct scan_finding f; /* match is NULL; secret is a copy */
	char *inside;          /* the entry of an archive, or NULL */
};

struct walk_hits {
	struct walk_hit *list;
	size_t nr, alloc;
	int more; /* than are kept */
	char *why; /* what is packed in it could not be told, or NULL */
	const char *inside; /* for those that are added */
};

#define WALK_HITS_INIT { 0 }

/* What is scanned, and how it is called. */
struct walk_text {
	const char *data;
	size_t len;
	const char *path;  /* for rules that look at it, or NULL */
	const char *kind;  /* before the label, for people, or NULL */
	const char *label; /* for people; secrets in it are redacted */
	const char *commit; /* for rules, hexadecimal, or NULL */
	const struct oid *id; /* of the object, when no commit is known */
	int is_file;       /* archives are looked into */
	int is_old;        /* it is compared with alone: nothing is told */
};

struct walk {
	struct history *h;

	/* of the scan under way */
	struct scanner *scanner;
	const struct rules *rules;
	const struct walk_limits *limits;
	struct findings *out;
	struct sweep sweep;
	const struct odb *swept; /* what it has been through, or NULL */
	struct walk_beside *beside; /* it is under way; or NULL */
	struct buf later;     /* what waits for its end */
	size_t later_max;     /* bytes of that and of what is met meanwhile */
	walk_progress *progress; /* or NULL */
	void *progress_arg;
	int is_push;          /* what the references reached is old */
	struct oids seen;     /* objects that were met, but for commits and
				 blobs that the sweep has cleared */
	struct oids suspect;  /* blobs, not swept, that may not be clean */
	struct oids places;   /* hashes of names, and of blobs at paths */
	struct oids again;    /* trees met again, by place; walk-commit.c */
	struct history_old old;
	size_t nr_first;      /* work on what was first met */
	size_t nr_again;      /* and on what was met again */
	int minds_path;       /* a rule looks at it alone */
	size_t nr_pointers;   /* of Git LFS */
	int stop;             /* the time is over, or too much unfolds */

	struct history_commits *commits; /* that are new */
	size_t nr_commits;
	struct oid parents[HISTORY_PARENTS_MAX]; /* trees, of the commit: */
	/* the commit that objects are attributed to, or NULL */
	const struct oid *commit;
	const struct oid *tree;  /* of it */
	const struct oid *older; /* trees of its parents */
	size_t nr_older;
	struct walk_gone *gone;  /* walk-rename.c; or NULL: not looked yet */
	struct walk_staged *staged; /* an index in the commit's place */
};

/* walk.c: before and after all else. walk_begin returns 0, or -1, noted. */
int walk_begin(struct walk *w, const struct rules *r,
	       const struct walk_limits *limits, struct findings *out);
enum scan_result walk_end(struct walk *w);

/* walk.c: what a new tip brings besides a commit: tags, a tree, a blob. */
void walk_scan_tip(struct walk *w, const struct oid *id);

/*
 * walk-sweep.c. Which objects must be looked at whole, of the fresh store; with
 * several threads it goes on after this returns, until walk_settle.
 */
/* A range of so many commits has the whole repository swept when these are such
 * a share of its objects: to read them one by one would cost more. */
#define WALK_SWEEP_COMMITS_MIN 1000
#define WALK_SWEEP_SHARE 12
void walk_sweep(struct walk *w);
/* One is under way: has it ended? */
int walk_sweep_ended(const struct walk *w);
/*
 * Wait for it, and judge what waited for it. Harmless when there is none; to
 * be called before anything is judged or noted that walk-later.c did not keep.
 */
void walk_settle(struct walk *w);
/* The same of what the repository borrows, at once. */
void walk_sweep_alternates(struct walk *w, size_t commits);

/*
 * walk-later.c. Each returns 1: it is kept, in order, while a sweep is under
 * way; or 0: do it now, for all that came before has been done.
 */
int walk_later_tip(struct walk *w, const struct oid *id);
int walk_later_commit(struct walk *w, uint32_t number);
int walk_later_change(struct walk *w, const struct history_change *c);
int walk_later_bad(struct walk *w, const struct oid *tree, const char *why);
int walk_later_end(struct walk *w, size_t place);
/* Settle if the sweep has ended, or enough is kept. */
void walk_later_look(struct walk *w);
/* All that is kept, now. */
void walk_later_do(struct walk *w);

/* walk-look.c */
void walk_hits_clear(struct walk_hits *h);
void walk_hit_clear(struct walk_hit *hit);
/* A scan_fn, of walk_hits. */
void walk_hits_add(void *arg, const struct scan_finding *f);
/* Who is told of matches, and how the text that they are in is called. */
struct walk_told {
	struct scanner *s;
	const struct walk_limits *l;
	const struct walk_text *t;
	struct buf path;
};
/* Before the text is scanned, or what is inside of it. */
void walk_tell_of(struct walk_told *to, const char *inside);
/* For people: how a text is called, and what is inside of it (or NULL). */
void walk_label(struct scanner *s, const struct walk_text *t,
		const char *inside, struct buf *out);
/* Of the same rule, the same secret? */
int walk_hit_equal(const struct walk_hit *a, const struct walk_hit *b);
/* Leave out those that other has too. */
void walk_hits_drop(struct walk_hits *h, const struct walk_hits *other);
/*
 * Scan a text, and what is packed in it. *why (of
 * SCAN_UNKNOWN) is a sentence part that lives until the next call.
 */
enum scan_result walk_look(struct scanner *s, const struct walk_limits *l,
			   const struct walk_text *t, struct walk_hits *h,
			   const char **why);

/* walk-inside.c. The same of what is packed in the text that was scanned. */
enum scan_result walk_look_inside(struct walk_told *told, struct walk_hits *h,
				  const char **why);

/* walk-note.c */
/* The same, counted in w->out. */
enum scan_result walk_count_look(struct walk *w, const struct walk_text *t,
				 struct walk_hits *h, const char **why);
void walk_note(struct walk *w, const struct walk_text *t,
	       const struct walk_hits *h);
void walk_note_unknown(struct walk *w, const struct walk_text *t,
		       const char *why);
void walk_note_unreadable_at(struct walk *w, const struct oid *id,
			     const char *path, size_t len, const char *why);
void walk_note_unreadable(struct walk *w, const struct oid *id,
			  const char *why);

/* walk-places.c */
/* Is the time over? Notes it as unknown once. */
int walk_late(struct walk *w);
/* Nothing more is scanned; why is noted as unknown. */
void walk_give_up(struct walk *w, const char *why);
/*
 * Is there to be work on an object, first met or met again? It is counted;
 * when what is met again is out of proportion, no, noted once.
 */
int walk_may(struct walk *w, int first, size_t work);
/* Bytes of memory that what was met takes, commits too. */
size_t walk_places_size(const struct walk *w);
/* Is this the first time for these bytes, for this kind of thing? */
int walk_first_place(struct walk *w, struct oids *set, char kind,
		     const void *a, size_t a_len, const void *b, size_t b_len);
/* Did the sweep see this object? */
int walk_is_swept(const struct walk *w, const struct oid *id);
/* and was not sure that it is clean? */
int walk_is_hot(const struct walk *w, const struct oid *id);
/* Of a hot version of a file: could it be other than clean at this path? */
int walk_minds(struct walk *w, const struct oid *id, const char *path);
/* Did the references reach it before the push? */
int walk_is_old(struct walk *w, const struct oid *id);

/* walk-names.c */
/* A reference's name, or the like; label, before it, says what. */
void walk_scan_name(struct walk *w, const char *text, const char *label);
void walk_scan_option(struct walk *w, const char *option);
/* The last part of a path, with what comes before. */
void walk_scan_path(struct walk *w, const char *path, size_t len);

/* walk-blob.c. A file's version, new under its path. */
void walk_scan_blob(struct walk *w, const struct history_change *c);

/* walk-object.c */
/* A commit or tag. */
void walk_scan_raw(struct walk *w, const struct oid *id, enum odb_type type);
/* An object that nothing new reaches. */
void walk_scan_unreachable(struct walk *w, const struct oid *id);

/*
 * walk-commit.c. All of a commit that its parents have not: it is number in
 * w->commits, and in the list of new ones at that place. A tree alone.
 */
void walk_commit(struct walk *w, uint32_t number, size_t place);
void walk_tree(struct walk *w, const struct oid *tree);
/* Its parts, for walk-later.c: what is between is attributed to the commit. */
void walk_commit_begin(struct walk *w, uint32_t number);
void walk_commit_change(struct walk *w, const struct history_change *c);
void walk_commit_bad(struct walk *w, const struct oid *tree, const char *why);
void walk_commit_end(struct walk *w, size_t place);

/*
 * walk-rename.c. Leave out of h what a file had that this commit takes away,
 * when that is much the same file.
 */
void walk_drop_renamed(struct walk *w, const struct walk_text *t,
		       struct walk_hits *h, const struct oid *id);
void walk_gone_clear(struct walk *w);

/* walk-staged.c. Is this path in the index? */
int walk_staged_has(struct walk_staged *s, const char *path);

/* walk-like.c. How much of a is in b, by lines, in percent; pure. */
unsigned walk_like(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
