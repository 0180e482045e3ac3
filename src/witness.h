#ifndef WITNESS_H
#define WITNESS_H

/*
 * A process that outlives this one by a moment. While an answer is under way it
 * has a descriptor of its own for the connection; when this process ends with
 * that answer unfinished, of whatever cause, it breaks the answer off, so that
 * no web server takes it for whole (stream_break does so while we live). It is
 * a help and never a hindrance: nothing here waits for it or fails without it.
 */

/*
 * Once per process, before there is anything to hide from it: sockets, threads,
 * secrets. Not a child of ours: nobody has to wait for it. argv is main's.
 */
void witness_start(char **argv);

/*
 * The first byte of the answer to the request of this id (FastCGI's) is about
 * to be sent on this connection.
 */
void witness_hold(int fd, unsigned id);
/* It has its end; before this descriptor is closed. Harmless without a hold. */
void witness_done(int fd);

#endif
