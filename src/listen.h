#ifndef LISTEN_H
#define LISTEN_H

struct buf;

/*
 * The socket that the web server connects to. Each function returns a
 * listening, non-blocking, close-on-exec descriptor, or -1, logged.
 */

/*
 * "PATH" (it has a '/') or "HOST:PORT". A socket that a dead process left at
 * PATH is replaced, one that answers is not. Mode 0660: whoever can connect
 * can claim to be any REMOTE_USER.
 */
int listen_open(const char *spec);

/*
 * The socket that we were started with: descriptor 3 of systemd's protocol
 * (sd_listen_fds(3)) when fds and pid, the values of LISTEN_FDS and
 * LISTEN_PID, say so; else descriptor 0, as spawn-fcgi and lighttpd do.
 */
int listen_inherited(const char *fds, const char *pid);

/*
 * Wait for a connection, or until stop_fd is readable; -1 then. The
 * descriptor is close-on-exec and blocking, with these time-outs on each
 * read and write.
 */
int listen_accept(int fd, int stop_fd, long read_ms, long write_ms);

#endif
