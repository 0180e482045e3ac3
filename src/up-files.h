#ifndef UP_FILES_H
#define UP_FILES_H

struct buf;
struct up_address;

/* The web servers that `git gate up` can start. */
struct up_server {
	const char *name;    /* of --server, and of NAME.conf and NAME.log */
	const char *program; /* absolute path */
	const char *package; /* of Debian */
	/* the whole of its configuration */
	void (*write)(struct buf *out, const char *state,
		      const struct up_address *a);
};

/* By name; NULL, logged, when there is no such server or not installed. */
const struct up_server *up_files_server(const char *name);

/*
 * The private directory of this run, absolute, for the caller to free; or
 * NULL, logged. dir is made (0700) when missing; NULL: a new one below /tmp.
 * Returns with *lock an open descriptor: one run has the directory at a time.
 */
char *up_files_state(const char *dir, int *lock);

/* Remove the directory and all below it. */
void up_files_remove(const char *state);

/* Write the web server's STATE/NAME.conf. Returns 0, or -1, logged. */
int up_files_web(const struct up_server *s, const char *state,
		 const struct up_address *a);

/* STATE/NAME, for the caller to free. */
char *up_files_path(const char *state, const char *name);

/* Write (anew, mode 0600) the file at path. Returns 0, or -1, logged. */
int up_files_write(const char *path, const struct buf *text);

#endif
