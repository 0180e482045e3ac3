/*
 * Mirrors that a power cut hurt: looks at each once after the responder's
 * start, and whenever a refresh fails for what may be its own fault. Takes a
 * job whose upstream has answered; takes away what a fetch brings back, or
 * says that the mirror is to be made anew, and puts that one in its place.
 * Never while a push is under way.
 */
#include "mirror-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "log.h"

/* What the mirror itself has, unchanged. Returns as mirror_sound. */
static int look(struct mirror_job *j, struct buf *why)
{
	struct buf said = BUF_INIT;
	int worst = mirror_sound(j->path, 0, why);

	if (worst < 2 && mirror_saved_is_mending(j->path)) {
		buf_addf(why, "%sits references are not all back",
			 why->len ? "; " : "");
		worst = 1;
	}
	/* git does not read the rest before these are mended */
	if (!worst) {
		mirror_git_check(j, j->path, &said);
		worst = mirror_sound_words(&said, why) ? 2 : 0;
	}
	buf_clear(&said);
	return worst;
}

int mirror_heal_is_whole(struct mirror_job *j)
{
	struct buf why = BUF_INIT;
	int whole = !look(j, &why) && mirror_saved_agrees(j->path);

	if (!whole)
		log_warn("%s: damaged, and not served before its upstream "
			 "answers: %s", j->path,
			 why.len ? why.data : "references are missing");
	buf_clear(&why);
	return whole;
}

/* Returns 0, or -1: it has to be made anew. */
static int mend(struct mirror_job *j)
{
	struct buf why = BUF_INIT, said = BUF_INIT;
	int rc = -1;

	if (mirror_lock_still(j->path))
		return -1;
	if (!mirror_saved_mending(j->path) && !mirror_saved_remove(j->path) &&
	    mirror_sound(j->path, 1, &why) < 2) {
		mirror_git_check(j, j->path, &said);
		rc = mirror_sound_words(&said, &why) ? -1 : 0;
	}
	mirror_lock_swept(j->path);
	buf_clear(&why);
	buf_clear(&said);
	return rc;
}

int mirror_heal(struct mirror_job *j)
{
	struct buf why = BUF_INIT;
	int worst = look(j, &why), rc = 0;

	if (worst) {
		rc = worst == 1 && !mend(j) ? 1 : 2;
		log_warn("%s: damaged, as by a power cut: %s; %s", j->path,
			 why.data, rc == 1 ? "it is brought back by a fetch"
					   : "it is made anew");
	}
	buf_clear(&why);
	return rc;
}

/* One rename(2) after another; who comes in between finds no mirror. */
static int swap(const char *path, const char *tmp)
{
	char *old = mirror_clean_name(path);
	int rc = rename(path, old);

	if (!rc && (rc = rename(tmp, path)) && rename(old, path))
		log_error("%s: %s", old, strerror(errno));
	if (!rc)
		mirror_clean_tree(old);
	free(old);
	return rc;
}

/* Something of git's lies there, and not what somebody else may miss. */
static int was_mirror(const char *path)
{
	struct buf objects = BUF_INIT;
	struct stat st;
	int is;

	buf_addf(&objects, "%s/objects", path);
	is = !lstat(objects.data, &st) && S_ISDIR(st.st_mode);
	buf_clear(&objects);
	if (is && !mirror_path_is_bare(path))
		log_warn("%s: damaged, as by a power cut: HEAD or refs is not "
			 "there; it is made anew", path);
	return is;
}

enum fault_kind mirror_heal_place(struct mirror_job *j, const char *tmp)
{
	int rc;

	if (!was_mirror(j->path)) {
		rc = rename(tmp, j->path);
	} else if (mirror_lock_still(j->path)) {
		buf_reset(&j->words);
		buf_adds(&j->words, "damaged, and a push is under way");
		return FAULT_BUSY;
	} else {
		rc = swap(j->path, tmp);
		mirror_lock_swept(j->path);
	}
	if (!rc)
		return FAULT_NONE;
	log_error("%s: cannot be made: %s; remove what is there", j->path,
		  strerror(errno));
	return FAULT_LOCAL;
}
