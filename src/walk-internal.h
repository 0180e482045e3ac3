#ifndef WALK_INTERNAL_H
#define WALK_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <git2.h>

#include "findings.h"
#include "oidset.h"
#include "scan.h"
#include "walk.h"

/*
 * What the files of this room share. walk.c knows the order; walk-store.c
 * opens and closes, walk-refs.c reads references, walk-names.c revisions,
 * walk-commits.c says which commits are new, walk-tree.c which paths,
 * walk-read.c reads one object and walk-object.c scans it, walk-old.c knows
 * what the references reached before.
 */
struct buf;

/* Which of the repository's references an object could be old through. */
struct walk_ref {
	char *name;
	git_oid id;
};

struct walk_refs {
	struct walk_ref *list; /* sorted by name */
	size_t nr, alloc;
};

struct walk {
	char *git_dir;
	char *common;         /* of all work trees; git_dir elsewhere */
	char *objects;        /* COMMON/objects */
	git_odb *odb;         /* everything: quarantine and store */
	git_odb *store;       /* what the repository has; NULL: no push */
	git_odb *pushed;      /* the quarantine alone, or NULL */
	git_repository *repo; /* around odb; has no configuration */
	struct walk_refs refs;
	struct oidset shallow; /* commits whose parents are not here */

	/* of the scan under way */
	struct scanner *scanner;
	const struct walk_limits *limits;
	struct findings *out;
	struct oidset seen;   /* objects that need no second look */
	struct oidset places; /* hashes of (blob, path), and of paths */
	struct oidset again;  /* trees met again, by place; walk-tree.c */
	struct oidset suspect; /* blobs that were not found clean */
	size_t nr_first;      /* work on what was first met */
	size_t nr_again;      /* and on what was met again */
	struct oidset old;    /* see walk-old.c */
	int old_state;        /* 0 not looked, 1 known, -1 cannot be known */
	int minds_path;       /* a rule looks at it */
	int stop;             /* the time is over, or too much unfolds */
	git_commit *commit;   /* that objects are attributed to, or NULL */
};

/* walk-refs.c. References and shallow commits, into w. 0 or -1, logged. */
int walk_refs_read(struct walk *w);
void walk_refs_clear(struct walk_refs *refs);
const struct walk_ref *walk_refs_find(const struct walk_refs *refs,
				      const char *name);
/* HEAD's object. Returns 0, 1 when it names no object yet, -1 on error. */
int walk_refs_head(const struct walk *w, git_oid *out);

/* walk-names.c. A revision's object. Returns 0, or -1: there is none. */
int walk_name(const struct walk *w, const char *name, size_t n, git_oid *out);

/* walk-commits.c. Commits that tips reach and hidden ones do not. */
struct commits;
struct commits *walk_commits_new(struct walk *w);
void walk_commits_free(struct commits *c);
/* Both take commits. Return 0, or -1, noted as unknown for tips. */
int walk_commits_tip(struct commits *c, const git_oid *id);
void walk_commits_hide(struct commits *c, const git_oid *id);
/*
 * All new commits into out, parents before children. Returns 0, or -1, noted:
 * what is there is not all.
 */
int walk_commits_list(struct commits *c, struct oidset *out);

/* walk-read.c */
/* Is the time over? Notes it as unknown once. */
int walk_late(struct walk *w);
/*
 * Read an object within the limits. want is GIT_OBJECT_ANY or what it must
 * be. NULL, noted as unknown (quiet: not noted).
 */
git_odb_object *walk_read(struct walk *w, const git_oid *id,
			  git_object_t want, int quiet);
git_tree *walk_read_tree(struct walk *w, const git_oid *id, int quiet);
git_commit *walk_read_commit(struct walk *w, const git_oid *id, int quiet);
/* Follow tags from id; *type is what they end at. 0, or -1: unreadable. */
int walk_peel(struct walk *w, const git_oid *id, git_oid *out,
	      git_object_t *type);

/*
 * Is there to be work on an object, first met or met again? It is counted;
 * when what is met again is out of proportion, no, noted once.
 */
int walk_may(struct walk *w, int first, size_t work);

/* walk-object.c */
/* Scan a name: a path or a reference, as label says. */
void walk_scan_name(struct walk *w, const char *text, size_t len,
		    const char *label);
/* Scan a push option. */
void walk_scan_option(struct walk *w, const char *option);
/* Scan a blob. older are other versions of the same path, of parents. */
void walk_scan_blob(struct walk *w, const git_oid *id, const char *path,
		    const git_oid *older, size_t nr_older);
/* Scan a commit's or tag's bytes. */
void walk_scan_raw(struct walk *w, const git_oid *id, git_object_t type);
/* Scan an object that nothing new reaches. */
void walk_scan_unreachable(struct walk *w, const git_oid *id);

/* walk-tree.c. What differs from every one of the older trees. */
void walk_tree(struct walk *w, git_tree *tree, git_tree *const *older,
	       size_t nr_older);
/* All of a commit that its parents have not. */
void walk_commit(struct walk *w, const git_oid *id);

/* walk-old.c. Did the references reach this object before the push? */
int walk_is_old(struct walk *w, const git_oid *id);

#endif
