/*
 * What git upload-pack runs in the place of git pack-objects
 * (uploadpack.packObjectsHook, git-config(1)): takes its arguments and input,
 * gives a pack that was made before, or is being made, for the very same; or
 * runs git. upload-pack has judged the request by then. Whatever is in its way
 * here, git is run as if we were not there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "packs.h"

/* Some 100,000 references wanted; with more, git runs. */
#define INPUT_MAX ((size_t)4 << 20)
#define CHUNK 65536
/* As git's own die(). */
#define FAILED 128

/*
 * The input, up to INPUT_MAX. Returns 0; 1: there is more; -1: it cannot be
 * read.
 */
static int read_input(struct buf *in)
{
	while (in->len <= INPUT_MAX) {
		ssize_t n = read(STDIN_FILENO, buf_room(in, CHUNK), CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : 0;
		in->len += (size_t)n;
		in->data[in->len] = '\0';
	}
	return 1;
}

/* One that is kept, or begun now. Returns an exit status. */
static int from_store(struct packs *p)
{
	struct packs_file f = PACKS_FILE_INIT;
	uint64_t sent = 0;
	int rc = 1;

	if (packs_key(p) == 0 && packs_file_open(p, &f) == 0 &&
	    (f.maker < 0 || packs_make(p, &f) == 0))
		rc = packs_give(p, &f, &sent);
	if (rc < 0)
		rc = FAILED;
	else if (rc > 0)
		rc = sent == 0 ? packs_own(p) : packs_own_rest(p, f.fd, sent);
	packs_file_close(&f);
	return rc;
}

/* Returns an exit status, if at all. */
static int answer(struct packs *p, struct buf *in)
{
	int rc;

	if (packs_take(p) < 0)
		return packs_own(p);
	rc = read_input(in);
	p->input = in;
	p->more = rc > 0;
	if (rc < 0)
		return FAILED;
	return rc == 0 ? from_store(p) : packs_own(p);
}

int main(int argc, char **argv, char **envp)
{
	struct buf in = BUF_INIT;
	struct packs p = { .exec = argv + 1, .envp = envp, .fd = -1 };
	int rc;

	if (argc < 3 || strcmp(argv[1], "git") != 0) {
		fputs("usage: git-gate-pack git pack-objects [ARGUMENT ...]\n"
		      "It is run by git upload-pack, for git-gated(8).\n",
		      stderr);
		return 2;
	}
	rc = answer(&p, &in);
	packs_drop(&p);
	buf_clear(&in);
	return rc;
}
