#ifndef HISTORY_H
#define HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "odb.h"
#include "oid.h"
#include "oids.h"

/*
 * A repository's references, commits and trees, read from its files and its
 * object stores. No configuration is read, be it the repository's, the user's
 * or the system's; replacements and grafts are not followed. Every byte of an
 * object is taken for hostile.
 */
struct history_ref {
	const char *name;
	struct oid id;
};

struct history_refs {
	struct history_ref *list; /* sorted by name */
	size_t nr, alloc;
	struct oids ids; /* what they name, and what tags of them end at */
	char *packed;    /* the text of packed-refs: its names are in there */
	char **loose;    /* the names of the others */
	size_t nr_loose, loose_alloc;
};

struct history {
	char *git_dir;
	char *common;        /* of all work trees; git_dir elsewhere */
	size_t raw_len;      /* of its ids, bytes */
	struct odb *store;   /* what the repository has, alternates too */
	struct odb *fresh;   /* the quarantine's, of a push; else its own */
	int is_push;
	struct odb_reader *reader; /* of both */
	struct history_refs refs;
	struct oids shallow; /* commits whose parents are not here */
	/* set by who uses it, after it is open */
	uint64_t max_object; /* bytes; a larger one is not read; 0: any */
	size_t memory;       /* bytes that a walk may keep; 0: any */
	void (*grown)(void *arg); /* kept has grown; now and then; or NULL */
	void *grown_arg;
	int64_t deadline;    /* clock_ms() value; 0: none */
	int late;            /* it has passed */
	size_t held;         /* bytes of trees that are being looked at */
	size_t kept;         /* bytes of commits that were met */
};

/*
 * Open the repository at git_dir. quarantine is the object directory of a push
 * in progress, or NULL. digits is how many an id has there, 0: to be found
 * out. Returns NULL, logged.
 */
struct history *history_open(const char *git_dir, const char *quarantine,
			     size_t digits);
void history_close(struct history *h);

/* Of memory, what commits and all else that is met may take together. */
#define HISTORY_KEPT_MAX(memory) ((memory) / 8 * 5)

/* Has the time run out? */
int history_late(struct history *h);

/* history-refs.c */
const struct history_ref *history_refs_find(const struct history_refs *refs,
					    const char *name);
/* HEAD's object. Returns 0, 1 when it names none yet, or -1, logged. */
int history_head(const struct history *h, struct oid *out);
/*
 * Is this a symbolic reference, of which git would change the target? 1, 0,
 * or -1, logged: cannot be told.
 */
int history_is_symbolic(const struct history *h, const char *ref);

/*
 * history-names.c. The object that a revision names, the first n bytes of
 * name: an id or its beginning, a reference, HEAD, with any number of ^ and ~.
 * Returns 0, or -1: there is none.
 */
int history_name(struct history *h, const char *name, size_t n,
		 struct oid *out);

/* history-read.c */
/*
 * Read an object within the limits. want is ODB_NONE, or what it must be.
 * Returns NULL (then *out is for odb_release), or why not, a sentence part.
 */
const char *history_read(struct history *h, const struct oid *id,
			 enum odb_type want, struct odb_object *out);
/* Does the repository have it, the quarantine left aside? */
int history_has(const struct history *h, const struct oid *id);
/* Follow tags from id; *type is what they end at. 0, or -1: unreadable. */
int history_peel(struct history *h, const struct oid *id, struct oid *out,
		 enum odb_type *type);

/* history-parse.c: what commits, tags and trees say; pure. */
struct history_commit {
	struct oid tree;
	int64_t time;        /* of its committer, seconds since 1970 */
	const char *parents; /* lines of one length */
	size_t nr_parents;
};
/* Return 0, or -1: malformed. */
int history_parse_commit(const char *data, size_t len, size_t raw_len,
			 struct history_commit *out);
int history_parse_parent(const struct history_commit *c, size_t i,
			 size_t raw_len, struct oid *out);
int history_parse_tag(const char *data, size_t len, size_t raw_len,
		      struct oid *out);

