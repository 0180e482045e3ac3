#ifndef ODB_SWEEP_INTERNAL_H
#define ODB_SWEEP_INTERNAL_H

#include "odb-internal.h"

#define ODB_NOBODY UINT32_MAX /* no entry */

/* Beside enum odb_type, whose ODB_NONE is an entry that cannot be read. */
#define ODB_FAR 5 /* made from what another place has */

/* --- odb-sweep-plan.c: the trees of deltas in a pack ---------------------- */

/* Entries by their number, in order of offset; each array has nr of them. */
struct odb_plan {
	const struct odb_pack *pack;
	uint32_t nr;
	size_t *offset;
	uint32_t *at;        /* in the index, where the id is */
	uint32_t *base;      /* ODB_NOBODY: none here */
	uint32_t *child;     /* the first that is made from it */
	uint32_t *next;      /* the next that is made from the same; the one
				that most is made from comes last */
	unsigned char *type; /* of its root */
	uint32_t *roots, nr_roots; /* those of wanted types */
};

void odb_plan_make(struct odb_plan *p, const struct odb_pack *pack,
		   unsigned types);
void odb_plan_clear(struct odb_plan *p);

/* --- odb-sweep-room.c: memory for texts ----------------------------------- */

struct odb_room {
	size_t size; /* of data, without ODB_SLACK */
	char data[];
};

#define ODB_SPARES 8
struct odb_rooms {
	struct odb_room *spare[ODB_SPARES];
	unsigned nr;
	size_t held; /* bytes of spare ones and of those given out */
	size_t keep; /* larger ones are not kept as spares */
};

/* What a room for len bytes would add to held. */
size_t odb_room_cost(const struct odb_rooms *r, size_t len);
/* NULL: there is not that much memory. Not cleared. */
struct odb_room *odb_room_get(struct odb_rooms *r, size_t len);
void odb_room_put(struct odb_rooms *r, struct odb_room *room);
void odb_rooms_clear(struct odb_rooms *r);

/* --- odb-sweep.c: threads ------------------------------------------------- */

/* An entry whose deltas are being gone through. */
struct odb_frame {
	uint32_t entry;
	uint32_t child;         /* to be made next */
	enum odb_type type;
	enum odb_status status; /* ODB_OK: deltas can be made from it */
	int seen;               /* the visitor had its text */
	struct odb_room *text;  /* NULL: dropped, to be made again */
	size_t len;
	void *kept;             /* what visit returned */
};

/* What threads share while they go through one pack, or loose objects. */
struct odb_run {
	const struct odb *o;
	const struct odb_sweep *s;
	const struct odb_plan *plan;
	const struct oid *loose;
	uint32_t nr_units;      /* roots, or loose objects */
	_Atomic uint64_t next;  /* to be taken */
	unsigned nr_walkers;
	unsigned nr_helper;     /* of args, for who comes later */
	size_t share, extra;    /* bytes of each, of the one that has `big` */
	size_t limit;           /* bytes of anything that is made */
	size_t most;            /* of a version, its base and its delta */
	pthread_mutex_t big;
	_Atomic int stopped;
	_Atomic int wanted;     /* somebody waits for a frame */
	pthread_mutex_t lock;   /* of the rest */
	pthread_cond_t change;
	struct odb_frame *frames; /* given away */
	size_t nr, alloc;
	unsigned idle;
};

/* --- odb-sweep-make.c: one thread's texts --------------------------------- */

struct odb_walker {
	struct odb_run *run;
	unsigned nr_self;       /* of args */
	struct libdeflate_decompressor *inflater;
	struct odb_loose loose;
	struct odb_reader *reader; /* for what is elsewhere, or NULL */
	struct odb_marks marks;
	struct odb_rooms rooms;
	struct odb_frame *frames;
	size_t nr, alloc;
	size_t pinned;          /* the frame whose text is in use */
	uint32_t *path;         /* to make a text again */
	size_t nr_path, alloc_path;
	int has_big;
	size_t since;           /* bytes made since stop was asked */
};

/*
 * Each makes a text in *out, which goes back to w->rooms, and says its length
 * in v; on failure, why. What is pinned is not dropped meanwhile.
 *
 * The version that an entry, a delta, makes of its base; w->marks are its.
 */
enum odb_status odb_make(struct odb_walker *w, uint32_t entry,
			 const struct odb_room *base, size_t base_len,
			 struct odb_version *v, struct odb_room **out);
/* A root, and its type where only then it can be told. */
enum odb_status odb_make_root(struct odb_walker *w, uint32_t entry,
			      struct odb_version *v, struct odb_room **out);
/* What v->id names, wherever it is. */
enum odb_status odb_make_far(struct odb_walker *w, struct odb_version *v,
			     struct odb_room **out);
/* The last frame's text, which was dropped, once more. */
enum odb_status odb_make_again(struct odb_walker *w, struct odb_version *v);
/* Another thread may have more than its share, if this one has not. */
void odb_make_done(struct odb_walker *w);
/* The id of an entry. */
void odb_make_name(const struct odb_walker *w, uint32_t entry,
		   struct odb_version *v);

/* --- odb-sweep-tree.c: what one thread does ------------------------------- */

/* A root and all that is made from it; a frame that was given away; a loose
 * object. They end early when the run is stopped. */
void odb_tree_root(struct odb_walker *w, uint32_t entry);
void odb_tree_frame(struct odb_walker *w, const struct odb_frame *f);
void odb_tree_loose(struct odb_walker *w, const struct oid *id);
/* Let go of a frame that nobody will go through. */
void odb_tree_forget(struct odb_walker *w, struct odb_frame *f);
/* odb-sweep.c: give the lowest frame to who waits. */
void odb_sweep_share(struct odb_walker *w);
/* odb-sweep.c: has the run been stopped? Asks the caller now and then. */
int odb_sweep_stopped(struct odb_walker *w);
/* odb-sweep.c: all of one thread's part, from the first root on. */
void odb_sweep_work(struct odb_walker *w);

/* --- odb-sweep-help.c: a thread that comes later -------------------------- */

/* Who comes may take part from the first to the second, which waits until he
 * has left. h may be NULL. */
void odb_help_open(struct odb_help *h, struct odb_run *run);
void odb_help_close(struct odb_help *h);

#endif