/* An entry of a tree, in place. */
struct history_entry {
	const char *raw;  /* all of it; its id are the last bytes */
	size_t raw_size;
	const char *name; /* ended by a NUL */
	size_t name_len;
	unsigned mode;
	enum odb_type type; /* that the mode tells, ODB_COMMIT of a submodule */
};
/* Returns 1, 0 at the end, or -1: malformed. *at moves on. */
int history_parse_entry(const char **at, const char *end, size_t raw_len,
			struct history_entry *out);
void history_entry_id(const struct history_entry *e, size_t raw_len,
		      struct oid *out);
/* In git's order, in which a directory's name ends in '/'; <0, 0, >0. */
int history_entry_order(const struct history_entry *a,
			const struct history_entry *b);

/*
 * history-commits.c. Commits that tips reach and hidden ones do not. A commit
 * that is taken for new though it is old costs time only; the other mistake is
 * never made. Numbers of commits are small, from 0.
 */
struct history_commits;
struct history_commits *history_commits_new(struct history *h);
void history_commits_free(struct history_commits *c);
/* Both take commits. What cannot be read is told by history_commits_list. */
void history_commits_tip(struct history_commits *c, const struct oid *id);
void history_commits_hide(struct history_commits *c, const struct oid *id);
/* Hide what all references reach; looked at only as far as needed. */
void history_commits_hide_refs(struct history_commits *c);
/*
 * All new commits, parents before children: their numbers into *list, which
 * belongs to c. Returns 0, or -1: what is there is not all.
 */
int history_commits_list(struct history_commits *c, const uint32_t **list,
			 size_t *nr);
/* One that is new and cannot be read, and why, a sentence part; or NULL. */
const struct oid *history_commits_broken(const struct history_commits *c,
					 const char **why);
const struct oid *history_commits_id(const struct history_commits *c,
				     uint32_t number);
const struct oid *history_commits_tree(const struct history_commits *c,
				       uint32_t number);
/* Trees of its parents, at most max; those that are not here are left out. */
size_t history_commits_older(const struct history_commits *c, uint32_t number,
			     struct oid *out, size_t max);

/* history-reach.c. Does from reach to, two commits? 1, 0; -1: unreadable. */
int history_reaches(struct history *h, const struct oid *from,
		    const struct oid *to);

/*
 * history-tree.c. What a tree has that none of the older trees has at the same
 * path; equal subtrees are not entered.
 */
#define HISTORY_PARENTS_MAX 16

struct history_change {
	const struct history_entry *entry;
	struct oid id;
	const char *path;  /* ended by a NUL */
	size_t path_len;
	int is_new;        /* no older tree has the name there */
	const struct oid *older; /* blobs of the older trees at this path */
	size_t nr_older;
};

struct history_diff {
	/* Is this tree, of len bytes, to be looked at? "" is the top's path. */
	int (*enter)(void *arg, const struct oid *tree, size_t len,
		     const struct oid *older, size_t nr_older,
		     const char *path);
	/* Each entry that differs, a directory before what is in it. */
	void (*change)(void *arg, const struct history_change *c);
	/* It cannot be looked at. */
	void (*bad)(void *arg, const struct oid *tree, const char *why);
	void *arg;
};

/* Of more older trees than HISTORY_PARENTS_MAX the rest are not compared. */
void history_tree(struct history *h, const struct oid *tree,
		  const struct oid *older, size_t nr_older,
		  const struct history_diff *d);

/*
 * history-old.c. What the references reach, looked up only when the store has
 * it: finding out means to visit the whole history, once.
 */
struct history_old {
	struct oids visited; /* all but blobs */
	struct oids reached; /* blobs */
	struct oids names;   /* hashes of those in trees, once asked for */
	int state; /* 0 not looked, 1 known, -1 cannot be known */
};
#define HISTORY_OLD_INIT { .visited = OIDS_INIT, .reached = OIDS_INIT }

int history_is_old(struct history *h, struct history_old *old,
		   const struct oid *id);
/* Has any of their trees an entry of this name? */
int history_is_old_name(struct history *h, struct history_old *old,
			const char *name, size_t len);
void history_old_clear(struct history_old *old);

#endif
